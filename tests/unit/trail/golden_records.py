"""Whole records of a morning's work, made through the real codec in a world that stands still.

The files in `golden/` are reviewed by eye. After a change that means to change records, this writes them anew, and
`git diff` shows what became of each:

    python -m tests.unit.trail.golden_records --write
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

from trailstate.trail import record
from trailstate.wire import model
from trailstate.wire.call import Call, Outcome, Principal, Session, SessionIssuer
from trailstate.wire.decode import decode
from trailstate.wire.encode import encode_fault, encode_result
from trailstate.wire.fault import Fault, faults
from trailstate.wire.parse import parse
from trailstate.wire.route import route
from trailstate.wire.serialize import serialize
from trailstate.world import SimulatedWorld

GOLDEN = Path(__file__).parent / "golden"
ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
NOW = SimulatedWorld().now()
TLS = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"}
AGENT = "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux#6.8 md/arch#x86_64 lang/python#3.13.7"
ALICE = Principal(
    "IAMUser", ACCOUNT, "AIDAZQ3DR4EXAMPLE", f"arn:aws:iam::{ACCOUNT}:user/alice", "alice", "AKIAIOSFODNN7EXAMPLE"
)
ROLE = SessionIssuer("Role", "AROAZQ3DR4EXAMPLE", f"arn:aws:iam::{ACCOUNT}:role/deploy", ACCOUNT, "deploy")
DEPLOY = Principal(
    "AssumedRole", ACCOUNT, "AROAZQ3DR4EXAMPLE:ci", f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/ci",
    access_key_id="ASIAIOSFODNN7EXAMPLE", session=Session(NOW - timedelta(minutes=12), issuer=ROLE),
)  # fmt: skip
ROOT = Principal("Root", ACCOUNT, ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", access_key_id="AKIAI44QH8DHBEXAMPLE",
                 session=Session(NOW - timedelta(hours=1), mfa_authenticated=True))  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """One call and the answer it gets."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    result: Mapping[str, Any] = field(default_factory=dict)
    fault: Fault | None = None
    who: Principal = ALICE
    region: str = "us-east-1"


def _state(code: int, name: str) -> dict[str, Any]:
    return {"Code": code, "Name": name}


def _assumed(account: str) -> dict[str, Any]:
    return {
        "Credentials": {
            "AccessKeyId": "ASIAXEXAMPLE",
            "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "SessionToken": "AQoDYXdzEXAMPLE",
            "Expiration": NOW + timedelta(hours=1),
        },
        "AssumedRoleUser": {
            "AssumedRoleId": "AROAXEXAMPLE:audit",
            "Arn": f"arn:aws:sts::{account}:assumed-role/auditor/audit",
        },
    }


POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::example-logs/*"]}
    ],
}  # fmt: skip

SCENES = {
    "ec2-run-instances": Scene(
        "ec2", "RunInstances",
        {"ImageId": "ami-0abcdef1234567890", "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1,
         "KeyName": "ops", "SecurityGroupIds": ["sg-0123456789abcdef0"], "SubnetId": "subnet-0123456789abcdef0",
         "UserData": "IyEvYmluL3No", "ClientToken": "c1a5e0d2",
         "TagSpecifications": [
             {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}, {"Key": "stage", "Value": "prod"}]}
         ]},
        {"ReservationId": "r-0123456789abcdef0", "OwnerId": ACCOUNT, "Groups": [],
         "Instances": [
             {"InstanceId": "i-0123456789abcdef0", "ImageId": "ami-0abcdef1234567890", "InstanceType": "t3.micro",
              "State": _state(0, "pending"), "LaunchTime": NOW, "KeyName": "ops", "AmiLaunchIndex": 0,
              "Monitoring": {"State": "disabled"},
              "Placement": {"AvailabilityZone": "us-east-1a", "Tenancy": "default"},
              "PrivateIpAddress": "10.0.0.10", "SubnetId": "subnet-0123456789abcdef0", "EbsOptimized": False,
              "SecurityGroups": [{"GroupId": "sg-0123456789abcdef0", "GroupName": "web"}],
              "Tags": [{"Key": "Name", "Value": "web"}]}
         ]},
        who=DEPLOY,
    ),
    "ec2-terminate-instances": Scene(
        "ec2", "TerminateInstances", {"InstanceIds": ["i-0123456789abcdef0"]},
        {"TerminatingInstances": [
            {"InstanceId": "i-0123456789abcdef0", "CurrentState": _state(32, "shutting-down"),
             "PreviousState": _state(16, "running")}
        ]},
    ),
    "ec2-terminate-instances-refused": Scene(
        "ec2", "TerminateInstances", {"InstanceIds": ["i-0123456789abcdef0"]},
        fault=Fault("UnauthorizedOperation", "You are not authorized to perform this operation.", 403, "ec2"),
    ),
    "s3-create-bucket": Scene(
        "s3", "CreateBucket",
        {"Bucket": "example-logs", "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}},
        {"Location": "http://example-logs.s3.amazonaws.com/"}, region="eu-west-1",
    ),
    "s3-put-bucket-policy": Scene(
        "s3", "PutBucketPolicy", {"Bucket": "example-logs", "Policy": json.dumps(POLICY)}, who=ROOT,
    ),
    "sts-assume-role": Scene(
        "sts", "AssumeRole", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/auditor", "RoleSessionName": "audit"},
        _assumed(ACCOUNT),
    ),
    "sts-assume-role-of-another-account": Scene(
        "sts", "AssumeRole",
        {"RoleArn": f"arn:aws:iam::{OTHER_ACCOUNT}:role/auditor", "RoleSessionName": "audit", "ExternalId": "x-1",
         "DurationSeconds": 900},
        _assumed(OTHER_ACCOUNT),
    ),
    "iam-create-user": Scene(
        "iam", "CreateUser", {"UserName": "bob", "Tags": [{"Key": "team", "Value": "web"}]},
        {"User": {"Path": "/", "UserName": "bob", "UserId": "AIDAXEXAMPLE", "CreateDate": NOW,
                  "Arn": f"arn:aws:iam::{ACCOUNT}:user/bob", "Tags": [{"Key": "team", "Value": "web"}]}},
        region="eu-west-1",
    ),
    "iam-create-access-key": Scene(
        "iam", "CreateAccessKey", {"UserName": "bob"},
        {"AccessKey": {"UserName": "bob", "AccessKeyId": "AKIAXEXAMPLE", "Status": "Active", "CreateDate": NOW,
                       "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}},
    ),
    "iam-get-user-that-does-not-exist": Scene(
        "iam", "GetUser", {"UserName": "eve"},
        fault=faults("iam").NoSuchEntityException("The user with name eve cannot be found."),
    ),
    "sqs-create-queue": Scene(
        "sqs", "CreateQueue", {"QueueName": "orders", "Attributes": {"VisibilityTimeout": "60"}},
        {"QueueUrl": f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/orders"},
    ),
    "lambda-create-function": Scene(
        "lambda", "CreateFunction",
        {"FunctionName": "resize", "Runtime": "python3.13", "Role": f"arn:aws:iam::{ACCOUNT}:role/resize",
         "Handler": "app.handler", "Code": {"ZipFile": b"PK"}, "Timeout": 30,
         "Environment": {"Variables": {"TOKEN": "not for the record"}}},
        {"FunctionName": "resize", "FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:resize",
         "Runtime": "python3.13", "Role": f"arn:aws:iam::{ACCOUNT}:role/resize", "Handler": "app.handler",
         "CodeSize": 2, "Timeout": 30, "MemorySize": 128, "LastModified": "2026-01-15T09:30:00.000+0000",
         "Version": "$LATEST", "Environment": {"Variables": {"TOKEN": "not for the record"}}, "State": "Pending"},
        who=DEPLOY,
    ),
    "rds-create-db-instance": Scene(
        "rds", "CreateDBInstance",
        {"DBInstanceIdentifier": "orders", "DBInstanceClass": "db.t4g.micro", "Engine": "postgres",
         "MasterUsername": "admin", "MasterUserPassword": "not for the record", "AllocatedStorage": 20,
         "VpcSecurityGroupIds": ["sg-0123456789abcdef0"]},
        {"DBInstance": {
            "DBInstanceIdentifier": "orders", "DBInstanceClass": "db.t4g.micro", "Engine": "postgres",
            "DBInstanceStatus": "creating", "MasterUsername": "admin", "AllocatedStorage": 20,
            "PendingModifiedValues": {"MasterUserPassword": "****"}, "InstanceCreateTime": NOW, "MultiAZ": False,
            "DBInstanceArn": f"arn:aws:rds:us-east-1:{ACCOUNT}:db:orders",
            "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-0123456789abcdef0", "Status": "active"}]}},
    ),
    "cloudtrail-lookup-events": Scene(
        "cloudtrail", "LookupEvents",
        {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "TerminateInstances"}],
         "StartTime": datetime(2026, 1, 14, 15, 30, tzinfo=UTC), "MaxResults": 50},
        {"Events": []},
    ),
}  # fmt: skip


def records(name: str) -> list[dict[str, Any]]:
    """The scene's record, and its copy for another account where there is one."""
    scene, world = SCENES[name], SimulatedWorld(seed=crc32(name.encode()))
    request = serialize(scene.service, scene.operation, scene.parameters, region=scene.region)
    found = route(request)
    request_id = world.token(16, "0123456789ABCDEF") if found.service == "s3" else world.uuid()
    call = Call(
        service=found.service, operation=found.operation, parameters=decode(request, found), account=ACCOUNT,
        region=found.region, principal=scene.who, source_address="198.51.100.7", user_agent=AGENT,
        request_id=request_id, event_id=world.uuid(), now=world.now(), request=request, protocol=found.protocol,
        host=request.header("host") or "", tls=TLS,
    )  # fmt: skip
    return record.build_all(record.draft(call), _answer(call, scene))


def _answer(call: Call, scene: Scene) -> Outcome:
    known = model.operation_model(call.service, call.operation)
    if scene.fault is not None:
        response = encode_fault(call.service, call.protocol, scene.fault, call.request_id)
    else:
        response = encode_result(call.service, known, call.protocol, scene.result, call.request_id)
    return Outcome(response, *parse(call.service, known, call.protocol, response))


def text(name: str) -> str:
    """The scene's file: its records, members in the order in which they are written."""
    return json.dumps(records(name), indent=2) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="The golden records: what has changed, or with --write, written anew.")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    GOLDEN.mkdir(exist_ok=True)
    for name in SCENES:
        file = GOLDEN / f"{name}.json"
        if not file.exists() or file.read_text() != text(name):
            print(("written: " if arguments.write else "differs: ") + file.name)
            if arguments.write:
                file.write_text(text(name))


if __name__ == "__main__":
    main()
