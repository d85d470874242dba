"""Importing log files: read, taken apart and sorted in worker processes, kept and made visible batch by batch here.

Files are taken in the order of the day in their name, so that a batch comes from few days, each of which becomes one
segment. A batch's segments are durable before the commit that shows them and marks its files as done; an import that
was cut off goes on where it stood. A record that is there already, by account and eventID, is left out and counted; one
with the same id and other content is a conflict.
"""

import gc
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from hashlib import blake2b
from multiprocessing import get_context
from typing import Protocol

from trailstate.lake import quarantine
from trailstate.lake.batch import SealedBatch, seal
from trailstate.lake.known import KnownRecords
from trailstate.lake.manifest import Change, Manifest
from trailstate.stores.interface import ObjectExists, Objects
from trailstate.world import World

BATCH_BYTES = 12 * 1024 * 1024
"""Of compressed files: about forty thousand records."""

BATCH_FILES_MAX = 4000
WORKERS = 2
READERS = 8
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
        self._known = KnownRecords(manifest, objects)

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
    ) -> Iterator[tuple[_Batch, SealedBatch]]:
        """Batches and what became of them; as many are under way as there are workers, and one more."""
        under_way: dict[Future[SealedBatch], _Batch] = {}
        for number, batch in enumerate(batches):
            bodies = list(readers.map(lambda file: _body(source, file), batch.files))
            under_way[workers.submit(seal, f"{name.partition('/')[2]}-{number:06d}", name, bodies)] = batch
            if len(under_way) > self._workers:
                yield from _finished(under_way)
        while under_way:
            yield from _finished(under_way)

    def _keep(
        self, source: Source, batch: _Batch, result: SealedBatch, progress: Progress, writers: ThreadPoolExecutor
    ) -> None:
        sealed = zip(result.segments, result.ids, strict=True)
        found = [self._known.fresh_of(segment, body, ids) for (segment, body), ids in sealed]
        added = [(each.segment, each.body) for each in found if each.segment is not None]
        left = [*result.left, *(each for one in found for each in one.conflicts)]
        for _ in writers.map(self._put, [segment.key for segment, _ in added], [body for _, body in added]):
            pass
        quarantine.keep(self._objects, source.name, left, self._world)
        self._manifest.commit(
            Change(added=tuple(segment for segment, _ in added), sources=tuple(map(_mark, batch.files)))
        )
        progress.files += len(batch.files)
        progress.bytes += batch.size_bytes
        progress.records += sum(segment.rows for segment, _ in added)
        progress.duplicates += sum(each.duplicates for each in found)
        progress.left_out += len(left)

    def _put(self, key: str, body: bytes) -> None:
        try:
            self._objects.put_if_absent(key, body)
        except ObjectExists:
            assert self._objects.get(key) == body, "a segment's name belongs to one import and one batch"


def _mark(file: SourceFile) -> str:
    """What the manifest knows a file by: short, for there are a hundred thousand of them in a year of logs."""
    digest = blake2b(file.identity.encode("utf-8", "surrogatepass"), digest_size=15).digest()
    return b64encode(digest).decode()


def _finished(under_way: dict[Future[SealedBatch], _Batch]) -> Iterator[tuple[_Batch, SealedBatch]]:
    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
    for each in done:
        yield under_way.pop(each), each.result()


def _body(source: Source, file: SourceFile) -> tuple[str, bytes | str]:
    """A file's name with its content, or with why it cannot be read."""
    try:
        return file.name, source.read(file)
    except OSError as error:
        return file.name, str(error)
