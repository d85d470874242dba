"""How many evaluations a second rules make over stored items, on one core, beside Cloud Custodian's filters.

python -m bench.rules [--items 100000] [--seed 1]

The items (volumes, security groups and databases, a third each) stand in the ledger of a store on disk; reading and
decoding them is part of the time. An evaluation is one rule over one item of its type. Beside it: the engine with its
commits, and the filters of Cloud Custodian for the three rules that both have, over the same resources in memory,
each reads them from JSON, if TRAILSTATE_CUSTODIAN names a Python that has c7n. Medians of three runs.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bench.custodian import PEERS
from trailstate.catalog.rules import load
from trailstate.compliance.catalogue import managed_rules
from trailstate.compliance.configured import RULE_KIND
from trailstate.compliance.engine import Engine
from trailstate.compliance.form import RULES, Rule
from trailstate.compliance.inventory import ListedInventory
from trailstate.compliance.judge import judge_many
from trailstate.compliance.notice import VerdictListeners
from trailstate.compliance.results import Results
from trailstate.compliance.verdict import Verdict
from trailstate.configuration.line import Recorded, line
from trailstate.follow import Runner
from trailstate.stores.derived import Derived
from trailstate.stores.interface import CONFIGURATION, Commit, ShelfChange, ShelfKey
from trailstate.stores.sqlite import SqliteStore
from trailstate.world import RealWorld

ACCOUNT, REGION = "111122223333", "us-east-1"
RUNS = 3
BATCH = 2000
TYPES = {"ebs": "AWS::EC2::Volume", "security-group": "AWS::EC2::SecurityGroup", "rds": "AWS::RDS::DBInstance"}
NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


def volume(draw: random.Random, number: int) -> dict[str, Any]:
    attachments = [{"InstanceId": f"i-{number:017x}", "Device": "/dev/xvda", "State": "attached"}]
    return {
        "VolumeId": f"vol-{number:017x}",
        "Attachments": attachments if draw.random() < 0.8 else [],
        "Encrypted": draw.random() < 0.7,
        "KmsKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{number % 7}",
        "Size": 8,
        "State": "in-use",
        "VolumeType": "gp3",
        "Iops": 3000,
    }


def group(draw: random.Random, number: int) -> dict[str, Any]:
    def permission(port: int) -> dict[str, Any]:
        source = "0.0.0.0/0" if draw.random() < 0.1 else f"10.{number % 250}.0.0/16"
        return {
            "IpProtocol": "tcp",
            "FromPort": port,
            "ToPort": port,
            "IpRanges": [{"CidrIp": source}],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [],
        }

    ports = draw.sample((22, 80, 443, 3306, 3389, 5432), 3)
    return {
        "GroupId": f"sg-{number:017x}",
        "GroupName": f"group-{number}",
        "VpcId": "vpc-1",
        "OwnerId": ACCOUNT,
        "IpPermissions": [permission(port) for port in ports],
        "IpPermissionsEgress": [],
    }


def database(draw: random.Random, number: int) -> dict[str, Any]:
    return {
        "DBInstanceIdentifier": f"db-{number}",
        "StorageEncrypted": draw.random() < 0.8,
        "PubliclyAccessible": draw.random() < 0.1,
        "Engine": "postgres",
        "MultiAZ": True,
        "DeletionProtection": draw.random() < 0.5,
        "DBInstanceStatus": "available",
    }


MAKE: Mapping[str, Callable[[random.Random, int], dict[str, Any]]] = {
    "ebs": volume,
    "security-group": group,
    "rds": database,
}


def resources(count: int, seed: int) -> dict[str, list[dict[str, Any]]]:
    """So many resources of each kind, as the API shows them."""
    draw = random.Random(seed)
    return {kind: [make(draw, number) for number in range(count // 3)] for kind, make in MAKE.items()}


def camel(value: Any) -> Any:
    """As items spell it."""
    if isinstance(value, dict):
        return {f"{name[:1].lower()}{name[1:]}".replace("dB", "db"): camel(each) for name, each in value.items()}
    return [camel(each) for each in value] if isinstance(value, list) else value


def item(kind: str, resource: Mapping[str, Any]) -> dict[str, Any]:
    configuration = camel(resource)
    for each in configuration.get("ipPermissions", ()):
        each["ipv4Ranges"] = each["ipRanges"]
        each["ipRanges"] = [one["cidrIp"] for one in each["ipv4Ranges"]]
    name = next(iter(resource.values()))
    return {
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": "2026-01-15T09:00:00.000Z",
        "configurationStateId": 1768467600000,
        "configurationItemStatus": "OK",
        "awsAccountId": ACCOUNT,
        "awsRegion": REGION,
        "availabilityZone": "us-east-1a",
        "resourceType": TYPES[kind],
        "resourceId": name,
        "resourceName": name,
        "ARN": f"arn:aws:x:{REGION}:{ACCOUNT}:{name}",
        "configurationStateMd5Hash": "",
        "resourceCreationTime": None,
        "tags": {},
        "relatedEvents": [],
        "relationships": [],
        "configuration": configuration,
        "supplementaryConfiguration": {},
    }


def chosen() -> list[Rule]:
    """Every change-triggered rule over the three types that needs no parameter and no other item."""
    types = set(TYPES.values())
    return [
        rule
        for rule in RULES.values()
        if set(rule.types) & types and rule.managed.on_change and not any(p.required for p in rule.managed.parameters)
    ]


def store_items(store: SqliteStore, made: Mapping[str, list[dict[str, Any]]]) -> int:
    items = [item(kind, each) for kind, listed in made.items() for each in listed]
    lines = [line(ACCOUNT, REGION, Recorded(each, {}, None, key=each["resourceId"])) for each in items]
    for at in range(0, len(lines), BATCH):
        store.commit(Commit(appends=lines[at : at + BATCH]))
    return len(lines)


def stored(store: SqliteStore) -> Iterator[list[dict[str, Any]]]:
    after = 0
    decode = msgspec.json.Decoder().decode
    while entries := store.read(CONFIGURATION, after, BATCH):
        yield [decode(entry.body)["item"] for entry in entries]
        after = entries[-1].position


def judge_run(store: SqliteStore, rules: list[Rule]) -> tuple[int, float]:
    """Evaluations, and seconds on the processor."""
    inventory = ListedInventory(NOW, ACCOUNT, REGION)
    count, began = 0, time.process_time()
    for items in stored(store):
        by_type = {kind: [each for each in items if each["resourceType"] == kind] for kind in TYPES.values()}
        for rule in rules:
            count += sum(len(judge_many(rule, by_type.get(kind, ()), inventory, {})) for kind in rule.types)
    return count, time.process_time() - began


class Nothing:
    """Inventories for rules that look at nothing but the item."""

    def of(self, account: str, region: str, now: datetime) -> ListedInventory:
        return ListedInventory(now, account, region)


def engine_run(directory: Path, made: Mapping[str, list[dict[str, Any]]], rules: list[Rule]) -> tuple[int, float]:
    """Evaluations with every result committed, and seconds on the processor."""
    world = RealWorld()
    store, derived = SqliteStore(directory, world), Derived(directory)
    store_items(store, made)
    changes = [
        ShelfChange(
            ShelfKey(ACCOUNT, REGION, RULE_KIND, rule.managed.name),
            {
                "ConfigRule": {
                    "ConfigRuleName": rule.managed.name,
                    "ConfigRuleArn": "arn",
                    "ConfigRuleId": rule.id,
                    "Source": {"Owner": "AWS", "SourceIdentifier": rule.id},
                }
            },
        )
        for rule in rules
    ]
    store.commit(Commit(shelf=changes))
    runner = Runner(store, world)
    results = Results(store, derived, runner)
    engine = Engine(store, world, results, Nothing(), VerdictListeners(world))
    runner.add(engine)
    runner.add(results.follower)
    began = time.process_time()
    while runner.run_once(engine):
        continue
    while not results.catch_up():
        continue
    elapsed = time.process_time() - began
    count = len(results.everything(ACCOUNT, REGION))
    derived.close()
    store.close()
    return count, elapsed


def peer_runs(made: Mapping[str, list[dict[str, Any]]], rules: Mapping[str, Rule]) -> dict[str, dict[str, float]]:
    """Both over the same resources in memory, a rule at a time: evaluations a second of processor time."""
    program = os.environ.get("TRAILSTATE_CUSTODIAN")
    if not program:
        return {}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(made, file)
        file.flush()
        script = Path(__file__).with_name("custodian.py")
        done = subprocess.run([program, script, file.name], capture_output=True, text=True, check=True)
    theirs = json.loads(done.stdout)
    inventory = ListedInventory(NOW, ACCOUNT, REGION)
    found = {}
    for kind, peer in PEERS.items():
        items = msgspec.json.decode(msgspec.json.encode([item(kind, each) for each in made[kind]]))
        rule = rules[peer.rule]
        rates, broken = [], 0
        for _ in range(RUNS):
            began = time.process_time()
            outcomes = judge_many(rule, items, inventory, {})
            rates.append(len(items) / (time.process_time() - began))
            broken = sum(isinstance(each, Verdict) and each.compliance == "NON_COMPLIANT" for each in outcomes)
        assert broken == theirs[kind]["broken"], f"{peer.rule}: {broken} here, {theirs[kind]['broken']} there"
        ours = statistics.median(rates)
        found[peer.rule] = {
            "ours": ours,
            "custodian": theirs[kind]["per_second"],
            "times": ours / theirs[kind]["per_second"],
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Evaluations a second.")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    load()
    rules = chosen()
    made = resources(arguments.items, arguments.seed)
    with tempfile.TemporaryDirectory(prefix="rules-") as place:
        store = SqliteStore(Path(place) / "judge", RealWorld())
        count = store_items(store, made)
        runs = [judge_run(store, rules) for _ in range(RUNS)]
        store.close()
        smaller = {kind: listed[:1000] for kind, listed in made.items()}
        whole = [engine_run(Path(place) / f"engine-{run}", smaller, rules) for run in range(RUNS)]
    evaluations = runs[0][0]
    judged = statistics.median(found / seconds for found, seconds in runs)
    committed = statistics.median(found / seconds for found, seconds in whole)
    peers = peer_runs(made, RULES)
    print(f"{count:,} stored items, {len(rules)} rules of {len(managed_rules())}, {evaluations:,} evaluations")
    print(f"read, decoded and judged  {judged:12,.0f} evaluations a second of one core")
    print(f"with every result durable {committed:12,.0f} evaluations a second (3,000 items, first verdicts)")
    for name, each in peers.items():
        print(
            f"{name:28}{each['ours']:12,.0f} here {each['custodian']:12,.0f} Cloud Custodian {each['times']:8.1f} times"
        )
    if not peers:
        print("Cloud Custodian: skipped; set TRAILSTATE_CUSTODIAN to a Python that has c7n")
    print(json.dumps({"seed": arguments.seed, "judged": judged, "committed": committed, "peers": peers}))


if __name__ == "__main__":
    main()
