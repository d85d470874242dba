"""A follower reads a ledger from its cursor on and derives something from it, each entry once."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Protocol

from trailstate.stores.interface import Entry, News, Store

BATCH_ENTRIES_MAX = 2000
REST_SECONDS_MAX = 60.0
"""Every commit that gives it work is told of; this long it would lie still if one were not."""


class Follower(Protocol):
    """Something derived from a ledger, by name. `apply` commits its effects and its cursor together."""

    name: str
    ledger: str
    linger_seconds: float
    """How long it lets entries gather before it takes them. Reads that must see them catch it up by themselves."""

    def cursor(self) -> int:
        """The last position whose effects are committed."""

    def apply(self, entries: Sequence[Entry]) -> None:
        """Take the next entries, in order; after it returns `cursor` is the last one's position."""


class Following:
    """One follower being driven: a batch at a time, whoever asks for it."""

    threads = 1

    def __init__(self, store: Store, follower: Follower) -> None:
        self._store = store
        self._follower = follower
        self.name = follower.name
        self.linger_seconds = follower.linger_seconds
        self.lock = threading.Lock()
        self.error = ""

    def step(self, *, waits: bool = True) -> int:
        """One batch; how many entries it took, 0 when there was nothing to do."""
        if not self.lock.acquire(blocking=waits):
            return 0
        try:
            return self.take()
        finally:
            self.lock.release()

    def take(self) -> int:
        """One batch, for a caller that holds the lock."""
        entries = self._store.read(self._follower.ledger, self._follower.cursor(), BATCH_ENTRIES_MAX)
        if entries:
            self._follower.apply(entries)
        return len(entries)

    def hears(self, news: News) -> bool:
        return self._follower.ledger in news

    def rest_seconds(self) -> float:
        """Nothing but a commit gives a follower work."""
        return REST_SECONDS_MAX

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is taken inside this block."""
        with self.lock:
            yield

    def status(self) -> dict[str, int | str]:
        return {"cursor": self._follower.cursor(), "error": self.error}
