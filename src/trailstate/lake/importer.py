"""Importing log files: read, taken apart and sorted in worker processes, kept and made visible batch by batch here.

Files are taken in the order of the day in their name, so that a batch comes from few days, each of which becomes one
segment. A batch's segments are durable before the commit that shows them and marks its files as done; an import that
was cut off goes on where it stood. A record that is there already, by account and eventID, is left out and counted; one
with the same id and other content is a conflict.
"""

import gc
import re
from array import array
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from hashlib import blake2b
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from trailstate.lake import quarantine
from trailstate.lake.columns import records_of, table_of
from trailstate.lake.logfile import Damage, Found, read
from trailstate.lake.manifest import Change, Manifest, Segment
from trailstate.lake.quarantine import Left
from trailstate.lake.segment import RECORDS, by_day, in_order, sealed
from trailstate.stores.interface import ObjectExists, Objects
from trailstate.world import World

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_BYTES = 12 * 1024 * 1024
"""Of compressed files: about forty thousand records."""

BATCH_FILES_MAX = 4000
TABLE_ROWS = 2000
"""Records become columns in such pieces, while they are still in the processor's cache."""

TEXT_BYTES_MAX = 128 * 1024 * 1024
"""Of text that a worker holds beside the file it reads; a batch that inflates to more is sealed in several parts."""

WORKERS = 2
READERS = 8
DAYS_REMEMBERED = 8
_DAY = re.compile(r"(\d{4})/(\d\d)/(\d\d)/")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file that may be imported. `identity` is another one as soon as its content is."""

    name: str
    identity: str
    size_bytes: int

    @property
    def day(self) -> str:
        """The day in its path; empty when there is none."""
        found = _DAY.search(self.name)
        return "-".join(found.groups()) if found else ""


class Source(Protocol):
    """Where files are imported from. `read` is called from several threads."""

    name: str

    def files(self) -> Iterable[SourceFile]: ...

    def read(self, file: SourceFile) -> bytes:
        """Its content; OSError when it cannot be had."""


@dataclass(slots=True)
class Progress:
    """How far an import is; the same object throughout."""

    files_total: int = 0
    bytes_total: int = 0
    files: int = 0
    bytes: int = 0
    files_known: int = 0
    """Files that were in the lake already."""
    records: int = 0
    duplicates: int = 0
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Sealed:
    """What a worker made of a batch."""

    segments: list[tuple[Segment, bytes]]
    ids: list[array]  # type: ignore[type-arg]
    """Per segment, the ids of its rows in their order."""
    left: list[Left]


@dataclass(slots=True)
class _Batch:
    size_bytes_max: int
    files: list[SourceFile] = field(default_factory=list)
    size_bytes: int = 0

    def is_full(self, file: SourceFile) -> bool:
        size_bytes = self.size_bytes + file.size_bytes
        return bool(self.files) and (size_bytes > self.size_bytes_max or len(self.files) >= BATCH_FILES_MAX)

    def add(self, file: SourceFile) -> None:
        self.files.append(file)
        self.size_bytes += file.size_bytes


class Importer:
    """Imports into one lake. Not to be shared between threads; several processes may import at the same time."""

    def __init__(
        self,
        manifest: Manifest,
        objects: Objects,
        world: World,
        *,
        workers: int = WORKERS,
        batch_bytes: int = BATCH_BYTES,
    ) -> None:
        self._batch_bytes = batch_bytes
        self._manifest = manifest
        self._objects = objects
        self._world = world
        self._workers = workers
        self._known: OrderedDict[str, set[int]] = OrderedDict()

    def run(
        self, source: Source, tell: Callable[[Progress], None] = lambda _: None, *, again: bool = False
    ) -> Progress:
        """Import every file that is not in the lake yet, or every file `again`; `tell` is called after every batch."""
        done = set() if again else self._manifest.state().sources
        files = sorted(source.files(), key=lambda each: (each.day, each.name))
        progress = Progress(len(files), sum(each.size_bytes for each in files))
        fresh = [each for each in files if _mark(each) not in done]
        progress.files_known = len(files) - len(fresh)
        progress.files = progress.files_known
        progress.bytes = progress.bytes_total - sum(each.size_bytes for each in fresh)
        tell(progress)
        name = f"import/{self._world.now():%Y%m%dT%H%M%SZ}-{self._world.token(8)}"
        with (
            ThreadPoolExecutor(READERS) as readers,
            # Records make no cycles; looking for some among so many objects would cost a quarter of the time.
            ProcessPoolExecutor(self._workers, mp_context=get_context("spawn"), initializer=gc.disable) as workers,
        ):
            for batch, result in self._sealed(source, self._batches(fresh), name, readers, workers):
                self._keep(source, batch, result, progress, readers)
                tell(progress)
        return progress

    def _batches(self, files: Iterable[SourceFile]) -> Iterator[_Batch]:
        batch = _Batch(self._batch_bytes)
        for file in files:
            if batch.is_full(file):
                yield batch
                batch = _Batch(self._batch_bytes)
            batch.add(file)
        if batch.files:
            yield batch

    def _sealed(
        self,
        source: Source,
        batches: Iterator[_Batch],
        name: str,
        readers: ThreadPoolExecutor,
        workers: ProcessPoolExecutor,
    ) -> Iterator[tuple[_Batch, _Sealed]]:
        """Batches and what became of them; as many are under way as there are workers, and one more."""
        under_way: dict[Future[_Sealed], _Batch] = {}
        for number, batch in enumerate(batches):
            bodies = list(readers.map(lambda file: _body(source, file), batch.files))
            under_way[workers.submit(_seal, f"{name.partition('/')[2]}-{number:06d}", name, bodies)] = batch
            if len(under_way) > self._workers:
                yield from _finished(under_way)
        while under_way:
            yield from _finished(under_way)

    def _keep(
        self, source: Source, batch: _Batch, result: _Sealed, progress: Progress, writers: ThreadPoolExecutor
    ) -> None:
        added: list[Segment] = []
        bodies: list[bytes] = []
        left = list(result.left)
        for (segment, body), ids in zip(result.segments, result.ids, strict=True):
            kept, kept_body, more_left, duplicates = self._without_known(segment, body, ids)
            left += more_left
            progress.duplicates += duplicates
            if kept is not None:
                added.append(kept)
                bodies.append(kept_body)
                progress.records += kept.rows
        for _ in writers.map(self._put, [each.key for each in added], bodies):
            pass
        quarantine.keep(self._objects, source.name, left, self._world)
        self._manifest.commit(Change(added=tuple(added), sources=tuple(map(_mark, batch.files))))
        progress.files += len(batch.files)
        progress.bytes += batch.size_bytes
        progress.left_out += len(left)

    def _put(self, key: str, body: bytes) -> None:
        try:
            self._objects.put_if_absent(key, body)
        except ObjectExists:
            assert self._objects.get(key) == body, "a segment's name belongs to one import and one batch"

    def _without_known(
        self,
        segment: Segment,
        body: bytes,
        ids: "array[int]",
    ) -> tuple[Segment | None, bytes, list[Left], int]:
        """The segment without rows that are there already."""
        known = self._ids_of_day(segment.day)
        seen = set(ids)
        if len(seen) == len(ids) and known.isdisjoint(seen):
            known |= seen
            return segment, body, [], 0
        seen = set()
        repeated = [row for row, each in enumerate(ids) if each in known or each in seen or seen.add(each)]  # type: ignore[func-returns-value]
        known |= seen
        return self._rewritten(segment, body, repeated)

    def _rewritten(
        self, segment: Segment, body: bytes, repeated: Sequence[int]
    ) -> tuple[Segment | None, bytes, list[Left], int]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pq.read_table(pa.BufferReader(body))
        again = list(records_of(table.take(repeated)))
        conflicts = self._conflicts(segment.day, again, table)
        left = [Left("", _conflict(each)) for each in conflicts]
        mask = [True] * table.num_rows
        for row in repeated:
            mask[row] = False
        rest = table.filter(pa.array(mask))
        if rest.num_rows == 0:
            return None, b"", left, len(repeated) - len(left)
        name = segment.key.rpartition("/")[2].removesuffix(".parquet")
        kept, kept_body = sealed(rest, name, segment.source)
        return kept, kept_body, left, len(repeated) - len(left)

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
                    known.update(_ids(pq.read_table(pa.BufferReader(body), columns=columns)))
            self._known[day] = known
        self._known.move_to_end(day)
        while len(self._known) > DAYS_REMEMBERED:
            self._known.popitem(last=False)
        return known


def _mark(file: SourceFile) -> str:
    """What the manifest knows a file by: short, for there are a hundred thousand of them in a year of logs."""
    digest = blake2b(file.identity.encode("utf-8", "surrogatepass"), digest_size=15).digest()
    return b64encode(digest).decode()


def _conflict(record: dict[str, Any]) -> Damage:
    """The whole record is kept: its file tells which of many it is only to who reads them all."""
    return Damage("conflict", 0, f"eventID {record.get('eventID')}", msgspec.json.encode(record).decode())


def _finished(under_way: dict[Future[_Sealed], _Batch]) -> Iterator[tuple[_Batch, _Sealed]]:
    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
    for each in done:
        yield under_way.pop(each), each.result()


def _body(source: Source, file: SourceFile) -> tuple[str, bytes | str]:
    """A file's name with its content, or with why it cannot be read."""
    try:
        return file.name, source.read(file)
    except OSError as error:
        return file.name, str(error)


