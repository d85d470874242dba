"""Upkeep of the lake: each segment gets its index and activity, small ones of a day become one, what nobody needs goes.

Each step is one commit of the manifest, made after all that it shows is durable: a reader sees a day before the step or
after it. Of two that keep one lake up at the same time the second drops what the first did. What was replaced stays
until every question that may still read it has ended.
"""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from multiprocessing import get_context
from typing import TYPE_CHECKING

import msgspec

from trailstate.lake.activity import READ, activity_of
from trailstate.lake.index import index_of
from trailstate.lake.manifest import CHECKPOINTS, Change, Manifest, Segment, Superseded, by_day
from trailstate.lake.segment import RECORDS, in_order, sealed, written
from trailstate.stores.disk import DiskObjects
from trailstate.stores.interface import ObjectExists
from trailstate.world import World

if TYPE_CHECKING:
    import pyarrow.parquet as pq

SMALL_ROWS = 8192
"""Segments below this are put together, as many as there are of a day."""

MERGED_ROWS_MAX = 131_072
KEPT_SECONDS = 3600
"""How long replaced objects stay: longer than any question may take."""

CHECKPOINTS_KEPT = 2
"""A reader that finds none begins at the first commit."""

WORKERS = 2
EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Job:
    """Segments of one day that become one with all that lies beside it."""

    name: str
    segments: tuple[Segment, ...]

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.segments)


@dataclass(frozen=True, slots=True)
class Kept:
    """How far the upkeep is."""

    rows: int = 0
    rows_total: int = 0


