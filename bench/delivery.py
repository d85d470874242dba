"""How fast the journal becomes evidence: records into stored files, windows of many accounts, digests, and the wait.

python -m bench.delivery [--records 100000] [--accounts 10000] [--calls 20] [--seed 1]

The first three run the house's own follower, shippers and digester on one thread over the durable store and objects on
a disk, with a bucket in memory behind the door. The last two measure a running lab: from a call's answer to the log
file in the bucket, and to CloudWatch Logs and EventBridge, as a client sees it.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.clients.delivered import keys, text
from tests.clients.receivers import a_queue
from tests.clients.trails import a_bucket, a_trail, log_permission
from tests.simulation.cloud import Cloud
from tests.simulation.evidence import ACCOUNT, BUCKET, Evidence, Members, a_record
from tests.simulation.evidence import a_trail as a_trail_document

from trailstate.stores.disk import DiskObjects
from trailstate.stores.interface import JOURNAL, Commit
from trailstate.stores.sqlite import SqliteStore
from trailstate.testing import Lab, lab
from trailstate.trail import journal
from trailstate.trail.keys import fresh_key
from trailstate.world import SimulatedWorld

COMMIT_RECORDS = 500
IDLE_SECONDS = 0.2
"""Between two looks whether all is done: a look walks through the queues of ten thousand accounts."""
LOOK_SECONDS = 0.05
"""How long the client rests between two looks; what is measured is that much too long at most."""

GOALS = {
    "records a processor second": 20_000.0,
    "windows, seconds": 60.0,
    "digests, seconds": 60.0,
    "object p99, s": 3.0,
    "logs p99, s": 1.0,
    "bus p99, s": 1.0,
}


def evidence(directory: Path, seed: int, members: set[str]) -> Evidence:
    world = SimulatedWorld(seed)
    cloud = Cloud()
    cloud.make_bucket(BUCKET)
    store, objects = SqliteStore(directory, world), DiskObjects(directory, world)
    return Evidence(world, store, objects, cloud, directory / "keys", members=Members(members), make_key=fresh_key)


def fill(house: Evidence, records: int, accounts: list[str], draw: random.Random) -> None:
    """The records of calls of about 1.5 KB, in the order in which so many accounts would make them."""
    for first in range(0, records, COMMIT_RECORDS):
        count = min(COMMIT_RECORDS, records - first)
        lines = [
            journal.line(
                a_record(
                    house.world,
                    recipientAccountId=accounts[(first + number) % len(accounts)],
                    readOnly=True,
                    requestParameters={"text": draw.randbytes(300).hex(), "items": list(range(100))},
                )
            )
            for number in range(count)
        ]
        house.store.commit(Commit(appends=lines))


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds by the clock on the wall, and of the processor: on a busy machine only the second ones compare."""

    wall: float
    processor: float


def timed(work: Callable[[], Any]) -> Took:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return Took(time.perf_counter() - wall, time.process_time() - processor)


def journal_to_files(records: int, seed: int) -> Took:
    with tempfile.TemporaryDirectory(prefix="delivery-") as place:
        house = evidence(Path(place), seed, set())
        house.change(a_trail_document(LogFileValidationEnabled=False))
        fill(house, records, [ACCOUNT], random.Random(seed))
        house.world.advance(timedelta(minutes=5))  # type: ignore[attr-defined]
        took = timed(lambda: drained(house))
        assert sum(map(len, house.files().values())) == records
        house.store.close()
    return took


def many_accounts(accounts: int, seed: int) -> tuple[Took, Took]:
    """How long for one window of every account, and for one digest of every account."""
    numbers = [f"{200_000_000_000 + number}" for number in range(accounts)]
    with tempfile.TemporaryDirectory(prefix="delivery-") as place:
        house = evidence(Path(place), seed, set(numbers))
        house.change(a_trail_document(IsOrganizationTrail=True, OrganizationId="o-bench"))
        fill(house, accounts, numbers, random.Random(seed))
        house.world.advance(timedelta(minutes=5))  # type: ignore[attr-defined]
        windows = timed(lambda: drained(house))
        assert len(house.files()) == accounts
        house = house.restarted()
        house.world.advance(timedelta(hours=1))  # type: ignore[attr-defined]
        digests = timed(lambda: drained(house))
        assert len(house.digests()) == accounts + 1
        house.store.close()
    return windows, digests


