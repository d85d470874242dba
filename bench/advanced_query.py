"""How long advanced queries take over 100,000 resources, and how much memory the house has then.

python -m bench.advanced_query [--resources 100000] [--rounds 5] [--seed 1] [--directory DIR]

Items of seven types of one account and region, with configurations of the size of published ones, go through the ledger
of a store on disk into the index. Then every query below is asked that often, its first page each time, in an order
chosen at random. `all` is over every question of the run; a run is repeated three times. Beside the time by the clock
stands the processor's: the same where nothing else runs, and what to compare where something does.
"""

import argparse
import json
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trailstate.configuration.line import Recorded, line
from trailstate.configuration.query.index import QueryIndex
from trailstate.configuration.query.parse import parse
from trailstate.configuration.query.run import Queries
from trailstate.configuration.recorder import Home
from trailstate.follow import Runner
from trailstate.stores.derived import Derived
from trailstate.stores.interface import CONFIGURATION, Commit
from trailstate.stores.sqlite import SqliteStore
from trailstate.world import RealWorld

HOME = Home("111122223333", "us-east-1")
RUNS = 3
Wait = tuple[float, float]
"""Seconds by the clock, and of the processor."""
GROUP_ITEMS = 1000
TYPES = ("Instance", "Volume", "SecurityGroup", "NetworkInterface", "Subnet", "RouteTable", "EIP")
SIZES = ("t3.micro", "m5.large", "c6g.xlarge", "r5.2xlarge")
QUERIES = {
    "by id": "SELECT * WHERE resourceId = 'res-00000000000012345'",
    "by type": "SELECT resourceId, configuration.imageId, tags WHERE resourceType = 'AWS::EC2::Instance'",
    "by property of a type": "SELECT resourceId WHERE resourceType = 'AWS::EC2::Instance' AND"
    " configuration.imageId = 'ami-00000000000000007'",
    "by property": "SELECT resourceId WHERE configuration.imageId = 'ami-00000000000000007'",
    "by number": "SELECT resourceId WHERE configuration.size BETWEEN 100 AND 101",
    "by tag": "SELECT resourceId WHERE tags.tag = 'team=none'",
    "by relationship": "SELECT resourceId WHERE relationships.resourceId = 'vpc-00000000000000007'",
    "by address": "SELECT resourceId WHERE resourceType = 'AWS::EC2::SecurityGroup' AND"
    " configuration.ipPermissions.ipRanges = '10.1.2.3'",
    "by negation": "SELECT resourceId WHERE NOT configuration.placement.tenancy = 'default' AND awsRegion = 'none'",
    "count by type": "SELECT resourceType, COUNT(*) GROUP BY resourceType ORDER BY COUNT(*) DESC",
    "count by property": "SELECT configuration.instanceType, COUNT(*) WHERE resourceType = 'AWS::EC2::Instance'"
    " GROUP BY configuration.instanceType",
    "count by property of all": "SELECT configuration.instanceType, COUNT(*) GROUP BY configuration.instanceType",
    "sum": "SELECT SUM(configuration.size) WHERE configuration.size > 10",
    "sorted": "SELECT * ORDER BY resourceCreationTime DESC",
    "sorted by property": "SELECT resourceId ORDER BY configuration.size DESC",
    "nothing found in all": "SELECT resourceId WHERE NOT configuration.vpcId LIKE 'vpc%' AND NOT tags.key = 'team'",
}


def items(seed: int, count: int) -> Iterator[dict[str, Any]]:
    draw = random.Random(seed)
    for number in range(count):
        kind = f"AWS::EC2::{TYPES[number % len(TYPES)]}"
        yield an_item(draw, kind, f"res-{number:017d}")


def an_item(draw: random.Random, kind: str, name: str) -> dict[str, Any]:
    vpc = f"vpc-{draw.randrange(300):017d}"
    day = f"2026-01-{draw.randrange(1, 28):02d}T{draw.randrange(24):02d}:00:00.000Z"
    return {
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": day,
        "configurationStateId": 1768469400000,
        "awsAccountId": HOME.account,
        "configurationItemStatus": "OK",
        "resourceType": kind,
        "resourceId": name,
        "resourceName": f"{draw.choice(('web', 'db', 'queue'))}-{draw.randrange(10**6)}",
        "ARN": f"arn:aws:ec2:us-east-1:{HOME.account}:thing/{name}",
        "awsRegion": HOME.region,
        "availabilityZone": f"us-east-1{draw.choice('abc')}",
        "configurationStateMd5Hash": "",
        "resourceCreationTime": day,
        "tags": {"team": draw.choice(("blue", "red")), "Name": name, "stage": draw.choice(("test", "live"))},
        "relatedEvents": [],
        "relationships": [{"resourceType": "AWS::EC2::VPC", "resourceId": vpc, "resourceName": None, "name": "Is in"}],
        "configuration": a_configuration(draw, kind, name, vpc),
        "supplementaryConfiguration": {},
    }


