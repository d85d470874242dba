"""LookupEvents over a large history: every attribute with a common and a rare value, narrow and wide time ranges.

    python -m bench.lookup [--records 1000000] [--repeats 200] [--seed 7] [--keep DIR]

Records are seeded and skewed as in a busy account: few users make most calls, most calls only read, a few services
hold most of them. Prints a table, and the same as JSON on the last line. Times are those of the operation's own
function, first to last byte of its answer's events, warm; without wire and gateway.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from trailstate.follow import Runner
from trailstate.services.cloudtrail.history import LookupLimits, lookup_events
from trailstate.stores.derived import Derived
from trailstate.stores.interface import JOURNAL, Append, Commit
from trailstate.stores.sqlite import SqliteStore
from trailstate.trail.history import History
from trailstate.wire.call import Call, Principal, WireRequest
from trailstate.world import SimulatedWorld

ACCOUNT, REGION = "111122223333", "us-east-1"
END = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
DAYS = 89
GROUP = 2000
TARGETS_MS = {"p50": 10.0, "p99": 50.0}

OPERATIONS = (
    # weight, service, operation, read only, the member that names a resource, how many different ones
    (26, "s3", "GetBucketAcl", True, "bucketName", 40),
    (18, "kms", "Decrypt", True, "keyId", 12),
    (14, "sts", "AssumeRole", True, "roleName", 60),
    (12, "ec2", "DescribeInstances", True, "instanceId", 5_000),
    (9, "iam", "GetRole", True, "roleName", 300),
    (6, "logs", "CreateLogStream", False, "logGroupName", 200),
    (5, "s3", "PutBucketPolicy", False, "bucketName", 40),
    (4, "ec2", "StopInstances", False, "instanceId", 20_000),
    (3, "ec2", "RunInstances", False, "instanceId", 100_000),
    (2, "dynamodb", "UpdateTable", False, "tableName", 100),
    (1, "lambda", "UpdateFunctionCode20150331v2", False, "functionName", 500),
)
RARE_EVERY = 250_000
"""One record in so many is made by somebody who does nothing else."""


def records(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """`count` records in order of time, the same for the same seed."""
    draw = random.Random(seed)
    weights = [row[0] for row in OPERATIONS]
    for number in range(count):
        _, service, operation, read_only, member, names = draw.choices(OPERATIONS, weights)[0]
        user = min(int(draw.paretovariate(0.9)), 2000)
        rare = number % RARE_EVERY == RARE_EVERY // 2
        at = END - timedelta(seconds=int(DAYS * 86_400 * (1 - number / count)))
        yield record(at, service, "DeleteTrail" if rare else operation, read_only and not rare) | {
            "userIdentity": identity("mallory" if rare else f"user{user}"),
            "requestParameters": {"name": "audit"} if rare else {member: f"{member}-{draw.randrange(names)}"},
            "eventSource": "cloudtrail.amazonaws.com" if rare else f"{service}.amazonaws.com",
            "eventID": f"{draw.getrandbits(128):032x}",
        }


def identity(name: str) -> dict[str, Any]:
    return {
        "type": "IAMUser",
        "principalId": f"AIDA{name.upper()}",
        "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "accountId": ACCOUNT,
        "accessKeyId": f"AKIA{name.upper()}",
        "userName": name,
    }


def record(at: datetime, service: str, operation: str, read_only: bool) -> dict[str, Any]:
    return {
        "eventVersion": "1.11",
        "userIdentity": None,
        "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": None,
        "eventName": operation,
        "awsRegion": REGION,
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux#6.8 md/arch#x86_64 lang/python#3.13.7 cfg/retry",
        "requestParameters": None,
        "responseElements": None,
        "requestID": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "eventID": None,
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": f"{service}.{REGION}.amazonaws.com",
        },
    }


def fill(store: SqliteStore, count: int, seed: int) -> int:
    """Journal the records; returns their bytes."""
    encode = msgspec.json.Encoder().encode
    size, lines = 0, []
    for made in records(count, seed):
        lines.append(Append(JOURNAL, ACCOUNT, REGION, encode(made)))
        if len(lines) == GROUP:
            size += sum(len(line.body) for line in lines)
            store.commit(Commit(appends=lines))
            lines = []
    store.commit(Commit(appends=lines))
    return size + sum(len(line.body) for line in lines)


def questions(count: int, seed: int) -> dict[str, dict[str, Any]]:
    """What is asked: by name, the parameters of LookupEvents."""
    some_event = next(made for number, made in enumerate(records(count, seed)) if number == count // 3)["eventID"]

    def attribute(key: str, value: str) -> dict[str, Any]:
        return {"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]}

    long_ago = END - timedelta(days=DAYS // 2)
    hour = {"StartTime": long_ago, "EndTime": long_ago + timedelta(hours=1)}
    return {
        "no attribute": {},
        "EventId": attribute("EventId", some_event),
        "EventId unknown": attribute("EventId", "nothing has this id"),
        "EventName common": attribute("EventName", "GetBucketAcl"),
        "EventName rare": attribute("EventName", "DeleteTrail"),
        "EventSource common": attribute("EventSource", "s3.amazonaws.com"),
        "EventSource rare": attribute("EventSource", "cloudtrail.amazonaws.com"),
        "ReadOnly true": attribute("ReadOnly", "true"),
        "ReadOnly false": attribute("ReadOnly", "false"),
        "AccessKeyId common": attribute("AccessKeyId", "AKIAUSER1"),
        "AccessKeyId rare": attribute("AccessKeyId", "AKIAMALLORY"),
        "Username common": attribute("Username", "user1"),
        "Username rare": attribute("Username", "mallory"),
        "ResourceType common": attribute("ResourceType", "AWS::S3::Bucket"),
        "ResourceType rare": attribute("ResourceType", "AWS::CloudTrail::Trail"),
        "ResourceName common": attribute("ResourceName", "bucketName-7"),
        "ResourceName rare": attribute("ResourceName", "instanceId-4321"),
        "an hour, no attribute": hour,
        "an hour, ReadOnly false": hour | attribute("ReadOnly", "false"),
        "an hour, Username rare": hour | attribute("Username", "mallory"),
    }


def a_call(world: SimulatedWorld) -> Call:
    return Call(
        service="cloudtrail",
        operation="LookupEvents",
        parameters={},
        account=ACCOUNT,
        region=REGION,
        principal=Principal(type="Root", account=ACCOUNT),
        source_address="203.0.113.7",
        user_agent="bench",
        request_id="",
        event_id="",
        now=world.now(),
        request=WireRequest("POST", "/", ()),
    )


def measure(history: History, world: SimulatedWorld, asked: dict[str, Any], repeats: int) -> dict[str, float]:
    """Milliseconds a page; each repeat asks for the next page, as a client that reads on does."""
    call, limits = a_call(world), LookupLimits(b"bench")
    spent, answer, most = [], {}, 0
    for _ in range(repeats):
        more = {"NextToken": answer["NextToken"]} if "NextToken" in answer else {}
        began = time.perf_counter()
        answer = lookup_events(call, history, limits, **asked, **more)
        spent.append((time.perf_counter() - began) * 1000)
        most = max(most, len(answer["Events"]))
    spent.sort()
    return {
        "events": most,
        "p50_ms": round(statistics.median(spent), 3),
        "p99_ms": round(spent[min(len(spent) - 1, int(len(spent) * 0.99))], 3),
    }


def run(directory: Path, count: int, repeats: int, seed: int) -> dict[str, Any]:
    world = SimulatedWorld(start=END)
    store = SqliteStore(directory, world)
    size = fill(store, count, seed)
    derived = Derived(directory)
    runner = Runner(store, world)
    history = History(store, derived, runner)
    runner.add(history.follower)
    began, began_cpu = time.perf_counter(), time.process_time()
    runner.run_until_idle()
    index_us = (time.perf_counter() - began) / count * 1e6
    index_cpu_us = (time.process_time() - began_cpu) / count * 1e6
    asked = questions(count, seed)
    results = {name: measure(history, world, parameters, repeats) for name, parameters in asked.items()}
    rows = derived.connection().execute("SELECT count(*) FROM history_posting").fetchone()[0]
    derived.close()
    store.close()
    return {
        "records": count,
        "seed": seed,
        "record_bytes": round(size / count),
        "journal_bytes_per_record": round((directory / "truth.db").stat().st_size / count),
        "index_bytes_per_record": round((directory / "derived.db").stat().st_size / count),
        "postings_per_record": round(rows / count, 1),
        "index_us_per_record": round(index_us, 1),
        "index_cpu_us_per_record": round(index_cpu_us, 1),
        "lookups": results,
        "worst_p50_ms": max(each["p50_ms"] for each in results.values()),
        "worst_p99_ms": max(each["p99_ms"] for each in results.values()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="LookupEvents over a large history")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--keep", type=Path, help="an empty directory for the data, kept afterwards")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        result = run(given.keep or Path(temporary), given.records, given.repeats, given.seed)
    for name, row in result["lookups"].items():
        print(f"{name:<26}{row['events']:>4} events   p50 {row['p50_ms']:>8.3f} ms   p99 {row['p99_ms']:>8.3f} ms")
    for name in ("record_bytes", "journal_bytes_per_record", "index_bytes_per_record", "index_us_per_record"):
        print(f"{name:<26}{result[name]:>8}")
    met = result["worst_p50_ms"] <= TARGETS_MS["p50"] and result["worst_p99_ms"] <= TARGETS_MS["p99"]
    print(f"goal p50 <= {TARGETS_MS['p50']:g} ms and p99 <= {TARGETS_MS['p99']:g} ms: {'met' if met else 'MISSED'}")
    print(json.dumps(result, separators=(",", ":")))


if __name__ == "__main__":
    main()
