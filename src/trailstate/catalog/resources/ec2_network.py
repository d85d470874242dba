"""EC2's networks: VPC, subnet, network ACL, gateways, route table, flow log, VPN connection."""

from trailstate.catalog.touch import answered, anywhere, asked, starting_with, wrapped
from trailstate.configuration.form import NOT_APPLICABLE, Describe, Relation, ResourceType

MANY_ZONES = "Multiple Availability Zones"

TAGGED = asked("resourcesSet.items[].resourceId", "CreateTags", "DeleteTags")

IN_VPC = Relation("AWS::EC2::VPC", "Is contained in Vpc", at="VpcId")
IN_SUBNET = Relation("AWS::EC2::Subnet", "Is contained in Subnet", at="SubnetId")

VPC = ResourceType(
    name="AWS::EC2::VPC",
    listing=Describe("ec2", "DescribeVpcs", at="Vpcs[]"),
    key="VpcId",
    describe=Describe("ec2", "DescribeVpcs", {"VpcIds": ["{key}"]}, "Vpcs[]", ("InvalidVpcID.NotFound",)),
    listed_whole=True,
    arn="arn:aws:ec2:{region}:{account}:vpc/{VpcId}",
    zone=MANY_ZONES,
    keeps=("Tags",),
    touched_by=TAGGED
    | answered("vpc.vpcId", "CreateVpc")
    | answered("CreateDefaultVpcResponse.vpc.vpcId", "CreateDefaultVpc")
    | asked("vpcId", "DeleteVpc", "ModifyVpcAttribute", "AssociateDhcpOptions", "AssociateVpcCidrBlock")
    | wrapped("VpcId", "ModifyVpcTenancy")
    | anywhere("DisassociateVpcCidrBlock"),
    read_key=starting_with("vpc-"),
)

SUBNET = ResourceType(
    name="AWS::EC2::Subnet",
    listing=Describe("ec2", "DescribeSubnets", at="Subnets[]"),
    key="SubnetId",
    describe=Describe("ec2", "DescribeSubnets", {"SubnetIds": ["{key}"]}, "Subnets[]", ("InvalidSubnetID.NotFound",)),
    listed_whole=True,
    arn="arn:aws:ec2:{region}:{account}:subnet/{SubnetId}",
    zone="{AvailabilityZone}",
    keeps=("Tags",),
    relations=(IN_VPC,),
    touched_by=TAGGED
    | answered("subnet.subnetId", "CreateSubnet")
    | answered("CreateDefaultSubnetResponse.subnet.subnetId", "CreateDefaultSubnet")
    | asked("subnetId", "DeleteSubnet", "ModifySubnetAttribute", "AssociateSubnetCidrBlock")
    | anywhere("DisassociateSubnetCidrBlock", "CreateDefaultVpc"),
    read_key=starting_with("subnet-"),
)

NETWORK_ACL = ResourceType(
    name="AWS::EC2::NetworkAcl",
    listing=Describe("ec2", "DescribeNetworkAcls", at="NetworkAcls[]"),
    key="NetworkAclId",
    describe=Describe(
        "ec2",
        "DescribeNetworkAcls",
        {"NetworkAclIds": ["{key}"]},
        "NetworkAcls[]",
        ("InvalidNetworkAclID.NotFound", "InvalidRouteTableID.NotFound"),
    ),
    listed_whole=True,
    arn="arn:aws:ec2:{region}:{account}:network-acl/{NetworkAclId}",
    zone=MANY_ZONES,
    keeps=("Tags",),
    relations=(
        Relation("AWS::EC2::Subnet", "Is attached to Subnet", at="Associations[].SubnetId"),
        IN_VPC,
    ),
    touched_by=TAGGED
    | answered("networkAcl.networkAclId", "CreateNetworkAcl")
    | asked(
        "networkAclId",
        "CreateNetworkAclEntry",
        "DeleteNetworkAcl",
        "DeleteNetworkAclEntry",
        "ReplaceNetworkAclEntry",
    )
    | anywhere("CreateSubnet", "CreateVpc", "DeleteSubnet", "DeleteVpc", "ReplaceNetworkAclAssociation"),
    read_key=starting_with("acl-"),
)

INTERNET_GATEWAY = ResourceType(
    name="AWS::EC2::InternetGateway",
    listing=Describe("ec2", "DescribeInternetGateways", at="InternetGateways[]"),
    key="InternetGatewayId",
    describe=Describe(
        "ec2",
        "DescribeInternetGateways",
        {"InternetGatewayIds": ["{key}"]},
        "InternetGateways[]",
        ("InvalidInternetGatewayID.NotFound",),
    ),
    listed_whole=True,
    arn="arn:aws:ec2:{region}:{account}:internet-gateway/{InternetGatewayId}",
    zone=MANY_ZONES,
    keeps=("Tags",),
    relations=(Relation("AWS::EC2::VPC", "Is attached to Vpc", at="Attachments[].VpcId"),),
    touched_by=TAGGED
    | answered("internetGateway.internetGatewayId", "CreateInternetGateway")
    | asked("internetGatewayId", "AttachInternetGateway", "DeleteInternetGateway", "DetachInternetGateway"),
    read_key=starting_with("igw-"),
)

