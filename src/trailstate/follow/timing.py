"""A timer does what the clock asks for: a window that ends, a digest every hour, a rule every day."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from trailstate.stores.interface import News
from trailstate.world import World

LOOK_SECONDS = 0.5
"""How often a timer is asked for its time: nothing tells that a commit changed it."""


class Timer(Protocol):
    """Something that happens at times, by name. What it did is durable when `run` returns. One of its methods is never
    called while one of them is under way."""

    name: str

    def due(self) -> datetime | None:
        """When it wants to run next, by the world's clock; None until a commit changes that."""

    def run(self, now: datetime) -> None:
        """Do what is due, and everything missed before it, oldest first; `due` then names a later time."""


class Timing:
    """One timer being driven: it runs when it is due, once at a time, whoever asks."""

    threads = 1
    linger_seconds = 0.0

    def __init__(self, world: World, timer: Timer) -> None:
        self._world = world
        self._timer = timer
        self.name = timer.name
        self._lock = threading.Lock()
        self.error = ""

    def step(self, *, waits: bool = True) -> int:
        """Run it if it is due; whether that changed when it is due next."""
        if not self._lock.acquire(blocking=waits):
            return 0
        try:
            now, due = self._world.now(), self._timer.due()
            if due is None or due > now:
                return 0
            self._timer.run(now)
            return int(self._timer.due() != due)
        finally:
            self._lock.release()

    def hears(self, _news: News) -> bool:
        """What a commit changes about a time is seen at the next look: nobody waits for it to the moment."""
        return False

    def rest_seconds(self) -> float:
        """Until it is due, and not so long that a time which was changed meanwhile is missed."""
        with self._lock:
            due = self._timer.due()
        return LOOK_SECONDS if due is None else min(LOOK_SECONDS, (due - self._world.now()).total_seconds())

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """It does not run inside this block."""
        with self._lock:
            yield

    def status(self) -> dict[str, int | str]:
        """Does not wait for one that is under way."""
        if not self._lock.acquire(blocking=False):
            return {"due": "under way", "error": self.error}
        try:
            due = self._timer.due()
        finally:
            self._lock.release()
        return {"due": "" if due is None else f"{due:%Y-%m-%dT%H:%M:%SZ}", "error": self.error}
