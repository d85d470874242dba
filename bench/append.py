"""How many commits a second the store makes durable, and how long each waits, for 1, 16 and 64 clients.

python -m bench.append [--seconds 2] [--seed 1] [--directory DIR]

One commit is one record of about 1.4 KB. Medians of three runs; the raw disk (one write and fdatasync of the same
bytes into a file of its own) is measured beside it, since nothing durable can be faster than that.
"""

import argparse
import json
import os
import random
import statistics
import tempfile
import threading
import time
from pathlib import Path

from trailstate.stores.interface import JOURNAL, Append, Commit
from trailstate.stores.sqlite import SqliteStore
from trailstate.world import RealWorld

CLIENTS = (1, 16, 64)
BODY_BYTES = 1400
RUNS = 3

Figures = dict[str, float]


def bodies(seed: int, count: int = 64) -> list[bytes]:
    draw = random.Random(seed)
    return [draw.randbytes(BODY_BYTES // 2).hex().encode() for _ in range(count)]


def figures(waits: list[float], elapsed: float) -> Figures:
    waits.sort()
    return {
        "per_second": len(waits) / elapsed,
        "p50_ms": waits[len(waits) // 2] * 1000,
        "p99_ms": waits[len(waits) * 99 // 100] * 1000,
        "max_ms": waits[-1] * 1000,
    }


def store_run(directory: Path, clients: int, seconds: float, work: list[bytes]) -> Figures:
    """So many threads, each committing one record after the other."""
    store = SqliteStore(directory, RealWorld())
    waits: list[float] = []
    began = time.perf_counter()

    def client(number: int) -> None:
        own: list[float] = []
        now = time.perf_counter()
        while now - began < seconds:
            body = work[(len(own) + number) % len(work)]
            store.commit(Commit([Append(JOURNAL, "111122223333", "us-east-1", body)]))
            before, now = now, time.perf_counter()
            own.append(now - before)
        waits.extend(own)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - began
    assert store.head(JOURNAL) == len(waits)
    store.close()
    return figures(waits, elapsed)


def disk_run(path: Path, seconds: float, work: list[bytes]) -> Figures:
    waits: list[float] = []
    began = now = time.perf_counter()
    with path.open("wb", buffering=0) as file:
        while now - began < seconds:
            file.write(work[len(waits) % len(work)])
            os.fdatasync(file.fileno())
            before, now = now, time.perf_counter()
            waits.append(now - before)
    return figures(waits, now - began)


def median(runs: list[Figures]) -> Figures:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description="Durable commits a second.")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", type=Path, default=None, help="on the disk to measure; default: a temporary one")
    arguments = parser.parse_args()
    work = bodies(arguments.seed)
    rows: dict[str, list[Figures]] = {"raw disk": [], **{f"{count} clients": [] for count in CLIENTS}}
    with tempfile.TemporaryDirectory(prefix="append-", dir=arguments.directory) as place:
        for run in range(RUNS):
            rows["raw disk"].append(disk_run(Path(place) / f"raw-{run}", arguments.seconds, work))
            for count in CLIENTS:
                directory = Path(place) / f"{run}-{count}"
                rows[f"{count} clients"].append(store_run(directory, count, arguments.seconds, work))
    medians = {name: median(runs) for name, runs in rows.items()}
    print(f"{'':12}{'a second':>10}{'p50 ms':>10}{'p99 ms':>10}{'max ms':>10}")
    for name, found in medians.items():
        print(
            f"{name:12}{found['per_second']:10,.0f}{found['p50_ms']:10.3f}{found['p99_ms']:10.2f}{found['max_ms']:10.1f}"
        )
    print(json.dumps({"seed": arguments.seed, **medians}))


if __name__ == "__main__":
    main()
