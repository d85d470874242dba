"""One at a time, and in the order of asking: `threading.Lock` promises the first and not the second."""

import threading
from collections import deque
from types import TracebackType


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

    def __enter__(self) -> None:
        with self._mutex:
            if not self._taken:
                self._taken = True
                return
            gate = threading.Lock()
            gate.acquire()
            self._waiting.append(gate)
        gate.acquire()

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