def drained(house: Evidence) -> None:
    """Everything that the house has to do by now is done, in its own threads as in a server."""
    house.runner.start()
    while (
        house.store.cursor(house.delivery.name) < house.store.head(JOURNAL) or house.delivery.ends() or house.is_busy()
    ):
        time.sleep(IDLE_SECONDS)
    house.runner.stop()


# ---- a running lab ----


def waits(calls: int) -> dict[str, list[float]]:
    """Seconds from the answer of each call to where its record is found."""
    found: dict[str, list[float]] = {"object": [], "logs": [], "bus": []}
    with lab() as aws:
        _prepare(aws)
        for number in range(calls):
            name = f"user-{number}"
            aws.client("iam").create_user(UserName=name)
            began, since = time.perf_counter(), (int(aws.now().timestamp()) - 1) * 1000
            pending: dict[str, Callable[[], bool]] = {
                "logs": lambda name=name, since=since: _is_logged(aws, name, since),  # type: ignore[misc]
                "bus": lambda name=name: _is_heard(aws, name),  # type: ignore[misc]
                "object": lambda name=name: _is_delivered(aws, name),  # type: ignore[misc]
            }
            while pending and time.perf_counter() - began < 10:
                for where in [where for where, is_there in pending.items() if is_there()]:
                    found[where].append(time.perf_counter() - began)
                    del pending[where]
                time.sleep(LOOK_SECONDS)
            assert not pending, f"{name} never came to {', '.join(pending)}"
    return found


def _prepare(aws: Lab) -> None:
    group = f"arn:aws:logs:us-east-1:{aws.account}:log-group:trail:*"
    aws.client("logs").create_log_group(logGroupName="trail")
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = aws.client("iam").create_role(RoleName="to-logs", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    permission = log_permission(group)
    aws.client("iam").put_role_policy(RoleName="to-logs", PolicyName="write", PolicyDocument=permission)
    _, queue = a_queue(aws, "heard", "events")
    aws.client("events").put_rule(Name="users", EventPattern=json.dumps({"source": ["aws.iam"]}))
    aws.client("events").put_targets(Rule="users", Targets=[{"Id": "1", "Arn": queue}])
    a_trail(aws, "all", a_bucket(aws, "evidence"), CloudWatchLogsLogGroupArn=group, CloudWatchLogsRoleArn=role)


def _is_logged(aws: Lab, name: str, since: int) -> bool:
    """The looks themselves are calls, recorded and logged: only what came since this call's second is read."""
    logs = aws.client("logs")
    if not logs.describe_log_streams(logGroupName="trail")["logStreams"]:
        return False
    stream = f"{aws.account}_CloudTrail_us-east-1"
    events = logs.get_log_events(logGroupName="trail", logStreamName=stream, startTime=since)["events"]
    return any(f'"{name}"' in event["message"] for event in events)


def _is_heard(aws: Lab, name: str) -> bool:
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName="heard")["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ())
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return any(f'"{name}"' in message["Body"] for message in messages)


_seen: dict[str, str] = {}


def _is_delivered(aws: Lab, name: str) -> bool:
    for key in keys(aws, "evidence", "CloudTrail"):
        if key not in _seen:
            _seen[key] = json.dumps(text(aws, "evidence", key))
    return any(f'"{name}"' in body for body in _seen.values())


def p99(values: list[float]) -> float:
    return sorted(values)[max(0, len(values) * 99 // 100 - 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description="From the journal to the bucket.")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    windows, digests = many_accounts(arguments.accounts, arguments.seed)
    files = journal_to_files(arguments.records, arguments.seed)
    found: dict[str, float] = {
        "records a second": arguments.records / files.wall,
        "records a processor second": arguments.records / files.processor,
        "windows, seconds": windows.wall,
        "windows, processor seconds": windows.processor,
        "digests, seconds": digests.wall,
        "digests, processor seconds": digests.processor,
    }
    waited = waits(arguments.calls)
    found |= {f"{where} p99, s": p99(values) for where, values in waited.items()}
    medians = {f"{where} p50, s": statistics.median(values) for where, values in waited.items()}
    print(f"{'':28}{'measured':>12}{'goal':>12}")
    for name, value in (found | medians).items():
        goal = f"{GOALS[name]:,.0f}" if name in GOALS else ""
        print(f"{name:28}{value:12,.2f}{goal:>12}")
    print(json.dumps({"seed": arguments.seed, "accounts": arguments.accounts, "records": arguments.records, **found}))


if __name__ == "__main__":
    main()