def a_configuration(draw: random.Random, kind: str, name: str, vpc: str) -> dict[str, Any]:
    own: dict[str, dict[str, Any]] = {
        "AWS::EC2::Instance": {
            "imageId": f"ami-{draw.randrange(500):017d}",
            "instanceType": draw.choice(SIZES),
            "placement": {"tenancy": "default", "availabilityZone": "us-east-1a"},
        },
        "AWS::EC2::Volume": {"size": draw.randrange(1, 1000), "encrypted": draw.random() < 0.5},
        "AWS::EC2::SecurityGroup": {
            "ipPermissions": [{"ipRanges": [f"10.{draw.randrange(256)}.0.0/16"], "fromPort": each} for each in range(6)]
        },
    }
    filler = {f"attribute{each}": f"{name}-{draw.randrange(10**9)}" for each in range(20)}
    nested = [{"deviceName": f"/dev/sd{each}", "status": "attached", "ebs": {"volumeId": name}} for each in "abcde"]
    return own.get(kind, {}) | {"vpcId": vpc, "details": filler, "blockDeviceMappings": nested, "state": {"code": 16}}


def run(directory: Path, seed: int, count: int, rounds: int) -> dict[str, list[Wait]]:
    """Waits by the name of the query."""
    store = SqliteStore(directory, RealWorld())
    derived = Derived(directory)
    runner = Runner(store, RealWorld())
    index = QueryIndex(store, derived, runner)
    runner.add(index.follower)
    waiting: list[dict[str, Any]] = []
    for each in items(seed, count):
        waiting.append(each)
        if len(waiting) == GROUP_ITEMS:
            put(store, waiting)
            waiting = []
    put(store, waiting)
    while index.follower.cursor() < store.head(CONFIGURATION):
        runner.run_once(index.follower)
    queries = Queries(index)
    asked = [name for name in QUERIES for _ in range(rounds)]
    random.Random(seed).shuffle(asked)
    waits: dict[str, list[Wait]] = {name: [] for name in QUERIES}
    for name in asked:
        began, began_processor = time.perf_counter(), time.thread_time()
        page = queries.run(parse(QUERIES[name]), [HOME], 100)
        waits[name].append((time.perf_counter() - began, time.thread_time() - began_processor))
        assert len(page.answers) <= 100
    derived.close()
    store.close()
    return waits


def put(store: SqliteStore, found: list[dict[str, Any]]) -> None:
    lines = [line(HOME.account, HOME.region, Recorded(each, {}, None, each["resourceId"])) for each in found]
    store.commit(Commit(appends=lines))


def percentile(waits: list[float], share: float) -> float:
    return sorted(waits)[min(len(waits) - 1, int(len(waits) * share))]


def p95_ms(waits: list[Wait], side: int) -> float:
    return round(percentile([each[side] for each in waits], 0.95) * 1000, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description="Advanced queries over many resources.")
    parser.add_argument("--resources", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", type=Path, default=None, help="on the disk to measure; default: a temporary one")
    arguments = parser.parse_args()
    waits: dict[str, list[Wait]] = {name: [] for name in QUERIES}
    for number in range(arguments.runs):
        with tempfile.TemporaryDirectory(prefix="query-", dir=arguments.directory) as place:
            for name, found in run(Path(place), arguments.seed + number, arguments.resources, arguments.rounds).items():
                waits[name] += found
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = {**waits, "all": [each for found in waits.values() for each in found]}
    print(f"{'':28}{'p50 ms':>10}{'p95 ms':>10}{'max ms':>10}{'processor p50':>16}{'p95':>10}")
    for name, found in rows.items():
        clock, processor = ([each[side] * 1000 for each in found] for side in (0, 1))
        figures = [percentile(clock, share) for share in (0.5, 0.95, 1.0)]
        print(
            f"{name:28}"
            + "".join(f"{each:10.1f}" for each in figures)
            + f"{percentile(processor, 0.5):16.1f}{percentile(processor, 0.95):10.1f}"
        )
    print(f"{arguments.resources:,} resources, {len(rows['all'])} questions; peak memory {memory_mb:.0f} MB")
    told = {
        name: [round(percentile([w[side] for w in found], 0.95) * 1000, 1) for side in (0, 1)]
        for name, found in rows.items()
    }
    print(json.dumps({"seed": arguments.seed, "memory_mb": round(memory_mb), "p95_ms_clock_and_processor": told}))


if __name__ == "__main__":
    main()
