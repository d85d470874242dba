"""Processes prepared before they are needed: two behind each of the last few kinds of program, each taken once.

The second is ready while the first is being replaced, so that programs that follow one another at once find one each.

Nothing is prepared before a program ran that imported boto3, so a server that runs none has none, and one that does
not need it pays nothing for it.
"""

import contextlib
import threading

from trailstate.functions.process import Process, Room
from trailstate.sandbox.spawn import SpawnFailed

SPARES_OF_A_KIND = 2
SPARES_MAX = 3
"""Two for the kind that ran last and one for the kind before, of about 70 MB each."""


def bare(place: Room) -> Process:
    """A process that knows nothing but Python. SpawnFailed."""
    process = Process(place, is_prepared=False)
    process.ready()  # one that ended instead is told by its status, as any that ends early
    return process


class Spares:
    """Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[Room, Process]] = []
        """In the order in which they were prepared."""
        self._is_closed = False

    def take(self, place: Room) -> Process:
        """A process that is ready, and nobody else's; a bare one if none was prepared. SpawnFailed."""
        while (found := self._taken(place)) is not None:
            if found.ready():
                self.prepare(place)
                return found
            found.end()
        return bare(place)

    def _taken(self, place: Room) -> Process | None:
        with self._lock:
            at = next((at for at, (room, _) in enumerate(self._waiting) if room == place), None)
            return None if at is None else self._waiting.pop(at)[1]

    def prepare(self, place: Room) -> None:
        """Have one more process ready for the next such program, if there are not enough and one can be had; it is not
        waited for."""
        with self._lock, contextlib.suppress(SpawnFailed):
            if self._lacks(place):
                self._waiting.append((place, Process(place, is_prepared=True)))
        with self._lock:
            surplus, self._waiting = self._waiting[:-SPARES_MAX], self._waiting[-SPARES_MAX:]
        for _, each in surplus:
            each.end()

    def _lacks(self, place: Room) -> bool:
        return not self._is_closed and sum(room == place for room, _ in self._waiting) < SPARES_OF_A_KIND

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            waiting, self._waiting = self._waiting, []
        for _, each in waiting:
            each.end()
