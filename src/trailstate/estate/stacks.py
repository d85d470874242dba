"""CloudFormation's resource types that are the house's own: which operations make, change and unmake each of them.

A stack is the estate's; what it does to something of ours comes out of the estate as calls of the stack's caller. A
type is ours when its service is, or the operation that creates it; one that has no row here fails its stack by name.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

Properties = Mapping[str, Any]
ID = "@id"
"""In the place of a property's name: what identifies the resource; before it is made, the name it is to have."""


def always(_: Properties) -> bool:
    return True


def given(*names: str) -> Callable[[Properties], bool]:
    """When the template says something of one of these."""
    return lambda properties: any(properties.get(name) for name in names)


def says(name: str, value: bool) -> Callable[[Properties], bool]:
    """When the template gives that truth value; CloudFormation takes it as a word too."""
    return lambda properties: str(properties.get(name)).lower() == str(value).lower()


@dataclass(frozen=True, slots=True)
class Step:
    """One call. `members` says which property fills which member, a dotted name one that lies deeper."""

    operation: str
    members: Mapping[str, str]
    when: Callable[[Properties], bool] = always


@dataclass(frozen=True, slots=True)
class StackType:
    """One resource type."""

    name: str
    service: str
    named_by: str
    """The property that names it; changing that makes another resource."""
    create: tuple[Step, ...]
    update: tuple[Step, ...]
    """Empty: it is not changed but made anew."""
    delete: tuple[Step, ...]
    identified_by: str = ""
    """The member of the first answer that identifies it from then on; empty: its name does."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """What Fn::GetAtt may ask -> the member of the first answer."""


TRAIL = {
    "Name": ID,
    "S3BucketName": "S3BucketName",
    "S3KeyPrefix": "S3KeyPrefix",
    "SnsTopicName": "SnsTopicName",
    "IncludeGlobalServiceEvents": "IncludeGlobalServiceEvents",
    "IsMultiRegionTrail": "IsMultiRegionTrail",
    "EnableLogFileValidation": "EnableLogFileValidation",
    "CloudWatchLogsLogGroupArn": "CloudWatchLogsLogGroupArn",
    "CloudWatchLogsRoleArn": "CloudWatchLogsRoleArn",
    "KmsKeyId": "KMSKeyId",
    "IsOrganizationTrail": "IsOrganizationTrail",
}
TRAIL_SETTINGS = (
    Step(
        "PutEventSelectors",
        {"TrailName": ID, "EventSelectors": "EventSelectors", "AdvancedEventSelectors": "AdvancedEventSelectors"},
        given("EventSelectors", "AdvancedEventSelectors"),
    ),
    Step("PutInsightSelectors", {"TrailName": ID, "InsightSelectors": "InsightSelectors"}, given("InsightSelectors")),
    Step("StartLogging", {"Name": ID}, says("IsLogging", True)),
)
RECORDER = {
    "ConfigurationRecorder.name": ID,
    "ConfigurationRecorder.roleARN": "RoleARN",
    "ConfigurationRecorder.recordingGroup": "RecordingGroup",
    "ConfigurationRecorder.recordingMode": "RecordingMode",
}
CHANNEL = {
    "DeliveryChannel.name": ID,
    "DeliveryChannel.s3BucketName": "S3BucketName",
    "DeliveryChannel.s3KeyPrefix": "S3KeyPrefix",
    "DeliveryChannel.s3KmsKeyArn": "S3KmsKeyArn",
    "DeliveryChannel.snsTopicARN": "SnsTopicARN",
    "DeliveryChannel.configSnapshotDeliveryProperties": "ConfigSnapshotDeliveryProperties",
}
RULE = {
    "ConfigRule.ConfigRuleName": ID,
    "ConfigRule.Description": "Description",
    "ConfigRule.Scope": "Scope",
    "ConfigRule.Source": "Source",
    "ConfigRule.InputParameters": "InputParameters",
    "ConfigRule.MaximumExecutionFrequency": "MaximumExecutionFrequency",
    "ConfigRule.EvaluationModes": "EvaluationModes",
}
DOCUMENT = {"Name": ID, "Content": "Content", "DocumentFormat": "DocumentFormat", "TargetType": "TargetType"}

TYPES = {
    each.name: each
    for each in (
        StackType(
            "AWS::CloudTrail::Trail",
            "cloudtrail",
            "TrailName",
            create=(Step("CreateTrail", {**TRAIL, "TagsList": "Tags"}), *TRAIL_SETTINGS),
            update=(
                Step("UpdateTrail", TRAIL),
                *TRAIL_SETTINGS,
                Step("StopLogging", {"Name": ID}, says("IsLogging", False)),
            ),
            delete=(Step("DeleteTrail", {"Name": ID}),),
            identified_by="Name",
            attributes={"Arn": "TrailARN", "SnsTopicArn": "SnsTopicARN"},
        ),
        StackType(
            "AWS::CloudTrail::Channel",
            "cloudtrail",
            "Name",
            create=(
                Step("CreateChannel", {"Name": ID, "Source": "Source", "Destinations": "Destinations", "Tags": "Tags"}),
            ),
            update=(Step("UpdateChannel", {"Channel": ID, "Destinations": "Destinations"}),),
            delete=(Step("DeleteChannel", {"Channel": ID}),),
            identified_by="ChannelArn",
            attributes={"ChannelArn": "ChannelArn"},
        ),
        StackType(
            "AWS::Config::ConfigurationRecorder",
            "config",
            "Name",
            create=(Step("PutConfigurationRecorder", RECORDER),),
            update=(Step("PutConfigurationRecorder", RECORDER),),
            delete=(Step("DeleteConfigurationRecorder", {"ConfigurationRecorderName": ID}),),
        ),
        StackType(
            "AWS::Config::DeliveryChannel",
            "config",
            "Name",
            create=(Step("PutDeliveryChannel", CHANNEL),),
            update=(Step("PutDeliveryChannel", CHANNEL),),
            delete=(Step("DeleteDeliveryChannel", {"DeliveryChannelName": ID}),),
        ),
        StackType(
            "AWS::Config::ConfigRule",
            "config",
            "ConfigRuleName",
            create=(Step("PutConfigRule", RULE),),
            update=(Step("PutConfigRule", RULE),),
            delete=(Step("DeleteConfigRule", {"ConfigRuleName": ID}),),
        ),
        StackType(
            "AWS::SSM::Document",
            "ssm",
            "Name",
            create=(Step("CreateDocument", {**DOCUMENT, "DocumentType": "DocumentType", "Tags": "Tags"}),),
            update=(),
            delete=(Step("DeleteDocument", {"Name": ID}),),
        ),
    )
}

NAMESPACES = {
    "AWS::Athena::": "athena",
    "AWS::CloudTrail::": "cloudtrail",
    "AWS::CloudWatch::": "cloudwatch",
    "AWS::Config::": "config",
    "AWS::Events::": "events",
    "AWS::Lambda::": "lambda",
    "AWS::Logs::": "logs",
    "AWS::SNS::": "sns",
    "AWS::SSM::": "ssm",
}
"""Where the types of a service stand."""


def ours(services: Collection[str], is_owned: Callable[[str, str], bool]) -> list[str]:
    """What marks a type as the house's: the namespace of a whole service, or the type's own name."""
    whole = [namespace for namespace, service in NAMESPACES.items() if service in services]
    single = [each.name for each in TYPES.values() if is_owned(each.service, each.create[0].operation)]
    return whole + [name for name in single if not name.startswith(tuple(whole))]
