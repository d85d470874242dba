"""Time, identifiers and randomness: the only module that may ask the machine for any of them.

Everything else receives a `World`. That is what makes every test repeatable and lets the whole
system run on one thread in a simulator.
"""

import os
import random
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class World(Protocol):
    """What the core may know of the machine it runs on."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes backward; only differences mean anything."""

    def uuid(self) -> str:
        """A fresh version 4 UUID as 36 lower-case characters."""

    def random_bytes(self, count: int) -> bytes:
        """`count` unpredictable bytes."""

    def token(self, length: int, alphabet: str = ALPHANUMERIC) -> str:
        """`length` characters drawn evenly from `alphabet`."""


_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}
"""The two bits that RFC 9562 fixes in the ninth byte of a UUID."""


class RealWorld:
    """The machine's own clock and entropy."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def uuid(self) -> str:
        drawn = os.urandom(16).hex()
        return f"{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-{_VARIANT[drawn[16]]}{drawn[17:20]}-{drawn[20:]}"

    def random_bytes(self, count: int) -> bytes:
        return os.urandom(count)

    def token(self, length: int, alphabet: str = ALPHANUMERIC) -> str:
        drawn, base = int.from_bytes(os.urandom(length + 16), "big"), len(alphabet)  # as good as even: 128 bits more
        letters = []
        for _ in range(length):
            drawn, letter = divmod(drawn, base)
            letters.append(alphabet[letter])
        return "".join(letters)


class AdjustableWorld(RealWorld):
    """The machine's entropy, and a running clock that a caller may set forward.

    The lab's world under `--testing`: time flows as usual, `advance` adds to it. `start` places the
    clock anywhere, so that a rehearsal can begin yesterday afternoon.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._lock = threading.Lock()
        self._offset = timedelta(0) if start is None else start - super().now()

    def now(self) -> datetime:
        return super().now() + self._offset

    def monotonic(self) -> float:
        return super().monotonic() + self._offset.total_seconds()

    def advance(self, by: timedelta) -> datetime:
        """Move the clock forward and return the new time; ValueError for a negative step."""
        if by < timedelta(0):
            raise ValueError(f"the clock only goes forward; got a step of {by}")
        with self._lock:
            self._offset += by
        return self.now()


class SimulatedWorld:
    """A world in which nothing happens by itself: the clock stands until `advance`, and one seed gives one history."""

    def __init__(self, seed: int = 0, start: datetime = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatability is the point here
        self._now = start
        self._start = start

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def random_bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)

    def token(self, length: int, alphabet: str = ALPHANUMERIC) -> str:
        return "".join(self._random.choices(alphabet, k=length))

    def advance(self, by: timedelta) -> datetime:
        """Move the clock and return the new time; negative steps are allowed, as on a real machine."""
        self._now += by
        return self._now


Sleep = Callable[[float], None]


def sleep(seconds: float) -> None:
    """Block this thread; only the threads around `run_once` and start-up waits use it."""
    time.sleep(seconds)
