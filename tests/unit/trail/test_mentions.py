"""Which resources LookupEvents lists for a record."""

from typing import Any

import pytest

from trailstate.trail.mentions import RESOURCES_MAX, mentions, type_of_arn

ROLE = "arn:aws:iam::111122223333:role/deploy"
KEY = "arn:aws:kms:us-east-1:111122223333:key/0f1e2d3c-0000-4000-8000-000000000001"


def listed(service: str, name: str, request: Any, response: Any = None, **more: Any) -> set[tuple[str, str]]:
    record = {"eventSource": f"{service}.amazonaws.com", "eventName": name}
    return set(mentions(record | {"requestParameters": request, "responseElements": response} | more))


def test_an_instance_is_found_in_ec2s_items() -> None:
    request = {"instancesSet": {"items": [{"instanceId": "i-0aa"}, {"instanceId": "i-0bb"}]}}

    assert listed("ec2", "TerminateInstances", request) == {
        ("AWS::EC2::Instance", "i-0aa"),
        ("AWS::EC2::Instance", "i-0bb"),
    }


def test_a_new_thing_is_found_in_the_answer() -> None:
    request = {"instancesSet": {"items": [{"imageId": "ami-1", "minCount": 1}]}, "subnetId": "subnet-1"}
    response = {"instancesSet": {"items": [{"instanceId": "i-new", "groupSet": {"items": [{"groupId": "sg-1"}]}}]}}

    assert listed("ec2", "RunInstances", request, response) == {
        ("AWS::EC2::Ami", "ami-1"),
        ("AWS::EC2::Subnet", "subnet-1"),
        ("AWS::EC2::Instance", "i-new"),
        ("AWS::EC2::SecurityGroup", "sg-1"),
    }


def test_ec2s_newer_operations_wrap_the_request_and_the_texts_of_lists() -> None:
    request = {"CreateVpcEndpointRequest": {"VpcId": "vpc-1", "SubnetIds": {"tag": 1, "content": "subnet-1"}}}

    assert listed("ec2", "CreateVpcEndpoint", request) == {("AWS::EC2::VPC", "vpc-1"), ("AWS::EC2::Subnet", "subnet-1")}


def test_the_same_member_name_means_another_thing_in_another_service() -> None:
    assert listed("iam", "CreateGroup", {"groupName": "ops"}) == {("AWS::IAM::Group", "ops")}
    assert listed("ec2", "CreateSecurityGroup", {"groupName": "ops"}) == {("AWS::EC2::SecurityGroup", "ops")}
    assert listed("ssm", "PutParameter", {"name": "/db"}) == {("AWS::SSM::Parameter", "/db")}
    assert listed("cloudtrail", "StopLogging", {"name": "audit"}) == {("AWS::CloudTrail::Trail", "audit")}
    assert listed("iam", "CreateRole", {"name": "said by no table"}) == set()


def test_an_arn_says_what_it_is_wherever_it_stands() -> None:
    assert listed("states", "CreateStateMachine", {"roleArn": ROLE}) == {("AWS::IAM::Role", ROLE)}
    assert listed("kms", "Decrypt", None, resources=[{"ARN": KEY, "type": "AWS::KMS::Key"}]) == {("AWS::KMS::Key", KEY)}


def test_assuming_a_role_lists_the_session_by_id_and_arn() -> None:
    session = "arn:aws:sts::111122223333:assumed-role/deploy/ci"
    response = {
        "credentials": {"accessKeyId": "ASIA1", "sessionToken": "x"},
        "assumedRoleUser": {"assumedRoleId": "AROA1:ci", "arn": session},
    }

    assert listed("sts", "AssumeRole", {"roleArn": ROLE, "roleSessionName": "ci"}, response) == {
        ("AWS::IAM::Role", ROLE),
        ("AWS::IAM::AccessKey", "ASIA1"),
        ("AWS::STS::AssumedRole", "AROA1:ci"),
        ("AWS::STS::AssumedRole", session),
    }


def test_a_bucket_is_listed_by_name_once() -> None:
    record = [{"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::reports", "accountId": "111122223333"}]

    found = listed("s3", "PutBucketPolicy", {"bucketName": "reports", "policy": ""}, resources=record)

    assert found == {("AWS::S3::Bucket", "reports")}


def test_tagged_things_are_known_by_their_ids() -> None:
    request = {"resourcesSet": {"items": [{"resourceId": "vol-1"}, {"resourceId": "strange"}]}, "tagSet": {"items": []}}

    assert listed("ec2", "CreateTags", request) == {("AWS::EC2::Volume", "vol-1")}


def test_filters_and_hidden_values_name_nothing() -> None:
    request = {
        "filterSet": {"items": [{"name": "vpc-id", "vpcId": "vpc-1"}]},
        "keyName": "HIDDEN_DUE_TO_SECURITY_REASONS",
    }

    assert listed("ec2", "DescribeInstances", request) == set()


@pytest.mark.parametrize(
    ("service", "name", "member", "kind"),
    [
        ("iam", "AttachUserPolicy", "userName", "AWS::IAM::User"),
        ("lambda", "CreateFunction20150331", "functionName", "AWS::Lambda::Function"),
        ("sqs", "SendMessage", "queueUrl", "AWS::SQS::Queue"),
        ("rds", "DeleteDBInstance", "dBInstanceIdentifier", "AWS::RDS::DBInstance"),
        ("dynamodb", "DeleteTable", "tableName", "AWS::DynamoDB::Table"),
        ("cloudformation", "DeleteStack", "stackName", "AWS::CloudFormation::Stack"),
        ("elasticloadbalancing", "DeleteLoadBalancer", "loadBalancerName", "AWS::ElasticLoadBalancing::LoadBalancer"),
        ("autoscaling", "DeleteAutoScalingGroup", "autoScalingGroupName", "AWS::AutoScaling::AutoScalingGroup"),
        ("logs", "DeleteLogGroup", "logGroupName", "AWS::Logs::LogGroup"),
        ("secretsmanager", "DeleteSecret", "secretId", "AWS::SecretsManager::Secret"),
        ("ecs", "DeleteService", "service", "AWS::ECS::Service"),
        ("eks", "DeleteCluster", "name", "AWS::EKS::Cluster"),
        ("ecr", "DeleteRepository", "repositoryName", "AWS::ECR::Repository"),
    ],
)
def test_common_members_have_a_type(service: str, name: str, member: str, kind: str) -> None:
    assert listed(service, name, {member: "it"}) == {(kind, "it")}


def test_what_is_listed_is_bounded() -> None:
    request = {"instancesSet": {"items": [{"instanceId": f"i-{number}"} for number in range(5000)]}}

    assert len(listed("ec2", "DescribeInstances", request)) == RESOURCES_MAX


@pytest.mark.parametrize("text", ["", "arn:", "arn:aws:iam", "arn:aws:nothing:us-east-1:1:thing/x", "not an arn"])
def test_an_unknown_arn_has_no_type(text: str) -> None:
    assert type_of_arn(text) is None
