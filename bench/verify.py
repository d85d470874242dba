"""How many log files a second are verified: ours, the stock command, and fetching, inflating and hashing alone.

python -m bench.verify [--regions 3] [--hours 24] [--files 80] [--repeats 3] [--seed 1] [--trailstate]

A day of a multi-Region trail, from the same server on loopback for all three, one after the other in each repeat;
medians. The stock command takes a run for each Region. The start of each program is in its time.
"""

import argparse
import json
import os
import random
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from tests.clients.server import ServerProcess
from tests.unit.trail.verify.ledger import ACCOUNT, BUCKET, HOUR, REGION, START, TRAIL, Ledger, key, record

from trailstate.trail.verify import Fetched

ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{TRAIL}"
RECORDS_A_FILE = 40


REGIONS = (REGION, "eu-west-1", "ap-southeast-2", "us-west-2", "eu-central-1", "sa-east-1")


def evidence(regions: Sequence[str], hours: int, files: int, draw: random.Random) -> dict[str, Fetched]:
    """Of each Region so many hours of so many log files; every file holds as many records as a usual one."""
    objects: dict[str, Fetched] = {}
    for region in regions:
        made = Ledger(region=region)
        for hour in range(hours):
            start = START + hour * HOUR
            logs = [
                made.put_log(start + timedelta(minutes=number * 60 // files), records(start, draw))
                for number in range(files)
            ]
            made.put_digest(start, logs)
        objects |= made.objects
    return objects


def records(start: datetime, draw: random.Random) -> list[dict[str, Any]]:
    """A tenth of their text is their own, as much as of real ones gzip leaves."""
    return [
        record("RunInstances", start, eventID=draw.randbytes(16).hex(), own=draw.randbytes(60).hex(), same="y" * 900)
        for _ in range(RECORDS_A_FILE)
    ]


def save(objects: Mapping[str, Fetched], directory: Path) -> None:
    listed = {}
    for number, (name, found) in enumerate(objects.items()):
        (directory / str(number)).write_bytes(found.body)
        listed[name] = [str(number), dict(found.metadata or {})]
    (directory / "objects.json").write_text(json.dumps(listed))
    trail = {
        "Name": TRAIL,
        "TrailARN": ARN,
        "HomeRegion": REGION,
        "S3BucketName": BUCKET,
        "LogFileValidationEnabled": True,
        "IsOrganizationTrail": False,
    }
    answers = {
        "DescribeTrails": {"trailList": [trail]},
        "GetTrailStatus": {"IsLogging": True},
        "ListPublicKeys": {"PublicKeyList": [dict(key(0).listed)]},
    }
    (directory / "cloudtrail.json").write_text(json.dumps(answers))


def stock(endpoint: dict[str, str], asked: argparse.Namespace) -> int:
    return sum(stock_in(region, endpoint, asked.hours) for region in REGIONS[: asked.regions])


def stock_in(region: str, endpoint: dict[str, str], hours: int) -> int:
    times = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (START - HOUR, START + (hours + 2) * HOUR)]
    command = [Path(sys.executable).parent / "aws", "cloudtrail", "validate-logs", "--trail-arn", ARN]
    done = subprocess.run(
        [*map(str, command), "--region", region, "--start-time", times[0], "--end-time", times[1]],
        env=environment(endpoint),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [line] = [each for each in done.stdout.splitlines() if each.endswith("log files valid")]
    return int(line.partition("/")[0])


def ours(endpoint: dict[str, str], _: argparse.Namespace) -> int:
    command = [Path(sys.executable).parent / "trailstate", "verify", f"s3://{BUCKET}", "-o", "json"]
    done = subprocess.run(
        list(map(str, command)), env=environment(endpoint), capture_output=True, text=True, check=True
    )
    return int(json.loads(done.stdout)["logFiles"]["valid"])


def floor(endpoint: dict[str, str], _: argparse.Namespace) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "bench.alone"], env=environment(endpoint), capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def environment(endpoint: dict[str, str]) -> dict[str, str]:
    """Of a program as it is installed: with its bytecode, which the first run keeps where it was not yet."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | endpoint


WAYS: dict[str, Callable[[dict[str, str], argparse.Namespace], int]] = {"stock": stock, "ours": ours, "floor": floor}


@dataclass(slots=True)
class Rates:
    """Files a second, by the clock on the wall and by the processor: on a busy machine only the latter compare."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def measure(self, work: Callable[[], int]) -> int:
        wall, processor = time.perf_counter(), processor_seconds()
        done = work()
        self.wall.append(done / (time.perf_counter() - wall))
        self.processor.append(done / (processor_seconds() - processor))
        return done


def processor_seconds() -> float:
    """Of this process and of those it has waited for."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in found)


def measured(endpoint: dict[str, str], asked: argparse.Namespace) -> dict[str, Rates]:
    """Once for nothing, so that all of them hold their bytecode; then one after the other in each repeat."""
    stock_in(REGIONS[0], endpoint, 1)
    ours(endpoint, asked)
    floor(endpoint, asked)
    rates = {name: Rates() for name in WAYS}
    for _ in range(asked.repeats):
        for name, way in WAYS.items():
            done = rates[name].measure(lambda way=way: way(endpoint, asked))  # type: ignore[misc]
            assert done == asked.regions * asked.hours * asked.files, (name, done)
    return rates


def tell(rates: dict[str, Rates]) -> None:
    middle = {
        name: {kind: statistics.median(getattr(each, kind)) for kind in ("wall", "processor")}
        for name, each in rates.items()
    }
    print(f"{'files a second':<16}{'wall clock':>12}{'processor':>12}")
    for name, each in middle.items():
        print(f"{name:<16}{each['wall']:12,.0f}{each['processor']:12,.0f}")
    for kind in ("wall", "processor"):
        stock, ours, floor = (middle[name][kind] for name in WAYS)
        print(f"{kind}: ours against the stock command x{ours / stock:.1f} (goal 8); alone against ours", end=" ")
        print(f"x{floor / ours:.1f} (goal at most 2)")
    print(json.dumps({name: {kind: round(value) for kind, value in each.items()} for name, each in middle.items()}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--regions", type=int, default=3)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--files", type=int, default=80, help="Of each Region and hour.")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trailstate", action="store_true", help="Have the bucket served by `trailstate up`.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        made = evidence(REGIONS[: asked.regions], asked.hours, asked.files, random.Random(asked.seed))
        save(made, Path(place))
        with bucket_server(place) as endpoint:
            if not asked.trailstate:
                tell(measured(endpoint, asked))
                return
            with product(made) as served:
                tell(measured(endpoint | {"AWS_ENDPOINT_URL_S3": served}, asked))


@contextmanager
def bucket_server(place: str) -> Iterator[dict[str, str]]:
    """The environment of its clients."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.bucket_server", place, str(port)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    try:
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }
    finally:
        server.terminate()
        server.wait()


@contextmanager
def product(objects: Mapping[str, Fetched]) -> Iterator[str]:
    """The address of a house whose S3 holds them. It did not sign them: who published the keys answers elsewhere."""
    with tempfile.TemporaryDirectory() as data:
        server = ServerProcess(Path(data), "--account", ACCOUNT)
        try:
            s3 = boto3.client(
                "s3",
                endpoint_url=server.endpoint,
                region_name=REGION,
                aws_access_key_id=ACCOUNT,
                aws_secret_access_key="test",
            )
            s3.create_bucket(Bucket=BUCKET)
            for name, found in objects.items():
                s3.put_object(Bucket=BUCKET, Key=name, Body=found.body, Metadata=dict(found.metadata or {}))
            yield server.endpoint
        finally:
            server.stop()


if __name__ == "__main__":
    main()
