"""Detection set up as a person would: a trail into a log group, filters, alarms, and a topic that tells somebody.

Everything goes through the AWS API. What is there already is used, so that it can be done again.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trailstate.incidents.evidence import audit_bucket
from trailstate.incidents.stage import Stage
from trailstate.watch.standards import NAMESPACE
from trailstate.world import sleep

TRAIL = "detection"
GROUP = "cloudtrail-detection"
ROLE = "cloudtrail-to-logs"
TOPIC = "detection"
READER = "security@example.com"
PERIOD_SECONDS = 10
LOOKS_MAX = 100
LOOK_SECONDS = 0.3
TOKEN = re.compile(r"[?&]Token=([0-9a-zA-Z]+)")


@dataclass(frozen=True, slots=True)
class Detector:
    """A metric filter and its alarm, which go by one name."""

    name: str
    title: str
    pattern: str


def trails(stage: Stage) -> dict[str, str | None]:
    """The account's trails, and the log group of each that has one."""
    found = stage.client("cloudtrail").describe_trails(includeShadowTrails=False)["trailList"]
    groups = {each["Name"]: each.get("CloudWatchLogsLogGroupArn") for each in found}
    return {name: arn.split(":")[6] if arn else None for name, arn in groups.items()}


def log_group(stage: Stage) -> str:
    """The log group of a trail of the account; a trail is made if none has one."""
    return next(filter(None, trails(stage).values()), None) or made_group(stage)


def made_group(stage: Stage) -> str:
    """A new group, into which a new trail writes."""
    logs, iam, cloudtrail = (stage.client(name) for name in ("logs", "iam", "cloudtrail"))
    if not logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]:
        logs.create_log_group(logGroupName=GROUP)
    arn = f"arn:aws:logs:{stage.region}:{stage.account}:log-group:{GROUP}:*"
    if ROLE not in {each["RoleName"] for each in iam.list_roles()["Roles"]}:
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=_policy("sts:AssumeRole", service="cloudtrail"))
    writing = _policy("logs:CreateLogStream", "logs:PutLogEvents", resource=arn)
    iam.put_role_policy(RoleName=ROLE, PolicyName="write", PolicyDocument=writing)
    cloudtrail.create_trail(
        Name=TRAIL,
        S3BucketName=audit_bucket(stage, f"{TRAIL}-{stage.account}"),
        IsMultiRegionTrail=True,
        CloudWatchLogsLogGroupArn=arn,
        CloudWatchLogsRoleArn=f"arn:aws:iam::{stage.account}:role/{ROLE}",
    )
    cloudtrail.start_logging(Name=TRAIL)
    return GROUP


def _policy(*actions: str, service: str | None = None, resource: str | None = None) -> str:
    about = {"Principal": {"Service": f"{service}.amazonaws.com"}} if service else {"Resource": resource}
    statement = {"Effect": "Allow", "Action": list(actions), **about}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def topic(stage: Stage, address: str = READER) -> str:
    """A topic that writes to the address, which confirms with the token of the letter it gets."""
    sns = stage.client("sns")
    arn = str(sns.create_topic(Name=TOPIC)["TopicArn"])
    known = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    if any(each["Endpoint"] == address and each["SubscriptionArn"].startswith("arn:") for each in known):
        return arn
    since = datetime.fromisoformat(letters(stage)[-1]["time"]) if letters(stage) else None
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint=address)
    letter = arriving(stage, address, arn, since)
    token = TOKEN.search(letter["body"]) if letter else None
    if token is not None:
        sns.confirm_subscription(TopicArn=arn, Token=token[1])
    return arn


def letters(stage: Stage) -> Sequence[Mapping[str, str]]:
    """What lies in the lab's mailbox, oldest first."""
    found: Sequence[Mapping[str, str]] = stage.page("GET", "/_trailstate/inbox").get("letters", ())
    return found


def arriving(stage: Stage, address: str, words: str, since: datetime | None) -> Mapping[str, str] | None:
    """The first letter to the address, not older than a time, that holds the words; waits for it a while."""
    for look in range(LOOKS_MAX):
        found = next(_matching(letters(stage), address, words, since), None)
        if found is not None:
            return found
        if look:
            sleep(LOOK_SECONDS)
        else:
            stage.advance(timedelta(seconds=2 * PERIOD_SECONDS))
    return None


def _matching(
    found: Sequence[Mapping[str, str]], address: str, words: str, since: datetime | None
) -> Iterator[Mapping[str, str]]:
    for each in found:
        is_new = since is None or datetime.fromisoformat(each["time"]) >= since
        if is_new and each["to"] == address and (words in each["subject"] or words in each["body"]):
            yield each


def put_detector(stage: Stage, group: str, detector: Detector, topic_arn: str) -> None:
    """The filter on the group, and the alarm that tells the topic as soon as one event matches."""
    stage.client("logs").put_metric_filter(
        logGroupName=group,
        filterName=detector.name,
        filterPattern=detector.pattern,
        metricTransformations=[
            {"metricName": detector.name, "metricNamespace": NAMESPACE, "metricValue": "1"},
        ],
    )
    stage.client("cloudwatch").put_metric_alarm(
        AlarmName=detector.name,
        AlarmDescription=detector.title,
        Namespace=NAMESPACE,
        MetricName=detector.name,
        Statistic="Sum",
        Period=PERIOD_SECONDS,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=[topic_arn],
    )


def alarms(stage: Stage, names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """The alarms of these names that are there."""
    pages = stage.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNames=list(names))
    return {each["AlarmName"]: each for page in pages for each in page["MetricAlarms"]}
