"""Scenes of EC2: what stands in a network and what runs there."""

from collections.abc import Iterator
from typing import Any

from tests.resources.scene import GONE, Aws, a_network, a_role, scene


@scene("AWS::EC2::SecurityGroup")
def security_group(aws: Aws) -> Iterator[Any]:
    ec2 = aws("ec2")
    vpc, _ = a_network(aws, "10.1")
    group = ec2.create_security_group(
        GroupName="web",
        Description="web servers",
        VpcId=vpc,
        TagSpecifications=[{"ResourceType": "security-group", "Tags": [{"Key": "team", "Value": "web"}]}],
    )["GroupId"]
    yield group
    ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0")
    yield {
        "configuration.ipPermissions.0.ipRanges": ["0.0.0.0/0"],
        "configuration.ipPermissions.0.ipv4Ranges.0.cidrIp": "0.0.0.0/0",
    }
    ec2.delete_security_group(GroupId=group)
    yield GONE


@scene("AWS::EC2::VPC")
def vpc(aws: Aws) -> Iterator[Any]:
    ec2 = aws("ec2")
    made = ec2.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    yield made
    ec2.create_tags(Resources=[made], Tags=[{"Key": "team", "Value": "web"}])
    yield {"tags.team": "web", "configuration.tags.0.value": "web"}
    ec2.delete_vpc(VpcId=made)
    yield GONE


@scene("AWS::EC2::Subnet")
def subnet(aws: Aws) -> Iterator[Any]:
    ec2 = aws("ec2")
    _, [made] = a_network(aws, "10.3")
    yield made
    ec2.modify_subnet_attribute(SubnetId=made, MapPublicIpOnLaunch={"Value": True})
    yield {"configuration.mapPublicIpOnLaunch": True}
    ec2.delete_subnet(SubnetId=made)
    yield GONE


@scene("AWS::EC2::Instance")
def instance(aws: Aws) -> Iterator[Any]:
    ec2 = aws("ec2")
    _, [subnet] = a_network(aws, "10.4")
    a_role(aws, "web", "ec2.amazonaws.com")
    profile = aws("iam").create_instance_profile(InstanceProfileName="web")["InstanceProfile"]["Arn"]
    aws("iam").add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    made = ec2.run_instances(
        ImageId="ami-12c6146b",
        MinCount=1,
        MaxCount=1,
        InstanceType="t3.micro",
        IamInstanceProfile={"Arn": profile},
        SubnetId=subnet,
    )["Instances"][0]["InstanceId"]
    yield made
    ec2.modify_instance_metadata_options(InstanceId=made, HttpTokens="required")
    yield {"configuration.metadataOptions.httpTokens": "required"}
    ec2.terminate_instances(InstanceIds=[made])
    yield GONE


@scene("AWS::EC2::Volume")
def volume(aws: Aws) -> Iterator[Any]:
    ec2 = aws("ec2")
    made = ec2.create_volume(AvailabilityZone="us-east-1a", Size=8, Encrypted=True)["VolumeId"]
    yield made
    ec2.modify_volume(VolumeId=made, Size=16)
    yield {"configuration.size": 16}
    ec2.delete_volume(VolumeId=made)
    yield GONE


@scene("AWS::EC2::NetworkInterface")
def network_interface(aws: Aws) -> Iterator[Any]:
    ec2 = aws("ec2")
    _, [subnet] = a_network(aws, "10.5")
    made = ec2.create_network_interface(SubnetId=subnet, Description="spare")["NetworkInterface"]["NetworkInterfaceId"]
    yield made
    ec2.modify_network_interface_attribute(NetworkInterfaceId=made, SourceDestCheck={"Value": False})
    yield {"configuration.sourceDestCheck": False}
    ec2.delete_network_interface(NetworkInterfaceId=made)
    yield GONE


@scene("AWS::EC2::NetworkAcl")
def network_acl(aws: Aws) -> Iterator[Any]:
    ec2 = aws("ec2")
    vpc, _ = a_network(aws, "10.6")
    made = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    yield made
    ec2.create_network_acl_entry(
        NetworkAclId=made,
        RuleNumber=90,
        Protocol="6",
        RuleAction="allow",
        Egress=False,
        CidrBlock="0.0.0.0/0",
        PortRange={"From": 22, "To": 22},
    )
    yield {"configuration.entries[ruleNumber=90].portRange.from": 22}
    ec2.delete_network_acl(NetworkAclId=made)
    yield GONE


