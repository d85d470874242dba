"""Windows and digests go to their buckets: bytes stored first, then put where nothing stands, then told of.

A row stays in its queue until its object stands in the bucket, however long that takes within thirty days; each chain
has a queue of its own, so a bucket that is missing holds up nobody else. A log file's bytes come from its window alone,
are kept in Objects before the first attempt until it is delivered (`shelter`); a digest's stand in its row.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256

from trailstate.follow import Later
from trailstate.stores.interface import JOURNAL, Commit, Objects, OutboxRow, Store
from trailstate.trail import chain, digester, onward, status
from trailstate.trail.bucket import Buckets, Occupied, Parcel, Undelivered
from trailstate.trail.digest import Delivered
from trailstate.trail.digester import made_of
from trailstate.trail.logfile import log_text, pack, times_of
from trailstate.trail.shelter import kept, shelter_of
from trailstate.trail.status import Statuses
from trailstate.trail.window import QUEUE, TOKEN_CHARACTERS, Window, positions, window_of
from trailstate.world import World

log = logging.getLogger(__name__)

KEPT_FOR = timedelta(days=30)
"""How long AWS tries to deliver a file."""

BACK_OFF_SECONDS_MIN = 1.0
BACK_OFF_SECONDS_MAX = 60.0
OCCUPIED = "KeyOccupied"


class BackOff:
    """How long to wait after each failure in a row, by queue."""

    def __init__(self) -> None:
        self._failures: dict[str, int] = {}

    def after_failure(self, queue: str) -> float:
        failures = self._failures[queue] = self._failures.get(queue, 0) + 1
        return min(BACK_OFF_SECONDS_MAX, BACK_OFF_SECONDS_MIN * 2.0 ** min(failures - 1, 16))

    def succeeded(self, queue: str) -> None:
        self._failures.pop(queue, None)

    def is_refused(self, queue: str) -> bool:
        """Whether the last attempt failed."""
        return queue in self._failures


class WindowShipper:
    """Makes log files of windows and puts them into their buckets."""

    prefix = QUEUE

    def __init__(
        self,
        store: Store,
        objects: Objects,
        buckets: Buckets,
        statuses: Statuses,
        world: World,
        on_finding: Callable[[], None],
    ) -> None:
        """`on_finding` is told of each object that stands where it must not."""
        self._store = store
        self._on_finding = on_finding
        self._objects = objects
        self._buckets = buckets
        self._statuses = statuses
        self._world = world
        self._back_off = BackOff()

    def is_refused(self, queue: str) -> bool:
        """Whether the next file of a queue was tried and not taken."""
        return self._back_off.is_refused(queue)

    def ship(self, row: OutboxRow) -> Commit:
        window = window_of(row)
        records = self._records(window)
        text = log_text(records)
        lane = window.lane
        body = kept(self._objects, shelter_of(window), lambda: pack(text))
        try:
            self._buckets.put(lane, Parcel(lane.bucket, window.key, body, kms_key=lane.kms_key))
        except Undelivered as error:
            return self._not_yet(row, window, error)
        except Occupied as finding:
            return self._elsewhere(row, window, finding)
        self._back_off.succeeded(row.queue)
        newest, oldest = times_of(records)
        return self._stands(row, window, Delivered(lane.bucket, window.key, sha256(text).hexdigest(), newest, oldest))

    def _records(self, window: Window) -> list[bytes]:
        found: list[bytes] = []
        for first, last in window.spans:
            found += (entry.body for entry in self._store.read(JOURNAL, first - 1, last - first + 1))
        assert len(found) == sum(1 for _ in positions(window.spans)), "the journal never loses a line"
        return found

    def _stands(self, row: OutboxRow, window: Window, file: Delivered) -> Commit:
        lane, now = window.lane, self._world.now()
        rows = [chain.filed(row.id, lane, file, window.time)] if lane.opening else []
        if lane.topic:
            rows.append(onward.notice(row.id, lane, window.key))
        return Commit(outbox=rows, shelf=self._statuses.changed(lane.trail, status.delivered(now)))

    def _not_yet(self, row: OutboxRow, window: Window, error: Undelivered) -> Commit:
        now, trail = self._world.now(), window.lane.trail
        shelf = self._statuses.changed(trail, status.not_delivered(now, error.code))
        if is_over(window.time, now):
            log.error("'%s' was not delivered within %s days (%s) and is given up", window.key, KEPT_FOR.days, error)
            return Commit(shelf=shelf)
        raise Later(f"{error.code}: {error}", self._back_off.after_failure(row.queue), Commit(shelf=shelf))

    def _elsewhere(self, row: OutboxRow, window: Window, finding: Occupied) -> Commit:
        """Somebody put another object under a key that nobody could know: the evidence goes under a fresh one."""
        self._on_finding()
        log.error("finding: %s; the records are delivered under another key", finding)
        token = self._world.token(TOKEN_CHARACTERS)
        again = Window(window.lane, window.spans, window.time, token).row()
        shelf = self._statuses.changed(window.lane.trail, status.not_delivered(self._world.now(), OCCUPIED))
        return Commit(outbox=[OutboxRow(again.queue, f"{row.id}/{token}", again.body)], shelf=shelf)


class DigestShipper:
    """Puts digests into their buckets; they are encrypted with S3's own keys whatever the trail's files are."""

    prefix = digester.SHIPPED

    def __init__(
        self, objects: Objects, buckets: Buckets, statuses: Statuses, world: World, on_finding: Callable[[], None]
    ) -> None:
        self._on_finding = on_finding
        self._objects = objects
        self._buckets = buckets
        self._statuses = statuses
        self._world = world
        self._back_off = BackOff()

    def ship(self, row: OutboxRow) -> Commit:
        made = made_of(row)
        lane, digest = made.lane, made.digest
        try:
            self._buckets.put(lane, Parcel(digest.bucket, digest.key, made.body, metadata=digest.metadata))
        except Undelivered as error:
            return self._not_yet(row, lane.trail, made.end, error)
        except Occupied as finding:
            self._on_finding()
            place = f"digest/{digest.bucket}/{digest.key}"
            kept(self._objects, place, lambda: made.body)
            log.error("finding: %s; the digest that belongs there is kept as the object '%s'", finding, place)
            return Commit(shelf=self._statuses.changed(lane.trail, status.digest_not_delivered(OCCUPIED)))
        self._back_off.succeeded(row.queue)
        return Commit(shelf=self._statuses.changed(lane.trail, status.digest_delivered(self._world.now())))

    def _not_yet(self, row: OutboxRow, trail: str, end: datetime, error: Undelivered) -> Commit:
        shelf = self._statuses.changed(trail, status.digest_not_delivered(error.code))
        if is_over(end, self._world.now()):
            log.error("the digest '%s' was not delivered within %s days and is given up", row.id, KEPT_FOR.days)
            return Commit(shelf=shelf)
        raise Later(f"{error.code}: {error}", self._back_off.after_failure(row.queue), Commit(shelf=shelf))


def is_over(time: datetime, now: datetime) -> bool:
    """Whether so much time has passed that AWS would have given up."""
    return now - time > KEPT_FOR
