"""AWS::SNS, AWS::Events and AWS::CloudWatch types in stacks: topics, buses, rules and alarms."""

import json
from collections.abc import Iterable
from typing import Any

from trailstate.estate.stacks.form import (
    ANSWER,
    FOUND,
    ID,
    NAME,
    Properties,
    StackType,
    Step,
    alone,
    arn,
    before,
    changed,
    constant,
    each_of,
    given,
    retagged,
    tag_list,
)

# ---- SNS ----

TOPIC_ATTRIBUTES = (
    "ArchivePolicy",
    "ContentBasedDeduplication",
    "DisplayName",
    "FifoThroughputScope",
    "FifoTopic",
    "KmsMasterKeyId",
    "SignatureVersion",
    "TracingConfig",
)
CHANGEABLE = ("DisplayName", "KmsMasterKeyId", "SignatureVersion", "TracingConfig", "ContentBasedDeduplication")
SUBSCRIPTION_ATTRIBUTES = (
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
    "ReplayPolicy",
    "SubscriptionRoleArn",
)
EMPTY_POLICY = {"RawMessageDelivery": "false", "FilterPolicyScope": "MessageAttributes"}
"""What an attribute is set to that a template says nothing of any more; the others are emptied."""


def _attributes(*names: str) -> Any:
    return lambda properties: {name: properties[name] for name in names if properties.get(name) is not None} or None


def _changes(*names: str) -> Any:
    """One call for each attribute that the template says otherwise than before."""

    def each(properties: Properties) -> Iterable[Properties]:
        for name in names:
            if changed(name)(properties):
                value = properties.get(name, EMPTY_POLICY.get(name, ""))
                yield {**properties, "@attribute": name, "@value": value}

    return each


def _per_topic(properties: Properties) -> Iterable[Properties]:
    return [{**properties, "@topic": each} for each in properties["Topics"]]


def _left_topics(properties: Properties) -> Iterable[Properties]:
    """Topics that the policy was on and is no more."""
    left = [each for each in before(properties).get("Topics", ()) if each not in properties["Topics"]]
    return [{**properties, "@topic": each} for each in left]


NO_POLICY = constant("")
"""Sets a topic's policy to the one it had from the start."""


def _policy_step(value: Any, each: Any) -> Step:
    members = {"TopicArn": "@topic", "AttributeName": constant("Policy"), "AttributeValue": value}
    return Step("SetTopicAttributes", members, each=each)


SUBSCRIBE = {"TopicArn": ID, "Protocol": "Protocol", "Endpoint": "Endpoint"}

SNS = (
    StackType(
        "AWS::SNS::Topic",
        "sns",
        "TopicName",
        create=(
            Step("CreateTopic", {"Name": ID, "Attributes": _attributes(*TOPIC_ATTRIBUTES), "Tags": "Tags"}),
            Step("Subscribe", SUBSCRIBE, each=each_of("Subscription")),
            Step(
                "PutDataProtectionPolicy",
                {"ResourceArn": ID, "DataProtectionPolicy": "DataProtectionPolicy"},
                given("DataProtectionPolicy"),
            ),
        ),
        update=(
            Step(
                "SetTopicAttributes",
                {"TopicArn": ID, "AttributeName": "@attribute", "AttributeValue": "@value"},
                each=_changes(*CHANGEABLE),
            ),
            Step("Subscribe", SUBSCRIBE, changed("Subscription"), each_of("Subscription")),
            *retagged("ResourceArn", ID),
        ),
        delete=(Step("DeleteTopic", {"TopicArn": ID}),),
        identified_by="TopicArn",
        replaced_by=("FifoTopic",),
        further=(*TOPIC_ATTRIBUTES, "Subscription"),
        attributes={"TopicArn": "TopicArn", "TopicName": lambda found: found[ANSWER]["TopicArn"].rpartition(":")[2]},
    ),
    StackType(
        "AWS::SNS::TopicPolicy",
        "sns",
        "",
        create=(_policy_step("PolicyDocument", _per_topic),),
        update=(_policy_step("PolicyDocument", _per_topic), _policy_step(NO_POLICY, _left_topics)),
        delete=(_policy_step(NO_POLICY, _per_topic),),
        further=("Topics",),
    ),
    StackType(
        "AWS::SNS::Subscription",
        "sns",
        "",
        create=(
            Step(
                "Subscribe",
                {
                    "TopicArn": "TopicArn",
                    "Protocol": "Protocol",
                    "Endpoint": "Endpoint",
                    "Attributes": _attributes(*SUBSCRIPTION_ATTRIBUTES),
                    "ReturnSubscriptionArn": constant(True),
                },
            ),
        ),
        update=(
            Step(
                "SetSubscriptionAttributes",
                {"SubscriptionArn": ID, "AttributeName": "@attribute", "AttributeValue": "@value"},
                each=_changes(*SUBSCRIPTION_ATTRIBUTES),
            ),
        ),
        delete=(Step("Unsubscribe", {"SubscriptionArn": ID}),),
        identified_by="SubscriptionArn",
        replaced_by=("TopicArn", "Protocol", "Endpoint"),
        further=SUBSCRIPTION_ATTRIBUTES,
        attributes={"Arn": "SubscriptionArn"},
    ),
)

# ---- EventBridge ----

