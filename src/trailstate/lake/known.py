"""Which records the lake holds already: each is there once, by account and eventID; another content is a conflict."""

from array import array
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from trailstate.lake.batch import ids_of
from trailstate.lake.columns import records_of
from trailstate.lake.logfile import Damage
from trailstate.lake.manifest import Manifest, Segment
from trailstate.lake.quarantine import Left
from trailstate.lake.segment import RECORDS, sealed
from trailstate.stores.interface import Objects

if TYPE_CHECKING:
    import pyarrow as pa

DAYS_REMEMBERED = 8


@dataclass(frozen=True, slots=True)
class Fresh:
    """What of a segment is new."""

    segment: Segment | None
    """None when nothing is."""
    body: bytes
    duplicates: int = 0
    conflicts: Sequence[Left] = ()


class KnownRecords:
    """Of one lake; the ids of the days that were asked for last are kept at hand."""

    def __init__(self, manifest: Manifest, objects: Objects) -> None:
        self._manifest = manifest
        self._objects = objects
        self._known: OrderedDict[str, set[int]] = OrderedDict()

    def fresh_of(self, segment: Segment, body: bytes, ids: "array[int]") -> Fresh:
        """The segment without rows that are there already; from now on its rows are known too."""
        known = self._ids_of_day(segment.day)
        seen = set(ids)
        if len(seen) == len(ids) and known.isdisjoint(seen):
            known |= seen
            return Fresh(segment, body)
        seen = set()
        repeated = [row for row, each in enumerate(ids) if each in known or each in seen or seen.add(each)]  # type: ignore[func-returns-value]
        known |= seen
        return self._rewritten(segment, body, repeated)

    def _rewritten(self, segment: Segment, body: bytes, repeated: Sequence[int]) -> Fresh:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pq.read_table(pa.BufferReader(body))
        again = list(records_of(table.take(repeated)))
        conflicts = self._conflicts(segment.day, again, table)
        told = [Left("", _conflict(each)) for each in conflicts]
        duplicates = len(repeated) - len(told)
        mask = [True] * table.num_rows
        for row in repeated:
            mask[row] = False
        rest = table.filter(pa.array(mask))
        if rest.num_rows == 0:
            return Fresh(None, b"", duplicates, told)
        name = segment.key.rpartition("/")[2].removesuffix(".parquet")
        return Fresh(*sealed(rest, name, segment.source), duplicates, told)

    def _conflicts(self, day: str, again: Sequence[dict[str, Any]], table: "pa.Table") -> list[dict[str, Any]]:
        """Those among repeated records that differ from every record with the same id."""
        wanted = {(each.get("recipientAccountId"), each.get("eventID")) for each in again}
        there = [*self._records_of_day(day, wanted), *_with_ids(table, wanted)]
        return [each for each in again if sum(each == other for other in there) < 2]  # itself, and one more

    def _records_of_day(self, day: str, wanted: set[tuple[Any, Any]]) -> Iterator[dict[str, Any]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        for segment in self._manifest.segments(RECORDS):
            body = self._objects.get(segment.key) if segment.day == day else None
            if body is not None:
                yield from _with_ids(pq.read_table(pa.BufferReader(body)), wanted)

    def _ids_of_day(self, day: str) -> set[int]:
        """The ids of the records that the lake holds of that day."""
        known = self._known.get(day)
        if known is None:
            import pyarrow as pa
            import pyarrow.parquet as pq

            known = set()
            for segment in self._manifest.segments(RECORDS):
                body = self._objects.get(segment.key) if segment.day == day else None
                if body is not None:
                    columns = ["recipientAccountId", "eventID", "eventTime", "eventName"]
                    known.update(ids_of(pq.read_table(pa.BufferReader(body), columns=columns)))
            self._known[day] = known
        self._known.move_to_end(day)
        while len(self._known) > DAYS_REMEMBERED:
            self._known.popitem(last=False)
        return known


def _conflict(record: dict[str, Any]) -> Damage:
    """The whole record is kept: its file tells which of many it is only to who reads them all."""
    return Damage("conflict", 0, f"eventID {record.get('eventID')}", msgspec.json.encode(record).decode())


def _with_ids(table: "pa.Table", wanted: set[tuple[Any, Any]]) -> Iterator[dict[str, Any]]:
    import pyarrow as pa

    ids = [
        (table["recipientAccountId"].to_pylist()[row], event) for row, event in enumerate(table["eventID"].to_pylist())
    ]
    rows = [row for row, each in enumerate(ids) if each in wanted]
    yield from records_of(table.take(pa.array(rows, pa.int64())))
