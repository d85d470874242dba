"""EC2's resource types, as its Describe calls show them."""

from typing import Any

from trailstate.configuration.form import Describe, Relation, ResourceType, Seen


def _string_ranges(configuration: dict[str, Any], _seen: Seen) -> dict[str, Any]:
    """Items hold a permission's IPv4 ranges twice: as objects in `ipv4Ranges` and as plain text in `ipRanges`."""
    for permission in [*configuration.get("ipPermissions", ()), *configuration.get("ipPermissionsEgress", ())]:
        permission["ipRanges"] = [each["cidrIp"] for each in permission.get("ipv4Ranges", ())]
    return configuration


SECURITY_GROUP = ResourceType(
    name="AWS::EC2::SecurityGroup",
    listing=Describe("ec2", "DescribeSecurityGroups", at="SecurityGroups[]"),
    key="GroupId",
    describe=Describe(
        "ec2",
        "DescribeSecurityGroups",
        {"GroupIds": ["{key}"]},
        "SecurityGroups[]",
        ("InvalidGroup.NotFound", "InvalidGroupId.Malformed"),
    ),
    listed_whole=True,
    id="{GroupId}",
    resource_name="{GroupName}",
    arn="arn:aws:ec2:{region}:{account}:security-group/{GroupId}",
    renames={"IpPermissions.IpRanges": "ipv4Ranges", "IpPermissionsEgress.IpRanges": "ipv4Ranges"},
    keeps=("Tags",),
    finish=_string_ranges,
    relations=(Relation("AWS::EC2::VPC", "Is contained in Vpc", at="VpcId"),),
    touched_by={
        "CreateSecurityGroup": "responseElements.groupId",
        "DeleteSecurityGroup": "requestParameters.groupId",
        "AuthorizeSecurityGroupIngress": "requestParameters.groupId",
        "AuthorizeSecurityGroupEgress": "requestParameters.groupId",
        "RevokeSecurityGroupIngress": "requestParameters.groupId",
        "RevokeSecurityGroupEgress": "requestParameters.groupId",
        "ModifySecurityGroupRules": "requestParameters.ModifySecurityGroupRulesRequest.GroupId",
        "UpdateSecurityGroupRuleDescriptionsIngress": "requestParameters.groupId",
        "UpdateSecurityGroupRuleDescriptionsEgress": "requestParameters.groupId",
        "CreateTags": "requestParameters.resourcesSet.items[].resourceId",
        "DeleteTags": "requestParameters.resourcesSet.items[].resourceId",
    },
    read_key=lambda text: text if text.startswith("sg-") else "",
)

RESOURCES = (SECURITY_GROUP,)
