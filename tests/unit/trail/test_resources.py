"""`resources` of a record: only where AWS's records have it, in its form and order, and none invented elsewhere."""

from typing import Any

import pytest

from trailstate.trail import record

from .test_record import a_call, done, failed

ACCOUNT = "111122223333"
KEY = {"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/k-1"}
BUCKET = {"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::b"}
PARAMETER = f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/"
ROLE = "arn:aws:iam::444455556666:role/r"


FUNCTION = {
    "accountId": ACCOUNT,
    "type": "AWS::Lambda::Function",
    "ARN": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f",
}


def a_table(name: str) -> dict[str, str]:
    arn = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/{name}"
    return {"accountId": ACCOUNT, "type": "AWS::DynamoDB::Table", "ARN": arn}


CASES = {
    "a bucket": ("s3", "PutBucketTagging", {"Bucket": "b"}, [BUCKET]),
    "an object, which has no account of its own, before its bucket": (
        "s3", "PutObject", {"Bucket": "b", "Key": "a/k"},
        [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::b/a/k"}, BUCKET],
    ),
    "a listing's prefix after its bucket": (
        "s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "a/"},
        [BUCKET, {"type": "AWS::S3::Object", "ARNPrefix": "arn:aws:s3:::b/a/"}],
    ),
    "no bucket at all": ("s3", "ListBuckets", {}, None),
    "a key by its id": ("kms", "DescribeKey", {"KeyId": "k-1"}, [KEY]),
    "a key by its ARN, as it stands": ("kms", "DescribeKey", {"KeyId": KEY["ARN"]}, [KEY]),
    "an alias is not the key": ("kms", "DescribeKey", {"KeyId": "alias/a"}, None),
    "an SSM parameter, which has no type": (
        "ssm", "GetParameter", {"Name": "/app/db"}, [{"accountId": ACCOUNT, "ARN": PARAMETER + "app/db"}],
    ),
    "several parameters, each once": (
        "ssm", "GetParameters", {"Names": ["a", "b", "a"]},
        [{"accountId": ACCOUNT, "ARN": PARAMETER + "a"}, {"accountId": ACCOUNT, "ARN": PARAMETER + "b"}],
    ),
    "a table": (
        "dynamodb", "PutItem", {"TableName": "t"},
        [a_table("t")],
    ),
    "the tables of a batch": (
        "dynamodb", "BatchGetItem", {"RequestItems": {"one": {"Keys": []}, "two": {"Keys": []}}},
        [a_table("one"), a_table("two")],
    ),
    "the tables of a transaction, each once": (
        "dynamodb", "TransactWriteItems",
        {"TransactItems": [{"Put": {"TableName": "one"}}, {"Delete": {"TableName": "one"}},
                           {"ConditionCheck": {"TableName": a_table("two")["ARN"]}}]},
        [a_table("one"), a_table("two")],
    ),
    "the table of a PartiQL statement": (
        "dynamodb", "ExecuteStatement", {"Statement": 'SELECT * FROM "one" WHERE artist = ?'},
        [a_table("one")],
    ),
    "the tables of PartiQL statements": (
        "dynamodb", "BatchExecuteStatement",
        {"Statements": [{"Statement": "UPDATE one SET album = ?"}, {"Statement": "insert into two value {'k': ?}"}]},
        [a_table("one"), a_table("two")],
    ),
    "no table of what is no statement": ("dynamodb", "ExecuteStatement", {"Statement": "EXPLAIN"}, None),
    "a function by its name": ("lambda", "Invoke", {"FunctionName": "f"}, [FUNCTION]),
    "a function by account and name": ("lambda", "Invoke", {"FunctionName": f"{ACCOUNT}:function:f"}, [FUNCTION]),
    "a function by its ARN": ("lambda", "Invoke", {"FunctionName": FUNCTION["ARN"]}, [FUNCTION]),
    "the role that was assumed, of the account it is in": (
        "sts", "AssumeRole", {"RoleArn": ROLE}, [{"accountId": "444455556666", "type": "AWS::IAM::Role", "ARN": ROLE}],
    ),
    "EC2 names none": ("ec2", "TerminateInstances", {"InstanceIds": ["i-1"]}, None),
    "IAM names none": ("iam", "CreateUser", {"UserName": "alice"}, None),
}  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "parameters", "written"), CASES.values(), ids=CASES)
def test_resources_of_a_call(
    service: str, operation: str, parameters: dict[str, Any], written: list[dict[str, str]] | None
) -> None:
    assert record.build(a_call(service, operation, parameters), done({})).get("resources") == written


def test_a_key_made_by_the_call_is_read_from_the_answer() -> None:
    event = record.build(a_call("kms", "Encrypt", {"KeyId": "alias/a"}), done({"KeyId": KEY["ARN"]}))
    assert event["resources"] == [KEY]


def test_a_bucket_that_does_not_exist_is_no_resource() -> None:
    event = record.build(a_call("s3", "GetBucketTagging", {"Bucket": "b"}), failed("NoSuchBucket", status=404))
    assert "resources" not in event
