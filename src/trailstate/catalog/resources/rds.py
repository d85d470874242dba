"""RDS: database instance and cluster, and the snapshots of both with who may restore them."""

from typing import Any

from trailstate.catalog.tags import tags_part
from trailstate.catalog.touch import REQUEST, anywhere, asked, at
from trailstate.configuration.form import Describe, Fact, Look, Part, Relation, ResourceType, Seen

MANY_ZONES = "Multiple Availability Zones"


def _zone(look: Look) -> Any:
    return MANY_ZONES if look.raw.get("MultiAZ") else look.raw.get("AvailabilityZone")


def _steady(configuration: dict[str, Any], _seen: Seen) -> dict[str, Any]:
    """`latestRestorableTime` moves on by itself every few minutes: that is no change of configuration."""
    configuration.pop("latestRestorableTime", None)
    return configuration


def _tagged(kind: str) -> Any:
    """Reads `arn:aws:rds:region:account:kind:name` or a bare name; ARNs of other kinds are of other types."""

    def read(text: str) -> str:
        parts = text.split(":", 6)
        if text.startswith("arn:") and len(parts) == 7:
            return parts[6] if parts[5] == kind else ""
        return text

    return read


TAGGED = asked("resourceName", "AddTagsToResource", "RemoveTagsFromResource")

DB_INSTANCE = ResourceType(
    name="AWS::RDS::DBInstance",
    listing=Describe("rds", "DescribeDBInstances", at="DBInstances[]"),
    key="DBInstanceIdentifier",
    describe=Describe(
        "rds",
        "DescribeDBInstances",
        {"DBInstanceIdentifier": "{key}"},
        "DBInstances[]",
        ("DBInstanceNotFound", "DBInstanceNotFoundFault"),
    ),
    listed_whole=True,
    more={"Zone": _zone},
    id="{DbiResourceId}",
    resource_name="{DBInstanceIdentifier}",
    arn="{DBInstanceArn}",
    created="{InstanceCreateTime}",
    zone="{Zone}",
    tags="TagList",
    finish=_steady,
    relations=(
        Relation(
            "AWS::EC2::SecurityGroup", "Is associated with SecurityGroup", at="VpcSecurityGroups[].VpcSecurityGroupId"
        ),
        Relation(
            "AWS::RDS::DBSecurityGroup",
            "Is associated with DBSecurityGroup",
            at="DBSecurityGroups[].DBSecurityGroupName",
        ),
        Relation("AWS::RDS::DBSubnetGroup", "Is associated with DBSubnetGroup", at="DBSubnetGroup.DBSubnetGroupName"),
    ),
    parts=(tags_part("TagList"),),
    touched_by=TAGGED
    | asked(
        "dBInstanceIdentifier",
        "AddRoleToDBInstance",
        "CreateDBInstance",
        "CreateDBInstanceReadReplica",
        "DeleteDBInstance",
        "ModifyDBInstance",
        "PromoteReadReplica",
        "RebootDBInstance",
        "RemoveRoleFromDBInstance",
        "RestoreDBInstanceFromDBSnapshot",
        "RestoreDBInstanceFromS3",
        "StartDBInstance",
        "StopDBInstance",
    )
    | asked("targetDBInstanceIdentifier", "RestoreDBInstanceToPointInTime"),
    read_key=_tagged("db"),
)

SNAPSHOT_GONE = ("DBSnapshotNotFound", "DBSnapshotNotFoundFault")
SNAPSHOT_ATTRIBUTES = Describe(
    "rds",
    "DescribeDBSnapshotAttributes",
    {"DBSnapshotIdentifier": "{key}"},
    "DBSnapshotAttributesResult",
    SNAPSHOT_GONE,
)
IN_VPC = "AWS::EC2::VPC"

DB_SNAPSHOT = ResourceType(
    name="AWS::RDS::DBSnapshot",
    listing=Describe("rds", "DescribeDBSnapshots", at="DBSnapshots[]"),
    key="DBSnapshotIdentifier",
    describe=Describe("rds", "DescribeDBSnapshots", {"DBSnapshotIdentifier": "{key}"}, "DBSnapshots[]", SNAPSHOT_GONE),
    listed_whole=True,
    resource_name="{key}",
    arn="{DBSnapshotArn}",
    created="{SnapshotCreateTime}",
    zone="{AvailabilityZone}",
    tags="TagList",
    relations=(Relation(IN_VPC, "Is associated with Vpc", at="VpcId"),),
    parts=(
        Part("DBSnapshotAttributes", SNAPSHOT_ATTRIBUTES, shape=lambda answer: answer["DBSnapshotAttributes"]),
        tags_part("TagList"),
    ),
    facts=(Fact("Attributes", SNAPSHOT_ATTRIBUTES),),
    touched_by=TAGGED
    | asked("dBSnapshotIdentifier", "CreateDBSnapshot", "DeleteDBSnapshot", "ModifyDBSnapshot")
    | asked("dBSnapshotIdentifier", "ModifyDBSnapshotAttribute")
    | asked("targetDBSnapshotIdentifier", "CopyDBSnapshot")
    | anywhere("CreateDBInstance", "DeleteDBInstance"),
    read_key=_tagged("snapshot"),
)

