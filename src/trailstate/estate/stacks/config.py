"""AWS::Config types in stacks: recorders, channels, rules, remediations, packs, aggregators and stored queries.

A stack that has a recorder and a delivery channel has a recorder that runs: whichever of the two comes last starts it.
"""

from typing import Any

from trailstate.estate.stacks.form import (
    ANSWER,
    FOUND,
    ID,
    Properties,
    StackType,
    Step,
    alone,
    each_found,
    retagged,
    tag_list,
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
REMEDIATION = (
    "ConfigRuleName",
    "TargetType",
    "TargetId",
    "TargetVersion",
    "Parameters",
    "ResourceType",
    "Automatic",
    "ExecutionControls",
    "MaximumAutomaticAttempts",
    "RetryAttemptSeconds",
)
PACK = {
    "ConformancePackName": ID,
    "TemplateBody": "TemplateBody",
    "TemplateS3Uri": "TemplateS3Uri",
    "TemplateSSMDocumentDetails": "TemplateSSMDocumentDetails",
    "DeliveryS3Bucket": "DeliveryS3Bucket",
    "DeliveryS3KeyPrefix": "DeliveryS3KeyPrefix",
    "ConformancePackInputParameters": "ConformancePackInputParameters",
}
AGGREGATOR = {
    "ConfigurationAggregatorName": ID,
    "AccountAggregationSources": "AccountAggregationSources",
    "OrganizationAggregationSource": "OrganizationAggregationSource",
}
QUERY = {
    "StoredQuery.QueryName": ID,
    "StoredQuery.Description": "QueryDescription",
    "StoredQuery.Expression": "QueryExpression",
}
RECORDERS = Step("DescribeConfigurationRecorders", {})
NAMED = {"ConfigurationRecorderName": "name"}


def _remediation(properties: Properties) -> list[dict[str, Any]]:
    return [{name: properties[name] for name in REMEDIATION if name in properties}]


def _answered(object_: str, member: str) -> Any:
    return lambda found: found[ANSWER][object_][member]


def _of_rule(member: str) -> Any:
    return lambda found: found[FOUND]["ConfigRules"][0][member]


PUT_REMEDIATION = Step(
    "PutRemediationConfigurations", {"RemediationConfigurations": _remediation}, fails_by="FailedBatches"
)

CONFIG = (
    StackType(
        "AWS::Config::ConfigurationRecorder",
        "config",
        "Name",
        create=(
            Step("PutConfigurationRecorder", RECORDER),
            Step(
                "StartConfigurationRecorder",
                {"ConfigurationRecorderName": ID},
                lambda properties: bool(properties[FOUND]["DeliveryChannels"]),
                finds=Step("DescribeDeliveryChannels", {}),
            ),
        ),
        update=(Step("PutConfigurationRecorder", RECORDER),),
        delete=(Step("DeleteConfigurationRecorder", {"ConfigurationRecorderName": ID}),),
    ),
    StackType(
        "AWS::Config::DeliveryChannel",
        "config",
        "Name",
        create=(
            Step("PutDeliveryChannel", CHANNEL),
            Step("StartConfigurationRecorder", NAMED, each=each_found("ConfigurationRecorders"), finds=RECORDERS),
        ),
        update=(Step("PutDeliveryChannel", CHANNEL),),
        delete=(
            Step("StopConfigurationRecorder", NAMED, each=each_found("ConfigurationRecorders"), finds=RECORDERS),
            Step("DeleteDeliveryChannel", {"DeliveryChannelName": ID}),
        ),
    ),
    StackType(
        "AWS::Config::ConfigRule",
        "config",
        "ConfigRuleName",
        create=(Step("PutConfigRule", RULE),),
        update=(Step("PutConfigRule", RULE),),
        delete=(Step("DeleteConfigRule", {"ConfigRuleName": ID}),),
        look=Step("DescribeConfigRules", {"ConfigRuleNames": alone(ID)}),
        attributes={"Arn": _of_rule("ConfigRuleArn"), "ConfigRuleId": _of_rule("ConfigRuleId")},
    ),
    StackType(
        "AWS::Config::RemediationConfiguration",
        "config",
        "",
        create=(PUT_REMEDIATION,),
        update=(PUT_REMEDIATION,),
        delete=(Step("DeleteRemediationConfiguration", {"ConfigRuleName": "ConfigRuleName"}),),
        replaced_by=("ConfigRuleName",),
        further=REMEDIATION,
    ),
    StackType(
        "AWS::Config::ConformancePack",
        "config",
        "ConformancePackName",
        create=(Step("PutConformancePack", PACK),),
        update=(Step("PutConformancePack", PACK),),
        delete=(Step("DeleteConformancePack", {"ConformancePackName": ID}),),
    ),
    StackType(
        "AWS::Config::ConfigurationAggregator",
        "config",
        "ConfigurationAggregatorName",
        create=(Step("PutConfigurationAggregator", {**AGGREGATOR, "Tags": tag_list}),),
        update=(Step("PutConfigurationAggregator", AGGREGATOR),),
        delete=(Step("DeleteConfigurationAggregator", {"ConfigurationAggregatorName": ID}),),
        further=("Tags",),
        replaced_by=("Tags",),
        attributes={"ConfigurationAggregatorArn": _answered("ConfigurationAggregator", "ConfigurationAggregatorArn")},
    ),
    StackType(
        "AWS::Config::AggregationAuthorization",
        "config",
        "",
        create=(
            Step(
                "PutAggregationAuthorization",
                {
                    "AuthorizedAccountId": "AuthorizedAccountId",
                    "AuthorizedAwsRegion": "AuthorizedAwsRegion",
                    "Tags": tag_list,
                },
            ),
        ),
        update=(),
        delete=(
            Step(
                "DeleteAggregationAuthorization",
                {"AuthorizedAccountId": "AuthorizedAccountId", "AuthorizedAwsRegion": "AuthorizedAwsRegion"},
            ),
        ),
        further=("Tags",),
        attributes={
            "AggregationAuthorizationArn": _answered("AggregationAuthorization", "AggregationAuthorizationArn")
        },
    ),
    StackType(
        "AWS::Config::StoredQuery",
        "config",
        "QueryName",
        create=(Step("PutStoredQuery", {**QUERY, "Tags": tag_list}),),
        update=(
            Step("PutStoredQuery", QUERY),
            *retagged("ResourceArn", lambda properties: properties[ANSWER]["QueryArn"]),
        ),
        delete=(Step("DeleteStoredQuery", {"QueryName": ID}),),
        further=("Tags",),
        attributes={"QueryArn": "QueryArn"},
    ),
)
