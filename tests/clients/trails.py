"""What trails need around them, made as an administrator would: a bucket that lets CloudTrail in, and a trail on it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from trailstate.testing import Lab

CLOUDTRAIL = {"Service": "cloudtrail.amazonaws.com"}


def assert_refused(code: str, call: Callable[..., Any], **parameters: Any) -> str:
    """The message with which the call is refused, having that code."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return str(caught.value.response["Error"]["Message"])


def bucket_policy(bucket: str, folder: str = "AWSLogs", **condition: Any) -> str:
    """The policy of the user guide, for every account below `folder`."""
    check = {"Sid": "AclCheck", "Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{bucket}"}
    write = {
        "Sid": "Write",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/{folder}/*",
        "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", **condition}},
    }
    statements = [{"Effect": "Allow", "Principal": CLOUDTRAIL, **each} for each in (check, write)]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def log_permission(group: str) -> str:
    """What a role must be allowed so that CloudTrail can write to a log group with it."""
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": f"{group.removesuffix(':*')}:log-stream:*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def a_bucket(aws: Lab, name: str, *, key: str | None = None, policy: str | None = None) -> str:
    """A bucket into which CloudTrail may deliver."""
    s3 = aws.client("s3", key=key)
    s3.create_bucket(Bucket=name)
    s3.put_bucket_policy(Bucket=name, Policy=policy or bucket_policy(name))
    return name


def a_trail(aws: Lab, name: str, bucket: str, *, region: str = "us-east-1", key: str | None = None, **more: Any) -> str:
    """The ARN of a trail that logs."""
    client = aws.client("cloudtrail", region=region, key=key)
    arn: str = client.create_trail(Name=name, S3BucketName=bucket, **more)["TrailARN"]
    client.start_logging(Name=arn)
    return arn
