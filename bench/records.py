"""How many records a second one core builds and encodes, over a seeded mix of calls; the floor is 25,000.

python bench/records.py [--seconds 2] [--seed 1]
"""

import argparse
import json
import random
import statistics
import time
from datetime import UTC, datetime
from typing import Any

import msgspec

from trailstate.trail import record
from trailstate.wire.call import Call, Outcome, Principal, WireRequest, WireResponse

NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
WHO = Principal("IAMUser", "111122223333", "AIDAX", "arn:aws:iam::111122223333:user/a", "a", "AKIAIOSFODNN7EXAMPLE")
HEADERS = (("host", "s3.amazonaws.com"), ("x-amz-date", "20260115T093000Z"), ("x-amz-acl", "private"))
TAGS = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}]
ROLE = {"RoleName": "r", "AssumeRolePolicyDocument": "{}", "Path": "/"}
MIX: tuple[tuple[int, str, str, dict[str, Any], dict[str, Any] | None], ...] = (
    (25, "s3", "PutObject", {"Bucket": "b", "Key": "k"}, None),
    (10, "s3", "GetBucketTagging", {"Bucket": "b"}, None),
    (10, "ec2", "DescribeInstances", {"InstanceIds": ["i-1", "i-2"]}, None),
    (5, "ec2", "RunInstances", {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1, "TagSpecifications": TAGS},
     {"Instances": [{"InstanceId": "i-1", "LaunchTime": NOW, "State": {"Code": 0, "Name": "pending"}}]}),
    (10, "iam", "CreateRole", ROLE, {"Role": ROLE | {"Arn": "arn:aws:iam::1:role/r", "CreateDate": NOW}}),
    (10, "iam", "GetUser", {"UserName": "a"}, None),
    (10, "sts", "AssumeRole", {"RoleArn": "arn:aws:iam::111122223333:role/r", "RoleSessionName": "s"},
     {"Credentials": {"AccessKeyId": "ASIA", "SecretAccessKey": "x", "SessionToken": "t", "Expiration": NOW}}),
    (15, "sqs", "SendMessage", {"QueueUrl": "http://q", "MessageBody": "hello"}, {"MessageId": "m"}),
    (5, "lambda", "CreateFunction", {"FunctionName": "f", "Runtime": "python3.13", "Code": {"ZipFile": b"x"}},
     {"FunctionName": "f", "Runtime": "python3.13", "MemorySize": 128}),
)  # fmt: skip


def calls(seed: int, count: int) -> list[tuple[Call, Outcome]]:
    """A seeded mix of calls with their outcomes."""
    draw = random.Random(seed)
    kinds = draw.choices(MIX, weights=[weight for weight, *_ in MIX], k=count)
    return [_call(draw, *kind[1:]) for kind in kinds]


def _call(
    draw: random.Random, service: str, operation: str, parameters: dict[str, Any], result: dict[str, Any] | None
) -> tuple[Call, Outcome]:
    request = WireRequest("PUT", "/b/k?tagging", HEADERS if service == "s3" else ())
    call = Call(
        service, operation, parameters, "111122223333", "us-east-1", WHO, "198.51.100.7", "aws-cli/2.31",
        f"{draw.getrandbits(128):032x}", f"{draw.getrandbits(128):032x}", NOW, request, host=f"{service}.amazonaws.com",
    )  # fmt: skip
    return call, Outcome(WireResponse(200, (("x-amz-id-2", "id"),)), result)


def rate(work: list[tuple[Call, Outcome]], seconds: float) -> float:
    """Records a second."""
    encode = msgspec.json.Encoder().encode
    made, began = 0, time.process_time()
    while time.process_time() - began < seconds:
        for call, outcome in work:
            encode(record.build(call, outcome))
        made += len(work)
    return made / (time.process_time() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description="Records built and encoded a second, on one core.")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    work = calls(arguments.seed, 2000)
    rate(work, 0.2)
    rates = [rate(work, arguments.seconds) for _ in range(3)]
    print(f"records a second, three runs: {', '.join(f'{each:,.0f}' for each in rates)}")
    print(json.dumps({"records_per_second": round(statistics.median(rates)), "seed": arguments.seed}))


if __name__ == "__main__":
    main()
