"""The AWS that evidence is delivered to, in memory: buckets, log streams, buses and topics behind a `Door`.

Each call can fail in two forms: before its effect, or after it (the answer is lost).
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trailstate.wire.call import Principal
from trailstate.wire.fault import Fault

Members = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stored:
    body: bytes
    metadata: Mapping[str, str]
    encryption: str


def open_policy(bucket: str) -> str:
    """What AWS's guide tells one to put on a trail's bucket."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass
class Cloud:
    """`fails` is asked before and after each effect; what it raises goes to the caller."""

    fails: Callable[[str, bool], None] = lambda _operation, _kept: None
    buckets: dict[str, dict[str, Stored]] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)
    streams: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)
    events: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    messages: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    calls: Counter[str] = field(default_factory=Counter)
    callers: set[str] = field(default_factory=set)

    def make_bucket(self, name: str) -> None:
        self.buckets[name] = {}
        self.policies[name] = open_policy(name)

    def call(
        self, service: str, operation: str, parameters: Members, *, account: str, region: str, as_: Principal
    ) -> Members:
        self.calls[operation] += 1
        self.callers.add(as_.invoked_by or as_.arn)
        self.fails(operation, False)
        answer = DOES[service, operation](self, parameters, account, region)
        self.fails(operation, True)
        return answer


def _bucket(cloud: Cloud, parameters: Members) -> dict[str, Stored]:
    if parameters["Bucket"] not in cloud.buckets:
        raise Fault("NoSuchBucket", "The specified bucket does not exist", 404, "s3")
    return cloud.buckets[parameters["Bucket"]]


def _get_bucket_policy(cloud: Cloud, parameters: Members, account: str, region: str) -> Members:
    _bucket(cloud, parameters)
    if parameters["Bucket"] not in cloud.policies:
        raise Fault("NoSuchBucketPolicy", "The bucket policy does not exist", 404, "s3")
    return {"Policy": cloud.policies[parameters["Bucket"]]}


def _put_object(cloud: Cloud, parameters: Members, account: str, region: str) -> Members:
    bucket = _bucket(cloud, parameters)
    assert parameters["IfNoneMatch"] == "*"
    assert parameters["ACL"] == "bucket-owner-full-control"
    if parameters["Key"] in bucket:
        raise Fault("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412, "s3")
    bucket[parameters["Key"]] = Stored(parameters["Body"], parameters["Metadata"], parameters["ServerSideEncryption"])
    return {}


def _get_object(cloud: Cloud, parameters: Members, account: str, region: str) -> Members:
    return {"Body": _bucket(cloud, parameters)[parameters["Key"]].body}


def _create_log_stream(cloud: Cloud, parameters: Members, account: str, region: str) -> Members:
    cloud.streams[parameters["logGroupName"], parameters["logStreamName"]] = []
    return {}


def _put_log_events(cloud: Cloud, parameters: Members, account: str, region: str) -> Members:
    place = (parameters["logGroupName"], parameters["logStreamName"])
    if place not in cloud.streams:
        raise Fault("ResourceNotFoundException", "The specified log stream does not exist.", 400, "logs")
    times = [event["timestamp"] for event in parameters["logEvents"]]
    assert times == sorted(times)
    cloud.streams[place] += parameters["logEvents"]
    return {}


def _put_events(cloud: Cloud, parameters: Members, account: str, region: str) -> Members:
    assert 1 <= len(parameters["Entries"]) <= 10
    cloud.events[account, region] += parameters["Entries"]
    return {"FailedEntryCount": 0, "Entries": []}


def _publish(cloud: Cloud, parameters: Members, account: str, region: str) -> Members:
    cloud.messages[parameters["TopicArn"]].append(parameters["Message"])
    return {"MessageId": "1"}


DOES: dict[tuple[str, str], Callable[[Cloud, Members, str, str], Members]] = {
    ("s3", "GetBucketPolicy"): _get_bucket_policy,
    ("s3", "PutObject"): _put_object,
    ("s3", "GetObject"): _get_object,
    ("logs", "CreateLogStream"): _create_log_stream,
    ("logs", "PutLogEvents"): _put_log_events,
    ("events", "PutEvents"): _put_events,
    ("sns", "Publish"): _publish,
}
