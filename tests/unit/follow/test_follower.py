"""Followers: from their cursor on, in order, each entry once; driven batch by batch, or in a thread each."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from trailstate.follow import Runner
from trailstate.follow.follower import BATCH_ENTRIES_MAX
from trailstate.stores.interface import CONFIGURATION, JOURNAL, Append, Commit, Entry, Store, StoreUnavailable
from trailstate.stores.memory import Faults, MemoryStore
from trailstate.stores.sqlite import SqliteStore
from trailstate.world import RealWorld, SimulatedWorld

PATIENCE_SECONDS = 10


class Letters:
    """A follower that keeps what it read, and fails at what it is told to."""

    def __init__(self, ledger: str = JOURNAL, name: str = "letters") -> None:
        self.name = name
        self.ledger = ledger
        self.linger_seconds = 0.0
        self.store = MemoryStore(RealWorld())
        self.read: list[str] = []
        self.bad: set[str] = set()
        self.tries = 0
        self.moved = threading.Condition()

    def cursor(self) -> int:
        return len(self.read)

    def apply(self, entries: Sequence[Entry]) -> None:
        letters = [entry.body.decode() for entry in entries]
        with self.moved:
            self.tries += 1
            self.moved.notify_all()
            if self.bad & set(letters):
                raise ValueError(f"cannot read {letters}")
            self.read += letters

    def holds(self, letters: str) -> bool:
        with self.moved:
            return self.moved.wait_for(lambda: "".join(self.read) == letters, PATIENCE_SECONDS)

    def tried(self, times: int) -> bool:
        with self.moved:
            return self.moved.wait_for(lambda: self.tries >= times, PATIENCE_SECONDS)


@pytest.fixture
def world() -> SimulatedWorld:
    return SimulatedWorld()


@pytest.fixture
def store(world: SimulatedWorld) -> MemoryStore:
    return MemoryStore(world)


@pytest.fixture
def running() -> Iterator[Callable[[Letters, float], Runner]]:
    """Starts a follower's thread in real time; it is stopped at the end."""
    with contextlib.ExitStack() as started:

        def run(letters: Letters, back_off_seconds: float) -> Runner:
            runner = Runner(letters.store, RealWorld(), back_off_seconds=back_off_seconds)
            runner.add(letters)
            runner.start()
            started.callback(runner.stop)
            return runner

        yield run


Running = Callable[[Letters, float], Runner]
HOURS_SECONDS = 3600.0
"""So that only a commit, and no back-off that ended, can have woken the thread."""


def say(store: Store, letters: str, ledger: str = JOURNAL) -> None:
    lines = [Append(ledger, "111122223333", "us-east-1", letter.encode()) for letter in letters]
    store.commit(Commit(lines))


def test_a_batch_at_a_time_from_the_cursor_on(store: MemoryStore, world: SimulatedWorld) -> None:
    runner, letters = Runner(store, world), Letters()
    runner.add(letters)
    assert runner.run_once(letters) == 0
    say(store, "abc")
    say(store, "xyz", CONFIGURATION)
    assert runner.run_once(letters) == 3
    assert runner.run_once(letters) == 0
    assert letters.read == ["a", "b", "c"]


def test_a_batch_has_a_bound(store: MemoryStore, world: SimulatedWorld) -> None:
    runner, letters = Runner(store, world), Letters()
    runner.add(letters)
    say(store, "a" * (BATCH_ENTRIES_MAX + 1))
    assert [runner.run_once(letters) for _ in range(3)] == [BATCH_ENTRIES_MAX, 1, 0]


def test_until_idle_every_follower_has_read_everything(store: MemoryStore, world: SimulatedWorld) -> None:
    runner, journal, history = Runner(store, world), Letters(), Letters(CONFIGURATION, "history")
    runner.add(journal)
    runner.add(history)
    say(store, "abc")
    say(store, "x", CONFIGURATION)
    runner.run_until_idle()
    assert (journal.read, history.read) == (["a", "b", "c"], ["x"])


def test_what_one_follower_appends_another_reads_before_all_are_idle(store: MemoryStore, world: SimulatedWorld) -> None:
    class Echo(Letters):
        def apply(self, entries: Sequence[Entry]) -> None:
            super().apply(entries)
            say(store, "".join(entry.body.decode().upper() for entry in entries), CONFIGURATION)

    runner, history, echo = Runner(store, world), Letters(CONFIGURATION, "history"), Echo()
    runner.add(history)
    runner.add(echo)
    say(store, "ab")
    runner.run_until_idle()
    assert history.read == ["A", "B"]


def test_catching_up_stops_at_the_position_or_says_that_it_did_not_get_there(
    store: MemoryStore, world: SimulatedWorld
) -> None:
    runner, letters = Runner(store, world), Letters()
    runner.add(letters)
    say(store, "abc")
    assert runner.catch_up(letters, 3)
    assert not runner.catch_up(letters, 4)
    assert letters.read == ["a", "b", "c"]


