"""A record as one sentence."""

from typing import Any

import pytest

from trailstate.trail.explain import explain
from trailstate.trail.wording import label, past_tense

RECORD: dict[str, Any] = {
    "userIdentity": {"type": "IAMUser", "userName": "alice", "accessKeyId": "AKIAALICE"},
    "eventTime": "2026-01-14T15:42:10Z",
    "eventSource": "ec2.amazonaws.com",
    "eventName": "TerminateInstances",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "203.0.113.7",
    "userAgent": "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux",
    "requestParameters": {"instancesSet": {"items": [{"instanceId": "i-0abc"}]}},
}
OPENING = "On 2026-01-14 at 15:42:10 UTC"
ALICE = "alice (IAM user, access key AKIAALICE, MFA no)"
ENDING = "in us-east-1 from 203.0.113.7 with the AWS CLI"


def test_who_did_what_where_from_where_and_with_what() -> None:
    assert explain(RECORD) == f"{OPENING} {ALICE} terminated the EC2 instance i-0abc {ENDING}: succeeded."


def test_what_was_denied_was_only_tried() -> None:
    denied = RECORD | {"errorCode": "Client.UnauthorizedOperation", "errorMessage": "You may not."}

    assert (
        explain(denied)
        == f"{OPENING} {ALICE} tried to terminate the EC2 instance i-0abc {ENDING}: denied: You may not."
    )


def test_what_failed_says_with_which_code() -> None:
    failed = RECORD | {"errorCode": "Client.InvalidInstanceID.NotFound", "errorMessage": "There is no i-0abc"}

    assert explain(failed).endswith(": failed with Client.InvalidInstanceID.NotFound: There is no i-0abc.")


@pytest.mark.parametrize(
    ("service", "name", "asked", "expected"),
    [
        ("s3", "DeleteBucket", {"bucketName": "reports"}, "deleted the S3 bucket reports"),
        ("s3", "PutBucketPolicy", {"bucketName": "reports"}, "set the bucket policy of the S3 bucket reports"),
        ("s3", "ListBuckets", None, "listed the S3 buckets"),
        ("cloudtrail", "StopLogging", {"name": "audit"}, "stopped logging of the CloudTrail trail audit"),
        ("iam", "DeleteLoginProfile", {"userName": "bob"}, "deleted the login profile of the IAM user bob"),
        (
            "iam",
            "AttachUserPolicy",
            {"userName": "bob", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
            "attached the IAM policy arn:aws:iam::aws:policy/AdministratorAccess (IAM user bob)",
        ),
        ("lambda", "DeleteFunction20150331", {"functionName": "f"}, "deleted the Lambda function f"),
        ("sts", "GetCallerIdentity", None, "asked who they are"),
        (
            "ec2",
            "StopInstances",
            {"instancesSet": {"items": [{"instanceId": f"i-{number}"} for number in range(5)]}},
            "stopped the EC2 instance i-0, i-1, i-2 and 2 more",
        ),
        ("unheard", "FrobnicateWidgets", {"a": "b"}, "frobnicated the unheard widgets"),
    ],
)
def test_wording(service: str, name: str, asked: Any, expected: str) -> None:
    record = RECORD | {"eventSource": f"{service}.amazonaws.com", "eventName": name, "requestParameters": asked}

    assert explain(record) == f"{OPENING} {ALICE} {expected} {ENDING}: succeeded."


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (
            {
                "type": "AssumedRole",
                "principalId": "AROA1:ci",
                "accessKeyId": "ASIA1",
                "sessionContext": {
                    "sessionIssuer": {"userName": "deploy"},
                    "attributes": {"mfaAuthenticated": "true"},
                },
            },
            "ci (session of the role deploy, access key ASIA1, MFA yes)",
        ),
        ({"type": "Root", "accessKeyId": "AKIAROOT"}, "the root user (access key AKIAROOT, MFA no)"),
        ({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}, "the service ec2.amazonaws.com"),
        ({"type": "AWSAccount", "accountId": "444455556666"}, "444455556666 (AWSAccount)"),
    ],
)
def test_callers_are_introduced(identity: dict[str, Any], expected: str) -> None:
    assert f"UTC {expected} terminated" in explain(RECORD | {"userIdentity": identity})


def test_a_record_that_says_nothing_still_makes_a_sentence() -> None:
    assert explain({}) == "At an unknown time somebody called in an unknown service: succeeded."


@pytest.mark.parametrize(
    ("verb", "past"), [("Create", "created"), ("Modify", "modified"), ("Deploy", "deployed"), ("Put", "set")]
)
def test_past_tenses(verb: str, past: str) -> None:
    assert past_tense(verb) == past


def test_types_read_as_words() -> None:
    assert label("AWS::EC2::SecurityGroup") == "EC2 security group"
    assert label("AWS::RDS::DBInstance") == "RDS DB instance"


def test_a_resource_named_twice_is_told_once() -> None:
    made = RECORD | {
        "eventSource": "iam.amazonaws.com",
        "eventName": "CreateUser",
        "requestParameters": {"userName": "mallory"},
        "responseElements": {"user": {"userName": "mallory", "arn": "arn:aws:iam::111122223333:user/mallory"}},
    }

    assert "created the IAM user mallory in us-east-1" in explain(made)
