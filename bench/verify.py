"""How many log files a second are verified: ours, the stock command, and fetching, inflating and hashing alone.

python -m bench.verify [--hours 24] [--files 60] [--repeats 3]

The same bucket from the same server on loopback for all three, one after the other in each repeat; medians.
"""

import argparse
import gzip
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from tests.unit.trail.verify.ledger import ACCOUNT, BUCKET, HOUR, REGION, START, TRAIL, Ledger, key, record

from trailstate.cli.bucket import Account, Bucket

ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{TRAIL}"
RECORDS_A_FILE = 40
THREADS = 16


def evidence(hours: int, files: int) -> Ledger:
    """So many hours of so many log files each; every file holds as many records as a usual one."""
    made = Ledger()
    for hour in range(hours):
        start = START + hour * HOUR
        logs = [
            made.put_log(
                start + timedelta(minutes=number * 60 // files),
                [
                    record("RunInstances", start, eventID=f"{hour}-{number}-{each}", x="y" * 900)
                    for each in range(RECORDS_A_FILE)
                ],
            )
            for number in range(files)
        ]
        made.put_digest(start, logs)
    return made


def save(made: Ledger, directory: Path) -> None:
    listed = {}
    for number, (name, found) in enumerate(made.objects.items()):
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


def stock(endpoint: dict[str, str], hours: int) -> int:
    """The command's own start-up is in it, as it is in ours."""
    times = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (START - HOUR, START + (hours + 2) * HOUR)]
    command = [Path(sys.executable).parent / "aws", "cloudtrail", "validate-logs", "--trail-arn", ARN]
    done = subprocess.run(
        [*map(str, command), "--start-time", times[0], "--end-time", times[1]],
        env=os.environ | endpoint,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [line] = [each for each in done.stdout.splitlines() if each.endswith("log files valid")]
    return int(line.partition("/")[0])


def ours(endpoint: dict[str, str], _: int) -> int:
    command = [Path(sys.executable).parent / "trailstate", "verify", f"s3://{BUCKET}", "-o", "json"]
    done = subprocess.run(
        list(map(str, command)), env=os.environ | endpoint, capture_output=True, text=True, check=True
    )
    return int(json.loads(done.stdout)["logFiles"]["valid"])


def floor(endpoint: dict[str, str], _: int) -> int:
    """What no verifier can be quicker than: every file fetched, inflated and hashed; nothing compared."""
    os.environ.update(endpoint)
    bucket = Bucket(Account(None, None), BUCKET)
    keys = [found["Key"] for found in bucket.listed() if "/CloudTrail/" in found["Key"]]

    def one(name: str) -> str:
        fetched = bucket.fetch(name)
        assert fetched is not None
        return sha256(gzip.decompress(fetched.body)).hexdigest()

    with ThreadPoolExecutor(THREADS) as pool:
        return len(set(pool.map(one, keys)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--files", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    ways: dict[str, Callable[[dict[str, str], int], int]] = {"stock": stock, "ours": ours, "floor": floor}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as place, socket.socket() as probe:
        save(evidence(asked.hours, asked.files), Path(place))
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        server = subprocess.Popen(
            [sys.executable, "-m", "bench.bucket_server", place, str(port)], stdout=subprocess.PIPE, text=True
        )
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        endpoint = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }
        try:
            for _ in range(asked.repeats):
                for name, way in ways.items():
                    started = time.perf_counter()
                    done = way(endpoint, asked.hours)
                    assert done == asked.hours * asked.files, (name, done)
                    rates[name].append(done / (time.perf_counter() - started))
        finally:
            server.terminate()
            server.wait()
    middle = {name: statistics.median(each) for name, each in rates.items()}
    for name, each in rates.items():
        print(f"{name:<6} {middle[name]:8.0f} files/s ({min(each):.0f} to {max(each):.0f})")
    print(f"ours against the stock command x{middle['ours'] / middle['stock']:.1f} (goal 8)")
    print(
        f"fetching, inflating and hashing alone against ours x{middle['floor'] / middle['ours']:.1f} (goal at most 2)"
    )
    print(json.dumps({name: round(value) for name, value in middle.items()}))


if __name__ == "__main__":
    main()
