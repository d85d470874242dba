"""AWS::Logs types in stacks: groups, streams, metric filters and subscription filters."""

from collections.abc import Callable, Mapping
from typing import Any

from trailstate.estate.stacks.form import (
    ID,
    Properties,
    Source,
    StackType,
    Step,
    arn,
    before,
    changed,
    given,
    retagged,
    tag_map,
)

GROUP = {"logGroupName": ID}
RETENTION = {**GROUP, "retentionInDays": "RetentionInDays"}
METRIC_FILTER: Mapping[str, Source] = {
    "logGroupName": "LogGroupName",
    "filterName": ID,
    "filterPattern": lambda properties: properties.get("FilterPattern", ""),
    "metricTransformations": lambda properties: [_transformation(each) for each in properties["MetricTransformations"]],
    "applyOnTransformedLogs": "ApplyOnTransformedLogs",
    "fieldSelectionCriteria": "FieldSelectionCriteria",
    "emitSystemFieldDimensions": "EmitSystemFieldDimensions",
}
SUBSCRIPTION_FILTER: Mapping[str, Source] = {
    "logGroupName": "LogGroupName",
    "filterName": ID,
    "filterPattern": lambda properties: properties.get("FilterPattern", ""),
    "destinationArn": "DestinationArn",
    "roleArn": "RoleArn",
    "distribution": "Distribution",
    "applyOnTransformedLogs": "ApplyOnTransformedLogs",
    "fieldSelectionCriteria": "FieldSelectionCriteria",
    "emitSystemFields": "EmitSystemFields",
}


def _transformation(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Dimensions are a list in templates and a map in the API."""
    told = dict(wanted)
    if isinstance(told.get("Dimensions"), list):
        told["Dimensions"] = {each["Key"]: each["Value"] for each in told["Dimensions"]}
    return told


def _is_new(name: str) -> Callable[[Properties], bool]:
    return lambda properties: bool(properties.get(name)) and changed(name)(properties)


def _is_gone(name: str) -> Callable[[Properties], bool]:
    return lambda properties: bool(before(properties).get(name)) and not properties.get(name)


LOGS = (
    StackType(
        "AWS::Logs::LogGroup",
        "logs",
        "LogGroupName",
        create=(
            Step(
                "CreateLogGroup",
                {**GROUP, "kmsKeyId": "KmsKeyId", "logGroupClass": "LogGroupClass", "tags": tag_map},
            ),
            Step("PutRetentionPolicy", RETENTION, given("RetentionInDays")),
        ),
        update=(
            Step("PutRetentionPolicy", RETENTION, given("RetentionInDays")),
            Step("DeleteRetentionPolicy", GROUP, _is_gone("RetentionInDays")),
            Step("AssociateKmsKey", {**GROUP, "kmsKeyId": "KmsKeyId"}, _is_new("KmsKeyId")),
            Step("DisassociateKmsKey", GROUP, _is_gone("KmsKeyId")),
            *retagged("resourceArn", arn("logs", "log-group:"), "tags", "tagKeys", tag_map),
        ),
        delete=(Step("DeleteLogGroup", GROUP),),
        replaced_by=("LogGroupClass",),
        further=("Tags",),
        attributes={"Arn": lambda found: f"{arn('logs', 'log-group:')(found)}:*"},
    ),
    StackType(
        "AWS::Logs::LogStream",
        "logs",
        "LogStreamName",
        create=(Step("CreateLogStream", {"logGroupName": "LogGroupName", "logStreamName": ID}),),
        update=(),
        delete=(Step("DeleteLogStream", {"logGroupName": "LogGroupName", "logStreamName": ID}),),
    ),
    StackType(
        "AWS::Logs::MetricFilter",
        "logs",
        "FilterName",
        create=(Step("PutMetricFilter", METRIC_FILTER),),
        update=(Step("PutMetricFilter", METRIC_FILTER),),
        delete=(Step("DeleteMetricFilter", {"logGroupName": "LogGroupName", "filterName": ID}),),
        replaced_by=("LogGroupName",),
        further=("FilterPattern", "MetricTransformations"),
    ),
    StackType(
        "AWS::Logs::SubscriptionFilter",
        "logs",
        "FilterName",
        create=(Step("PutSubscriptionFilter", SUBSCRIPTION_FILTER),),
        update=(Step("PutSubscriptionFilter", SUBSCRIPTION_FILTER),),
        delete=(Step("DeleteSubscriptionFilter", {"logGroupName": "LogGroupName", "filterName": ID}),),
        replaced_by=("LogGroupName",),
        further=("FilterPattern",),
    ),
)
