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
    import pyarrow.parquet as pq

INDEXES_OPEN_MAX = 4096
FILES_KNOWN_MAX = 64
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
        self._metadata: OrderedDict[str, pq.FileMetaData] = OrderedDict()
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
        import pyarrow.parquet as pq

        bodies: dict[Spot, bytes] = {}
        with pq.ParquetFile(
            self._objects.path(segment),
            metadata=self._metadata_of(segment),
            memory_map=True,
            read_dictionary=_REPEATED,
        ) as file:
            for number, first, last in _row_groups(file.metadata):
                inside = [each for each in spots if first <= each.row < last]
                if inside:
                    rows = file.read_row_group(number, columns=_COLUMNS).take([each.row - first for each in inside])
                    bodies |= zip(inside, map(text_of, rows.to_pylist()), strict=True)
        self._keep(segment, file.metadata, bodies)
        return bodies

    def _known(self, spot: Spot) -> bytes | None:
        with self._lock:
            body = self._bodies.get((spot.segment, spot.row))
            if body is not None:
                self._bodies.move_to_end((spot.segment, spot.row))
            return body

    def _metadata_of(self, segment: str) -> "pq.FileMetaData | None":
        with self._lock:
            return self._metadata.get(segment)

    def _keep(self, segment: str, metadata: Any, bodies: dict[Spot, bytes]) -> None:
        """Remember what was read, and forget what was not asked for lately."""
        with self._lock:
            self._metadata[segment] = metadata
            self._metadata.move_to_end(segment)
            while len(self._metadata) > FILES_KNOWN_MAX:
                self._metadata.popitem(last=False)
            for spot, body in bodies.items():
                self._bodies_bytes += len(body) - len(self._bodies.get((spot.segment, spot.row), b""))
                self._bodies[spot.segment, spot.row] = body
            while self._bodies_bytes > BODIES_BYTES_MAX:
                self._bodies_bytes -= len(self._bodies.popitem(last=False)[1])


def _wanted(attributes: Sequence[Attribute]) -> Wanted:
    ids = tuple({key_of(each) for each in attributes if each[0] == "EventId"})
    keys = tuple(key_of(each) for each in attributes if each[0] != "EventId")
    return Wanted(keys if keys or ids else (key_of(ANY),), ids)


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
