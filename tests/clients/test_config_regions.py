"""Recorders of two regions: each records what is at home there, and what belongs to no region where it is asked to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trailstate.testing import Lab, lab

REGIONS = ("us-east-1", "eu-west-1")
BUCKET, USER = "AWS::S3::Bucket", "AWS::IAM::User"


def start(aws: Lab, region: str, *types: str) -> Any:
    config = aws.client("config", region=region)
    role = f"arn:aws:iam::{aws.account}:role/config"
    recorder = {"name": "default", "roleARN": role, "recordingGroup": {"resourceTypes": list(types)}}
    config.put_configuration_recorder(ConfigurationRecorder=recorder)
    config.put_delivery_channel(DeliveryChannel={"s3BucketName": "config-files"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    return config


def names(config: Any, kind: str) -> set[str]:
    return {
        each.get("resourceName") or each["resourceId"]
        for each in config.list_discovered_resources(resourceType=kind)["resourceIdentifiers"]
    }


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab() as started:
        started.client("s3").create_bucket(Bucket="config-files")
        yield started


def test_a_bucket_is_recorded_where_it_is_at_home(aws: Lab) -> None:
    here, there = start(aws, REGIONS[0], BUCKET), start(aws, REGIONS[1], BUCKET)
    location = {"LocationConstraint": REGIONS[1]}
    aws.client("s3", region=REGIONS[1]).create_bucket(Bucket="in-ireland", CreateBucketConfiguration=location)
    aws.settle()
    assert names(here, BUCKET) == {"config-files"}
    assert names(there, BUCKET) == {"in-ireland"}


def test_a_user_is_recorded_by_every_recorder_that_names_users(aws: Lab) -> None:
    here, there = start(aws, REGIONS[0], USER), start(aws, REGIONS[1], USER)
    user = aws.client("iam").create_user(UserName="ana")["User"]
    aws.settle()
    assert names(here, USER) == names(there, USER) == {"ana"}
    answer = there.get_resource_config_history(resourceType=USER, resourceId=user["UserId"])
    assert answer["configurationItems"][0]["awsRegion"] == "global"
    aws.client("iam").delete_user(UserName="ana")
    aws.settle()
    assert names(here, USER) == names(there, USER) == set()


def test_what_a_restart_of_the_simulated_estate_lost_is_recorded_as_deleted(tmp_path: Path) -> None:
    settings = {"data": str(tmp_path), "ephemeral": False}
    with lab(**settings) as first:
        first.client("s3").create_bucket(Bucket="config-files")
        start(first, REGIONS[0], "AWS::EC2::SecurityGroup")
        group = first.client("ec2").create_security_group(GroupName="web", Description="x")["GroupId"]
        first.settle()
    with lab(**settings) as again:
        again.settle()
        answer = again.client("config").get_resource_config_history(
            resourceType="AWS::EC2::SecurityGroup", resourceId=group
        )
        last, *_ = answer["configurationItems"]
        assert last["configurationItemStatus"] == "ResourceDeleted"
        (cause,) = last["relatedEvents"]
        assert again.recorded(eventID=cause)[0]["eventName"] == "SimulatedEstateRestarted"
