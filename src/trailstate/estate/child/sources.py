"""Time and randomness inside the simulator's process come from the frame being served.

The same frames into a fresh process therefore give the same ids and dates, whatever was read in between: every frame
sets the clock and reseeds every source before it is served. What comes into being beside the requests (a module's
import, an account's default network) is made *aside*: at the estate's epoch and from a seed of its own name, so that it
does not matter which request came first.
"""

import contextlib
import os
import random  # noqa: TID251 - this module puts the sources in order
import threading
import time  # noqa: TID251
import uuid  # noqa: TID251
import zlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import time_machine

MICROSECONDS = 1_000_000
SECOND_STREAM = 0x9E3779B97F4A7C15
"""Keeps moto's own generator apart from Python's, which starts from the same seed."""


class Sources:
    """The clock and the generators. Made before moto is imported, so that nobody holds an original."""

    def __init__(self, epoch_microseconds: int) -> None:
        self._epoch = epoch_microseconds / MICROSECONDS
        self._now = self._epoch
        self._serving = threading.get_ident()
        self._sleep = time.sleep
        self._moto: random.Random | None = None
        self._traveller = time_machine.travel(self._epoch + 0.5 / MICROSECONDS, tick=False).start()
        for module, name, source in (
            (os, "urandom", random.randbytes),
            (random, "_urandom", random.randbytes),
            (uuid, "uuid1", self._uuid1),
            (time, "sleep", self._pass_time),
        ):
            replace(module, name, source)
        self.set(epoch_microseconds, 0)

    def govern(self, generator: random.Random) -> None:
        """Take moto's own generator under the same rule."""
        self._moto = generator

    def set(self, now_microseconds: int, seed: int) -> None:
        """From here on it is that time, and the draws are those of that seed."""
        self._move(now_microseconds / MICROSECONDS)
        self._seed(seed)

    @contextlib.contextmanager
    def aside(self, name: str) -> Iterator[None]:
        """Within, it is the estate's epoch and the draws belong to `name`; afterwards all goes on as before."""
        with self.interrupted():
            self._move(self._epoch)
            self._seed(zlib.crc32(name.encode()))
            yield

    @contextlib.contextmanager
    def interrupted(self) -> Iterator[None]:
        """Whatever is set within, afterwards time and draws go on as before."""
        now, mine = self._now, random.getstate()
        motos = None if self._moto is None else self._moto.getstate()
        try:
            yield
        finally:
            self._move(now)
            random.setstate(mine)
            if self._moto is not None and motos is not None:
                self._moto.setstate(motos)

    def _move(self, seconds: float) -> None:
        if seconds != self._now:
            # Half a microsecond more, because what the float lost must not be cut off to the microsecond before.
            self._traveller.move_to(seconds + 0.5 / MICROSECONDS)
            self._now = seconds

    def _seed(self, seed: int) -> None:
        random.seed(seed)
        if self._moto is not None:
            self._moto.seed(seed ^ SECOND_STREAM)

    def _uuid1(self, *_: Any) -> uuid.UUID:
        return uuid.UUID(int=random.getrandbits(128), version=1)

    def _pass_time(self, seconds: float) -> None:
        """A request that sleeps (an SQS long poll) sees the time pass and holds nobody up."""
        if threading.get_ident() != self._serving:
            self._sleep(seconds)
            return
        self._move(self._now + seconds)


def replace(place: ModuleType | type, name: str, value: object) -> None:
    """Put `value` where moto or Python had something of its own."""
    assert hasattr(place, name), f"'{place.__name__}' has no '{name}' any more"
    setattr(place, name, value)
