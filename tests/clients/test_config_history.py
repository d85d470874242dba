"""From a call to the history of a resource, with boto3: what was recorded, when, and by which call."""

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from trailstate.testing import Lab, lab

RULE = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab() as started:
        record(started)
        yield started


def record(aws: Lab) -> None:
    """A bucket, a role, a recorder of security groups."""
    config = aws.client("config")
    aws.client("s3").create_bucket(Bucket="config-files")
    role = f"arn:aws:iam::{aws.account}:role/config"
    group = {"resourceTypes": ["AWS::EC2::SecurityGroup"]}
    config.put_configuration_recorder(
        ConfigurationRecorder={"name": "default", "roleARN": role, "recordingGroup": group}
    )
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "config-files"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    aws.settle()


def security_group(aws: Lab, name: str) -> str:
    made = aws.client("ec2").create_security_group(GroupName=name, Description="for a test")
    return str(made["GroupId"])


def history(aws: Lab, group: str, **options: object) -> list[dict]:
    aws.settle()
    answer = aws.client("config").get_resource_config_history(
        resourceType="AWS::EC2::SecurityGroup", resourceId=group, **options
    )
    return answer["configurationItems"]


def test_every_change_is_an_item_that_names_the_call_behind_it(aws: Lab) -> None:
    group = security_group(aws, "web")
    aws.settle()
    aws.client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[RULE])
    aws.settle()
    aws.client("ec2").delete_security_group(GroupId=group)
    deleted, opened, created = history(aws, group)
    assert [each["configurationItemStatus"] for each in (created, opened, deleted)] == [
        "ResourceDiscovered",
        "OK",
        "ResourceDeleted",
    ]
    names = [aws.recorded(eventID=each["relatedEvents"][0])[0]["eventName"] for each in (created, opened, deleted)]
    assert names == ["CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "DeleteSecurityGroup"]
    permission = json.loads(opened["configuration"])["ipPermissions"][0]
    assert permission["ipRanges"] == ["0.0.0.0/0"]
    assert permission["ipv4Ranges"] == [{"cidrIp": "0.0.0.0/0"}]
    assert opened["arn"] == f"arn:aws:ec2:us-east-1:{aws.account}:security-group/{group}"


def test_what_was_there_when_recording_began_is_discovered(aws: Lab) -> None:
    found = aws.client("config").list_discovered_resources(resourceType="AWS::EC2::SecurityGroup")
    default = aws.client("ec2").describe_security_groups(GroupNames=["default"])["SecurityGroups"][0]["GroupId"]
    assert default in {each["resourceId"] for each in found["resourceIdentifiers"]}
    assert [each["relatedEvents"] for each in history(aws, default)] == [[]]


def test_a_call_that_changes_nothing_makes_no_item(aws: Lab) -> None:
    group = security_group(aws, "unchanged")
    with pytest.raises(ClientError):
        aws.client("ec2").revoke_security_group_ingress(GroupId=group, IpPermissions=[RULE])
    aws.client("ec2").create_tags(Resources=[group], Tags=[{"Key": "team", "Value": "blue"}])
    aws.client("ec2").create_tags(Resources=[group], Tags=[{"Key": "team", "Value": "blue"}])
    tagged = history(aws, group)
    aws.client("ec2").create_tags(Resources=[group], Tags=[{"Key": "team", "Value": "blue"}])
    assert history(aws, group) == tagged
    assert tagged[0]["tags"] == {"team": "blue"}
