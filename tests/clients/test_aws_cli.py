"""The stock `aws` command, in a process of its own, with nothing but an endpoint."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trailstate.testing import Lab

AWS = Path(sys.executable).with_name("aws")


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """A home without anybody's profile."""
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_PAGER": ""}


def aws(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([AWS, *words], env=environment, capture_output=True, text=True, timeout=60, check=False)


def answer(environment: dict[str, str], *words: str) -> Any:
    done = aws(environment, *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def who_did(environment: dict[str, str], resource: str, event: str) -> list[dict[str, Any]]:
    looked_up = answer(
        environment,
        *("cloudtrail", "lookup-events", "--lookup-attributes", f"AttributeKey=ResourceName,AttributeValue={resource}"),
    )
    return [json.loads(each["CloudTrailEvent"]) for each in looked_up["Events"] if each["EventName"] == event]


def test_who_deleted_the_bucket(lab: Lab, home: dict[str, str]) -> None:
    environment = home | lab.environment
    aws(environment, "s3", "mb", "s3://stock-cli")
    aws(environment, "s3", "rb", "s3://stock-cli")
    (event,) = who_did(environment, "stock-cli", "DeleteBucket")
    assert event["userIdentity"]["type"] == "IAMUser"
    assert event["userIdentity"]["accountId"] == lab.account
    assert event["userAgent"].startswith(("aws-cli/", "[aws-cli/"))
    assert event["sourceIPAddress"] == "127.0.0.1"
    assert event["requestParameters"]["bucketName"] == "stock-cli"
    assert event["responseElements"] is None
    assert event["readOnly"] is False


def test_who_terminated_the_instance_with_endpoint_url(lab: Lab, home: dict[str, str]) -> None:
    environment = home | lab.environment
    del environment["AWS_ENDPOINT_URL"]
    by_flag = ("--endpoint-url", lab.endpoint)
    launched = answer(environment, *by_flag, "ec2", "run-instances", "--image-id", "ami-12c6146b")
    instance = launched["Instances"][0]["InstanceId"]
    answer(environment, *by_flag, "ec2", "terminate-instances", "--instance-ids", instance)
    attribute = f"AttributeKey=ResourceName,AttributeValue={instance}"
    events = answer(environment, *by_flag, "cloudtrail", "lookup-events", "--lookup-attributes", attribute)["Events"]
    terminated = next(each for each in events if each["EventName"] == "TerminateInstances")
    assert {"ResourceType": "AWS::EC2::Instance", "ResourceName": instance} in terminated["Resources"]
    record = json.loads(terminated["CloudTrailEvent"])
    assert record["requestParameters"] == {"instancesSet": {"items": [{"instanceId": instance}]}}
    assert record["responseElements"]["instancesSet"]["items"][0]["currentState"]["name"] == "shutting-down"


def test_the_caller_is_the_one_in_the_record(lab: Lab, home: dict[str, str]) -> None:
    environment = home | lab.environment
    caller = answer(environment, "sts", "get-caller-identity")
    (event,) = lab.recorded(eventName="GetCallerIdentity")
    assert caller["Arn"] == event["userIdentity"]["arn"]
    assert caller["Account"] == lab.account == event["recipientAccountId"]


def test_another_account_sees_only_its_own(lab: Lab, home: dict[str, str]) -> None:
    mine = home | lab.environment
    theirs = mine | {"AWS_ACCESS_KEY_ID": "444455556666"}
    answer(mine, "sns", "create-topic", "--name", "mine")
    answer(theirs, "sns", "create-topic", "--name", "theirs")
    seen = answer(theirs, "cloudtrail", "lookup-events")["Events"]
    assert {json.loads(each["CloudTrailEvent"])["recipientAccountId"] for each in seen} == {"444455556666"}
    assert [each["EventName"] for each in seen] == ["CreateTopic"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("s3api", "get-bucket-policy", "--bucket", "no-such-bucket-here"), "NoSuchBucket"),
        (("iam", "get-user", "--user-name", "nobody"), "NoSuchEntity"),
        (("ec2", "terminate-instances", "--instance-ids", "i-0123456789abcdef0"), "InvalidInstanceID.NotFound"),
        (("sns", "get-sms-attributes"), "is not supported by Trailstate yet"),
        (("cloudtrail", "lookup-events", "--max-results", "51"), "InvalidMaxResultsException"),
    ],
)
def test_refusals_arrive_as_the_service_words_them(
    lab: Lab, home: dict[str, str], words: tuple[str, ...], code: str
) -> None:
    refused = aws(home | lab.environment, *words)
    assert refused.returncode in {254, 255}
    assert code in refused.stderr
    assert len(lab.recorded()) == 1, "a refused call is recorded like any other"


@pytest.mark.parametrize(
    "words",
    [
        ("sqs", "list-queues"),
        ("rds", "describe-db-instances"),
        ("docdb", "describe-db-clusters"),
        ("neptune", "describe-db-clusters"),
    ],
)
def test_services_for_which_the_command_ignores_the_variable_heed_the_flag(
    lab: Lab, home: dict[str, str], words: tuple[str, ...]
) -> None:
    answer(home | lab.environment, "--endpoint-url", lab.endpoint, *words)
    assert [record["readOnly"] for record in lab.recorded()] == [True]
