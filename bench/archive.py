"""Look-ups of imported records: the newest 50 by each attribute, common values and rare ones.

    TRAILSTATE_LAKE=DIRECTORY python -m bench.archive [--values 25] [--seed 7] [--processor]

DIRECTORY is a data directory that logs were imported into. Values are those of records drawn by chance, so that common
values come often. Each question is asked for all
accounts and regions, and for the record's own, as LookupEvents asks. Three times are told:

- cold: nothing is open, and no page of the lake's files is in memory (they are given back before each question);
- warm: the indexes are open and the files in memory, but these records were not read before;
- again: the same question once more.

With `--processor` the times are the processor's, for a machine that has other work; two threads read, so a quiet
machine answers in less.
"""

import argparse
import json
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from trailstate.lake.archive import LakeArchive
from trailstate.lake.columns import records_of
from trailstate.lake.manifest import Manifest
from trailstate.lake.segment import RECORDS
from trailstate.stores.disk import DiskObjects
from trailstate.trail.attributes import attributes
from trailstate.trail.search import NoJournal, Question, newest
from trailstate.world import RealWorld

Clock = Callable[[], float]
GOALS_MS = {"warm": 20.0, "cold": 60.0}


def records(objects: DiskObjects, manifest: Manifest, count: int, draw: random.Random) -> Iterator[dict[str, Any]]:
    """Records drawn by chance, each from a segment drawn by its size."""
    segments = manifest.segments(RECORDS)
    for segment in draw.choices(segments, [each.rows for each in segments], k=count):
        with pq.ParquetFile(objects.path(segment.key)) as file:
            group = file.read_row_group(draw.randrange(file.metadata.num_row_groups))
            yield from records_of(group.slice(draw.randrange(group.num_rows), 1))


def questions(drawn: Sequence[dict[str, Any]], values: int, draw: random.Random) -> Iterator[tuple[str, Question]]:
    """By attribute, asked of everybody and of one account and region."""
    by_name: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for record in drawn:
        for name, value in attributes(record):
            by_name.setdefault(name, []).append((value, record))
    for name, found in sorted(by_name.items()):
        for value, record in draw.sample(found, min(values, len(found))):
            scope = {
                "accounts": frozenset([record.get("recipientAccountId", "")]),
                "regions": frozenset([record["awsRegion"]]),
            }
            yield f"{name}, all", Question(attributes=((name, value),))
            yield f"{name}, one", Question(attributes=((name, value),), **scope)


def ask(archive: LakeArchive, question: Question, clock: Clock) -> float:
    """Milliseconds."""
    began = clock()
    for _ in newest(NoJournal(), NoJournal(), question, archive):
        pass
    return (clock() - began) * 1000


def give_back(directory: Path) -> None:
    """Let the system forget the pages of the files below a directory."""
    for path in directory.rglob("*!"):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def measure(
    asked: Sequence[tuple[str, Question]], fresh: Callable[[], LakeArchive], directory: Path, clock: Clock
) -> dict[str, dict[str, list[float]]]:
    """Milliseconds by kind of question, cold, warm and again."""
    took: dict[str, dict[str, list[float]]] = {}
    warm = fresh()
    ask(warm, Question(attributes=(("EventId", "opens every index"),)), clock)
    for name, question in asked:
        give_back(directory)
        times = took.setdefault(name, {"cold": [], "warm": [], "again": []})
        times["cold"].append(ask(fresh(), question, clock))
        times["warm"].append(ask(warm, question, clock))
        times["again"].append(ask(warm, question, clock))
    return took


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def main() -> None:
    parser = argparse.ArgumentParser(description="look-ups of imported records")
    parser.add_argument("--data", type=Path, default=os.environ.get("TRAILSTATE_LAKE"))
    parser.add_argument("--values", type=int, default=25)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--processor", action="store_true")
    given = parser.parse_args()
    draw = random.Random(given.seed)
    objects = DiskObjects(given.data, RealWorld())
    manifest = Manifest(objects)
    drawn = list(records(objects, manifest, 4 * given.values, draw))
    asked = list(questions(drawn, given.values, draw))
    clock = time.process_time if given.processor else time.perf_counter
    took = measure(asked, lambda: LakeArchive(manifest, objects), objects.directory("lake"), clock)
    total = sum(each.rows for each in manifest.segments(RECORDS))
    parts = sorted(each for each in objects.directory("lake").iterdir() if each.is_dir())
    sizes = {each.name: round(size_of(each) / total, 1) for each in parts}
    print(f"{total:,} records, {sum(sizes.values()):.0f} bytes each: {sizes}\n")
    print("processor milliseconds" if given.processor else "milliseconds")
    print(f"{'':24}" + "".join(f"{f'{kind} p50':>12}{f'{kind} p99':>12}" for kind in ("cold", "warm", "again")))
    everything: dict[str, list[float]] = {"cold": [], "warm": [], "again": []}
    for name, times in took.items():
        print(f"{name:24}" + "".join(_pair(times[kind]) for kind in times))
        for kind, each in times.items():
            everything[kind] += each
    print(f"{'all':24}" + "".join(_pair(each) for each in everything.values()))
    for kind, goal in GOALS_MS.items():
        worst = percentile(everything[kind], 0.99)
        print(f"goal {kind} p99 <= {goal:g} ms: {'met' if worst <= goal else 'MISSED'} ({worst:.1f})")
    print(json.dumps({kind: percentile(each, 0.99) for kind, each in everything.items()}))


def _pair(times: Sequence[float]) -> str:
    return f"{statistics.median(times):12.1f}{percentile(times, 0.99):12.1f}"


def size_of(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*!"))


if __name__ == "__main__":
    main()
