"""Groups of subnets that databases and warehouses are placed in."""

from trailstate.catalog.tags import tags_part
from trailstate.catalog.touch import asked
from trailstate.configuration.form import REGIONAL, Describe, Relation, ResourceType


def _named(text: str, mark: str) -> str:
    """The name behind the mark of an ARN, or a bare name; an ARN without it is of another type."""
    if not text.startswith("arn:"):
        return text
    return text.split(mark, 1)[1] if mark in text else ""


IN_VPC = Relation("AWS::EC2::VPC", "Is associated with Vpc", at="VpcId")
OF_SUBNETS = Relation("AWS::EC2::Subnet", "Is associated with Subnet", at="Subnets[].SubnetIdentifier")

DB_SUBNET_GROUP = ResourceType(
    name="AWS::RDS::DBSubnetGroup",
    listing=Describe("rds", "DescribeDBSubnetGroups", at="DBSubnetGroups[]"),
    key="DBSubnetGroupName",
    describe=Describe(
        "rds",
        "DescribeDBSubnetGroups",
        {"DBSubnetGroupName": "{key}"},
        "DBSubnetGroups[]",
        ("DBSubnetGroupNotFoundFault", "DBSubnetGroupNotFound"),
    ),
    listed_whole=True,
    more={
        "Tags": Describe(
            "rds", "ListTagsForResource", {"ResourceName": "arn:aws:rds:{region}:{account}:subgrp:{key}"}, "TagList[]"
        )
    },
    resource_name="{key}",
    arn="arn:aws:rds:{region}:{account}:subgrp:{key}",
    zone="Multiple Availability Zones",
    relations=(OF_SUBNETS, IN_VPC),
    parts=(tags_part(),),
    touched_by=asked("dBSubnetGroupName", "CreateDBSubnetGroup", "DeleteDBSubnetGroup", "ModifyDBSubnetGroup")
    | asked("resourceName", "AddTagsToResource", "RemoveTagsFromResource"),
    read_key=lambda text: _named(text, ":subgrp:"),
)

WAREHOUSE_SUBNET_GROUP = ResourceType(
    name="AWS::Redshift::ClusterSubnetGroup",
    listing=Describe("redshift", "DescribeClusterSubnetGroups", at="ClusterSubnetGroups[]"),
    key="ClusterSubnetGroupName",
    describe=Describe(
        "redshift",
        "DescribeClusterSubnetGroups",
        {"ClusterSubnetGroupName": "{key}"},
        "ClusterSubnetGroups[]",
        ("ClusterSubnetGroupNotFound", "ClusterSubnetGroupNotFoundFault"),
    ),
    listed_whole=True,
    resource_name="{key}",
    arn="arn:aws:redshift:{region}:{account}:subnetgroup:{key}",
    zone=REGIONAL,
    keeps=("Tags",),
    relations=(OF_SUBNETS, IN_VPC),
    touched_by=asked(
        "clusterSubnetGroupName",
        "CreateClusterSubnetGroup",
        "DeleteClusterSubnetGroup",
        "ModifyClusterSubnetGroup",
    )
    | asked("resourceName", "CreateTags", "DeleteTags"),
    read_key=lambda text: _named(text, ":subnetgroup:"),
)

RESOURCES = (DB_SUBNET_GROUP, WAREHOUSE_SUBNET_GROUP)
