"""How fast changes become items, and how fast items are found again.

python -m bench.configuration [--changes 300] [--items 20000] [--history 1000000] [--seed 1] [--directory DIR]

`change to item`: a boto3 call opens or closes a port in a lab; from its answer until another client's
GetResourceConfigHistory shows the item. `change to verdict`: likewise until GetComplianceDetailsByResource shows what
INCOMING_SSH_DISABLED says of it. `project and append`: raw answers of security groups become items, are compared
with the item before, and are committed to the store on a disk in groups of 500. `history`: one of many resources,
chosen at random, is asked for its last ten items, among so many items in all. Medians of three runs, but for the last.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from trailstate.catalog.resources import resource_types
from trailstate.configuration.form import ResourceType, Seen
from trailstate.configuration.history import ConfigurationHistory
from trailstate.configuration.item import captured, item_of
from trailstate.configuration.line import Recorded, digest_with_facts, line
from trailstate.follow import Runner
from trailstate.stores.derived import Derived
from trailstate.stores.interface import CONFIGURATION, Append, Commit
from trailstate.stores.sqlite import SqliteStore
from trailstate.testing import Lab, lab
from trailstate.world import RealWorld, SimulatedWorld

ACCOUNT, REGION = "111122223333", "us-east-1"
TYPE = "AWS::EC2::SecurityGroup"
RUNS = 3
GROUP_ITEMS = 500
ITEMS_OF_ONE = 10
QUESTIONS = 2000
WARM_UP = 10


def percentile(waits: list[float], share: float) -> float:
    return sorted(waits)[min(len(waits) - 1, int(len(waits) * share))]


def milliseconds(waits: list[float]) -> dict[str, float]:
    return {"p50_ms": percentile(waits, 0.5) * 1000, "p99_ms": percentile(waits, 0.99) * 1000}


# ---- change to item ----


def change_to(changes: int, newest: Callable[[Any, str], str]) -> list[float]:
    """Seconds from each change until `newest` tells something else of the group."""
    waits: list[float] = []
    with lab() as aws:
        config, ec2 = aws.client("config"), aws.client("ec2")
        record(aws)
        group = ec2.create_security_group(GroupName="web", Description="x")["GroupId"]
        aws.settle()
        known = newest(config, group)
        for number in range(changes + WARM_UP):
            change(ec2, group, opens=number % 2 == 0)
            began = time.perf_counter()
            while (seen := newest(config, group)) == known:
                continue
            waits.append(time.perf_counter() - began)
            known = seen
    return waits[WARM_UP:]


def record(aws: Lab) -> None:
    """A recorder of security groups, and the rule over them."""
    config = aws.client("config")
    aws.client("s3").create_bucket(Bucket="config-files")
    role = f"arn:aws:iam::{aws.account}:role/config"
    recorder = {"name": "default", "roleARN": role, "recordingGroup": {"resourceTypes": [TYPE]}}
    config.put_configuration_recorder(ConfigurationRecorder=recorder)
    config.put_delivery_channel(DeliveryChannel={"s3BucketName": "config-files"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    source = {"Owner": "AWS", "SourceIdentifier": "INCOMING_SSH_DISABLED"}
    config.put_config_rule(ConfigRule={"ConfigRuleName": "ssh", "Source": source})


def last_item(config: Any, group: str) -> str:
    """The state id of the group's last item."""
    answer = config.get_resource_config_history(resourceType=TYPE, resourceId=group, limit=1)
    return str(answer["configurationItems"][0]["configurationStateId"])


def last_verdict(config: Any, group: str) -> str:
    """What the rule says of the group."""
    answer = config.get_compliance_details_by_resource(ResourceType=TYPE, ResourceId=group)
    return str(answer["EvaluationResults"][0]["ComplianceType"])


def change(ec2: Any, group: str, *, opens: bool) -> None:
    call = ec2.authorize_security_group_ingress if opens else ec2.revoke_security_group_ingress
    call(GroupId=group, IpPermissions=[port(22)])


def port(number: int) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": number, "ToPort": number, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


# ---- project and append ----


def raw_groups(seed: int, count: int) -> Iterator[Seen]:
    draw = random.Random(seed)
    for number in range(count):
        group = f"sg-{number:017x}"
        raw = {
            "GroupId": group,
            "GroupName": f"group-{number}",
            "Description": "web servers of the shop",
            "OwnerId": ACCOUNT,
            "VpcId": f"vpc-{draw.randrange(100):017x}",
            "Tags": [{"Key": "team", "Value": draw.choice(("blue", "red"))}, {"Key": "Name", "Value": group}],
            "IpPermissions": [port(draw.randrange(65536)) for _ in range(3)],
            "IpPermissionsEgress": [port(443)],
        }
        yield Seen(group, ACCOUNT, REGION, raw)


