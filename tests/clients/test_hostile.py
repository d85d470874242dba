"""Whatever is sent to an operation, the answer is the protocol's own: no 5xx, no HTML, in time and in bounded memory.

The requests are made from AWS's models, so every operation that is registered joins by itself.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.answers import Client, code_of, complaint
from tests.clients.damage import Attack, attacks, gzip_bomb, valid
from trailstate.services.owned import ownership
from trailstate.testing import Lab, lab

SEED = int(os.environ.get("SEED", "20260115"))
DRAWN_PER_OPERATION = 11
DRAWN_PER_ESTATE_OPERATION = 40
GROWTH_BYTES_MAX = 64 * 1024 * 1024

DONE = [(service, name) for service, table in ownership().items() for name in table["done"]]
NOT_YET = [(service, name) for service, table in ownership().items() for name in table["not_yet"]]

ESTATE = {
    "s3": (
        *("CreateBucket", "PutObject", "GetObject", "ListObjectsV2", "PutBucketTagging", "PutBucketPolicy"),
        *("DeleteObjects", "PutBucketLifecycleConfiguration", "CompleteMultipartUpload", "PutBucketVersioning"),
        *("PutBucketEncryption", "PutBucketNotificationConfiguration", "PutPublicAccessBlock", "SelectObjectContent"),
    ),
    "ec2": ("RunInstances", "DescribeInstances", "CreateVpc", "AuthorizeSecurityGroupIngress", "CreateTags"),
    "iam": ("CreateUser", "CreateRole", "PutRolePolicy", "ListUsers", "AttachUserPolicy", "CreateAccessKey"),
    "sqs": ("CreateQueue", "SendMessage", "SendMessageBatch", "ReceiveMessage", "SetQueueAttributes"),
    "sts": ("AssumeRole", "GetSessionToken", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML", "GetFederationToken"),
    "dynamodb": ("CreateTable", "PutItem", "GetItem", "Query", "UpdateItem", "BatchWriteItem", "TransactWriteItems"),
    "lambda": ("CreateFunction", "Invoke", "ListFunctions", "AddPermission", "TagResource"),
}
"""Operations of the estate's busiest services, where our own part is the front door."""

FROM_THE_ESTATE = frozenset({"InternalFailure", "InternalError"})
"""The only answers with a status of 500: the simulator broke, and the log says so."""


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab() as started:
        yield started


def wrong_with(client: Client, attack: Attack) -> str | None:
    try:
        answer = client.send(attack.request)
    except OSError as error:
        return f"no answer: {error!r}"
    if answer.status >= 500:
        return f"{answer.status}: {answer.body[:200]!r}"
    return complaint(attack.service, attack.operation, attack.protocol, attack.request.method, answer)


def assert_all_answered(aws: Lab, series: list[Attack]) -> None:
    client = Client(aws.endpoint)
    wrong = [f"{attack}\n    {said}" for attack in series if (said := wrong_with(client, attack))]
    client.close()
    assert not wrong, f"seed {SEED}, {len(wrong)} of {len(series)} answers:\n" + "\n".join(wrong[:20])


class Memory:
    """How far this process, the server in it, outgrew its size at the start. Linux only: elsewhere nothing is known."""

    def __init__(self) -> None:
        self._reset = Path("/proc/self/clear_refs")
        self.known = self._reset.exists()
        if self.known:
            self._reset.write_text("5")  # forgets the peak so far
            self._before = self._peak()

    def growth_bytes(self) -> int:
        return self._peak() - self._before if self.known else 0

    @staticmethod
    def _peak() -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@pytest.mark.parametrize(("service", "operation"), DONE)
def test_an_operation_of_ours_answers_every_damaged_request(aws: Lab, service: str, operation: str) -> None:
    assert_all_answered(aws, attacks(service, operation, SEED))


def test_operations_not_yet_served_refuse_every_damaged_request(aws: Lab) -> None:
    series = [each for name in NOT_YET for each in attacks(*name, SEED, DRAWN_PER_OPERATION)]
    assert_all_answered(aws, series)


def test_bombs_and_giants_do_not_fill_the_memory(aws: Lab) -> None:
    client = Client(aws.endpoint)
    names = [*DONE, *NOT_YET[:5]]
    series = [
        Attack(service, name, "", "gzip bomb", gzip_bomb(valid(service, name, SEED)[1])) for service, name in names
    ]
    giants = ("huge", "deep", "laughs", "quadratic", "many", "digits", "CBOR")
    series += [each for name in names for each in attacks(*name, SEED) if any(word in each.damage for word in giants)]
    for name in names:
        client.send(valid(*name, SEED)[0])  # so that no model is read while the memory is measured
    memory = Memory()
    assert_all_answered(aws, series)
    growth = memory.growth_bytes()
    assert growth <= GROWTH_BYTES_MAX, f"seed {SEED}: {growth / 2**20:.0f} MiB more after {len(series)} requests"


@pytest.mark.parametrize("service", ESTATE)
def test_what_the_estate_cannot_bear_is_an_error_of_the_protocol(
    aws: Lab, service: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A simulator may break over a damaged request; the front door may not, and nobody ever meets a page of HTML."""
    series = [each for name in ESTATE[service] for each in attacks(service, name, SEED, DRAWN_PER_ESTATE_OPERATION)]
    client = Client(aws.endpoint)
    wrong, broken = [], 0
    for attack in series:
        answer = client.send(attack.request)
        protocol = "" if answer.status < 300 else attack.protocol  # what a simulator's success says is its own
        said = complaint(service, attack.operation, protocol, attack.request.method, answer)
        if said is None and answer.status >= 500:
            broken += 1
            told = attack.request.method == "HEAD" or code_of(answer) in FROM_THE_ESTATE
            said = None if answer.status == 500 and told else f"{answer.status}: {answer.body[:200]!r}"
        if said:
            wrong.append(f"{attack}\n    {said}")
    client.close()

    assert not wrong, f"seed {SEED}, {len(wrong)} of {len(series)} answers:\n" + "\n".join(wrong[:20])
    assert [line.getMessage() for line in caplog.records if line.name == "trailstate.gateway.application"] == []
    assert broken <= sum(line.getMessage().startswith("the estate failed over") for line in caplog.records)


def test_the_server_goes_on_answering_afterwards(aws: Lab) -> None:
    aws.client("iam").create_user(UserName="after")

    *_, found = aws.recorded(eventName="CreateUser")

    assert found["requestParameters"] == {"userName": "after"}
