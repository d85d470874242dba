"""Resource policies evaluated: CloudTrail's bucket policy, and each element of the language by example."""

import fnmatch
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailstate.values.policy import MalformedPolicy, Question, allows, read_policy

CLOUDTRAIL = "cloudtrail.amazonaws.com"
TRAIL = "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit"
OBJECT = "arn:aws:s3:::logs/AWSLogs/111122223333/CloudTrail/x.json.gz"
CONTEXT = {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": TRAIL, "aws:SourceIp": "10.1.2.3"}
PUT = Question("s3:PutObject", OBJECT, service=CLOUDTRAIL, context=CONTEXT)


def a_policy(**members: Any) -> dict[str, Any]:
    """CloudTrail's own statement for its log files, with some members replaced."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": CLOUDTRAIL},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::logs/AWSLogs/111122223333/*",
        "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
    }
    return {"Version": "2012-10-17", "Statement": [statement | members]}


def with_condition(**condition: Any) -> dict[str, Any]:
    return a_policy(Condition=condition)


def test_the_policy_of_the_user_guide_lets_cloudtrail_write() -> None:
    assert allows(a_policy(), PUT)


@pytest.mark.parametrize(
    "members",
    [
        {"Principal": {"Service": "config.amazonaws.com"}},
        {"Principal": {"AWS": "arn:aws:iam::111122223333:root"}},
        {"Action": "s3:GetObject"},
        {"Resource": "arn:aws:s3:::logs/AWSLogs/999999999999/*"},
        {"Condition": {"StringEquals": {"s3:x-amz-acl": "private"}}},
        {"Condition": {"StringEquals": {"aws:SourceArn": TRAIL + "2"}}},
        {"Effect": "Deny"},
        {"Condition": {"StringSounds": {"aws:SourceArn": TRAIL}}},
    ],
)
def test_each_element_can_keep_it_out(members: dict[str, Any]) -> None:
    assert not allows(a_policy(**members), PUT)


@pytest.mark.parametrize(
    "members",
    [
        {"Principal": "*"},
        {"Principal": {"Service": ["config.amazonaws.com", CLOUDTRAIL]}},
        {"Action": ["s3:Get*", "S3:put*"]},
        {"Action": "*"},
        {"Resource": ["arn:aws:s3:::other/*", "arn:aws:s3:::lo?s/*"]},
        {"Condition": {"StringLike": {"aws:sourcearn": "arn:aws:cloudtrail:*:111122223333:trail/*"}}},
        {"Condition": {}},
    ],
)
def test_each_element_can_be_wider(members: dict[str, Any]) -> None:
    assert allows(a_policy(**members), PUT)


def test_a_denial_outweighs_what_is_allowed() -> None:
    policy = a_policy()
    policy["Statement"].append({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"})
    assert not allows(policy, PUT)


def test_a_denial_whose_condition_is_not_understood_holds() -> None:
    policy = a_policy()
    denial = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    policy["Statement"].append(denial | {"Condition": {"StringSounds": {"a": "b"}}})
    assert not allows(policy, PUT)


def test_what_is_not_named_is_the_rest() -> None:
    policy = a_policy()
    statement = policy["Statement"][0]
    del statement["Action"], statement["Resource"]
    statement |= {"NotAction": "s3:Delete*", "NotResource": "arn:aws:s3:::other/*"}
    assert allows(policy, PUT)
    statement["NotAction"] = "s3:Put*"
    assert not allows(policy, PUT)


def test_accounts_and_people_are_principals_too() -> None:
    ana = Question("s3:PutObject", OBJECT, principal_arn="arn:aws:iam::111122223333:user/ana", context=CONTEXT)
    for named, allowed in (
        ("111122223333", True),
        ("arn:aws:iam::111122223333:root", True),
        ("arn:aws:iam::111122223333:user/ana", True),
        ("arn:aws:iam::111122223333:user/bob", False),
        ("arn:aws:iam::999999999999:root", False),
        ("*", True),
    ):
        assert allows(a_policy(Principal={"AWS": named}), ana) is allowed
    assert not allows(a_policy(), ana)


@pytest.mark.parametrize(
    ("operator", "key", "value", "holds"),
    [
        ("StringNotEquals", "aws:SourceArn", "x", True),
        ("StringNotLike", "aws:SourceArn", "arn:*", False),
        ("StringEqualsIgnoreCase", "s3:x-amz-acl", "Bucket-Owner-Full-Control", True),
        ("ArnLike", "aws:SourceArn", "arn:aws:cloudtrail:*:111122223333:trail/*", True),
        ("ArnLike", "aws:SourceArn", "arn:aws:*", False),
        ("ArnNotLike", "aws:SourceArn", "arn:aws:s3:*:*:*", True),
        ("IpAddress", "aws:SourceIp", "10.0.0.0/8", True),
        ("NotIpAddress", "aws:SourceIp", "10.0.0.0/8", False),
        ("IpAddress", "aws:SourceArn", "10.0.0.0/8", False),
        ("Null", "aws:SourceArn", "false", True),
        ("Null", "aws:PrincipalOrgID", "true", True),
        ("StringEquals", "aws:PrincipalOrgID", "o-1", False),
        ("StringEqualsIfExists", "aws:PrincipalOrgID", "o-1", True),
        ("StringNotEquals", "aws:PrincipalOrgID", "o-1", True),
        ("ForAllValues:StringEquals", "aws:TagKeys", ["a", "b"], True),
        ("ForAnyValue:StringEquals", "aws:TagKeys", "b", True),
        ("ForAllValues:StringEquals", "aws:TagKeys", "b", False),
        ("NumericLessThanEquals", "s3:max-keys", "10", True),
        ("NumericGreaterThan", "s3:max-keys", "10", False),
        ("DateLessThan", "aws:CurrentTime", "2026-02-01T00:00:00Z", True),
        ("DateGreaterThan", "aws:CurrentTime", "2026-02-01T00:00:00Z", False),
        ("Bool", "aws:SecureTransport", "false", True),
    ],
)
def test_conditions(operator: str, key: str, value: Any, holds: bool) -> None:
    context = CONTEXT | {
        "aws:TagKeys": ["a", "b"],
        "s3:max-keys": "10",
        "aws:CurrentTime": "2026-01-15T09:30:00Z",
        "aws:SecureTransport": "false",
    }
    question = Question("s3:PutObject", OBJECT, service=CLOUDTRAIL, context=context)
    assert allows(with_condition(**{operator: {key: value}}), question) is holds


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_wildcards_agree_with_a_regular_expression(pattern: str, value: str) -> None:
    policy = a_policy(Resource=pattern, Condition={})
    expected = re.fullmatch(fnmatch.translate(pattern), value) is not None
    assert allows(policy, Question("s3:PutObject", value, service=CLOUDTRAIL)) is expected


def test_many_stars_do_not_explode() -> None:
    policy = a_policy(Resource="*a" * 500 + "b", Condition={})
    assert not allows(policy, Question("s3:PutObject", "a" * 5000, service=CLOUDTRAIL))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"Statement": []}', '{"Statement": [{"Effect": "Maybe"}]}', '{"Statement": ["x"]}', "[" * 9000],
)
def test_what_is_no_policy_is_said_to_be_none(text: str) -> None:
    with pytest.raises(MalformedPolicy):
        read_policy(text)


def test_a_single_statement_needs_no_list() -> None:
    policy = read_policy(json.dumps(a_policy() | {"Statement": a_policy()["Statement"][0]}))
    assert allows(policy, PUT)
