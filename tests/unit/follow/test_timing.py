"""Timers: run when the clock says so, catch up what was missed, and stand still otherwise."""

from datetime import datetime, timedelta

from trailstate.follow import Runner
from trailstate.stores.memory import MemoryStore
from trailstate.world import SimulatedWorld

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