def project_and_append(directory: Path, declared: ResourceType, seen: list[Seen]) -> float:
    """Items a second."""
    world = RealWorld()
    store = SqliteStore(directory, world)
    began = time.perf_counter()
    for start in range(0, len(seen), GROUP_ITEMS):
        appends = [appended(declared, each, world) for each in seen[start : start + GROUP_ITEMS]]
        store.commit(Commit(appends=appends))
    rate = len(seen) / (time.perf_counter() - began)
    assert store.head(CONFIGURATION) == len(seen)
    store.close()
    return rate


def appended(declared: ResourceType, seen: Seen, world: RealWorld) -> Append:
    item = item_of(declared, seen)
    digest_with_facts(item, {})  # as it is compared with the item before
    return line(ACCOUNT, REGION, Recorded(captured(item, world.now(), None, []), {}, None, seen.key))


# ---- history ----


def history(directory: Path, seed: int, total: int) -> tuple[list[float], float]:
    """How long each question took, and how many items a second the index took in."""
    world = SimulatedWorld(seed)
    store, derived = SqliteStore(directory, world), Derived(directory)
    runner = Runner(store, world)
    found = ConfigurationHistory(store, derived, runner)
    runner.add(found.follower)
    resources = max(1, total // ITEMS_OF_ONE)
    fill(store, resources)
    began = time.perf_counter()
    runner.run_until_idle()
    rate = store.head(CONFIGURATION) / (time.perf_counter() - began)
    draw = random.Random(seed)
    waits = []
    for _ in range(QUESTIONS):
        wanted = f"sg-{draw.randrange(resources):017x}"
        asked = time.perf_counter()
        answer = found.history(ACCOUNT, REGION, TYPE, wanted, limit=ITEMS_OF_ONE)
        waits.append(time.perf_counter() - asked)
        assert len(answer) == ITEMS_OF_ONE
    store.close()
    derived.close()
    return waits, rate


def fill(store: SqliteStore, resources: int) -> None:
    for version in range(ITEMS_OF_ONE):
        for start in range(0, resources, 5000):
            numbers = range(start, min(start + 5000, resources))
            store.commit(Commit(appends=[small_line(number, version) for number in numbers]))


def small_line(number: int, version: int) -> Append:
    item = {
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": "2026-01-15T09:30:00.000Z",
        "configurationStateId": 1_768_469_400_000 + version,
        "awsAccountId": ACCOUNT,
        "configurationItemStatus": "OK",
        "resourceType": TYPE,
        "resourceId": f"sg-{number:017x}",
        "resourceName": f"group-{number}",
        "ARN": f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/sg-{number:017x}",
        "awsRegion": REGION,
        "tags": {},
        "relationships": [],
        "configuration": {"groupId": f"sg-{number:017x}", "description": f"version {version}"},
        "supplementaryConfiguration": {},
    }
    return line(ACCOUNT, REGION, Recorded(item, {}, None, f"sg-{number:017x}"))


def latency(changes: int, newest: Callable[[Any, str], str]) -> dict[str, float]:
    runs = [milliseconds(change_to(changes, newest)) for _ in range(RUNS)]
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def shown(waits: dict[str, float]) -> str:
    return f"p50 {waits['p50_ms']:8.1f} ms   p99 {waits['p99_ms']:8.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description="Changes to items, and items found again.")
    parser.add_argument("--changes", type=int, default=300)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--history", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", type=Path, default=None, help="on the disk to measure; default: a temporary one")
    arguments = parser.parse_args()
    item = latency(arguments.changes, last_item)
    verdict = latency(arguments.changes, last_verdict)
    declared = resource_types()[TYPE]
    seen = list(raw_groups(arguments.seed, arguments.items))
    with tempfile.TemporaryDirectory(prefix="configuration-", dir=arguments.directory) as place:
        rates = [project_and_append(Path(place) / f"append-{run}", declared, seen) for run in range(RUNS)]
        waits, followed = history(Path(place) / "history", arguments.seed, arguments.history)
    found = milliseconds(waits)
    print(f"change to item       {shown(item)}   (goal: p99 300 ms)")
    print(f"change to verdict    {shown(verdict)}   (goal: p99 500 ms)")
    print(f"project and append   {statistics.median(rates):8,.0f} items a second   (goal: 5,000)")
    print(f"history of one among {arguments.history:,} items")
    print(f"                     p50 {found['p50_ms']:8.2f} ms   p99 {found['p99_ms']:8.2f} ms   (goal: p99 20 ms)")
    print(f"index                {followed:8,.0f} items a second")
    print(
        json.dumps(
            {
                "seed": arguments.seed,
                "change_to_item": item,
                "change_to_verdict": verdict,
                "project_and_append_per_second": statistics.median(rates),
                "history": found,
                "index_per_second": followed,
            }
        )
    )


if __name__ == "__main__":
    main()
