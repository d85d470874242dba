"""EC2's ways beyond a VPC: customer and VPN gateway, endpoint, peering connection."""

from typing import Any

from trailstate.catalog.resources.ec2_network import TAGGED
from trailstate.catalog.standing import standing
from trailstate.catalog.touch import answered, asked, starting_with, wrapped
from trailstate.configuration.form import REGIONAL, Describe, Relation, ResourceType, Seen

STANDING = [{"Name": "state", "Values": ["pending", "available", "deleting"]}]

CUSTOMER_GATEWAY = ResourceType(
    name="AWS::EC2::CustomerGateway",
    listing=standing(Describe("ec2", "DescribeCustomerGateways", at="CustomerGateways[]"), "State", "deleted"),
    key="CustomerGatewayId",
    describe=standing(
        Describe(
            "ec2",
            "DescribeCustomerGateways",
            {"CustomerGatewayIds": ["{key}"]},
            "CustomerGateways[]",
            ("InvalidCustomerGatewayID.NotFound",),
        ),
        "State",
        "deleted",
    ),
    service="ec2",
    listed_whole=True,
    arn="arn:aws:ec2:{region}:{account}:customer-gateway/{key}",
    keeps=("Tags",),
    touched_by=TAGGED
    | answered("customerGateway.customerGatewayId", "CreateCustomerGateway")
    | asked("customerGatewayId", "DeleteCustomerGateway"),
    read_key=starting_with("cgw-"),
)

VPN_GATEWAY = ResourceType(
    name="AWS::EC2::VPNGateway",
    listing=Describe("ec2", "DescribeVpnGateways", {"Filters": STANDING}, "VpnGateways[]"),
    key="VpnGatewayId",
    describe=Describe(
        "ec2",
        "DescribeVpnGateways",
        {"VpnGatewayIds": ["{key}"], "Filters": STANDING},
        "VpnGateways[]",
        ("InvalidVpnGatewayID.NotFound",),
    ),
    listed_whole=True,
    arn="arn:aws:ec2:{region}:{account}:vpn-gateway/{key}",
    zone=REGIONAL,
    keeps=("Tags",),
    relations=(Relation("AWS::EC2::VPC", "Is attached to Vpc", at="VpcAttachments[].VpcId"),),
    touched_by=TAGGED
    | answered("vpnGateway.vpnGatewayId", "CreateVpnGateway")
    | asked("vpnGatewayId", "AttachVpnGateway", "DeleteVpnGateway", "DetachVpnGateway"),
    read_key=starting_with("vgw-"),
)

ENDPOINT = ResourceType(
    name="AWS::EC2::VPCEndpoint",
    listing=standing(Describe("ec2", "DescribeVpcEndpoints", at="VpcEndpoints[]"), "State", "deleted"),
    key="VpcEndpointId",
    describe=standing(
        Describe(
            "ec2",
            "DescribeVpcEndpoints",
            {"VpcEndpointIds": ["{key}"]},
            "VpcEndpoints[]",
            ("InvalidVpcEndpointId.NotFound",),
        ),
        "State",
        "deleted",
    ),
    service="ec2",
    listed_whole=True,
    arn="arn:aws:ec2:{region}:{account}:vpc-endpoint/{key}",
    created="{CreationTimestamp}",
    keeps=("PolicyDocument", "Tags"),
    relations=(
        Relation("AWS::EC2::VPC", "Is contained in ", at="VpcId"),
        Relation("AWS::EC2::Subnet", "Is contained in ", at="SubnetIds[]"),
        Relation("AWS::EC2::RouteTable", "Is contained in ", at="RouteTableIds[]"),
        Relation("AWS::EC2::NetworkInterface", "Is attached to ", at="NetworkInterfaceIds[]"),
    ),
    touched_by=TAGGED
    | answered("CreateVpcEndpointResponse.vpcEndpoint.vpcEndpointId", "CreateVpcEndpoint")
    | wrapped("VpcEndpointId", "ModifyVpcEndpoint")
    | wrapped("VpcEndpointId.content", "DeleteVpcEndpoints"),
    read_key=starting_with("vpce-"),
)

ENDED = ("deleted", "expired", "rejected")


def _status(configuration: dict[str, Any], seen: Seen) -> dict[str, Any]:
    """The schema knows the status as one leaf; items hold its code and message."""
    status = seen.raw.get("Status", {})
    return configuration | {"status": {"code": status.get("Code"), "message": status.get("Message")}}


PEERING = ResourceType(
    name="AWS::EC2::VPCPeeringConnection",
    listing=standing(
        Describe("ec2", "DescribeVpcPeeringConnections", at="VpcPeeringConnections[]"), "Status.Code", *ENDED
    ),
    key="VpcPeeringConnectionId",
    describe=standing(
        Describe(
            "ec2",
            "DescribeVpcPeeringConnections",
            {"VpcPeeringConnectionIds": ["{key}"]},
            "VpcPeeringConnections[]",
            ("InvalidVpcPeeringConnectionID.NotFound", "InvalidVpcPeeringConnectionId.NotFound"),
        ),
        "Status.Code",
        *ENDED,
    ),
    service="ec2",
    listed_whole=True,
    arn="arn:aws:ec2:{region}:{account}:vpc-peering-connection/{key}",
    keeps=("Tags",),
    finish=_status,
    relations=(
        Relation("AWS::EC2::VPC", "Is associated with ", at="AccepterVpcInfo.VpcId"),
        Relation("AWS::EC2::VPC", "Is associated with ", at="RequesterVpcInfo.VpcId"),
    ),
    touched_by=TAGGED
    | answered("vpcPeeringConnection.vpcPeeringConnectionId", "CreateVpcPeeringConnection")
    | asked(
        "vpcPeeringConnectionId",
        "AcceptVpcPeeringConnection",
        "DeleteVpcPeeringConnection",
        "RejectVpcPeeringConnection",
    )
    | wrapped("VpcPeeringConnectionId", "ModifyVpcPeeringConnectionOptions"),
    read_key=starting_with("pcx-"),
)

RESOURCES = (CUSTOMER_GATEWAY, VPN_GATEWAY, ENDPOINT, PEERING)
