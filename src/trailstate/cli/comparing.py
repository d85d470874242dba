"""A bucket's log files compared in several processes: inflating and hashing take whole cores, one process has one.

Each process asks for many files at once. What it is given is a share of the work with the credential of that moment,
so that a verification may last longer than a temporary credential.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from types import TracebackType
from typing import Self

from trailstate.cli.getting import Gathering
from trailstate.cli.objects import NotReadable, Where, fetched
from trailstate.cli.signing import Key
from trailstate.trail.verify.compare import UNTOUCHED, Compared, Listed, compare
from trailstate.world import RealWorld

FILES_MIN = 2000
"""So few are compared sooner than a process has started."""
SHARE_FILES = 256
SHARES_AHEAD = 3
"""So many wait for each process, so that none waits for its next one."""
LINES_MIN = 4
"""Fewer connections than that are not worth a process."""


def processes_for(files: int, threads: int) -> int:
    """How many processes so many files are worth, with so many read at the same time."""
    return max(1, min(os.cpu_count() or 1, threads // LINES_MIN, files // FILES_MIN))


class Processes:
    """Implements `Compare`. Made before the work is known exactly, so that the processes start meanwhile."""

    def __init__(self, where: Where, key: Callable[[], Key], processes: int, at_once: int) -> None:
        """Each process has `at_once` files read at the same time; `key` gives the credential to sign with now."""
        self._where = where
        self._key = key
        self._at_once = at_once
        self._ahead = processes * SHARES_AHEAD
        self._pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_begin)
        for _ in range(processes):
            self._pool.submit(_compared, where, key(), at_once, ())

    def __call__(self, listed: Sequence[Listed]) -> Iterator[Sequence[Compared]]:
        """Raises NotReadable."""
        ahead: deque[Future[Sequence[Compared]]] = deque()
        for first in range(0, len(listed), SHARE_FILES):
            share = listed[first : first + SHARE_FILES]
            ahead.append(self._pool.submit(_compared, self._where, self._key(), self._at_once, share))
            if len(ahead) > self._ahead:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """An interrupt is the parent's to act upon."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _compared(where: Where, key: Key, at_once: int, share: Sequence[Listed]) -> Sequence[Compared]:
    """One share, in its order."""
    results = [UNTOUCHED] * len(share)
    try:
        for number, got in _gathering(where, key, at_once).each([f"/{name}" for name, _ in share]):
            name, digest_hash = share[number]
            results[number] = compare(digest_hash, fetched(f"s3://{where.bucket}/{name}", got))
    except OSError as error:
        raise NotReadable(f"s3://{where.bucket} cannot be read: {error}.") from None
    return results


@lru_cache(maxsize=1)
def _gathering(where: Where, key: Key, at_once: int) -> Gathering:
    """This process's, until another credential comes."""
    return Gathering(where.address, where.region, lambda: key, RealWorld().now, at_once)