def test_catching_up_ends_in_time(store: MemoryStore, world: SimulatedWorld) -> None:
    class Slow(Letters):
        def apply(self, entries: Sequence[Entry]) -> None:
            world.advance(timedelta(seconds=0.6))
            super().apply(entries)

    runner, slow = Runner(store, world), Slow()
    runner.add(slow)
    say(store, "a" * (3 * BATCH_ENTRIES_MAX))
    assert not runner.catch_up(slow, store.head(JOURNAL), 1.0)
    assert slow.cursor() == 2 * BATCH_ENTRIES_MAX


def test_catching_up_does_not_wait_for_ever_for_a_batch_under_way(
    store: MemoryStore,
) -> None:
    runner, letters = Runner(store, RealWorld()), Letters()
    runner.add(letters)
    say(store, "a")
    with runner.paused():
        assert not runner.catch_up(letters, 1, 0.02)
    assert runner.catch_up(letters, 1)


def test_a_failing_follower_is_told_of_and_the_entries_stay_before_it(
    store: MemoryStore, world: SimulatedWorld
) -> None:
    runner, letters = Runner(store, world), Letters()
    runner.add(letters)
    letters.bad.add("b")
    say(store, "ab")
    with pytest.raises(ValueError, match="cannot read"):
        runner.run_once(letters)
    letters.bad.clear()
    assert runner.run_once(letters) == 2


def test_a_thread_follows_as_soon_as_something_is_committed(running: Running) -> None:
    letters = Letters()
    runner = running(letters, HOURS_SECONDS)
    for number in range(1, 20):
        say(letters.store, "a")
        assert letters.holds("a" * number)
    assert runner.status() == {"letters": {"cursor": 19, "error": ""}}


def test_a_call_is_answered_before_those_behind_it_wake(running: Running) -> None:
    letters = Letters()
    runner = running(letters, HOURS_SECONDS)
    say(letters.store, "a")
    assert letters.holds("a")
    [(_, bell)] = runner._bells
    bell.clear()

    with runner.hushed():
        say(letters.store, "b")
        assert not bell.is_set()
    assert letters.holds("ab")


def test_a_failing_thread_says_why_and_does_not_try_at_every_commit(running: Running) -> None:
    letters = Letters()
    letters.bad.add("b")
    runner = running(letters, HOURS_SECONDS)
    say(letters.store, "b")
    assert letters.tried(1)
    for _ in range(50):
        say(letters.store, "c")
    runner.stop()
    assert letters.tries == 1
    assert "ValueError: cannot read ['b']" in str(runner.status()["letters"]["error"])


def test_after_a_failure_it_goes_on_by_itself(running: Running) -> None:
    letters = Letters()
    letters.bad.add("b")
    running(letters, 0.01)
    say(letters.store, "b")
    assert letters.tried(2)
    letters.bad.clear()
    assert letters.holds("b")


def test_entries_that_come_while_a_reader_catches_up_are_taken_by_the_thread(store: MemoryStore) -> None:
    class Slow(Letters):
        def __init__(self) -> None:
            super().__init__()
            self.begun, self.may_end = threading.Event(), threading.Event()

        def apply(self, entries: Sequence[Entry]) -> None:
            self.begun.set()
            assert self.may_end.wait(PATIENCE_SECONDS)
            super().apply(entries)

    runner, slow = Runner(store, RealWorld()), Slow()
    runner.add(slow)
    say(store, "a")
    reader = threading.Thread(target=runner.catch_up, args=(slow, 1, PATIENCE_SECONDS))
    reader.start()
    assert slow.begun.wait(PATIENCE_SECONDS)
    runner.start()
    say(store, "b")
    slow.may_end.set()
    assert slow.holds("ab")
    runner.stop()
    reader.join()


def test_a_store_that_cannot_be_read_holds_followers_up_and_loses_nothing(world: SimulatedWorld) -> None:
    faults = Faults()
    store = MemoryStore(world, faults)
    runner, letters = Runner(store, world), Letters()
    runner.add(letters)
    say(store, "a")
    faults.arm("read")
    with pytest.raises(StoreUnavailable, match="armed fault: read"):
        runner.run_once(letters)
    runner.run_until_idle()
    assert letters.read == ["a"]


def test_it_follows_the_store_on_the_disk_too(tmp_path: Path) -> None:
    world = RealWorld()
    store = SqliteStore(tmp_path, world)
    runner, letters = Runner(store, world), Letters()
    runner.add(letters)
    runner.start()
    say(store, "abc")
    assert letters.holds("abc")
    runner.stop()
    store.close()