@scene("AWS::EC2::InternetGateway")
def internet_gateway(aws: Aws) -> Iterator[Any]:
    ec2 = aws("ec2")
    vpc, _ = a_network(aws, "10.7")
    made = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    yield made
    ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=vpc)
    yield {"configuration.attachments.0.vpcId": vpc, "relationships.0.resourceId": vpc}
    ec2.detach_internet_gateway(InternetGatewayId=made, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=made)
    yield GONE


@scene("AWS::EC2::RouteTable")
def route_table(aws: Aws) -> Iterator[Any]:
    ec2 = aws("ec2")
    vpc, [subnet] = a_network(aws, "10.8")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    made = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    yield made
    ec2.create_route(RouteTableId=made, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    association = ec2.associate_route_table(RouteTableId=made, SubnetId=subnet)["AssociationId"]
    yield {
        "configuration.routes.1.gatewayId": gateway,
        "relationships[resourceType=AWS::EC2::Subnet].resourceId": subnet,
    }
    ec2.disassociate_route_table(AssociationId=association)
    ec2.delete_route_table(RouteTableId=made)
    yield GONE


@scene("AWS::EC2::FlowLog")
def flow_log(aws: Aws) -> Iterator[Any]:
    ec2 = aws("ec2")
    vpc, _ = a_network(aws, "10.9")
    aws("logs").create_log_group(logGroupName="/vpc/flow")
    made = ec2.create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[vpc],
        TrafficType="ALL",
        LogGroupName="/vpc/flow",
        DeliverLogsPermissionArn=a_role(aws, "flow", "vpc-flow-logs.amazonaws.com"),
    )["FlowLogIds"][0]
    yield made
    ec2.create_tags(Resources=[made], Tags=[{"Key": "team", "Value": "net"}])
    yield {"tags.team": "net"}
    ec2.delete_flow_logs(FlowLogIds=[made])
    yield GONE


@scene("AWS::EC2::EIP")
def elastic_ip(aws: Aws) -> Iterator[Any]:
    ec2 = aws("ec2")
    _, [subnet] = a_network(aws, "10.10")
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    made = ec2.allocate_address(Domain="vpc")["AllocationId"]
    yield made
    association = ec2.associate_address(AllocationId=made, NetworkInterfaceId=interface)["AssociationId"]
    yield {"configuration.networkInterfaceId": interface, "relationships.0.resourceId": interface}
    ec2.disassociate_address(AssociationId=association)
    ec2.release_address(AllocationId=made)
    yield GONE


@scene("AWS::EC2::NatGateway")
def nat_gateway(aws: Aws) -> Iterator[Any]:
    ec2 = aws("ec2")
    _, [subnet] = a_network(aws, "10.11")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    yield made
    ec2.create_tags(Resources=[made], Tags=[{"Key": "team", "Value": "net"}])
    yield {"tags.team": "net"}
    ec2.delete_nat_gateway(NatGatewayId=made)
    yield GONE


@scene("AWS::EC2::VPNConnection")
def vpn_connection(aws: Aws) -> Iterator[Any]:
    ec2 = aws("ec2")
    inside = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    outside = ec2.create_customer_gateway(Type="ipsec.1", PublicIp="198.51.100.7", BgpAsn=65000)
    made = ec2.create_vpn_connection(
        Type="ipsec.1",
        VpnGatewayId=inside,
        CustomerGatewayId=outside["CustomerGateway"]["CustomerGatewayId"],
    )["VpnConnection"]["VpnConnectionId"]
    yield made
    ec2.create_tags(Resources=[made], Tags=[{"Key": "team", "Value": "net"}])
    yield {"tags.team": "net"}
    ec2.delete_vpn_connection(VpnConnectionId=made)
    yield GONE


@scene("AWS::EC2::LaunchTemplate")
def launch_template(aws: Aws) -> Iterator[Any]:
    ec2 = aws("ec2")
    made = ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={"InstanceType": "t3.micro"},
    )["LaunchTemplate"]["LaunchTemplateId"]
    yield made
    ec2.create_launch_template_version(
        LaunchTemplateId=made,
        LaunchTemplateData={"InstanceType": "t3.micro", "MetadataOptions": {"HttpTokens": "required"}},
    )
    yield {"configuration.LatestVersionNumber": "2"}
    ec2.delete_launch_template(LaunchTemplateId=made)
    yield GONE
