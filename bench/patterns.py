"""How many events a second one core holds against all rules of a bus, as JSON bytes come in.

python -m bench.patterns [--events 2000] [--seed 1] [--ruler CLASSPATH]

The events are CloudTrail's in their envelopes; the rules are a mix of all operators, most with an exact source and name
as people write them. With the class path of a built checkout of aws/event-ruler (its classes and its dependencies), the
same rules and events go through that in the same run, in a Java process of its own that warms up before it measures;
what both found must be equal. Both are measured in processor time of the thread that asks.
"""

import argparse
import json
import random
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from trailstate.values.pattern import read_pattern
from trailstate.values.pattern_index import PatternIndex

SIZES = (1, 100, 1_000, 10_000)
SECONDS = 1.0
SERVICES = ("ec2", "iam", "s3", "kms", "rds", "lambda", "sts", "sqs", "sns", "dynamodb", "eks", "ecs")
VERBS = ("Create", "Delete", "Put", "Update", "Attach", "Detach", "Start", "Stop", "Modify", "Authorize")
NOUNS = (
    "Instance",
    "User",
    "Bucket",
    "Key",
    "Cluster",
    "Function",
    "Role",
    "Queue",
    "Topic",
    "Table",
    "Policy",
    "Rule",
)


def event(draw: random.Random, number: int) -> dict[str, Any]:
    service, user = draw.choice(SERVICES), f"user-{draw.randrange(5000)}"
    detail = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": draw.choice(("IAMUser", "AssumedRole", "Root")),
            "arn": f"arn:aws:iam::123456789012:user/{user}",
            "accountId": "123456789012",
            "userName": user,
        },
        "eventTime": "2026-01-15T09:30:00Z",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": draw.choice(VERBS) + draw.choice(NOUNS),
        "awsRegion": draw.choice(("us-east-1", "eu-central-1", "eu-west-1")),
        "sourceIPAddress": f"10.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(1, 255)}",
        "userAgent": "aws-cli/2.17 md/Botocore#1.34 ua/2.0 os/linux lang/python#3.11",
        "requestParameters": {
            "name": f"thing-{draw.randrange(20_000)}",
            "size": draw.randrange(1000),
            "tags": [{"key": "team", "value": f"team-{draw.randrange(50)}"}],
        },
        "responseElements": {"requestId": f"{number:032x}", "return": True},
        "readOnly": False,
        "managementEvent": True,
    }
    return {
        "version": "0",
        "id": f"{number:036x}",
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{service}",
        "account": "123456789012",
        "time": "2026-01-15T09:30:00Z",
        "region": detail["awsRegion"],
        "resources": [],
        "detail": detail,
    }


def rule(draw: random.Random) -> dict[str, Any]:
    """Most rules name who or what; some are as wide as an operator allows, within one service's call."""
    source = [f"aws.{draw.choice(SERVICES)}"]
    named = {"eventName": [draw.choice(VERBS) + draw.choice(NOUNS)]}
    user = {"userIdentity": {"userName": [f"user-{draw.randrange(5000)}" for _ in range(draw.randrange(1, 3))]}}
    thing = f"thing-{draw.randrange(20_000)}"
    address = f"10.{draw.randrange(256)}.{draw.randrange(256)}.0/24"
    details: tuple[dict[str, Any], ...] = (
        named | user,
        named | user,
        named | {"requestParameters": {"name": [thing]}},
        named | {"requestParameters": {"name": [{"prefix": thing}]}},
        named | {"requestParameters": {"size": [{"numeric": [">", draw.randrange(900), "<=", 1000]}]}},
        named | {"userIdentity": {"arn": [{"suffix": f"/user-{draw.randrange(5000)}"}]}},
        named
        | {"userIdentity": {"userName": [{"anything-but": [f"user-{draw.randrange(5000)}"]}]}}
        | {"awsRegion": ["eu-west-1"]},
        named | {"userIdentity": {"arn": [{"wildcard": f"*:user/user-{draw.randrange(500)}*"}]}},
        named | {"sourceIPAddress": [{"cidr": address}]},
        named | {"errorCode": [{"exists": False}], "requestParameters": {"name": [thing]}},
    )
    return {"source": source, "detail": draw.choice(details)}


def measured(index: PatternIndex[str], events: list[bytes]) -> tuple[float, int]:
    """Events a second, and how many matches one pass over them found."""
    found = sum(len(index.match(each)) for each in events)
    began, done = time.process_time(), 0
    while time.process_time() - began < SECONDS:
        for each in events:
            index.match(each)
        done += len(events)
    return done / (time.process_time() - began), found


def of_ruler(classpath: str, rules: list[str], events: list[bytes]) -> tuple[float, int]:
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        (place / "rules.jsonl").write_text("\n".join(rules))
        (place / "events.jsonl").write_bytes(b"\n".join(events))
        program = Path(__file__).parent / "RulerBench.java"
        done = subprocess.run(
            ["java", "-cp", classpath, str(program), str(place / "rules.jsonl"), str(place / "events.jsonl")],
            capture_output=True,
            text=True,
            check=True,
        )
    rate, found = done.stdout.split()
    return float(rate), int(found)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ruler", default="")
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    events = [json.dumps(event(draw, number)).encode() for number in range(arguments.events)]
    print(f"{len(events)} events of {sum(map(len, events)) // len(events)} bytes, seed {arguments.seed}, one core")
    print(f"{'rules':>8} {'events/s':>12} {'matches':>10} {'build s':>8}   {'event-ruler/s':>14} {'ratio':>6}")
    for size in SIZES:
        rules = [json.dumps(rule(draw)) for _ in range(size)]
        began = time.process_time()
        index = PatternIndex((str(number), read_pattern(text)) for number, text in enumerate(rules))
        built = time.process_time() - began
        rate, found = measured(index, events)
        line = f"{size:>8,} {rate:>12,.0f} {found:>10,} {built:>8.2f}"
        if arguments.ruler:
            theirs, theirs_found = of_ruler(arguments.ruler, rules, events)
            assert theirs_found == found, f"event-ruler found {theirs_found} matches, we found {found}"
            line += f"   {theirs:>14,.0f} {rate / theirs:>6.2f}"
        print(line)


if __name__ == "__main__":
    main()
