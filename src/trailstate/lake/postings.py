"""The index of one segment: which rows hold a key, newest first, read from the file's bytes as they are.

A key is a 32-bit hash of whatever finds a row, and it is kept for each scope, an account and a region, apart: one
scope is asked for in a few steps, and all of them in hardly more, because they lie side by side. The file is cut into
parts of at most 65,536 rows and seconds, so that a row and a time are two bytes each. In a part, keys that one row has
stand beside that row; the others beside where their rows end in one list of all rows. Both are sorted and are searched
where they lie: nothing is decoded, and a look-up touches a few pages. Every row has a hash of its own id too, which
breaks ties of time in the same way wherever the row moves. Hashes may collide, so who reads a row holds it against the
question.
"""

import struct
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import accumulate, chain
from typing import NamedTuple, cast

import msgspec

MAGIC = b"TSPOST1\n"
PART_ROWS_MAX = 1 << 16
PART_ROWS_USUAL = 60_000
"""A part ends after these with its second, so that the rows of one second lie in one part."""

PART_SECONDS_MAX = 1 << 16
_FILE = struct.Struct("<8sIQ")
_PART = struct.Struct("<qIIIII")
_LITTLE = sys.byteorder == "little"

FURTHER = (1 << 16) - 1
"""The number that all scopes share for which none is left; who asks for any of them gets all of them."""

Scope = tuple[str, str]
"""An account and a region."""


class Hit(NamedTuple):
    """A row that has all keys, as far as their hashes tell; the newest is the greatest."""

    time: int
    id: int
    row: int


class NotAnIndex(ValueError):
    """The bytes are no index, or not a whole one."""


@dataclass(slots=True)
class Part:
    """What is known of consecutive rows, sorted by time, before it is written."""

    first_row: int
    first_time: int
    times: list[int] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    rows: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    """Rows within the part by key and number of the scope, ascending."""
    listed: list[int] = field(default_factory=list)
    """Rows that are found by their id."""

    def has_room(self, time: int) -> bool:
        """Whether a row of that time may still join."""
        seconds = time - self.first_time
        is_usual = len(self.times) < PART_ROWS_USUAL or seconds == self.times[-1]
        return seconds < PART_SECONDS_MAX and is_usual and len(self.times) < PART_ROWS_MAX

    def add(self, time: int, id_: int, scope: int, keys: Sequence[int], *, is_listed: bool) -> None:
        """The next row: its time is no earlier than the last, its keys are those it is found by."""
        row = len(self.times)
        self.times.append(time - self.first_time)
        self.ids.append(id_)
        if is_listed:
            self.listed.append(row)
        for key in keys:
            held = self.rows.setdefault((key, scope), [])
            if not held or held[-1] != row:
                held.append(row)

    def written(self) -> bytes:
        """The part as it stands in the file, a multiple of four bytes."""
        by_id = sorted(self.listed, key=self.ids.__getitem__)
        single = sorted((*key, rows[0]) for key, rows in self.rows.items() if len(rows) == 1)
        several = sorted(key for key, rows in self.rows.items() if len(rows) > 1)
        together = array("H", [row for key in several for row in self.rows[key]])
        ends = array("I", accumulate(len(self.rows[key]) for key in several))
        counts = (len(self.times), len(by_id), len(single), len(several), len(together))
        arrays = (
            array("I", self.ids),
            array("I", [key for key, _, _ in single]),
            array("I", [key for key, _ in several]),
            ends,
            *(array("H", self.times), array("H", by_id), array("H", [scope for _, scope, _ in single])),
            *(array("H", [row for *_, row in single]), array("H", [scope for _, scope in several]), together),
        )
        body = _PART.pack(self.first_time, *counts) + b"".join(map(_bytes, arrays))
        return body + bytes(-len(body) % 4)


def _bytes(values: "array[int]") -> bytes:
    if not _LITTLE:
        values = array(values.typecode, values)
        values.byteswap()
    return values.tobytes()


class _Tail(msgspec.Struct):
    """The end of the file: where parts begin, and whose rows there are."""

    offsets: list[int]
    first_rows: list[int]
    scopes: list[Scope]
    rows: int


_encode_tail = msgspec.json.Encoder().encode
_decode_tail = msgspec.json.Decoder(_Tail).decode


def written(parts: Sequence[Part], scopes: Sequence[Scope]) -> bytes:
    """The file of an index; `scopes` in the order of their numbers, below FURTHER."""
    bodies, offsets, at = [], [], _FILE.size
    for part in parts:
        offsets.append(at)
        bodies.append(part.written())
        at += len(bodies[-1])
    rows = sum(len(each.times) for each in parts)
    tail = _encode_tail(_Tail(offsets, [each.first_row for each in parts], list(scopes[:FURTHER]), rows))
    head = _FILE.pack(MAGIC, len(tail), at)
    return b"".join((head, *bodies, tail))


