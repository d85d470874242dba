"""The two questions every incident response begins with: who terminated it, and who deleted it."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from trailstate.incidents.form import TIME, Answer, Incident, Planted, brief_time
from trailstate.incidents.stage import Stage

IMAGE = "ami-12c6146b"
COLUMNS = (TIME, "event", "who", "kind", "result")


def _terminate_instance(stage: Stage) -> Planted:
    ec2 = stage.client("ec2")
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "prod-web-1"}]}]
    launched = ec2.run_instances(ImageId=IMAGE, InstanceType="t3.micro", MinCount=1, MaxCount=1, TagSpecifications=tags)
    instance = launched["Instances"][0]["InstanceId"]
    stage.advance(timedelta(minutes=7))
    dana = stage.developer("dana")
    stage.client("ec2", dana).describe_instances(InstanceIds=[instance])
    on_call = stage.session("ops-oncall", "dana", by=dana)
    stage.advance(timedelta(minutes=5))
    stage.client("ec2", on_call).terminate_instances(InstanceIds=[instance])
    return {"resource": instance, "event": "TerminateInstances", "who": "ops-oncall/dana"}


def _delete_bucket(stage: Stage) -> Planted:
    bucket = f"payroll-exports-{stage.account}"
    s3 = stage.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="2026/november.csv", Body=b"name,amount\n")
    stage.advance(timedelta(minutes=48))
    evan = stage.developer("evan")
    try:
        stage.client("s3", evan).delete_bucket(Bucket=bucket)
    except ClientError as refused:
        if refused.response["Error"]["Code"] != "BucketNotEmpty":
            raise
    stage.advance(timedelta(hours=2, minutes=14))
    as_root = stage.client("s3", stage.root)
    as_root.delete_object(Bucket=bucket, Key="2026/november.csv")
    as_root.delete_bucket(Bucket=bucket)
    return {"resource": bucket, "event": "DeleteBucket", "who": "root"}


def _ask_who(stage: Stage, planted: Planted) -> Answer:
    """Ask the event history about the resource; the answer is the last successful event of the planted name."""
    attribute = {"AttributeKey": "ResourceName", "AttributeValue": planted["resource"]}
    pages = stage.client("cloudtrail").get_paginator("lookup_events").paginate(LookupAttributes=[attribute])
    events = [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]
    writes = [event for event in events if not event["readOnly"]]
    done = [event for event in writes if event["eventName"] == planted["event"] and "errorCode" not in event]
    found = _who(done[0]["userIdentity"]) if done else "nobody"
    return Answer(
        command=(
            "aws cloudtrail lookup-events --lookup-attributes "
            f"AttributeKey=ResourceName,AttributeValue={planted['resource']}"
        ),
        columns=COLUMNS,
        rows=[_row(event) for event in writes],
        sentence=_sentence(done, planted["resource"]),
        is_right=found == planted["who"],
    )


def _row(event: dict[str, Any]) -> tuple[str, ...]:
    identity = event["userIdentity"]
    result = event.get("errorCode", "succeeded")
    return (brief_time(event["eventTime"]), event["eventName"], _who(identity), identity["type"], result)


def _who(identity: dict[str, Any]) -> str:
    if identity["type"] == "Root":
        return "root"
    if identity["type"] == "AssumedRole":
        return str(identity["arn"]).partition(":assumed-role/")[2]
    return str(identity.get("userName", identity.get("invokedBy", "?")))


def _sentence(done: Sequence[dict[str, Any]], resource: str) -> str:
    if not done:
        return f"Nobody: the event history shows no such call on {resource}."
    event = done[0]
    identity = event["userIdentity"]
    key = identity.get("accessKeyId", "no access key")
    return (
        f"{_who(identity)} ({identity['type']}, access key {key}) called {event['eventName']} "
        f"at {event['eventTime']} from {event['sourceIPAddress']}."
    )


TERMINATED_INSTANCE = Incident(
    name="terminated-instance",
    question="Who terminated the production instance?",
    services="CloudTrail event history (LookupEvents by ResourceName) · EC2 · STS · IAM",
    story="A developer assumes the on-call role and terminates the instance prod-web-1.",
    play=_terminate_instance,
    ask=_ask_who,
    is_of_exam=True,
)

DELETED_BUCKET = Incident(
    name="deleted-bucket",
    question="Who deleted the bucket?",
    services="CloudTrail event history (LookupEvents by ResourceName) · S3 · root user",
    story="A developer fails to delete a bucket that is not empty; hours later root empties and deletes it.",
    play=_delete_bucket,
    ask=_ask_who,
    is_of_exam=True,
)
