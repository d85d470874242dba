"""One at a time, and in the order of asking: `threading.Lock` promises the first and not the second."""

import threading
from collections import deque
from types import TracebackType
from typing import TypeAlias

Place: TypeAlias = "threading.Lock | None"
"""A place in the queue; None is the front of it."""


class Turns:
    """A lock that is handed on to whoever has waited longest."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    @property
    def busy(self) -> bool:
        """Whether somebody has the turn just now."""
        return self._taken

    @property
    def waiting(self) -> int:
        """How many wait just now."""
        return len(self._waiting)

    def queue_up(self) -> Place:
        """Take a place in the queue without waiting; `await_turn` with what this returns, then `leave`."""
        with self._mutex:
            if not self._taken:
                self._taken = True
                return None
            gate = threading.Lock()
            gate.acquire()
            self._waiting.append(gate)
            return gate

    def await_turn(self, place: Place) -> None:
        """Return when everybody who queued up before has left."""
        if place is not None:
            place.acquire()

    def __enter__(self) -> None:
        self.await_turn(self.queue_up())

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.leave()

    def leave(self) -> None:
        """Hand the turn on."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
