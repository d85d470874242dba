"""Records that the journal does not hold, imported ones, among those it does: one history, newest first, none twice.

A live record stands at its time and its position in the journal. An archived one stands at its time and a negative
number that belongs to the record itself, so that it keeps its place wherever its file moves, and comes after the live
ones of its second. A page of a look-up may begin after either.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, Protocol

CHUNK_MAX = 2048

Attribute = tuple[str, str]


class Place(NamedTuple):
    """Where a record stands in the history: its time, then its position in the journal; newest is greatest."""

    time: int
    position: int


class Window(NamedTuple):
    """A time range in whole seconds since 1970, both ends included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Found:
    """One record of the history, with its JSON text exactly as it will be delivered."""

    place: Place
    record: Mapping[str, Any]
    body: bytes


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an archived record may stand that was asked for."""

    place: Place
    segment: str
    row: int


class Archive(Protocol):
    """What is known of archived records. Safe from any thread."""

    def spots(
        self,
        in_scope: Callable[[str, str], bool],
        wanted: Sequence[Attribute],
        window: Window,
        before: Place | None = None,
    ) -> Iterator[Spot]:
        """Management events of the accounts and regions in scope that may have all attributes, newest first."""

    def read(self, spots: Sequence[Spot]) -> Sequence[Found]:
        """The records at some spots, in the same order."""


def merged(
    live: Iterator[Found],
    archived: Iterator[Spot],
    archive: Archive,
    answers: Callable[[Found], bool],
    chunk: int,
) -> Iterator[Found]:
    """Live and archived records together, newest first. `answers` holds each archived one against the question.

    `chunk` is how many are read at first, before it is known how many will be asked for.
    """
    places: Iterator[Found | Spot] = heapq.merge(live, archived, key=_place, reverse=True)
    while some := list(islice(places, chunk)):
        found = iter(archive.read([each for each in some if isinstance(each, Spot)]))
        for each in some:
            record = next(found) if isinstance(each, Spot) else each
            if record is each or answers(record):
                yield record
        chunk = min(2 * chunk, CHUNK_MAX)


def _place(candidate: Found | Spot) -> Place:
    return candidate.place