class _Read:
    """One part as it lies in the file."""

    __slots__ = (
        *("first_row", "first_time", "times", "ids", "by_id", "single_keys", "single_scopes", "single_rows"),
        *("keys", "scopes", "ends", "rows"),
    )

    def __init__(self, body: memoryview, offset: int, first_row: int) -> None:
        self.first_row = first_row
        self.first_time, count, listed, single, several, together = _PART.unpack_from(body, offset)
        at = offset + _PART.size

        def taken(kind: str, length: int) -> Sequence[int]:
            nonlocal at
            values = _values(body[at : at + length * struct.calcsize(kind)], kind)
            at += length * struct.calcsize(kind)
            return values

        self.ids, self.single_keys = taken("I", count), taken("I", single)
        self.keys, self.ends = taken("I", several), taken("I", several)
        self.times, self.by_id = taken("H", count), taken("H", listed)
        self.single_scopes, self.single_rows = taken("H", single), taken("H", single)
        self.scopes, self.rows = taken("H", several), taken("H", together)

    def with_key(self, key: int, scopes: Container[int]) -> list[Sequence[int]]:
        """The rows that have a key, of each scope its own, ascending."""
        single = range(bisect_left(self.single_keys, key), bisect_right(self.single_keys, key))
        several = range(bisect_left(self.keys, key), bisect_right(self.keys, key))
        return [
            *(self.single_rows[at : at + 1] for at in single if self.single_scopes[at] in scopes),
            *(self.rows[self.ends[at - 1] if at else 0 : self.ends[at]] for at in several if self.scopes[at] in scopes),
        ]

    def with_id(self, id_: int) -> Sequence[int]:
        """The rows that have an id, ascending."""
        first = bisect_left(self.by_id, id_, key=self.ids.__getitem__)
        last = bisect_right(self.by_id, id_, lo=first, key=self.ids.__getitem__)
        return sorted(self.by_id[first:last])

    def between(self, rows: Sequence[int], first: int, last: int) -> Sequence[int]:
        """Those of ascending rows whose time is within two, both included."""
        low = bisect_left(self.times, first - self.first_time)
        high = bisect_right(self.times, last - self.first_time)
        return rows[bisect_left(rows, low) : bisect_left(rows, high)]

    def hit(self, row: int) -> Hit:
        return Hit(self.first_time + self.times[row], self.ids[row], self.first_row + row)


def _values(body: memoryview, kind: str) -> Sequence[int]:
    if _LITTLE:
        return cast("Sequence[int]", body.cast("H" if kind == "H" else "I"))
    swapped = array(kind, body.tobytes())
    swapped.byteswap()
    return swapped


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a row must have: all keys, and all ids (of which a row has one)."""

    keys: tuple[int, ...] = ()
    ids: tuple[int, ...] = ()


class Postings:
    """An index, read from its bytes; `body` may be a mapped file. Safe from any thread."""

    def __init__(self, body: "bytes | memoryview") -> None:
        view = memoryview(body)
        try:
            magic, size, at = _FILE.unpack_from(view)
            if magic != MAGIC or at + size != len(view):
                raise NotAnIndex("it has another beginning or another length than an index")
            tail = _decode_tail(view[at : at + size])
        except (struct.error, msgspec.DecodeError) as error:
            raise NotAnIndex(f"it is cut off or damaged: {error}") from error
        self._parts = [_Read(view, *each) for each in zip(tail.offsets, tail.first_rows, strict=True)]
        self.scopes: Sequence[Scope] = tail.scopes
        self.rows = tail.rows

    def numbers(self, in_scope: Callable[[str, str], bool]) -> set[int]:
        """The numbers of the scopes that are asked for."""
        found = {number for number, scope in enumerate(self.scopes) if in_scope(*scope)}
        return found | {FURTHER} if len(self.scopes) == FURTHER else found

    def newest(self, wanted: Wanted, scopes: Container[int], first: int, last: int) -> Iterator[Hit]:
        """Rows of some scopes, by number, within two times (both included), newest first."""
        for part in reversed(self._parts):
            yield from _by_time(part, _rows(part, wanted, scopes, first, last))


def _rows(part: _Read, wanted: Wanted, scopes: Container[int], first: int, last: int) -> Iterator[int]:
    """The rows of one part, descending."""
    every = [part.with_key(key, scopes) for key in wanted.keys] + [[part.with_id(each)] for each in wanted.ids]
    within = [[part.between(rows, first, last) for rows in lists] for lists in every]
    fewest, *others = sorted(within, key=lambda lists: sum(map(len, lists)))
    rows = merge(*(reversed(each) for each in fewest), reverse=True)
    if not others:
        return rows
    sets = [set(chain.from_iterable(lists)) for lists in others] if any(fewest) else []
    return (row for row in rows if all(row in each for each in sets))


def _by_time(part: _Read, rows: Iterator[int]) -> Iterator[Hit]:
    """Rows in descending order as hits; those of one second by their ids."""
    run: list[Hit] = []
    for row in rows:
        hit = part.hit(row)
        if run and run[-1].time != hit.time:
            yield from sorted(run, reverse=True)
            run = []
        run.append(hit)
    yield from sorted(run, reverse=True)
