"""Shippers: each queue in order and alone, each effect done once, and what cannot be done now is tried again later."""

import threading
from datetime import timedelta

import pytest

from trailstate.follow import Later, Runner
from trailstate.follow.shipping import REST_SECONDS_MAX, Shipping
from trailstate.stores.interface import Commit, OutboxRow, ShelfChange, ShelfKey
from trailstate.stores.memory import Faults, MemoryStore
from trailstate.world import RealWorld, SimulatedWorld

STATUS = ShelfKey("111122223333", "us-east-1", "mail.status", "last")


class Post:
    """Delivers letters, unless the road is closed."""

    prefix = "mail/"

    def __init__(self) -> None:
        self.delivered: list[str] = []
        self.closed: set[str] = set()
        self.broken: set[str] = set()

    def ship(self, row: OutboxRow) -> Commit:
        letter = row.body.decode()
        if row.queue in self.closed:
            raise Later("the road is closed", 10, Commit(shelf=[ShelfChange(STATUS, {"failed": letter})]))
        if row.queue in self.broken:
            raise ValueError(f"nobody can read {letter}")
        self.delivered.append(letter)
        return Commit(shelf=[ShelfChange(STATUS, {"delivered": letter})])


@pytest.fixture
def world() -> SimulatedWorld:
    return SimulatedWorld()


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def store(world: SimulatedWorld, faults: Faults) -> MemoryStore:
    return MemoryStore(world, faults)


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def runner(store: MemoryStore, world: SimulatedWorld, post: Post) -> Runner:
    runner = Runner(store, world)
    runner.add_shipper(post)
    return runner


def send(store: MemoryStore, queue: str, letters: str) -> None:
    store.commit(Commit(outbox=[OutboxRow(queue, f"{queue}{each}", each.encode()) for each in letters]))


def test_effects_are_done_in_the_order_of_their_queue_and_once(store: MemoryStore, runner: Runner, post: Post) -> None:
    send(store, "mail/a", "xyz")
    send(store, "bus/a", "q")
    runner.run_until_idle()
    runner.run_until_idle()
    assert post.delivered == ["x", "y", "z"]
    assert store.queues("") == ["bus/a"]


def test_what_an_effect_returns_is_kept_with_its_completion(store: MemoryStore, runner: Runner) -> None:
    send(store, "mail/a", "x")
    runner.run_until_idle()
    document = store.get(STATUS)
    assert document is not None
    assert document.value == {"delivered": "x"}


def test_a_queue_that_cannot_go_on_holds_up_no_other(
    store: MemoryStore, runner: Runner, post: Post, world: SimulatedWorld
) -> None:
    send(store, "mail/a", "xy")
    send(store, "mail/b", "z")
    post.closed = {"mail/a"}
    runner.run_until_idle()
    assert post.delivered == ["z"]
    status = store.get(STATUS)
    assert status is not None
    assert status.value == {"delivered": "z"}
    assert runner.status()["shipping mail/"]["held"] == 1

    post.closed = set()
    runner.run_until_idle()
    assert post.delivered == ["z"], "before its time it is not tried again"
    world.advance(timedelta(seconds=10))
    runner.run_until_idle()
    assert post.delivered == ["z", "x", "y"]
    assert runner.status()["shipping mail/"]["held"] == 0


def test_a_defect_in_one_effect_is_seen_and_backs_off(
    store: MemoryStore, runner: Runner, post: Post, world: SimulatedWorld
) -> None:
    send(store, "mail/a", "x")
    send(store, "mail/b", "y")
    post.broken = {"mail/a"}
    runner.run_until_idle()
    assert post.delivered == ["y"]
    assert "nobody can read x" in str(runner.status()["shipping mail/"]["error"])
    post.broken = set()
    world.advance(timedelta(seconds=1))
    runner.run_until_idle()
    assert post.delivered == ["y", "x"]


def test_an_effect_whose_completion_was_lost_is_done_again(
    store: MemoryStore, runner: Runner, post: Post, world: SimulatedWorld, faults: Faults
) -> None:
    send(store, "mail/a", "x")
    faults.arm("commit")
    runner.run_until_idle()
    world.advance(timedelta(seconds=1))
    runner.run_until_idle()
    assert post.delivered == ["x", "x"]
    assert store.queues("mail/") == []


def test_an_erased_store_owes_nothing(store: MemoryStore, runner: Runner, post: Post) -> None:
    send(store, "mail/a", "x")
    post.closed = {"mail/a"}
    runner.run_until_idle()
    with runner.paused():
        store.erase()
    post.closed = set()
    send(store, "mail/a", "x")
    runner.run_until_idle()
    assert post.delivered == ["x"]


def test_nobody_waits_for_a_queue_while_everything_is_paused(store: MemoryStore, runner: Runner, post: Post) -> None:
    """A pause waits for whoever is at work, so one at work must not wait for the pause to end."""
    send(store, "mail/a", "x")
    with runner.paused():
        runner.drain("mail/", "mail/a")
        assert post.delivered == []
    runner.drain("mail/", "mail/a")
    assert post.delivered == ["x"]


def test_whoever_rests_is_told_until_when_a_queue_is_held_back(
    store: MemoryStore, world: SimulatedWorld, post: Post
) -> None:
    rung: list[str] = []
    shipping = Shipping(store, world, post, rung.append)
    assert shipping.rest_seconds() == REST_SECONDS_MAX
    send(store, "mail/a", "x")
    post.closed = {"mail/a"}
    shipping.drain("mail/a")
    assert "mail/a" in rung
    assert shipping.rest_seconds() == 10


def test_rows_that_come_while_a_reader_has_the_queue_are_rung_for(store: MemoryStore, world: SimulatedWorld) -> None:
    """The thread that the commit woke finds the queue in the reader's hands and rests again."""
    rung: list[str] = []

    class Answered(Post):
        def ship(self, row: OutboxRow) -> Commit:
            if row.body == b"x":
                send(store, "mail/a", "y")
                assert shipping.step(waits=False) == 0
            return super().ship(row)

    shipping = Shipping(store, world, Answered(), rung.append)
    send(store, "mail/a", "x")
    shipping.drain("mail/a")
    assert rung == ["mail/a"]
    assert shipping.step() == 1


def test_what_came_during_a_pause_is_shipped_after_it(store: MemoryStore) -> None:
    arrived = threading.Event()

    class Bell(Post):
        def ship(self, row: OutboxRow) -> Commit:
            arrived.set()
            return super().ship(row)

    runner = Runner(store, RealWorld())
    runner.add_shipper(Bell())
    runner.start()
    with runner.paused():
        send(store, "mail/a", "x")
    assert arrived.wait(10)
    runner.stop()
