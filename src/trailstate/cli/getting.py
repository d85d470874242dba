"""GETs over kept connections: what a verification of ten thousand files does ten thousand times.

A client's own GetObject takes longer than fetching, inflating and hashing a log file together. `Getter` asks for one
thing at a time, from any thread. `Gathering` asks for many at once in one thread, which waits for whichever answers
first: threads that wait for one another's turn of the interpreter would take as much again as the answers do.
"""

import selectors
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

from trailstate.cli.line import ATTEMPTS_MAX, TIMEOUT_SECONDS, Got, Line, Peer
from trailstate.cli.signing import Key, Signer

__all__ = ["ATTEMPTS_MAX", "Gathering", "Getter", "Got", "Key"]


class Getter:
    """One GET at a time in each thread, over a connection of its own. Safe from any thread."""

    def __init__(self, address: str, region: str, key: Callable[[], Key], now: Callable[[], datetime]) -> None:
        """Of what lies below the address. `key` gives the credential to sign with now."""
        self._peer = Peer(address)
        self._signer = Signer(address, region, key, now)
        self._threads = threading.local()

    def get(self, path: str, asked: Mapping[str, str] | None = None) -> Got:
        """What lies at a path of unescaped text, with a query; raises OSError when nobody answers."""
        line: Line | None = getattr(self._threads, "line", None)
        if line is None:
            line = self._threads.line = Line(self._peer)
        line.ask(self._signer.request(path, asked or {}))
        while (got := line.hear()) is None:
            pass
        return got


class Gathering:
    """Many GETs at once in one thread."""

    def __init__(
        self, address: str, region: str, key: Callable[[], Key], now: Callable[[], datetime], at_once: int
    ) -> None:
        """As of a `Getter`, over so many connections."""
        self._signer = Signer(address, region, key, now)
        self._selector = selectors.DefaultSelector()
        peer = Peer(address)
        self._lines = [Line(peer, self._selector) for _ in range(at_once)]

    def each(self, paths: Sequence[str]) -> Iterator[tuple[int, Got]]:
        """Every answer, as it comes, with the number of its path; raises OSError when nobody answers."""
        waiting = iter(enumerate(paths))
        asked: dict[Line, int] = {}

        def ask(line: Line) -> None:
            for number, path in islice(waiting, 1):
                asked[line] = number
                line.ask(self._signer.request(path, {}))

        try:
            for line in self._lines:
                ask(line)
            while asked:
                for line in self._speaking(asked):
                    if line not in asked:
                        line.hang_up()
                    elif (got := line.hear()) is not None:
                        number = asked.pop(line)
                        ask(line)
                        yield number, got
        finally:
            for line in asked:
                line.hang_up()

    def _speaking(self, asked: Mapping[Line, int]) -> Sequence[Line]:
        """The lines on which there is something to hear; where all are silent for too long, all are asked again."""
        speaking = [key.data for key, _ in self._selector.select(TIMEOUT_SECONDS)]
        if not speaking:
            for line in asked:
                line.ask_again(TimeoutError("nobody answers"))
        return speaking
