"""What AWS Config does by the clock: history files every six hours, snapshots as the channel asks, a daily look at all.

Follows "Viewing configuration history" (history files are delivered every six hours) and the API reference's
ConfigSnapshotDeliveryProperties and RecordingMode (types recorded daily are looked at by the daily round alone). Each
round remembers in a document when it was last made; those that were missed are made up for, each at its own time.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trailstate.configuration.recorder import Home, Recorder, Recorders, records
from trailstate.configuration.shipment import Channel, channel_of, history_row, item_on, snapshot_row
from trailstate.configuration.trigger import every_type
from trailstate.configuration.types import ResourceTypes
from trailstate.stores.interface import CONFIGURATION, Commit, OutboxRow, ShelfChange, ShelfKey, Store
from trailstate.world import World

ROUND = "config.round"
HISTORY = "history"
SNAPSHOT = "snapshot"
LOOK = "look"
HISTORY_PERIOD = timedelta(hours=6)
LOOK_PERIOD = timedelta(days=1)
FREQUENCIES: Mapping[str, timedelta] = {
    "One_Hour": timedelta(hours=1),
    "Three_Hours": timedelta(hours=3),
    "Six_Hours": timedelta(hours=6),
    "Twelve_Hours": timedelta(hours=12),
    "TwentyFour_Hours": timedelta(hours=24),
}
ROUNDS_AT_ONCE_MAX = 500
"""Missed rounds of one kind that are made up for in one go; further ones follow in the next."""

PAGE_ENTRIES = 1000


def _history_period(channel: Channel | None) -> timedelta | None:
    return None if channel is None else HISTORY_PERIOD


def _snapshot_period(channel: Channel | None) -> timedelta | None:
    wanted = ((channel or {}).get("configSnapshotDeliveryProperties") or {}).get("deliveryFrequency")
    return FREQUENCIES.get(str(wanted))


PERIODS: Mapping[str, Callable[[Channel | None], timedelta | None]] = {
    HISTORY: _history_period,
    SNAPSHOT: _snapshot_period,
    LOOK: lambda _: LOOK_PERIOD,
}


@dataclass(frozen=True, slots=True)
class Round:
    """One kind of round of one recorder: when it was last made, and how often it is."""

    kind: str
    home: Home
    recorder: Recorder
    last: datetime
    period: timedelta
    document: Mapping[str, Any]

    @property
    def due(self) -> datetime:
        return self.last + self.period


Made = tuple[list[OutboxRow], dict[str, Any]]
"""What a round sends, and what its document says then."""


class Rounds:
    """Makes the rounds of every running recorder (`follow.Timer`)."""

    name = "configuration-rounds"

    def __init__(self, world: World, store: Store, recorders: Recorders, types: ResourceTypes) -> None:
        self._world = world
        self._store = store
        self._recorders = recorders
        self._types = types
        self._makers = {HISTORY: self._histories, SNAPSHOT: self._snapshots, LOOK: self._looks}

    def next_times(self, home: Home) -> dict[str, datetime]:
        """When each round of a running recorder is made next."""
        return {each.kind: each.due for each in self._all() if each.home == home}

    def due(self) -> datetime | None:
        return min((each.due for each in self._all()), default=None)

    def run(self, now: datetime) -> None:
        for each in list(self._all()):
            if each.due <= now:
                self._store.commit(self._made(each, now))

    def _all(self) -> Iterator[Round]:
        for home, recorder in self._recorders.running().items():
            channel = channel_of(self._store, home)
            for kind, period_of in PERIODS.items():
                period = period_of(channel)
                if period is not None:
                    document = self._store.get(round_key(home, kind))
                    value = {} if document is None else document.value
                    started = max(str(recorder["lastStartTime"]), str(value.get("last", "")))
                    yield Round(kind, home, recorder, datetime.fromisoformat(started), period, value)

    def _made(self, each: Round, now: datetime) -> Commit:
        count = min((now - each.last) // each.period, ROUNDS_AT_ONCE_MAX)
        moments = [each.last + number * each.period for number in range(1, count + 1)]
        rows, value = self._makers[each.kind](each, moments)
        value["last"] = moments[-1].isoformat()
        return Commit(outbox=rows, shelf=[ShelfChange(round_key(each.home, each.kind), value)])

    def _snapshots(self, each: Round, moments: list[datetime]) -> Made:
        return [snapshot_row(each.home, self._world.uuid(), moment) for moment in moments], {}

    def _looks(self, each: Round, moments: list[datetime]) -> Made:
        """Once is enough, however many were missed."""
        recorded = [declared for declared in self._types.all if records(each.recorder, declared)]
        return every_type(each.home, recorded, moments[-1].isoformat()), {}

    def _histories(self, each: Round, moments: list[datetime]) -> Made:
        rows: list[OutboxRow] = []
        position = int(each.document.get("position", 0))
        for moment in moments:
            upto, types = self._window(each.home, position, moment)
            rows += [history_row(each.home, type_name, position, upto, moment) for type_name in types]
            position = upto
        return rows, {"position": position}

    def _window(self, home: Home, after: int, moment: datetime) -> tuple[int, list[str]]:
        """The last line up to a moment, and the types whose items are on the lines until there."""
        types: dict[str, None] = {}
        while entries := self._store.read(CONFIGURATION, after, PAGE_ENTRIES):
            for entry in entries:
                if entry.time > moment:
                    return after, sorted(types)
                after = entry.position
                item = item_on(entry, home)
                if item is not None:
                    types[item["resourceType"]] = None
        return after, sorted(types)


def round_key(home: Home, kind: str) -> ShelfKey:
    """Where it is written when a round was last made."""
    return ShelfKey(home.account, home.region, ROUND, kind)
