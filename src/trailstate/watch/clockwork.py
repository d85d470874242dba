"""Scheduled rules run at their times: each time once, and those that were missed, oldest first.

A rule's next time is a document of its own, which changes in the commit that sends the events of that time.
"""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from trailstate.stores.interface import Commit, OutboxRow, ShelfChange, ShelfKey, Store, VersionConflict
from trailstate.watch.bus import DEFAULT, SCHEDULE, BusName, Event, delivery_rows
from trailstate.watch.schedule import read_schedule
from trailstate.world import World

RUNS_AT_ONCE_MAX = 1000
"""Of one rule, after a long absence; what was missed beyond that is not made up for."""

_encode = msgspec.json.Encoder().encode


class ScheduleTimer:
    """The timer of all scheduled rules."""

    name = "schedules"

    def __init__(self, store: Store, world: World) -> None:
        self._store = store
        self._world = world

    def due(self) -> datetime | None:
        return min((moment for _, moment, _ in self._waiting()), default=None)

    def run(self, now: datetime) -> None:
        for key, moment, version in list(self._waiting()):
            if moment <= now:
                self._run(key, moment, now, version)

    def _waiting(self) -> Iterator[tuple[ShelfKey, datetime, int]]:
        for key, document in self._store.documents(None, None, SCHEDULE):
            if document.value["Next"]:
                yield key, datetime.fromisoformat(document.value["Next"]), document.version

    def _run(self, key: ShelfKey, moment: datetime, now: datetime, version: int) -> None:
        bus = BusName(key.account, key.region, DEFAULT)
        rule = self._store.get(bus.rule_key(key.name))
        if rule is None:
            self._store.commit(Commit(shelf=[ShelfChange(key, None)]))
            return
        schedule = read_schedule(rule.value["ScheduleExpression"])
        rows: list[OutboxRow] = []
        following: datetime | None = moment
        runs = 0
        targets = tuple(rule.value["Targets"].values())
        while following is not None and following <= now and runs < RUNS_AT_ONCE_MAX:
            event = self._event(bus, key.name, following)
            rows.extend(delivery_rows(bus, key.name, targets, event.id, _encode(event).decode(), now))
            following, runs = schedule.after(following), runs + 1
        if following is not None and following <= now:
            following = schedule.after(now)
        value = {"Next": following.isoformat() if following else ""}
        try:
            self._store.commit(Commit(shelf=[ShelfChange(key, value, version)], outbox=rows))
        except VersionConflict:
            return  # the rule was changed meanwhile: its new time is looked at next

    def _event(self, bus: BusName, rule: str, moment: datetime) -> Event:
        return Event(
            version="0",
            id=self._world.uuid(),
            detail_type="Scheduled Event",
            source="aws.events",
            account=bus.account,
            time=f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            region=bus.region,
            resources=(bus.rule_arn(rule),),
            detail=msgspec.Raw(b"{}"),
        )
