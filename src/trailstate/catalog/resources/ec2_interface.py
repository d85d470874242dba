"""EC2's doors to the network: security group, network interface, Elastic IP address."""

from typing import Any

from trailstate.catalog.resources.ec2_network import IN_SUBNET, IN_VPC, TAGGED
from trailstate.catalog.touch import answered, anywhere, asked, starting_with, wrapped
from trailstate.configuration.form import Describe, Relation, ResourceType, Seen

LAUNCHED = answered("instancesSet.items[].networkInterfaceSet.items[].networkInterfaceId", "RunInstances")


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
    touched_by=TAGGED
    | answered("groupId", "CreateSecurityGroup")
    | asked(
        "groupId",
        "AuthorizeSecurityGroupEgress",
        "AuthorizeSecurityGroupIngress",
        "DeleteSecurityGroup",
        "RevokeSecurityGroupEgress",
        "RevokeSecurityGroupIngress",
    )
    | wrapped(
        "GroupId",
        "ModifySecurityGroupRules",
        "UpdateSecurityGroupRuleDescriptionsEgress",
        "UpdateSecurityGroupRuleDescriptionsIngress",
    )
    | anywhere("CreateVpc", "CreateDefaultVpc", "DeleteVpc"),
    read_key=starting_with("sg-"),
)

NETWORK_INTERFACE = ResourceType(
    name="AWS::EC2::NetworkInterface",
    listing=Describe("ec2", "DescribeNetworkInterfaces", at="NetworkInterfaces[]"),
    key="NetworkInterfaceId",
    describe=Describe(
        "ec2",
        "DescribeNetworkInterfaces",
        {"NetworkInterfaceIds": ["{key}"]},
        "NetworkInterfaces[]",
        ("InvalidNetworkInterfaceID.NotFound",),
    ),
    listed_whole=True,
    arn="arn:aws:ec2:{region}:{account}:network-interface/{NetworkInterfaceId}",
    zone="{AvailabilityZone}",
    tags="TagSet",
    keeps=("TagSet",),
    relations=(
        Relation("AWS::EC2::SecurityGroup", "Is associated with SecurityGroup", at="Groups[].GroupId"),
        Relation("AWS::EC2::EIP", "Is attached to ElasticIp", at="Association.AllocationId"),
        Relation("AWS::EC2::Instance", "Is attached to Instance", at="Attachment.InstanceId"),
        IN_SUBNET,
        IN_VPC,
    ),
    touched_by=TAGGED
    | LAUNCHED
    | answered("networkInterface.networkInterfaceId", "CreateNetworkInterface")
    | answered("CreateNatGatewayResponse.natGateway.natGatewayAddressSet.item.networkInterfaceId", "CreateNatGateway")
    | asked(
        "networkInterfaceId",
        "AssignIpv6Addresses",
        "AssignPrivateIpAddresses",
        "AssociateAddress",
        "AttachNetworkInterface",
        "DeleteNetworkInterface",
        "ModifyNetworkInterfaceAttribute",
        "ResetNetworkInterfaceAttribute",
        "UnassignIpv6Addresses",
        "UnassignPrivateIpAddresses",
    )
    | anywhere(
        "DeleteNatGateway",
        "DetachNetworkInterface",
        "DisassociateAddress",
        "ModifyInstanceAttribute",
        "TerminateInstances",
    ),
    read_key=starting_with("eni-"),
)

ELASTIC_IP = ResourceType(
    name="AWS::EC2::EIP",
    listing=Describe("ec2", "DescribeAddresses", at="Addresses[]"),
    key="AllocationId",
    describe=Describe(
        "ec2",
        "DescribeAddresses",
        {"AllocationIds": ["{key}"]},
        "Addresses[]",
        ("InvalidAllocationID.NotFound",),
    ),
    listed_whole=True,
    arn="arn:aws:ec2:{region}:{account}:eip-allocation/{AllocationId}",
    resource_name="{PublicIp}",
    keeps=("Tags",),
    relations=(
        Relation("AWS::EC2::Instance", "Is attached to Instance", at="InstanceId"),
        Relation("AWS::EC2::NetworkInterface", "Is attached to NetworkInterface", at="NetworkInterfaceId"),
    ),
    touched_by=TAGGED
    | answered("allocationId", "AllocateAddress")
    | asked("allocationId", "AssociateAddress", "ReleaseAddress")
    | asked("CreateNatGatewayRequest.AllocationId", "CreateNatGateway")
    | anywhere("DeleteNatGateway", "DisassociateAddress", "TerminateInstances"),
    read_key=starting_with("eipalloc-"),
)

RESOURCES = (SECURITY_GROUP, NETWORK_INTERFACE, ELASTIC_IP)
