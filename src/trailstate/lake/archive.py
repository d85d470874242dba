"""Imported records in the event history: found through the indexes of their segments, read a row group at a time.

Of a segment that has no index yet nothing is found; `unindexed` counts such records, so that whoever asks can say so.
"""

import mmap
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailstate.lake.columns import FLAGS, ORDER, document, text_of
from trailstate.lake.index import ANY, key_of
from trailstate.lake.manifest import Manifest, Segment, by_day
from trailstate.lake.postings import Hit, Postings, Wanted
from trailstate.lake.segment import HARDLY_REPEATED, RECORDS
from trailstate.stores.disk import DiskObjects
from trailstate.trail.archive import Attribute, Found, Place, Spot, Window

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

INDEXES_OPEN_MAX = 4096
FILES_OPEN_MAX = 64
BODIES_BYTES_MAX = 16 * 1024 * 1024
"""Of records that were read already."""

_ARCHIVED = 1 << 32
_COLUMNS = [*ORDER, "extra"]
_REPEATED = [name for name in _COLUMNS if name not in HARDLY_REPEATED and name not in FLAGS]


class LakeArchive:
    """Implements `trail.archive.Archive` over the lake. Safe from any thread."""

    def __init__(self, manifest: Manifest, objects: DiskObjects) -> None:
        self._manifest = manifest
        self._objects = objects
        self._lock = threading.Lock()
        self._indexes: OrderedDict[str, Postings] = OrderedDict()
        self._reading = threading.Lock()
        self._files: OrderedDict[str, pq.ParquetFile] = OrderedDict()
        self._bodies: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._bodies_bytes = 0

    def unindexed(self) -> int:
        """How many records are imported and cannot be found here yet."""
        return sum(each.rows for each in self._manifest.segments(RECORDS) if not each.index)

    def spots(
        self,
        in_scope: Callable[[str, str], bool],
        wanted: Sequence[Attribute],
        window: Window,
        before: Place | None = None,
    ) -> Iterator[Spot]:
        """See `Archive`."""
        last = window.last if before is None else min(window.last, before.time)
        days = by_day(self._manifest.segments(RECORDS, first=window.first, last=last))
        keys = _wanted(wanted)
        for day in sorted(days, reverse=True):
            each_segment = [self._hits(each, in_scope, keys, Window(window.first, last)) for each in days[day]]
            for hit, segment in merge(*each_segment, reverse=True):
                place = Place(hit.time, hit.id - _ARCHIVED)
                if before is None or place < before:
                    yield Spot(place, segment, hit.row)

    def read(self, spots: Sequence[Spot]) -> list[Found]:
        """See `Archive`."""
        bodies = {spot: body for spot in spots if (body := self._known(spot)) is not None}
        fresh: dict[str, list[Spot]] = {}
        for spot in spots:
            if spot not in bodies:
                fresh.setdefault(spot.segment, []).append(spot)
        for segment, wanted in fresh.items():
            bodies |= self._read(segment, wanted)
        return [Found(spot.place, document(bodies[spot]), bodies[spot]) for spot in spots]

    def _hits(
        self, segment: Segment, in_scope: Callable[[str, str], bool], wanted: Wanted, window: Window
    ) -> Iterator[tuple[Hit, str]]:
        if segment.index:
            index = self._index(segment.index)
            scopes = index.numbers(in_scope)
            for hit in index.newest(wanted, scopes, window.first, window.last) if scopes else ():
                yield hit, segment.key

    def _index(self, key: str) -> Postings:
        with self._lock:
            found = self._indexes.get(key)
            if found is None:
                found = self._indexes[key] = Postings(_mapped(self._objects.path(key)))
            self._indexes.move_to_end(key)
            while len(self._indexes) > INDEXES_OPEN_MAX:
                self._indexes.popitem(last=False)
            return found

    def _read(self, segment: str, spots: Sequence[Spot]) -> dict[Spot, bytes]:
        bodies: dict[Spot, bytes] = {}
        with self._reading:
            file = self._file(segment)
            for number, first, last in _row_groups(file.metadata):
                inside = [each for each in spots if first <= each.row < last]
                if inside:
                    group = file.read_row_group(number, columns=_COLUMNS)
                    rows = _rows(group, [each.row - first for each in inside])
                    bodies |= zip(inside, map(text_of, rows), strict=True)
        self._keep(bodies)
        return bodies

    def _file(self, segment: str) -> "pq.ParquetFile":
        import pyarrow.parquet as pq

        found = self._files.get(segment)
        if found is None:
            path = self._objects.path(segment)
            found = self._files[segment] = pq.ParquetFile(path, memory_map=True, read_dictionary=_REPEATED)
        self._files.move_to_end(segment)
        while len(self._files) > FILES_OPEN_MAX:
            self._files.popitem(last=False)
        return found

    def _known(self, spot: Spot) -> bytes | None:
        with self._lock:
            body = self._bodies.get((spot.segment, spot.row))
            if body is not None:
                self._bodies.move_to_end((spot.segment, spot.row))
            return body

    def _keep(self, bodies: dict[Spot, bytes]) -> None:
        """Remember what was read, and forget what was not asked for lately."""
        with self._lock:
            for spot, body in bodies.items():
                self._bodies_bytes += len(body) - len(self._bodies.get((spot.segment, spot.row), b""))
                self._bodies[spot.segment, spot.row] = body
            while self._bodies_bytes > BODIES_BYTES_MAX:
                self._bodies_bytes -= len(self._bodies.popitem(last=False)[1])


def _wanted(attributes: Sequence[Attribute]) -> Wanted:
    ids = tuple({key_of(each) for each in attributes if each[0] == "EventId"})
    keys = tuple(key_of(each) for each in attributes if each[0] != "EventId")
    return Wanted(keys if keys or ids else (key_of(ANY),), ids)


def _rows(group: "pa.Table", numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Some rows of a row group. A batch gives them with a fifth of the effort of a table."""
    import pyarrow as pa

    [batch] = group.combine_chunks().to_batches()
    rows: list[dict[str, Any]] = batch.take(pa.array(numbers, pa.int64())).to_pylist()
    return rows


def _row_groups(metadata: "pq.FileMetaData") -> Iterator[tuple[int, int, int]]:
    """Each row group with its first row and the one after its last."""
    first = 0
    for number in range(metadata.num_row_groups):
        last = first + metadata.row_group(number).num_rows
        yield number, first, last
        first = last


def _mapped(path: Path) -> memoryview:
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
