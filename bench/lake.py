"""How fast log files become tables, beside two other ways to do it, and how long questions over them take.

TRAILSTATE_CORPUS=DIRECTORY python -m bench.lake [--peer-files 2000] [--data DIRECTORY] [--processor]

Processor seconds are compared, because they hold on a busy machine too; every way has two processes, inflates with
isal, keeps the same columns and writes Parquet with zstd. `--peer-files` bounds what the peers are given. With `--data`
nothing is imported: the questions are asked of that data directory. With `--processor` they are asked of the engine in
this process and its processor time is told, for a machine that has other work.
- orjson: records as Python objects, columns through pyarrow, unsorted. It has to be installed beside the project.
- DuckDB: read_json with every column's type given, and unnest; it keeps no unknown members.
"""

import argparse
import importlib.util
import json
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trailstate.connection import opened
from trailstate.lake import dialect, gate
from trailstate.lake.columns import DOCUMENTS, FLAGS, TEXTS
from trailstate.lake.engine import LIMITED_ROWS, Bounds
from trailstate.lake.gate import TableName
from trailstate.lake.hunts import hunts
from trailstate.lake.importer import Importer
from trailstate.lake.lake import BUILT_IN, DATABASE, Lake, Scope, Table
from trailstate.lake.manifest import Manifest
from trailstate.lake.segment import COMPRESSION_LEVEL, ROW_GROUP_ROWS
from trailstate.lake.source import Files
from trailstate.lake.upkeep import Upkeep
from trailstate.stores.disk import DiskObjects
from trailstate.world import RealWorld

PROCESSES = 2
RUNS = 5
SECONDS_BETWEEN = 0.5
"""For the process of the next question to start."""