class Upkeep:
    """Of one lake. Not to be shared between threads."""

    def __init__(
        self,
        manifest: Manifest,
        objects: DiskObjects,
        world: World,
        *,
        workers: int = WORKERS,
        newest_first: bool = True,
    ) -> None:
        """Two that work at the same time should begin at different ends."""
        self._newest_first = newest_first
        self._manifest = manifest
        self._objects = objects
        self._world = world
        self._workers = workers

    def is_due(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._groups() or self._deletable())

    def run(self, tell: Callable[[Kept], None] = lambda _: None) -> Kept:
        """Everything there is to do; `tell` is called after every step."""
        self._delete()
        jobs = [Job(self._world.token(16), group) for group in self._groups()]
        kept = Kept(rows_total=sum(job.rows for job in jobs))
        if not jobs:
            return kept
        tell(kept)
        with ProcessPoolExecutor(
            min(self._workers, len(jobs)), mp_context=get_context("spawn"), initializer=gc.disable
        ) as workers:
            for job, result in self._done(iter(jobs), workers):
                self._keep(job, result)
                kept = replace(kept, rows=kept.rows + job.rows)
                tell(kept)
        return kept

    def _groups(self) -> list[tuple[Segment, ...]]:
        days = by_day(self._manifest.segments(RECORDS))
        return [group for day in sorted(days, reverse=self._newest_first) for group in _groups(days[day])]

    def _done(self, jobs: Iterator[Job], workers: ProcessPoolExecutor) -> Iterator[tuple[Job, "_Result"]]:
        """Jobs and what became of them; as many are under way as there are workers, and one more."""
        left = (each for each in jobs if self._is_current(each))
        under_way: dict[Future[_Result], Job] = {}

        def submit(count: int) -> None:
            for job in islice(left, count):
                under_way[workers.submit(_settled, job, self._paths(job))] = job

        submit(self._workers + 1)
        while under_way:
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for each in done:
                yield under_way.pop(each), each.result()
                submit(1)

    def _is_current(self, job: Job) -> bool:
        """Whether nobody else did it meanwhile."""
        segments = self._manifest.state().segments
        return all(segments.get(each.key) == each for each in job.segments)

    def _paths(self, job: Job) -> list[str]:
        return [str(self._objects.path(each.key)) for each in job.segments]

    def _keep(self, job: Job, result: "_Result") -> None:
        """Make a job's result durable, then visible."""
        made, removed = result.segment or job.segments[0], job.segments if result.segment else ()
        keys = {name: f"lake/{name}/{made.day}/{job.name}" for name in result.beside}
        bodies = {keys[name]: body for name, body in result.beside.items()}
        if result.segment is not None:
            bodies[made.key] = result.body
        for key, body in bodies.items():
            self._put(key, body)
        made = msgspec.structs.replace(made, **keys)
        gone = [key for each in removed for key in (each.key, each.index, each.activity) if key]
        change = Change(added=(made,), removed=tuple(gone), time=int(self._world.now().timestamp()))
        try:
            self._manifest.commit(change, needs=job.segments)
        except Superseded:
            self._unlink(list(bodies))

    def _put(self, key: str, body: bytes) -> None:
        try:
            self._objects.put_if_absent(key, body)
        except ObjectExists:
            assert self._objects.get(key) == body, "an object's name belongs to one job"

    def _deletable(self) -> list[str]:
        before = int(self._world.now().timestamp()) - KEPT_SECONDS
        return [key for key, time in self._manifest.state().removed.items() if time < before]

    def _delete(self) -> None:
        if keys := self._deletable():
            self._unlink(keys)
            self._manifest.commit(Change(deleted=tuple(keys)))
        older = self._objects.list(CHECKPOINTS, limit=1_000_000)[:-CHECKPOINTS_KEPT]
        self._unlink([each.key for each in older])

    def _unlink(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._objects.path(key).unlink(missing_ok=True)


def _groups(segments: Sequence[Segment]) -> Iterator[tuple[Segment, ...]]:
    """What of a day has to be done: small segments together, others that lack something alone."""
    groups: list[list[Segment]] = [[]]
    for each in segments:
        if each.rows >= SMALL_ROWS:
            groups.insert(0, [each])
        elif sum(other.rows for other in groups[-1]) + each.rows > MERGED_ROWS_MAX:
            groups.append([each])
        else:
            groups[-1].append(each)
    yield from (tuple(group) for group in groups if len(group) > 1 or any(_lacks(each) for each in group))


def _lacks(segment: Segment) -> Sequence[str]:
    """What should lie beside a segment and does not."""
    return [name for name in BESIDE if not getattr(segment, name)]


@dataclass(frozen=True, slots=True)
class _Result:
    """What a worker made of a job; without a segment where there was nothing to put together."""

    segment: Segment | None
    body: bytes
    beside: dict[str, bytes]
    """By the member of the segment that names it."""


def _settled(job: Job, paths: Sequence[str]) -> _Result:
    """Runs in a worker process."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if len(paths) == 1:
        with pq.ParquetFile(paths[0]) as file:
            return _Result(None, b"", {name: BESIDE[name](file) for name in _lacks(job.segments[0])})
    table = pa.concat_tables([pq.read_table(path) for path in paths])
    segment, body = sealed(in_order(table), job.name, "merged")
    file = pq.ParquetFile(pa.BufferReader(body))
    return _Result(segment, body, {name: make(file) for name, make in BESIDE.items()})


def _activity(file: "pq.ParquetFile") -> bytes:
    return written(activity_of(file.read(columns=list(READ))))


BESIDE: "Mapping[str, Callable[[pq.ParquetFile], bytes]]" = {"index": index_of, "activity": _activity}
"""What lies beside every segment, by the member that names it, and what makes it."""


class UpkeepTimer:
    """Keeps the lake of a running house up, whoever imported into it and left it when."""

    name = "lake-upkeep"

    def __init__(self, upkeep: Upkeep, now: datetime) -> None:
        self._upkeep = upkeep
        self._due = now + EVERY

    def due(self) -> datetime:
        return self._due

    def run(self, now: datetime) -> None:
        self._due = now + EVERY
        if self._upkeep.is_due():
            self._upkeep.run()
