"""Threads that do what the event loop hands them, in the order handed, and nothing else."""

import threading
from collections.abc import Callable
from queue import SimpleQueue

Work = Callable[[], None]


class Workers:
    """At most `size` threads, started as they are needed. Only the event loop submits and closes."""

    def __init__(self, size: int, name: str) -> None:
        self.size = size
        self._name = name
        self._waiting: SimpleQueue[Work | None] = SimpleQueue()
        self._started = 0
        self.in_hand = 0
        """Works handed over whose end nobody has told by `done`."""

    def submit(self, work: Work) -> None:
        """Have it done in a thread; it must not raise."""
        self.in_hand += 1
        if self._started < min(self.in_hand, self.size):
            self._started += 1
            name = f"{self._name}_{self._started}"
            threading.Thread(target=self._work, name=name, daemon=True).start()
        self._waiting.put(work)

    def done(self) -> None:
        """A work ended; called on the event loop."""
        self.in_hand -= 1

    def close(self) -> None:
        """What runs or waits is still done; then the threads end."""
        for _ in range(self._started):
            self._waiting.put(None)

    def _work(self) -> None:
        while (work := self._waiting.get()) is not None:
            work()