WALL = f"\nmilliseconds, median of {RUNS}; a process for each question, ready beforehand as in a server"
LOOKUPS = {
    "a common call": "eventname = 'AssumeRole'",
    "a rare call": "eventname = 'DeleteBucket'",
    "an access key": "useridentity.accesskeyid = '{key}'",
    "an event id": "eventid = '{event}'",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one way took."""

    records: int
    seconds: float
    processor_seconds: float
    peak_mib: float
    bytes_written: int

    def line(self, name: str) -> str:
        return (
            f"{name:24}{self.records:>10,}{self.records / self.seconds:>12,.0f}"
            f"{self.processor_seconds / self.records * 1e6:>14.1f}{self.peak_mib:>10,.0f}"
            f"{self.bytes_written / self.records:>10.0f}"
        )


HEAD = f"{'':24}{'records':>10}{'a second':>12}{'processor us':>14}{'peak MiB':>10}{'bytes':>10}"


def used() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in both)


def measured(work: Callable[[], int], directory: Path) -> Cost:
    """`work` in a process of its own, so that its peak is its own."""
    ask, answer = multiprocessing.get_context("fork").Pipe()
    child = multiprocessing.get_context("fork").Process(target=_measured, args=(work, answer))
    child.start()
    records, seconds, processor, peak = ask.recv()
    child.join()
    size = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    return Cost(records, seconds, processor, peak, size)


def _measured(work: Callable[[], int], answer: Any) -> None:
    began, before = time.perf_counter(), used()
    records = work()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    answer.send((records, time.perf_counter() - began, used() - before, peak))


def import_ours(logs: Path, directory: Path) -> int:
    objects = DiskObjects(directory, RealWorld())
    return Importer(Manifest(objects), objects, RealWorld(), workers=PROCESSES).run(Files([logs])).records


def settle(directory: Path, records: int) -> int:
    """What follows an import of so many records: indexes and activities."""
    objects = DiskObjects(directory, RealWorld())
    Upkeep(Manifest(objects), objects, RealWorld(), workers=PROCESSES).run()
    return records


def by_peer(convert: Callable[[Sequence[Path], Path], int], files: Sequence[Path], directory: Path) -> int:
    parts = [files[number::PROCESSES] for number in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as processes:
        places = [directory / f"{number}.parquet" for number in range(PROCESSES)]
        return sum(processes.map(convert, parts, places))


def with_orjson(files: Sequence[Path], into: Path) -> int:
    import orjson
    import pyarrow as pa
    import pyarrow.parquet as pq
    from isal import igzip

    kinds = {name: pa.bool_() if name in FLAGS else pa.string() for name in (*TEXTS, *FLAGS, *DOCUMENTS)}
    schema, count = pa.schema(list(kinds.items())), 0
    with pq.ParquetWriter(into, schema, compression="zstd", compression_level=COMPRESSION_LEVEL) as writer:
        for path in files:
            records = orjson.loads(igzip.decompress(path.read_bytes()))["Records"]
            columns: dict[str, list[Any]] = {name: [each.get(name) for each in records] for name in (*TEXTS, *FLAGS)}
            for name in TEXTS:
                columns[name] = [None if value is None else str(value) for value in columns[name]]
            for name in DOCUMENTS:
                columns[name] = [orjson.dumps(each[name]).decode() if name in each else None for each in records]
            writer.write_table(pa.table(columns, schema), row_group_size=ROW_GROUP_ROWS)
            count += len(records)
    return count


def with_duckdb(files: Sequence[Path], into: Path) -> int:
    import duckdb

    fields = [*(f"{name} VARCHAR" for name in (*TEXTS, *DOCUMENTS)), *(f"{name} BOOLEAN" for name in FLAGS)]
    listed = ", ".join(f"'{path}'" for path in files)
    connection = duckdb.connect(config={"threads": 1})
    source = (
        f"SELECT unnest(Records, recursive := true) FROM read_json([{listed}], format = 'unstructured',"
        f" maximum_object_size = 268435456, columns = {{'Records': 'STRUCT({', '.join(fields)})[]'}})"
    )
    written = connection.execute(f"COPY ({source}) TO '{into}' (FORMAT parquet, COMPRESSION zstd)").fetchone()
    return int(written[0]) if written else 0


def milliseconds(lake: Lake, question: str) -> float:
    took = []
    for _ in range(RUNS):
        lake.engine.warm()
        time.sleep(SECONDS_BETWEEN)
        began = time.perf_counter()
        with lake.ask(question, Scope(), RealWorld().now()) as reader:
            reader.read_all()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def processor_milliseconds(lake: Lake, question: str) -> float:
    """Of the engine alone, in this process, with the threads that a question has; the least of some runs."""
    import duckdb

    found: dict[TableName, Table] = {}

    def known(name: TableName) -> bool:
        full = TableName(name.database or DATABASE, name.name)
        found[full] = BUILT_IN[full]
        return True

    tree = gate.parsed(question)
    gate.admit(tree, known)
    query, views = lake.planned(tree, found, Scope(), RealWorld().now())
    settings = {"threads": Bounds().threads, "late_materialization_max_rows": LIMITED_ROWS}
    connection = duckdb.connect(config=settings | {"preserve_insertion_order": False})
    for each in (*dialect.session_macros(), *views):
        connection.execute(each)
    took = []
    for _ in range(RUNS):
        began = time.process_time()
        connection.execute(query).fetchall()
        took.append((time.process_time() - began) * 1000)
    return min(took)


def questions(directory: Path, milliseconds: Callable[[Lake, str], float]) -> dict[str, float]:
    with opened(directory) as lake:
        newest = (
            "SELECT eventid, useridentity.accesskeyid k FROM cloudtrail WHERE useridentity.type = 'IAMUser' LIMIT 1"
        )
        with lake.ask(newest, Scope(), RealWorld().now()) as reader:
            [found] = reader.read_all().to_pylist()
        asked = {name: each.sql for name, each in hunts().items()}
        for name, condition in LOOKUPS.items():
            where = condition.format(key=found["k"], event=found["eventid"])
            asked[f"newest 50: {name}"] = f"SELECT * FROM cloudtrail WHERE {where} ORDER BY eventtime DESC LIMIT 50"
        return {name: milliseconds(lake, question) for name, question in asked.items()}


def imports(logs: Path, peer_files: int, place: Path) -> Path:
    """Import in each way and tell what it cost; the data directory of ours."""
    files = sorted(logs.rglob("*.json.gz"))[:peer_files]
    costs: dict[str, Cost] = {}
    for name in ("trailstate", "orjson", "duckdb"):
        (place / name).mkdir()
    ours = place / "trailstate"
    costs["trailstate"] = measured(lambda: import_ours(logs, ours), ours)
    count = costs["trailstate"].records
    costs["  index and activity"] = measured(lambda: settle(ours, count), ours)
    if importlib.util.find_spec("orjson"):
        there = place / "orjson"
        costs["orjson and pyarrow"] = measured(lambda: by_peer(with_orjson, files, there), there)
    there = place / "duckdb"
    costs["DuckDB's read_json"] = measured(lambda: by_peer(with_duckdb, files, there), there)
    print(HEAD, *(cost.line(name) for name, cost in costs.items()), f"files of peers: {len(files)}", sep="\n")
    return ours


def main() -> None:
    parser = argparse.ArgumentParser(description="Import and questions.")
    parser.add_argument("--logs", type=Path, default=os.environ.get("TRAILSTATE_CORPUS"))
    parser.add_argument("--peer-files", type=int, default=2000)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--processor", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lake-") as place:
        directory = given.data or imports(given.logs, given.peer_files, Path(place))
        took = questions(directory, processor_milliseconds if given.processor else milliseconds)
    print("\nprocessor milliseconds of the engine, two threads" if given.processor else WALL)
    for name, each in took.items():
        print(f"{name:34}{each:>8,.0f}")
    print(json.dumps({"milliseconds": took}))


if __name__ == "__main__":
    main()
