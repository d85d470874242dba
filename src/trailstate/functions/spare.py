"""Processes prepared before they are needed: one behind each of the last few kinds of program, each taken once.

Nothing is prepared before a program ran that imported boto3, so a server that runs none has none, and one that does
not need it pays nothing for it.
"""

import contextlib
import threading
from collections import OrderedDict

from trailstate.functions.process import Process, Room
from trailstate.sandbox.spawn import SpawnFailed

SPARES_MAX = 2
"""One for scripts and one for the function that ran last, of about 70 MB each."""


def bare(place: Room) -> Process:
    """A process that knows nothing but Python. SpawnFailed."""
    process = Process(place, is_prepared=False)
    process.ready()  # one that ended instead is told by its status, as any that ends early
    return process


class Spares:
    """Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: OrderedDict[Room, Process] = OrderedDict()
        self._is_closed = False

    def take(self, place: Room) -> Process:
        """A process that is ready, and nobody else's; a bare one if none was prepared. SpawnFailed."""
        with self._lock:
            found = self._waiting.pop(place, None)
        if found is not None:
            if found.ready():
                return found
            found.end()
        return bare(place)

    def prepare(self, place: Room) -> None:
        """Have a process ready for the next such program, if one can be had; it is not waited for."""
        surplus = []
        with self._lock, contextlib.suppress(SpawnFailed):
            if not self._is_closed and place not in self._waiting:
                self._waiting[place] = Process(place, is_prepared=True)
            while len(self._waiting) > SPARES_MAX:
                surplus.append(self._waiting.popitem(last=False)[1])
        for each in surplus:
            each.end()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            waiting = list(self._waiting.values())
            self._waiting.clear()
        for each in waiting:
            each.end()
