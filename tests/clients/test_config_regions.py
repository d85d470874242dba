"""Recorders of two regions: each records what is at home there, and what belongs to no region where it is asked to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.recorder import start_recorder
from tests.clients.trails import bucket_policy
from trailstate.testing import Lab, lab

REGIONS = ("us-east-1", "eu-west-1")
BUCKET, USER, TRAIL = "AWS::S3::Bucket", "AWS::IAM::User", "AWS::CloudTrail::Trail"


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


def test_a_trail_of_all_regions_counts_in_each_and_its_bucket_is_found(aws: Lab) -> None:
    rules = ("MULTI_REGION_CLOUD_TRAIL_ENABLED", "CLOUD_TRAIL_ENABLED")
    cloudtrail, s3 = aws.client("cloudtrail"), aws.client("s3", region=REGIONS[1])
    s3.create_bucket(Bucket="evidence", CreateBucketConfiguration={"LocationConstraint": REGIONS[1]})
    s3.put_bucket_policy(Bucket="evidence", Policy=bucket_policy("evidence"))
    recorders = [start(aws, region, TRAIL, BUCKET) for region in REGIONS]
    cloudtrail.create_trail(Name="main", S3BucketName="evidence", IsMultiRegionTrail=True)
    cloudtrail.create_trail(Name="here", S3BucketName="evidence")
    cloudtrail.start_logging(Name="main")
    aws.settle()
    for config in recorders:
        for identifier in rules:
            put(config, identifier)
    put(recorders[0], "CLOUDTRAIL_S3_BUCKET_ACCESS_LOGGING")
    aws.settle()
    assert [verdict(config, rule) for config in recorders for rule in rules] == ["COMPLIANT"] * 4
    assert verdict(recorders[0], "CLOUDTRAIL_S3_BUCKET_ACCESS_LOGGING") == "NON_COMPLIANT"
    cloudtrail.start_logging(Name="here")
    cloudtrail.stop_logging(Name="main")
    aws.settle()
    aws.advance("25h")
    assert [verdict(config, "CLOUD_TRAIL_ENABLED") for config in recorders] == ["COMPLIANT", "NON_COMPLIANT"]


def test_a_trail_at_home_where_nothing_is_recorded_counts_all_the_same(aws: Lab) -> None:
    """AWS's rules ask CloudTrail, which shows a Region the trails of all Regions wherever they are at home."""
    aws.reset()
    cloudtrail = aws.client("cloudtrail", region=REGIONS[1])
    aws.client("s3").create_bucket(Bucket="evidence")
    aws.client("s3").put_bucket_policy(Bucket="evidence", Policy=bucket_policy("evidence"))
    start_recorder(aws)
    config = aws.client("config")
    put(config, "MULTI_REGION_CLOUD_TRAIL_ENABLED")
    aws.settle()
    assert verdict(config, "MULTI_REGION_CLOUD_TRAIL_ENABLED") == "NON_COMPLIANT"
    cloudtrail.create_trail(Name="main", S3BucketName="evidence", IsMultiRegionTrail=True)
    cloudtrail.start_logging(Name="main")
    aws.settle()
    aws.advance("25h")
    assert verdict(config, "MULTI_REGION_CLOUD_TRAIL_ENABLED") == "COMPLIANT"


def put(config: Any, identifier: str) -> None:
    source = {"Owner": "AWS", "SourceIdentifier": identifier}
    config.put_config_rule(ConfigRule={"ConfigRuleName": identifier, "Source": source})


def verdict(config: Any, rule: str) -> str:
    (one,) = config.describe_compliance_by_config_rule(ConfigRuleNames=[rule])["ComplianceByConfigRules"]
    return str(one["Compliance"]["ComplianceType"])


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
