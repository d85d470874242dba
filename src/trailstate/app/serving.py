"""Servers for the time of a block, and the server that a process is there for."""

import contextlib
import gc
import logging
from collections.abc import Callable, Iterator

from trailstate.app.running import Running
from trailstate.settings import Settings
from trailstate.world import AdjustableWorld, RealWorld, World

COLLECT_AFTER = 10_000
"""New containers until the youngest are looked through."""


@contextlib.contextmanager
def running(settings: Settings, world: World) -> Iterator[Running]:
    """A server in a thread of this process, for the demo and for tests."""
    started = Running(settings, world)
    try:
        started.start()
        yield started
    finally:
        started.stop()


def serve(settings: Settings, on_ready: Callable[[Running], None]) -> int:
    """Serve in the foreground until SIGTERM or SIGINT; returns the exit code."""
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    world = AdjustableWorld(settings.clock_start) if settings.testing else RealWorld()
    started = Running(settings, world)
    leave_collecting_alone()
    try:
        started.run(on_ready)
    finally:
        started.close()
    return 0


def leave_collecting_alone() -> None:
    """What is loaded stays, so the collector need not walk through it: a full collection held every call up for fifty
    milliseconds, once in a thousand calls, and found nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 100)