def _seal(name: str, source: str, bodies: Sequence[tuple[str, bytes | str]]) -> _Sealed:
    """A batch of files as segments; runs in a worker process."""
    done = _Sealed([], [], [])
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


def _seal_tables(result: _Sealed, name: str, source: str, tables: "Sequence[pa.Table]") -> None:
    import pyarrow as pa

    part = f"{name}-{len(result.segments)}" if result.segments else name
    for day in by_day(in_order(pa.concat_tables(tables))):
        result.segments.append(sealed(day, part, source))
        result.ids.append(_ids(day))


def _ids(table: "pa.Table") -> "array[int]":
    """What makes each record the one it is: account and eventID; time and name where it is too old to have an id."""
    accounts, events = table["recipientAccountId"].to_pylist(), table["eventID"].to_pylist()
    texts = [f"{account}\0{event}" for account, event in zip(accounts, events, strict=True)]
    if not all(events):
        times, names = table["eventTime"].to_pylist(), table["eventName"].to_pylist()
        for row, event in enumerate(events):
            if not event:
                texts[row] = f"{accounts[row]}\0{times[row]}\0{names[row]}"
    return array("Q", b"".join([blake2b(text.encode(), digest_size=8).digest() for text in texts]))


def _with_ids(table: "pa.Table", wanted: set[tuple[Any, Any]]) -> Iterator[dict[str, Any]]:
    import pyarrow as pa

    ids = [
        (table["recipientAccountId"].to_pylist()[row], event) for row, event in enumerate(table["eventID"].to_pylist())
    ]
    rows = [row for row, each in enumerate(ids) if each in wanted]
    yield from records_of(table.take(pa.array(rows, pa.int64())))
