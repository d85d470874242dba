"""Scenes of what leads beyond a network, of groups of subnets, of platforms."""

import json
from collections.abc import Iterator
from typing import Any

from tests.resources.scene import GONE, Aws, a_network, a_role, scene

ZONES = ("us-east-1a", "us-east-1b")


@scene("AWS::EC2::CustomerGateway")
def customer_gateway(aws: Aws) -> Iterator[Any]:
    ec2 = aws("ec2")
    made = ec2.create_customer_gateway(Type="ipsec.1", PublicIp="198.51.100.8", BgpAsn=65000)
    key = made["CustomerGateway"]["CustomerGatewayId"]
    yield key
    ec2.create_tags(Resources=[key], Tags=[{"Key": "team", "Value": "net"}])
    yield {"tags.team": "net"}
    ec2.delete_customer_gateway(CustomerGatewayId=key)
    yield GONE


@scene("AWS::EC2::VPNGateway")
def vpn_gateway(aws: Aws) -> Iterator[Any]:
    ec2 = aws("ec2")
    vpc, _ = a_network(aws, "10.41")
    made = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    yield made
    ec2.attach_vpn_gateway(VpnGatewayId=made, VpcId=vpc)
    yield {"relationships.0.resourceId": vpc}
    ec2.detach_vpn_gateway(VpnGatewayId=made, VpcId=vpc)
    ec2.delete_vpn_gateway(VpnGatewayId=made)
    yield GONE


@scene("AWS::EC2::VPCEndpoint")
def endpoint(aws: Aws) -> Iterator[Any]:
    ec2 = aws("ec2")
    vpc, _ = a_network(aws, "10.42")
    made = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3", VpcEndpointType="Gateway")
    key = made["VpcEndpoint"]["VpcEndpointId"]
    yield key
    ec2.create_tags(Resources=[key], Tags=[{"Key": "team", "Value": "net"}])
    yield {"tags.team": "net", "relationships.0.resourceId": vpc}
    ec2.delete_vpc_endpoints(VpcEndpointIds=[key])
    yield GONE


@scene("AWS::EC2::VPCPeeringConnection")
def peering(aws: Aws) -> Iterator[Any]:
    ec2 = aws("ec2")
    one, _ = a_network(aws, "10.43")
    other, _ = a_network(aws, "10.44")
    made = ec2.create_vpc_peering_connection(VpcId=one, PeerVpcId=other)["VpcPeeringConnection"]
    key = made["VpcPeeringConnectionId"]
    yield key
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=key)
    yield {"configuration.status.code": "active", "relationships.0.resourceId": other}
    ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=key)
    yield GONE


@scene("AWS::RDS::DBSubnetGroup")
def database_subnets(aws: Aws) -> Iterator[Any]:
    rds = aws("rds")
    _, subnets = a_network(aws, "10.45", ZONES)
    rds.create_db_subnet_group(
        DBSubnetGroupName="inner", DBSubnetGroupDescription="of the databases", SubnetIds=subnets
    )
    yield "inner"
    rds.add_tags_to_resource(
        ResourceName="arn:aws:rds:us-east-1:123456789012:subgrp:inner", Tags=[{"Key": "team", "Value": "web"}]
    )
    yield {"tags.team": "web", "relationships.0.resourceId": subnets[0]}
    rds.delete_db_subnet_group(DBSubnetGroupName="inner")
    yield GONE


@scene("AWS::Redshift::ClusterSubnetGroup")
def warehouse_subnets(aws: Aws) -> Iterator[Any]:
    redshift = aws("redshift")
    _, subnets = a_network(aws, "10.46", ZONES)
    redshift.create_cluster_subnet_group(
        ClusterSubnetGroupName="facts", Description="of the warehouse", SubnetIds=subnets
    )
    yield "facts"
    redshift.create_tags(
        ResourceName="arn:aws:redshift:us-east-1:123456789012:subnetgroup:facts",
        Tags=[{"Key": "team", "Value": "web"}],
    )
    yield {"tags.team": "web", "relationships.0.resourceId": subnets[0]}
    redshift.delete_cluster_subnet_group(ClusterSubnetGroupName="facts")
    yield GONE


@scene("AWS::EKS::Cluster")
def kubernetes(aws: Aws) -> Iterator[Any]:
    eks = aws("eks")
    _, subnets = a_network(aws, "10.47", ZONES)
    made = eks.create_cluster(
        name="web",
        version="1.29",
        roleArn=a_role(aws, "eks", "eks.amazonaws.com"),
        resourcesVpcConfig={"subnetIds": subnets},
    )["cluster"]["arn"]
    yield "web"
    eks.tag_resource(resourceArn=made, tags={"team": "web"})
    yield {"tags.team": "web", "configuration.ResourcesVpcConfig.SubnetIds": subnets}
    eks.delete_cluster(name="web")
    yield GONE


@scene("AWS::Glue::Job")
def glue_job(aws: Aws) -> Iterator[Any]:
    glue = aws("glue")
    glue.create_job(
        Name="nightly",
        Role=a_role(aws, "glue", "glue.amazonaws.com"),
        Command={"Name": "glueetl", "ScriptLocation": "s3://scripts/nightly.py"},
        DefaultArguments={"--job-language": "python"},
    )
    yield "nightly"
    yield {"configuration.DefaultArguments": {"--job-language": "python"}, "configuration.Command.Name": "glueetl"}
    glue.delete_job(JobName="nightly")
    yield GONE


@scene("AWS::SSM::Document")
def document(aws: Aws) -> Iterator[Any]:
    ssm = aws("ssm")
    content: dict[str, Any] = {
        "schemaVersion": "0.3",
        "mainSteps": [{"name": "wait", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}}],
    }
    ssm.create_document(Name="wait-a-little", Content=json.dumps(content), DocumentType="Automation")
    yield "wait-a-little"
    content["mainSteps"][0]["inputs"]["Duration"] = "PT2S"
    ssm.update_document(
        Name="wait-a-little", Content=json.dumps(content), VersionName="longer", DocumentVersion="$LATEST"
    )
    ssm.update_document_default_version(Name="wait-a-little", DocumentVersion="2")
    yield {"configuration.VersionName": "longer", "configuration.DocumentType": "Automation"}
    ssm.delete_document(Name="wait-a-little")
    yield GONE


@scene("AWS::Route53::HostedZone")
def hosted_zone(aws: Aws) -> Iterator[Any]:
    route53 = aws("route53")
    made = route53.create_hosted_zone(Name="example.org.", CallerReference="one")["HostedZone"]["Id"].rsplit("/", 1)[-1]
    yield made
    route53.change_tags_for_resource(
        ResourceType="hostedzone", ResourceId=made, AddTags=[{"Key": "team", "Value": "net"}]
    )
    yield {"tags.team": "net", "configuration.Name": "example.org."}
    route53.delete_hosted_zone(Id=made)
    yield GONE
