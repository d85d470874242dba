"""One log file held against the digest that lists it: it is there, it is gzip, and its text has the listed SHA-256."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from trailstate.trail.verify.digestfile import Unreadable, inflated
from trailstate.trail.verify.source import Fetched
from trailstate.trail.verify.stops import Stop, stops_in

Listed = tuple[str, str]
"""A log file's key, and the hash that its digest holds."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of one listed log file."""

    kind: str | None = None
    """Of the finding, if there is one."""
    told: str = ""
    stops: tuple[Stop, ...] = ()


UNTOUCHED = Compared()

Compare = Callable[[Sequence[Listed]], Iterator[Sequence[Compared]]]
"""Fetches and compares all of them; the results in the same order, some at a time."""


def compare(digest_hash: str, fetched: Fetched | None) -> Compared:
    """Judge the file as it was fetched; None when it is not there."""
    if fetched is None:
        return Compared("log-missing", "its digest lists it, and it is not there")
    try:
        text = inflated(fetched.body)
    except Unreadable as error:
        return Compared("log-unreadable", str(error))
    if sha256(text).hexdigest() != digest_hash:
        return Compared("log-altered", "its text has another SHA-256 than its digest holds")
    stops = tuple(stops_in(text))
    return Compared(stops=stops) if stops else UNTOUCHED
