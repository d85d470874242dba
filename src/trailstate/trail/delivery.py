"""The journal becomes windows: each record of a logging trail in exactly one file to be, decided once and for good.

One follower reads the journal for all trails. What it gathers lives in memory; its durable cursor stands before the
first record of the open windows and moves only in the commit that cuts them, so a restart reads those records again and
gathers the same. Windows are cut together, at multiples of `delivery_seconds` by ledger time, and also wherever a trail
changes or an account joins or leaves its organization, so no window spans two states of a trail: the record that stops
a trail is the last thing it delivers.

What goes onward (CloudWatch Logs, EventBridge) does not wait for the window. It is committed with each batch and has a
cursor of its own, so that what is read again is not sent again.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from trailstate.stores.interface import JOURNAL, Commit, Entry, OutboxRow, ShelfChange, ShelfKey, Store
from trailstate.trail import chain
from trailstate.trail.kept import KEPT, Kept, beginnings, document_of, kept_after, kept_of, lane_of, news
from trailstate.trail.membership import Membership, Organized
from trailstate.trail.onward import Hearing, Onward
from trailstate.trail.trails import Change, Trail, change_of, changes_trails, covers, selected
from trailstate.trail.window import TOKEN_CHARACTERS, Gathering, Lane, Window, boundary
from trailstate.world import World

ONWARD_CURSOR = "onward"
UNSAVED_ENTRIES_MAX = 10_000
"""How far the follower may read ahead of its durable cursor while it gathers nothing."""

READ_ENTRIES = 2000

_CHANGES_A_TRAIL = b'"eventSource":"cloudtrail.amazonaws.com"'
_CHANGES_MEMBERS = b'"eventSource":"organizations.amazonaws.com"'

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_decode = msgspec.json.Decoder().decode

WATCHED_FOR = timedelta(seconds=60)
"""By ledger time: how long it is remembered whom a trail covers."""


class Listeners(Protocol):
    """Who waits for events on the default buses."""

    def hearing(self, account: str, region: str) -> Hearing:
        """What the rules there can hear of now."""


@dataclass(frozen=True, slots=True)
class _Watch:
    """A logging trail that covers one account and region."""

    trail: Trail
    lane: Lane
    since: datetime
    """When the digest chain of its files began."""


class Delivery:
    """The follower. Safe from two threads: one that reads the journal, one that cuts by the clock."""

    name = "delivery"
    ledger = JOURNAL
    linger_seconds = 0.05
    """An event is with its target within a fifth of a second; a batch in which nothing goes onward costs one read."""

    def __init__(
        self,
        store: Store,
        world: World,
        window_seconds: int,
        organizations: Organized,
        listeners: Listeners,
        regions: Sequence[str],
    ) -> None:
        """`regions`: where a trail of many Regions has digests from its start, before anything happened there."""
        self._store = store
        self._world = world
        self._seconds = window_seconds
        self._membership = Membership(store, world, organizations)
        self._listeners = listeners
        self._regions = regions
        self._hearing: dict[tuple[str, str], Hearing] = {}
        self._lock = threading.RLock()
        self.forget()

    def forget(self) -> None:
        """Begin again from what is durable."""
        with self._lock:
            self._position = self._saved = self._store.cursor(self.name)
            self._kept = dict(kept_of(key, document.value) for key, document in self._store.documents(None, None, KEPT))
            self._gathered: dict[Lane, Gathering] = {}
            self._ends: datetime | None = None
            self._since = 0.0
            self._chained: set[tuple[str, int]] = set()
            self._opened: list[OutboxRow] = []
            self._watched: dict[tuple[str, str], list[_Watch]] = {}
            self._watched_until = _LONG_AGO
            self._onward = Onward(self._store.cursor(ONWARD_CURSOR))
            self._membership.forget()

    # The follower.

    def cursor(self) -> int:
        """The last position read; what is durable may be less."""
        return self._position

    def apply(self, entries: Sequence[Entry]) -> None:
        with self._lock:
            try:
                self._apply(entries)
            except BaseException:
                self.forget()
                raise

    def _apply(self, entries: Sequence[Entry]) -> None:
        self._hearing.clear()  # a rule that was put before one of these entries is known by now
        for entry in entries:
            if entry.position > self._position:
                self._take(entry)
        if self._onward:
            self._store.commit(Commit(outbox=self._onward.rows(), cursors={ONWARD_CURSOR: self._position}))
        if not self._gathered and self._position - self._saved >= UNSAVED_ENTRIES_MAX:
            self._save(Commit())

    def _take(self, entry: Entry) -> None:
        if self._ends is not None and entry.time >= self._ends:
            self._cut()
        if entry.time >= self._watched_until:
            self._watched, self._watched_until = {}, entry.time + WATCHED_FOR
        body = entry.body
        watched = self._watching(entry)
        self._position = entry.position
        if not (watched or _CHANGES_A_TRAIL in body or _CHANGES_MEMBERS in body):
            return
        record = _decode(body)
        self._gather(entry, record, [each for each in watched if selected(each.trail, record)], bool(watched))
        if _CHANGES_A_TRAIL in body and changes_trails(record):
            change = change_of(self._store, record)
            if change is not None:
                self._change(change, record["eventID"], entry.time)
        if _CHANGES_MEMBERS in body and not record["readOnly"]:
            self._moved(self._membership.take(record))

    def _gather(self, entry: Entry, record: dict[str, Any], chosen: Sequence[_Watch], is_logged: bool) -> None:
        size = len(entry.body)
        for each in chosen:
            self._gathering(each, entry.time).add(entry.position, size)
            self._onward.log(each.lane, each.trail.document.get("CloudWatchLogsLogGroupArn"), entry.position, size)
        if chosen and self._ends is None:
            self._ends, self._since = boundary(entry.time, self._seconds), self._world.monotonic()
        if is_logged:
            hearing = self._heard_at(entry.account, entry.region)
            self._onward.event(entry, record, hearing, is_selected=bool(chosen))

    def _heard_at(self, account: str, region: str) -> Hearing:
        place = (account, region)
        found = self._hearing.get(place)
        if found is None:
            found = self._hearing[place] = self._listeners.hearing(account, region)
        return found

    def _gathering(self, watch: _Watch, time: datetime) -> Gathering:
        lane = watch.lane
        if lane not in self._gathered:
            self._gathered[lane] = Gathering()
            if lane.opening and (lane.chain, lane.opening) not in self._chained:
                self._chained.add((lane.chain, lane.opening))
                self._opened.append(chain.opened(lane, watch.since, time))
        return self._gathered[lane]

    def _watching(self, entry: Entry) -> list[_Watch]:
        found = self._watched.get((entry.account, entry.region))
        if found is None:
            organized = {
                kept.trail.account
                for kept in self._kept.values()
                if kept.trail is not None and kept.is_logging and kept.trail.organization
            }
            if changed := self._membership.learn(organized, entry):
                self._moved(changed)
            found = self._watched[entry.account, entry.region] = self._watches(entry.account, entry.region)
        return found

    def _watches(self, account: str, region: str) -> list[_Watch]:
        return [
            _Watch(kept.trail, lane_of(kept.trail, kept, account, region), kept.since)
            for kept in self._kept.values()
            if kept.trail is not None
            and kept.is_logging
            and covers(kept.trail, account, region, self._membership.is_member)
        ]

    # What becomes durable.

    def _change(self, change: Change, event_id: str, time: datetime) -> None:
        """From the next record on the trail is another one; everything gathered so far goes by the old state."""
        before = self._kept.get(change.key) or Kept(None, 0, 0, time)
        after = kept_after(before, change.trail, time)
        self._kept[change.key] = after
        self._watched.clear()
        began = self._began(before, after, change.key)
        self._chained.update((lane.chain, lane.opening) for lane in began)
        self._cut(
            shelf=[
                ShelfChange(ShelfKey(change.key.account, change.key.region, KEPT, change.key.name), document_of(after)),
                ShelfChange(change.told, None),
            ],
            outbox=news(before, after, event_id, time, began),
        )

    def _moved(self, changed: Sequence[ShelfChange]) -> None:
        """Who belongs to an organization is another from the next record on; who it was is durable before."""
        self._watched.clear()
        if changed:
            self._cut(shelf=changed)

    def _began(self, before: Kept, after: Kept, key: ShelfKey) -> list[Lane]:
        """The chains that begin with a change: where digests are made in any case and, when logging begins again,
        wherever the trail had some before and covers still: they have digests from then on, records or none."""
        if before.is_chained or not after.is_chained or after.trail is None:
            had = {lane.chain for lane in beginnings(before, self._regions)}
            return [lane for lane in beginnings(after, self._regions) if lane.chain not in had]
        names = (found.name for found, _ in self._store.documents(key.account, key.region, chain.CHAIN))
        places = sorted(tuple(name.split("/")[1:]) for name in names if name.startswith(f"{key.name}/"))
        lanes = [
            *beginnings(after, self._regions),
            *(
                lane_of(after.trail, after, account, region)
                for account, region in places
                if covers(after.trail, account, region, self._membership.is_member)
            ),
        ]
        return list({lane.chain: lane for lane in lanes}.values())

    def _cut(self, shelf: Sequence[ShelfChange] = (), outbox: Sequence[OutboxRow] = ()) -> None:
        """Make windows of everything gathered."""
        windows = [
            Window(lane, tuple(spans), self._ends, self._world.token(TOKEN_CHARACTERS))
            for lane, gathering in self._gathered.items()
            for spans in gathering.files
            if self._ends is not None
        ]
        rows = [*self._opened, *(each.row() for each in windows), *outbox]
        self._gathered, self._ends, self._opened = {}, None, []
        self._save(Commit(shelf=shelf, outbox=rows))

    def _save(self, commit: Commit) -> None:
        outbox = [*commit.outbox, *self._onward.rows()]
        cursors = {self.name: self._position, ONWARD_CURSOR: self._position}
        self._store.commit(Commit(shelf=commit.shelf, outbox=outbox, cursors=cursors))
        self._saved = self._position

    # The clock.

    def ends(self) -> datetime | None:
        """When the open windows are to be cut; None while there is none. A clock that was set back delays nothing."""
        if self._ends is not None and self._world.monotonic() - self._since >= self._seconds:
            return _LONG_AGO
        return self._ends

    def cut(self, now: datetime) -> None:
        """Cut what ends by now, with everything the journal holds so far."""
        with self._lock:
            try:
                self._catch_up()
                ends = self.ends()
                if ends is not None and ends <= now:
                    self._cut()
            except BaseException:
                self.forget()
                raise

    def _catch_up(self) -> None:
        head = self._store.head(JOURNAL)
        while self._position < head:
            self._apply(self._store.read(JOURNAL, self._position, READ_ENTRIES))


class WindowTimer:
    """Cuts the windows when their time is over, whether or not another record comes."""

    name = "windows"

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    def due(self) -> datetime | None:
        return self._delivery.ends()

    def run(self, now: datetime) -> None:
        self._delivery.cut(now)