ROUTE_TABLE = ResourceType(
    name="AWS::EC2::RouteTable",
    listing=Describe("ec2", "DescribeRouteTables", at="RouteTables[]"),
    key="RouteTableId",
    describe=Describe(
        "ec2",
        "DescribeRouteTables",
        {"RouteTableIds": ["{key}"]},
        "RouteTables[]",
        ("InvalidRouteTableID.NotFound",),
    ),
    listed_whole=True,
    arn="arn:aws:ec2:{region}:{account}:route-table/{RouteTableId}",
    keeps=("Tags",),
    relations=(
        Relation("AWS::EC2::Subnet", "Contains Subnet", at="Associations[].SubnetId"),
        Relation("AWS::EC2::VPNGateway", "Contains VpnGateway", at="PropagatingVgws[].GatewayId"),
        Relation("AWS::EC2::Instance", "Contains Instance", at="Routes[].InstanceId"),
        Relation("AWS::EC2::NetworkInterface", "Contains NetworkInterface", at="Routes[].NetworkInterfaceId"),
        IN_VPC,
    ),
    touched_by=TAGGED
    | answered("routeTable.routeTableId", "CreateRouteTable")
    | asked(
        "routeTableId",
        "AssociateRouteTable",
        "CreateRoute",
        "DeleteRoute",
        "DeleteRouteTable",
        "ReplaceRoute",
    )
    | wrapped("RouteTableId", "DisableVgwRoutePropagation", "EnableVgwRoutePropagation")
    | anywhere("CreateVpc", "DeleteSubnet", "DeleteVpc", "DisassociateRouteTable", "ReplaceRouteTableAssociation")
    | anywhere("CreateVpcEndpoint", "DeleteVpcEndpoints", "DeleteNatGateway"),
    read_key=starting_with("rtb-"),
)

FLOW_LOG = ResourceType(
    name="AWS::EC2::FlowLog",
    listing=Describe("ec2", "DescribeFlowLogs", at="FlowLogs[]"),
    key="FlowLogId",
    describe=Describe(
        "ec2",
        "DescribeFlowLogs",
        {"FlowLogIds": ["{key}"]},
        "FlowLogs[]",
        ("InvalidFlowLogId.NotFound",),
    ),
    listed_whole=True,
    arn="arn:aws:ec2:{region}:{account}:vpc-flow-log/{FlowLogId}",
    created="{CreationTime}",
    keeps=("Tags",),
    touched_by=TAGGED
    | wrapped("FlowLogId.content", "DeleteFlowLogs")
    | answered("CreateFlowLogsResponse.flowLogIdSet.item", "CreateFlowLogs"),
    read_key=starting_with("fl-"),
)

STANDING_NAT = [{"Name": "state", "Values": ["pending", "failed", "available", "deleting"]}]

NAT_GATEWAY = ResourceType(
    name="AWS::EC2::NatGateway",
    listing=Describe("ec2", "DescribeNatGateways", {"Filter": STANDING_NAT}, "NatGateways[]"),
    key="NatGatewayId",
    describe=Describe(
        "ec2",
        "DescribeNatGateways",
        {"NatGatewayIds": ["{key}"], "Filter": STANDING_NAT},
        "NatGateways[]",
        ("NatGatewayNotFound", "InvalidNatGatewayID.NotFound"),
    ),
    listed_whole=True,
    arn="arn:aws:ec2:{region}:{account}:natgateway/{NatGatewayId}",
    created="{CreateTime}",
    zone=NOT_APPLICABLE,
    keeps=("Tags",),
    relations=(
        Relation("AWS::EC2::VPC", "Is contained in ", at="VpcId"),
        Relation("AWS::EC2::Subnet", "Is contained in ", at="SubnetId"),
    ),
    touched_by=TAGGED
    | answered("CreateNatGatewayResponse.natGateway.natGatewayId", "CreateNatGateway")
    | wrapped("NatGatewayId", "DeleteNatGateway"),
    read_key=starting_with("nat-"),
)

STANDING_VPN = [{"Name": "state", "Values": ["pending", "available", "deleting"]}]


VPN_CONNECTION = ResourceType(
    name="AWS::EC2::VPNConnection",
    listing=Describe("ec2", "DescribeVpnConnections", {"Filters": STANDING_VPN}, "VpnConnections[]"),
    key="VpnConnectionId",
    describe=Describe(
        "ec2",
        "DescribeVpnConnections",
        {"VpnConnectionIds": ["{key}"], "Filters": STANDING_VPN},
        "VpnConnections[]",
        ("InvalidVpnConnectionID.NotFound",),
    ),
    listed_whole=True,
    arn="arn:aws:ec2:{region}:{account}:vpn-connection/{VpnConnectionId}",
    keeps=("Tags",),
    relations=(
        Relation("AWS::EC2::CustomerGateway", "Is attached to CustomerGateway", at="CustomerGatewayId"),
        Relation("AWS::EC2::VPNGateway", "Is attached to VpnGateway", at="VpnGatewayId"),
    ),
    touched_by=TAGGED
    | answered("vpnConnection.vpnConnectionId", "CreateVpnConnection")
    | asked("vpnConnectionId", "DeleteVpnConnection")
    | wrapped(
        "VpnConnectionId",
        "CreateVpnConnectionRoute",
        "DeleteVpnConnectionRoute",
        "ModifyVpnConnection",
        "ModifyVpnConnectionOptions",
        "ModifyVpnTunnelOptions",
    ),
    read_key=starting_with("vpn-"),
)

RESOURCES = (
    VPC,
    SUBNET,
    NETWORK_ACL,
    INTERNET_GATEWAY,
    ROUTE_TABLE,
    FLOW_LOG,
    NAT_GATEWAY,
    VPN_CONNECTION,
)
