"""A batch of log files as segments: read, taken apart and sorted; the part of an import that worker processes do."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from trailstate.lake.columns import table_of
from trailstate.lake.logfile import Damage, Found, read
from trailstate.lake.manifest import Segment
from trailstate.lake.quarantine import Left
from trailstate.lake.segment import by_day, in_order, sealed

if TYPE_CHECKING:
    import pyarrow as pa

TABLE_ROWS = 2000
"""Records become columns in such pieces, while they are still in the processor's cache."""

TEXT_BYTES_MAX = 128 * 1024 * 1024
"""Of text that a worker holds beside the file it reads; a batch that inflates to more is sealed in several parts."""


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """What a worker made of a batch."""

    segments: list[tuple[Segment, bytes]]
    ids: list[array]  # type: ignore[type-arg]
    """Per segment, the ids of its rows in their order."""
    left: list[Left]


def seal(name: str, source: str, bodies: Sequence[tuple[str, bytes | str]]) -> SealedBatch:
    """A batch of files as segments; runs in a worker process."""
    done = SealedBatch([], [], [])
    held, tables, text_bytes = Found(), [], 0
    for file, body in bodies:
        if isinstance(body, str):
            done.left.append(Left(file, Damage("unreadable", 0, body)))
            continue
        found = read(file, body)
        held.lines += found.lines
        held.times += found.times
        text_bytes += found.size_bytes
        done.left.extend(Left(file, damage) for damage in found.damages)
        if len(held.lines) > TABLE_ROWS:
            tables.append(table_of(held.lines, held.times))
            held = Found()
        if text_bytes > TEXT_BYTES_MAX:
            _seal_tables(done, name, source, [*tables, table_of(held.lines, held.times)])
            held, tables, text_bytes = Found(), [], 0
    _seal_tables(done, name, source, [*tables, table_of(held.lines, held.times)])
    return done


def _seal_tables(result: SealedBatch, name: str, source: str, tables: "Sequence[pa.Table]") -> None:
    import pyarrow as pa

    part = f"{name}-{len(result.segments)}" if result.segments else name
    for day in by_day(in_order(pa.concat_tables(tables))):
        result.segments.append(sealed(day, part, source))
        result.ids.append(ids_of(day))


def ids_of(table: "pa.Table") -> "array[int]":
    """What makes each record the one it is: account and eventID; time and name where it is too old to have an id."""
    accounts, events = table["recipientAccountId"].to_pylist(), table["eventID"].to_pylist()
    texts = [f"{account}\0{event}" for account, event in zip(accounts, events, strict=True)]
    if not all(events):
        times, names = table["eventTime"].to_pylist(), table["eventName"].to_pylist()
        for row, event in enumerate(events):
            if not event:
                texts[row] = f"{accounts[row]}\0{times[row]}\0{names[row]}"
    return array("Q", b"".join([blake2b(text.encode(), digest_size=8).digest() for text in texts]))
