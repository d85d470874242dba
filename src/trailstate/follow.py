"""Followers read a ledger from their cursor on, and the runner that drives them: in threads, or one batch at a time."""

import contextlib
import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from trailstate.stores.interface import Entry, Store
from trailstate.world import World

log = logging.getLogger(__name__)

BATCH_ENTRIES_MAX = 2000
POLL_SECONDS = 0.5
BACK_OFF_SECONDS_MAX = 30.0


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


@dataclass(slots=True)
class _State:
    follower: Follower
    lock: threading.Lock
    error: str = ""


class Runner:
    """Drives followers. One batch of one follower runs at a time, whoever asks for it."""

    def __init__(self, store: Store, world: World, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._poll_seconds = poll_seconds
        self._store = store
        self._world = world
        self._states: dict[str, _State] = {}
        self._threads: list[threading.Thread] = []
        self._news = threading.Condition()
        self._commits = 0
        self._stopping = False
        store.on_commit(self._notify)

    def add(self, follower: Follower) -> None:
        self._states[follower.name] = _State(follower, threading.Lock())

    def run_once(self, follower: Follower) -> int:
        """One batch; how many entries it took, 0 when there was nothing to do."""
        with self._states[follower.name].lock:
            return self._take(follower)

    def _take(self, follower: Follower) -> int:
        entries = self._store.read(follower.ledger, follower.cursor(), BATCH_ENTRIES_MAX)
        if entries:
            follower.apply(entries)
        return len(entries)

    def catch_up(self, follower: Follower, upto: int, seconds: float = 1.0) -> bool:
        """Run the follower up to a position, within a time that ends between batches; whether it got there."""
        lock = self._states[follower.name].lock
        deadline = self._world.monotonic() + seconds
        while follower.cursor() < upto:
            left = deadline - self._world.monotonic()
            if left <= 0 or not lock.acquire(timeout=left):
                break
            try:
                if not self._take(follower):
                    break
            finally:
                lock.release()
        return follower.cursor() >= upto

    def run_until_idle(self) -> None:
        """Until no follower has anything left to do."""
        while sum(self.run_once(state.follower) for state in self._states.values()):
            continue

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Nobody follows inside this block: what the followers read and write may be replaced."""
        with contextlib.ExitStack() as held:
            for state in self._states.values():
                held.enter_context(state.lock)
            yield

    def status(self) -> dict[str, dict[str, int | str]]:
        """Per follower: its cursor, and the error that holds it up."""
        return {name: {"cursor": state.follower.cursor(), "error": state.error} for name, state in self._states.items()}

    def start(self) -> None:
        """Follow in a thread each until `stop`."""
        for state in self._states.values():
            thread = threading.Thread(target=self._loop, args=(state,), name=state.follower.name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        with self._news:
            self._stopping = True
            self._news.notify_all()
        for thread in self._threads:
            thread.join()

    def _notify(self) -> None:
        with self._news:
            self._commits += 1
            self._news.notify_all()

    def _loop(self, state: _State) -> None:
        back_off = self._poll_seconds
        while not self._stopping:
            seen = self._commits
            try:
                busy = self.run_once(state.follower) > 0
                state.error, back_off = "", self._poll_seconds
            except Exception as error:  # A follower that fails must be seen, and must not end the server.
                log.exception("follower %s failed; trying again in %s s", state.follower.name, back_off)
                state.error = f"{self._world.now():%Y-%m-%dT%H:%M:%SZ} {type(error).__name__}: {error}"
                self._rest(back_off)
                back_off = min(2 * back_off, BACK_OFF_SECONDS_MAX)
            else:
                if busy:
                    self._rest(state.follower.linger_seconds)
                else:
                    self._rest(self._poll_seconds, seen)

    def _rest(self, seconds: float, seen: int | None = None) -> None:
        """So long, or until the end; or until there were commits since those `seen`, except after a failure."""
        with self._news:
            self._news.wait_for(lambda: self._stopping or seen not in (None, self._commits), seconds)
