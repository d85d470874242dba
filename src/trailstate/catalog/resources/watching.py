"""What watches: CloudWatch Logs' log group and CloudWatch's alarm."""

from typing import Any

from trailstate.catalog.touch import REQUEST, asked, at
from trailstate.configuration.form import Describe, Look, ResourceType, Seen

LOGS_GONE = ("ResourceNotFoundException",)


def _log_group(look: Look) -> Any:
    """DescribeLogGroups knows prefixes alone."""
    named = Describe("logs", "DescribeLogGroups", {"logGroupNamePrefix": "{key}"}, "logGroups[]")
    exact = (each for each in look.ask(named) or () if each["logGroupName"] == look.key)
    return next(exact, None)


def _log_group_name(text: str) -> str:
    """The name of a name or of an ARN, which may end in `:*`; other things have ARNs of other kinds."""
    if not text.startswith("arn:"):
        return text
    return text.split(":log-group:", 1)[1].removesuffix(":*") if ":log-group:" in text else ""


HELD = ("KmsKeyId", "LogGroupClass", "LogGroupName", "RetentionInDays")


def _as_template(configuration: dict[str, Any], seen: Seen) -> dict[str, Any]:
    """A log group as CloudFormation describes it: no published schema says what an item holds. Its size is not told,
    since it moves by itself."""
    held = {name: configuration[name] for name in HELD if name in configuration}
    tags = [{"Key": name, "Value": value} for name, value in (seen.raw.get("tags") or {}).items()]
    return held | {"Arn": configuration.get("Arn"), "Tags": tags}


def _made(look: Look) -> float:
    return float(look.raw.get("creationTime", 0)) / 1000


LOG_GROUP = ResourceType(
    name="AWS::Logs::LogGroup",
    listing=Describe("logs", "DescribeLogGroups", at="logGroups[]"),
    key="logGroupName",
    describe=_log_group,
    listed_whole=True,
    more={
        "tags": Describe("logs", "ListTagsLogGroup", {"logGroupName": "{key}"}, "tags", LOGS_GONE),
        "Made": _made,
    },
    resource_name="{key}",
    arn="{arn}",
    created="{Made}",
    tags="tags",
    pascal=True,
    finish=_as_template,
    touched_by=asked(
        "logGroupName",
        "CreateLogGroup",
        "DeleteLogGroup",
        "DeleteRetentionPolicy",
        "PutRetentionPolicy",
        "TagLogGroup",
        "UntagLogGroup",
    )
    | at((f"{REQUEST}.logGroupName", f"{REQUEST}.resourceIdentifier"), "AssociateKmsKey", "DisassociateKmsKey")
    | asked("resourceArn", "TagResource", "UntagResource")
    | at(
        f"{REQUEST}.logGroupName",
        "CreateLogStream",
        "DeleteLogStream",
        "DeleteMetricFilter",
        "DeleteSubscriptionFilter",
        "PutMetricFilter",
        "PutSubscriptionFilter",
    ),
    read_key=_log_group_name,
)


def _alarm_name(text: str) -> str:
    """The name of a name or of an ARN."""
    if not text.startswith("arn:"):
        return text
    return text.split(":alarm:", 1)[1] if ":alarm:" in text else ""


ALARM = ResourceType(
    name="AWS::CloudWatch::Alarm",
    listing=Describe("cloudwatch", "DescribeAlarms", {"AlarmTypes": ["MetricAlarm"]}, "MetricAlarms[]"),
    key="AlarmName",
    describe=Describe(
        "cloudwatch", "DescribeAlarms", {"AlarmNames": ["{key}"], "AlarmTypes": ["MetricAlarm"]}, "MetricAlarms[]"
    ),
    listed_whole=True,
    more={
        "Tags": Describe(
            "cloudwatch", "ListTagsForResource", {"ResourceARN": "{AlarmArn}"}, "Tags[]", ("ResourceNotFoundException",)
        )
    },
    resource_name="{key}",
    arn="{AlarmArn}",
    touched_by=asked("alarmName", "PutMetricAlarm")
    | asked("alarmNames[]", "DeleteAlarms", "DisableAlarmActions", "EnableAlarmActions")
    | asked("alarmName", "SetAlarmState")
    | asked("resourceARN", "TagResource", "UntagResource"),
    read_key=_alarm_name,
)

RESOURCES = (LOG_GROUP, ALARM)
