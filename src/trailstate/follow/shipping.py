"""A shipper does the outbox's effects: each queue in its order, queues independent of one another, each row once.

A row is done when the commit that its effect returned is durable; a crash between the two does the effect again, so an
effect must bear that (a put that finds its own bytes, a message with the row's id). A queue whose effect cannot be done
now is held back, alone.
"""

import contextlib
import logging
import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from trailstate.stores.interface import Commit, News, OutboxRow, Store
from trailstate.world import World

log = logging.getLogger(__name__)

ROWS_AT_ONCE_MAX = 64
BACK_OFF_SECONDS_MIN = 1.0
BACK_OFF_SECONDS_MAX = 60.0
REST_SECONDS_MAX = 60.0
"""Every commit that fills a queue is told of; this long its rows would lie still if one were not."""


class Later(Exception):
    """The effect cannot be done now; the reason, and after how long to try again. `commit` is kept all the same."""

    def __init__(self, reason: str, seconds: float, commit: Commit | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.commit = commit


class Shipper(Protocol):
    """Does the effects of every queue whose name starts with `prefix`."""

    prefix: str

    def ship(self, row: OutboxRow) -> Commit:
        """Do one effect; what to commit together with its completion. Raises Later."""


@dataclass(slots=True)
class _Held:
    """A queue that waits before it is tried again."""

    until: float
    failures: int


class Shipping:
    """One shipper being driven. Several threads may step it: each queue is in one pair of hands at a time."""

    threads = 3
    """A queue that waits for a slow receiver must not hold up the others."""
    linger_seconds = 0.0

    def __init__(self, store: Store, world: World, shipper: Shipper, ring: Callable[[str], None]) -> None:
        """`ring` wakes the threads that step this, where they could not know that a queue wants them."""
        self._ring = ring
        self._store = store
        self._world = world
        self._shipper = shipper
        self.name = f"shipping {shipper.prefix}"
        self.error = ""
        self._held: dict[str, _Held] = {}
        self._taken: set[str] = set()
        self._changed = threading.Condition()
        self._is_paused = False

    def step(self, *, waits: bool = True) -> int:
        """Some rows of each queue that may go; how many were done. `waits`: also for one another thread has."""
        done = 0
        for queue in self._ready():
            if self._take(queue, waits=waits):
                try:
                    done += self._drain(queue)
                finally:
                    self._give_back(queue)
        return done

    def drain(self, queue: str) -> None:
        """Have what a queue holds now done before this returns, unless it is held back, or everything is paused: a
        shipper may wait here for another one's queue, and a pause waits for both."""
        held = self._held.get(queue)
        if (held is not None and held.until > self._world.monotonic()) or not self._store.outbox(queue, 1):
            return
        with self._changed:
            self._changed.wait_for(lambda: self._is_paused or queue not in self._taken)
            if self._is_paused:
                return
            self._taken.add(queue)
        try:
            while self._drain(queue) == ROWS_AT_ONCE_MAX:
                pass
        finally:
            self._give_back(queue)
        if self._store.outbox(queue, 1):  # more came, and whoever came for it found the queue taken
            self._ring(queue)

    def hears(self, news: News) -> bool:
        return any(name.startswith(self._shipper.prefix) for name in news)

    def rest_seconds(self) -> float:
        """Until the first queue held back may go again."""
        until = min((each.until for each in list(self._held.values())), default=math.inf)
        return min(REST_SECONDS_MAX, until - self._world.monotonic())

    def status(self) -> dict[str, int | str]:
        return {"held": len(self._held), "error": self.error}

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is shipped inside this block, and afterwards nothing is held back: the store may be another one."""
        with self._changed:
            self._is_paused = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._taken)
        try:
            yield
        finally:
            with self._changed:
                self._held.clear()
                self.error = ""
                self._is_paused = False
                self._changed.notify_all()

    def _ready(self) -> list[str]:
        now, held = self._world.monotonic(), dict(self._held)
        queues = self._store.queues(self._shipper.prefix)
        return [queue for queue in queues if queue not in held or held[queue].until <= now]

    def _take(self, queue: str, *, waits: bool) -> bool:
        with self._changed:
            if waits:
                self._changed.wait_for(lambda: not self._is_paused and queue not in self._taken)
            elif self._is_paused or queue in self._taken:
                return False
            self._taken.add(queue)
            return True

    def _give_back(self, queue: str) -> None:
        with self._changed:
            self._taken.discard(queue)
            self._changed.notify_all()

    def _drain(self, queue: str) -> int:
        """The next rows of one queue, in order, until one cannot be done now; how many were."""
        done = 0
        for row in self._store.outbox(queue, ROWS_AT_ONCE_MAX):
            try:
                commit = self._shipper.ship(row)
                self._store.commit(replace(commit, done=[*commit.done, row.id]))
            except Later as later:
                self._hold_back(queue, str(later), later.seconds)
                if later.commit is not None:
                    self._store.commit(later.commit)
                return done
            except Exception as error:  # A defect of one effect must be seen, and must not stop the other queues.
                log.exception("the effect %s of queue %s failed", row.id, queue)
                self._hold_back(queue, f"{type(error).__name__}: {error}", self._back_off(queue))
                return done
            done += 1
            self._held.pop(queue, None)
        return done

    def _back_off(self, queue: str) -> float:
        failures = self._held[queue].failures if queue in self._held else 0
        return min(BACK_OFF_SECONDS_MAX, BACK_OFF_SECONDS_MIN * 2.0 ** min(failures, 16))

    def _hold_back(self, queue: str, reason: str, seconds: float) -> None:
        failures = self._held[queue].failures if queue in self._held else 0
        self._held[queue] = _Held(self._world.monotonic() + seconds, failures + 1)
        self.error = f"{self._world.now():%Y-%m-%dT%H:%M:%SZ} {queue}: {reason}"
        self._ring(queue)  # whoever rests must learn until when
