"""Timers: run when the clock says so, catch up what was missed, and stand still otherwise."""

import threading
from datetime import datetime, timedelta

from trailstate.follow import Runner
from trailstate.follow.timing import LOOK_SECONDS, Timing
from trailstate.stores.memory import MemoryStore
from trailstate.world import RealWorld, SimulatedWorld

HOUR = timedelta(hours=1)


class Chimes:
    """Strikes every full hour, those it slept through included."""

    name = "chimes"

    def __init__(self, start: datetime) -> None:
        self.next = start + HOUR
        self.struck: list[datetime] = []

    def due(self) -> datetime | None:
        return self.next

    def run(self, now: datetime) -> None:
        while self.next <= now:
            self.struck.append(self.next)
            self.next += HOUR


def test_a_timer_runs_when_it_is_due_and_not_before() -> None:
    world = SimulatedWorld()
    chimes = Chimes(world.now())
    runner = Runner(MemoryStore(world), world)
    runner.add_timer(chimes)
    runner.run_until_idle()
    assert chimes.struck == []
    world.advance(HOUR)
    runner.run_until_idle()
    assert chimes.struck == [world.now()]


def test_a_clock_that_leaps_leaves_nothing_out() -> None:
    world = SimulatedWorld()
    start = world.now()
    chimes = Chimes(start)
    runner = Runner(MemoryStore(world), world)
    runner.add_timer(chimes)
    world.advance(5 * HOUR)
    runner.run_until_idle()
    assert chimes.struck == [start + count * HOUR for count in range(1, 6)]
    assert runner.status()["chimes"] == {"due": f"{start + 6 * HOUR:%Y-%m-%dT%H:%M:%SZ}", "error": ""}


def test_a_timer_that_does_not_move_on_keeps_nobody_waiting_for_ever() -> None:
    world = SimulatedWorld()
    chimes = Chimes(world.now() - 2 * HOUR)
    chimes.run = lambda now: chimes.struck.append(now)  # type: ignore[method-assign]
    runner = Runner(MemoryStore(world), world)
    runner.add_timer(chimes)
    runner.run_until_idle()
    assert len(chimes.struck) == 1


def test_a_timer_is_looked_at_when_it_is_due_and_often_enough_to_see_another_time() -> None:
    world = SimulatedWorld()
    timing = Timing(world, Chimes(world.now()))
    assert timing.rest_seconds() == LOOK_SECONDS
    world.advance(HOUR - timedelta(seconds=0.2))
    assert timing.rest_seconds() == 0.2
    world.advance(timedelta(seconds=1))
    assert timing.rest_seconds() < 0


class Slow(Chimes):
    """Is asked nothing while it strikes: its state is between two times then."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.strikes, self.may_end = threading.Event(), threading.Event()

    def due(self) -> datetime | None:
        assert not self.strikes.is_set() or self.may_end.is_set()
        return super().due()

    def run(self, now: datetime) -> None:
        self.strikes.set()
        assert self.may_end.wait(10)
        super().run(now)


def test_a_timer_is_asked_nothing_while_it_runs() -> None:
    world = SimulatedWorld()
    slow = Slow(world.now() - HOUR)
    runner = Runner(MemoryStore(world), world)
    runner.add_timer(slow)
    striking = threading.Thread(target=runner.run_until_idle)
    striking.start()
    assert slow.strikes.wait(10)
    assert runner.status()["chimes"]["due"] == "under way"
    slow.may_end.set()
    striking.join()
    assert runner.status()["chimes"]["due"] == f"{world.now() + HOUR:%Y-%m-%dT%H:%M:%SZ}"


class Forgetful(Chimes):
    """Does not know its time when it is asked for the second time."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.asked = 0
        self.has_struck = threading.Event()

    def due(self) -> datetime | None:
        self.asked += 1
        if self.asked == 2:
            raise LookupError("no idea")
        return super().due() if self.asked > 2 else None

    def run(self, now: datetime) -> None:
        super().run(now)
        self.has_struck.set()


def test_a_timer_that_does_not_know_its_time_is_asked_again() -> None:
    world = RealWorld()
    forgetful = Forgetful(world.now() - HOUR)
    runner = Runner(MemoryStore(world), world, back_off_seconds=0.01)
    runner.add_timer(forgetful)
    runner.start()
    assert forgetful.has_struck.wait(10)
    runner.stop()