DB_CLUSTER = ResourceType(
    name="AWS::RDS::DBCluster",
    listing=Describe("rds", "DescribeDBClusters", at="DBClusters[]"),
    key="DBClusterIdentifier",
    describe=Describe(
        "rds",
        "DescribeDBClusters",
        {"DBClusterIdentifier": "{key}"},
        "DBClusters[]",
        ("DBClusterNotFoundFault", "DBClusterNotFound"),
    ),
    listed_whole=True,
    id="{DbClusterResourceId}",
    resource_name="{DBClusterIdentifier}",
    arn="{DBClusterArn}",
    created="{ClusterCreateTime}",
    zone=MANY_ZONES,
    tags="TagList",
    relations=(
        Relation("AWS::RDS::DBSubnetGroup", "Is associated with ", at="DBSubnetGroup", id=None, resource_name=""),
        Relation("AWS::EC2::SecurityGroup", "Is associated with ", at="VpcSecurityGroups[].VpcSecurityGroupId"),
        Relation(
            "AWS::RDS::DBInstance", "Contains ", at="DBClusterMembers[].DBInstanceIdentifier", id=None, resource_name=""
        ),
    ),
    parts=(tags_part("TagList"),),
    touched_by=TAGGED
    | asked(
        "dBClusterIdentifier",
        "AddRoleToDBCluster",
        "CreateDBCluster",
        "CreateDBInstance",
        "DeleteDBCluster",
        "FailoverDBCluster",
        "ModifyDBCluster",
        "PromoteReadReplicaDBCluster",
        "RemoveRoleFromDBCluster",
        "RestoreDBClusterFromS3",
        "RestoreDBClusterFromSnapshot",
        "RestoreDBClusterToPointInTime",
        "StartDBCluster",
        "StopDBCluster",
    )
    | anywhere("DeleteDBInstance"),
    read_key=_tagged("cluster"),
)

CLUSTER_SNAPSHOT_GONE = ("DBClusterSnapshotNotFoundFault", "DBClusterSnapshotNotFound")
CLUSTER_SNAPSHOT_ATTRIBUTES = Describe(
    "rds",
    "DescribeDBClusterSnapshotAttributes",
    {"DBClusterSnapshotIdentifier": "{key}"},
    "DBClusterSnapshotAttributesResult",
    CLUSTER_SNAPSHOT_GONE,
)

DB_CLUSTER_SNAPSHOT = ResourceType(
    name="AWS::RDS::DBClusterSnapshot",
    listing=Describe("rds", "DescribeDBClusterSnapshots", at="DBClusterSnapshots[]"),
    key="DBClusterSnapshotIdentifier",
    describe=Describe(
        "rds",
        "DescribeDBClusterSnapshots",
        {"DBClusterSnapshotIdentifier": "{key}"},
        "DBClusterSnapshots[]",
        CLUSTER_SNAPSHOT_GONE,
    ),
    listed_whole=True,
    resource_name="{key}",
    arn="{DBClusterSnapshotArn}",
    created="{SnapshotCreateTime}",
    zone=MANY_ZONES,
    tags="TagList",
    relations=(
        Relation("AWS::RDS::DBCluster", "Is associated with ", at="DBClusterIdentifier", id=None, resource_name=""),
        Relation(IN_VPC, "Is associated with ", at="VpcId"),
    ),
    parts=(
        Part(
            "DBClusterSnapshotAttributes",
            CLUSTER_SNAPSHOT_ATTRIBUTES,
            shape=lambda answer: answer["DBClusterSnapshotAttributes"],
        ),
        tags_part("TagList"),
    ),
    facts=(Fact("Attributes", CLUSTER_SNAPSHOT_ATTRIBUTES),),
    touched_by=TAGGED
    | asked(
        "dBClusterSnapshotIdentifier",
        "CreateDBClusterSnapshot",
        "DeleteDBClusterSnapshot",
        "ModifyDBClusterSnapshotAttribute",
    )
    | at((f"{REQUEST}.targetDBClusterSnapshotIdentifier",), "CopyDBClusterSnapshot")
    | anywhere("CreateDBCluster", "DeleteDBCluster"),
    read_key=_tagged("cluster-snapshot"),
)

RESOURCES = (DB_INSTANCE, DB_SNAPSHOT, DB_CLUSTER, DB_CLUSTER_SNAPSHOT)
