"""DynamoDB: a table with its continuous backups."""

from trailstate.catalog.tags import tags_part
from trailstate.catalog.touch import REQUEST, asked, at, last_part
from trailstate.configuration.form import Describe, Part, ResourceType

GONE = ("ResourceNotFoundException", "TableNotFoundException")

TABLE = ResourceType(
    name="AWS::DynamoDB::Table",
    listing=Describe("dynamodb", "ListTables", at="TableNames[]"),
    describe=Describe("dynamodb", "DescribeTable", {"TableName": "{key}"}, "Table", GONE),
    more={"Tags": Describe("dynamodb", "ListTagsOfResource", {"ResourceArn": "{TableArn}"}, "Tags[]", GONE)},
    resource_name="{key}",
    arn="{TableArn}",
    created="{CreationDateTime}",
    keeps=("DeletionProtectionEnabled",),
    parts=(
        Part(
            "ContinuousBackupsDescription",
            Describe(
                "dynamodb",
                "DescribeContinuousBackups",
                {"TableName": "{key}"},
                "ContinuousBackupsDescription",
                GONE,
            ),
        ),
        tags_part(),
    ),
    touched_by=asked(
        "tableName",
        "CreateTable",
        "DeleteTable",
        "DisableKinesisStreamingDestination",
        "EnableKinesisStreamingDestination",
        "UpdateContinuousBackups",
        "UpdateContributorInsights",
        "UpdateTable",
        "UpdateTableReplicaAutoScaling",
        "UpdateTimeToLive",
    )
    | asked("targetTableName", "RestoreTableFromBackup", "RestoreTableToPointInTime")
    | at((f"{REQUEST}.resourceArn",), "TagResource", "UntagResource"),
    read_key=last_part,
)

RESOURCES = (TABLE,)
