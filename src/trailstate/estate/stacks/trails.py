"""AWS::CloudTrail types in stacks: trails and channels."""

from trailstate.estate.stacks.form import ID, StackType, Step, given, says

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

TRAILS = (
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
        further=("IsLogging",),
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
)