RULE = {
    "Name": NAME,
    **{
        name: name for name in ("ScheduleExpression", "EventPattern", "State", "Description", "RoleArn", "EventBusName")
    },
}
ON_BUS = {"Rule": NAME, "EventBusName": "EventBusName"}
PUT_TARGETS = Step("PutTargets", {**ON_BUS, "Targets": "Targets"}, given("Targets"), fails_by="FailedEntries")
DEFAULT_BUS = "default"
BUS = {
    "Name": ID,
    **{name: name for name in ("Description", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig")},
}
PUT_POLICY = Step("PutPermission", {"EventBusName": ID, "Policy": "Policy"}, given("Policy"))
STATEMENT = {name: name for name in ("EventBusName", "StatementId", "Action", "Principal", "Condition")}


def _with_statement(properties: Properties) -> dict[str, Any]:
    """The policy of the bus with the statement in place of the one that had its id."""
    held = json.loads(properties[FOUND].get("Policy") or '{"Statement": []}')["Statement"]
    sid = properties["StatementId"]
    others = [each for each in held if each.get("Sid") != sid]
    return {"Version": "2012-10-17", "Statement": [*others, {**properties["Statement"], "Sid": sid}]}


PUT_STATEMENT = (
    Step("PutPermission", STATEMENT, lambda properties: "Statement" not in properties),
    Step(
        "PutPermission",
        {"EventBusName": "EventBusName", "Policy": _with_statement},
        given("Statement"),
        finds=Step("DescribeEventBus", {"Name": "EventBusName"}),
    ),
)


def _rule_id(properties: Properties) -> str:
    """A rule of another bus than the default one is told by both names."""
    bus = str(properties.get("EventBusName") or DEFAULT_BUS).rpartition("/")[2]
    return str(properties[NAME]) if bus == DEFAULT_BUS else f"{bus}|{properties[NAME]}"


def _ids(properties: Properties) -> list[str]:
    return [each["Id"] for each in properties.get("Targets") or ()]


def _left_ids(properties: Properties) -> list[str]:
    return [each for each in _ids(before(properties)) if each not in _ids(properties)]


EVENTS = (
    StackType(
        "AWS::Events::Rule",
        "events",
        "Name",
        create=(Step("PutRule", {**RULE, "Tags": "Tags"}), PUT_TARGETS),
        update=(
            Step("PutRule", RULE),
            Step("RemoveTargets", {**ON_BUS, "Ids": _left_ids}, lambda properties: bool(_left_ids(properties))),
            PUT_TARGETS,
            *retagged("ResourceARN", lambda properties: properties[ANSWER]["RuleArn"]),
        ),
        delete=(
            Step("RemoveTargets", {**ON_BUS, "Ids": _ids}, given("Targets")),
            Step("DeleteRule", {"Name": NAME, "EventBusName": "EventBusName"}),
        ),
        identified_by=_rule_id,
        replaced_by=("EventBusName",),
        attributes={"Arn": "RuleArn"},
    ),
    StackType(
        "AWS::Events::EventBus",
        "events",
        "Name",
        create=(
            Step("CreateEventBus", {**BUS, "EventSourceName": "EventSourceName", "Tags": "Tags"}),
            PUT_POLICY,
        ),
        update=(
            Step("UpdateEventBus", BUS),
            Step(
                "RemovePermission",
                {"EventBusName": ID, "RemoveAllPermissions": constant(True)},
                lambda properties: bool(before(properties).get("Policy")) and not properties.get("Policy"),
            ),
            PUT_POLICY,
            *retagged("ResourceARN", arn("events", "event-bus/")),
        ),
        delete=(Step("DeleteEventBus", {"Name": ID}),),
        attributes={"Arn": "EventBusArn", "Name": ID},
    ),
    StackType(
        "AWS::Events::EventBusPolicy",
        "events",
        "",
        create=PUT_STATEMENT,
        update=PUT_STATEMENT,
        delete=(Step("RemovePermission", {"EventBusName": "EventBusName", "StatementId": "StatementId"}),),
        replaced_by=("EventBusName", "StatementId"),
        further=("Statement",),
    ),
)

# ---- CloudWatch ----

ALARM = {
    "AlarmName": ID,
    **{
        name: name
        for name in (
            "ActionsEnabled",
            "AlarmActions",
            "AlarmDescription",
            "ComparisonOperator",
            "DatapointsToAlarm",
            "Dimensions",
            "EvaluateLowSampleCountPercentile",
            "EvaluationPeriods",
            "ExtendedStatistic",
            "InsufficientDataActions",
            "MetricName",
            "Metrics",
            "Namespace",
            "OKActions",
            "Period",
            "Statistic",
            "Threshold",
            "ThresholdMetricId",
            "TreatMissingData",
            "Unit",
        )
    },
}
COMPOSITE = {
    "AlarmName": ID,
    **{
        name: name
        for name in (
            "ActionsEnabled",
            "ActionsSuppressor",
            "ActionsSuppressorExtensionPeriod",
            "ActionsSuppressorWaitPeriod",
            "AlarmActions",
            "AlarmDescription",
            "AlarmRule",
            "InsufficientDataActions",
            "OKActions",
        )
    },
}


def _alarm(name: str, operation: str, members: dict[str, str]) -> StackType:
    return StackType(
        name,
        "cloudwatch",
        "AlarmName",
        create=(Step(operation, {**members, "Tags": tag_list}),),
        update=(Step(operation, members), *retagged("ResourceARN", arn("cloudwatch", "alarm:"))),
        delete=(Step("DeleteAlarms", {"AlarmNames": alone(ID)}),),
        further=("Tags",),
        attributes={"Arn": arn("cloudwatch", "alarm:")},
    )


CLOUDWATCH = (
    _alarm("AWS::CloudWatch::Alarm", "PutMetricAlarm", ALARM),
    _alarm("AWS::CloudWatch::CompositeAlarm", "PutCompositeAlarm", COMPOSITE),
)
