"""Groups of subnets that databases and warehouses are placed in."""

from trailstate.catalog.tags import tags_part
from trailstate.catalog.touch import asked, named_after
from trailstate.configuration.form import REGIONAL, Describe, Relation, ResourceType

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
    read_key=named_after(":subgrp:"),
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
    read_key=named_after(":subnetgroup:"),
)

RESOURCES = (DB_SUBNET_GROUP, WAREHOUSE_SUBNET_GROUP)
