"""Recorders, their history and what belongs to them, with boto3: what AWS answers, and what it refuses."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError

from trailstate.testing import Lab, lab

GROUP = "AWS::EC2::SecurityGroup"
THING = "Acme::Data::Store"


@pytest.fixture(scope="module")
def server() -> Iterator[Lab]:
    with lab() as started:
        yield started


@pytest.fixture
def aws(server: Lab) -> Lab:
    server.reset()
    return server


@pytest.fixture
def config(aws: Lab) -> Any:
    """A client of an account that records third parties' resources, but nothing of its own."""
    client = aws.client("config")
    aws.client("s3").create_bucket(Bucket="config-files")
    client.put_configuration_recorder(ConfigurationRecorder=recorder(aws))
    client.put_delivery_channel(DeliveryChannel={"s3BucketName": "config-files"})
    client.start_configuration_recorder(ConfigurationRecorderName="default")
    aws.settle()
    return client


def recorder(aws: Lab, **members: Any) -> dict[str, Any]:
    only = {"resourceTypes": ["AWS::EC2::Host"]}
    return {"name": "default", "roleARN": f"arn:aws:iam::{aws.account}:role/config", "recordingGroup": only} | members


def code(work: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refused:
        work()
    return str(refused.value.response["Error"]["Code"])


def put(config: Any, identifier: str, **content: Any) -> None:
    config.put_resource_config(
        ResourceType=THING, SchemaVersionId="1", ResourceId=identifier, Configuration=json.dumps(content)
    )


def items(config: Any, identifier: str, **options: Any) -> list[dict[str, Any]]:
    answer = config.get_resource_config_history(resourceType=THING, resourceId=identifier, **options)
    return list(answer["configurationItems"])


# ---- the recorder ----


def test_a_recorder_is_told_as_it_was_put(aws: Lab, config: Any) -> None:
    (told,) = config.describe_configuration_recorders()["ConfigurationRecorders"]
    assert told["roleARN"] == f"arn:aws:iam::{aws.account}:role/config"
    assert told["recordingGroup"]["recordingStrategy"] == {"useOnly": "INCLUSION_BY_RESOURCE_TYPES"}
    assert told["recordingMode"] == {"recordingFrequency": "CONTINUOUS"}
    assert told["arn"].startswith(f"arn:aws:config:us-east-1:{aws.account}:configuration-recorder/default/")
    assert config.describe_configuration_recorders(Arn=told["arn"])["ConfigurationRecorders"] == [told]
    (summary,) = config.list_configuration_recorders()["ConfigurationRecorderSummaries"]
    assert summary == {"arn": told["arn"], "name": "default", "recordingScope": "PAID"}


def test_its_status_tells_whether_it_runs_and_how_it_went(config: Any) -> None:
    (status,) = config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    assert status["recording"]
    assert status["lastStatus"] in ("PENDING", "SUCCESS")
    config.stop_configuration_recorder(ConfigurationRecorderName="default")
    (status,) = config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    assert not status["recording"]
    assert status["lastStopTime"] >= status["lastStartTime"]


def test_what_aws_refuses_of_recorders_is_refused(aws: Lab, config: Any) -> None:
    put_recorder = config.put_configuration_recorder
    refusals = {
        "MaxNumberOfConfigurationRecordersExceededException": lambda: put_recorder(
            ConfigurationRecorder=recorder(aws, name="second")
        ),
        "InvalidRoleException": lambda: put_recorder(ConfigurationRecorder=recorder(aws, roleARN="nobody")),
        "InvalidRecordingGroupException": lambda: put_recorder(
            ConfigurationRecorder=recorder(aws, recordingGroup={"allSupported": True, "resourceTypes": [GROUP]})
        ),
        "NoSuchConfigurationRecorderException": lambda: config.start_configuration_recorder(
            ConfigurationRecorderName="none"
        ),
        "NoSuchDeliveryChannelException": lambda: config.describe_delivery_channels(DeliveryChannelNames=["none"]),
        "LastDeliveryChannelDeleteFailedException": lambda: config.delete_delivery_channel(
            DeliveryChannelName="default"
        ),
        "MaxNumberOfDeliveryChannelsExceededException": lambda: config.put_delivery_channel(
            DeliveryChannel={"name": "second", "s3BucketName": "config-files"}
        ),
        "InvalidSNSTopicARNException": lambda: config.put_delivery_channel(
            DeliveryChannel={"s3BucketName": "config-files", "snsTopicARN": "topic"}
        ),
        "InvalidS3KeyPrefixException": lambda: config.put_delivery_channel(
            DeliveryChannel={"s3BucketName": "config-files", "s3KeyPrefix": "ends/"}
        ),
        "ValidationException": lambda: config.describe_configuration_recorders(
            Arn="arn:a", ConfigurationRecorderNames=["default"]
        ),
    }
    assert {expected: code(work) for expected, work in refusals.items()} == {each: each for each in refusals}


def test_without_recorder_or_channel_nothing_is_begun(aws: Lab) -> None:
    config = aws.client("config")
    channel = {"s3BucketName": "nowhere"}
    assert (
        code(lambda: config.put_delivery_channel(DeliveryChannel=channel))
        == "NoAvailableConfigurationRecorderException"
    )
    config.put_configuration_recorder(ConfigurationRecorder=recorder(aws))
    start = lambda: config.start_configuration_recorder(ConfigurationRecorderName="default")  # noqa: E731
    assert code(start) == "NoAvailableDeliveryChannelException"


def test_a_stopped_recorder_sees_nothing_and_a_widened_one_looks_again(aws: Lab, config: Any) -> None:
    ec2 = aws.client("ec2")
    group = ec2.create_security_group(GroupName="web", Description="x")["GroupId"]
    aws.settle()
    listed = lambda: config.list_discovered_resources(resourceType=GROUP)["resourceIdentifiers"]  # noqa: E731
    assert listed() == []
    config.put_configuration_recorder(ConfigurationRecorder=recorder(aws, recordingGroup={"resourceTypes": [GROUP]}))
    aws.settle()
    assert group in {each["resourceId"] for each in listed()}
    config.stop_configuration_recorder(ConfigurationRecorderName="default")
    late = ec2.create_security_group(GroupName="late", Description="x")["GroupId"]
    aws.settle()
    assert late not in {each["resourceId"] for each in listed()}


def test_types_recorded_daily_wait_for_the_daily_look(aws: Lab, config: Any) -> None:
    mode = {"recordingFrequency": "DAILY"}
    config.put_configuration_recorder(
        ConfigurationRecorder=recorder(aws, recordingGroup={"resourceTypes": [GROUP]}, recordingMode=mode)
    )
    group = aws.client("ec2").create_security_group(GroupName="daily", Description="x")["GroupId"]
    aws.settle()
    ask = lambda: config.get_resource_config_history(resourceType=GROUP, resourceId=group)  # noqa: E731
    aws.advance(timedelta(hours=25))
    (item,) = ask()["configurationItems"]
    assert item["recordingFrequency"] == "DAILY"


# ---- the history ----


def test_pages_of_a_history_lose_nothing_in_either_order(config: Any) -> None:
    for number in range(7):
        put(config, "s1", number=number)
    for order in ("Forward", "Reverse"):
        pages = config.get_paginator("get_resource_config_history").paginate(
            resourceType=THING, resourceId="s1", chronologicalOrder=order, PaginationConfig={"PageSize": 3}
        )
        found = [json.loads(item["configuration"])["number"] for page in pages for item in page["configurationItems"]]
        assert found == (list(range(7)) if order == "Forward" else list(range(6, -1, -1)))


def test_a_history_can_be_had_between_two_times(aws: Lab, config: Any) -> None:
    put(config, "s1", number=0)
    aws.advance("1h")
    middle = aws.now()
    put(config, "s1", number=1)
    assert [json.loads(each["configuration"])["number"] for each in items(config, "s1", laterTime=middle)] == [0]
    assert [json.loads(each["configuration"])["number"] for each in items(config, "s1", earlierTime=middle)] == [1]


def test_what_aws_refuses_of_histories_is_refused(aws: Lab, config: Any) -> None:
    put(config, "s1", number=0)
    put(config, "s1", number=1)
    ask = config.get_resource_config_history
    token = ask(resourceType=THING, resourceId="s1", limit=1)["nextToken"]
    refusals = {
        "ResourceNotDiscoveredException": lambda: ask(resourceType=GROUP, resourceId="sg-none"),
        "InvalidLimitException": lambda: ask(resourceType=THING, resourceId="s1", limit=101),
        "InvalidTimeRangeException": lambda: ask(
            resourceType=THING, resourceId="s1", earlierTime=aws.now(), laterTime=aws.now() - timedelta(hours=1)
        ),
        "InvalidNextTokenException": lambda: ask(resourceType=THING, resourceId="s2", nextToken=token),
        "ValidationException": lambda: ask(resourceType="AWS::Made::Up", resourceId="x"),
    }
    put(config, "s2", number=0)
    assert {expected: code(work) for expected, work in refusals.items()} == {each: each for each in refusals}


def test_the_last_items_of_many_come_without_what_the_batch_leaves_out(config: Any) -> None:
    put(config, "s1", a=1)
    put(config, "s1", a=2)
    keys = [{"resourceType": THING, "resourceId": each} for each in ("s1", "never-seen")]
    answer = config.batch_get_resource_config(resourceKeys=keys)
    (item,) = answer["baseConfigurationItems"]
    assert json.loads(item["configuration"]) == {"a": 2}
    assert not {"tags", "relationships", "relatedEvents"} & set(item)
    assert answer["unprocessedResourceKeys"] == []


def test_what_is_there_is_listed_and_counted(config: Any) -> None:
    for number in range(5):
        put(config, f"s{number}", number=number)
    config.delete_resource_config(ResourceType=THING, ResourceId="s4")
    pages = config.get_paginator("list_discovered_resources").paginate(
        resourceType=THING, PaginationConfig={"PageSize": 3}
    )
    listed = [each["resourceId"] for page in pages for each in page["resourceIdentifiers"]]
    assert listed == ["s0", "s1", "s2", "s3"]
    gone = config.list_discovered_resources(resourceType=THING, resourceIds=["s4"], includeDeletedResources=True)
    assert "resourceDeletionTime" in gone["resourceIdentifiers"][0]
    counted = config.get_discovered_resource_counts()
    assert counted["totalDiscoveredResources"] == 4
    assert counted["resourceCounts"] == [{"resourceType": THING, "count": 4}]


def test_items_older_than_the_retention_period_are_not_shown(aws: Lab, config: Any) -> None:
    put(config, "s1", number=0)
    aws.advance("40d")
    put(config, "s1", number=1)
    assert len(items(config, "s1")) == 2
    config.put_retention_configuration(RetentionPeriodInDays=30)
    assert len(items(config, "s1")) == 1
    (told,) = config.describe_retention_configurations()["RetentionConfigurations"]
    assert told == {"Name": "default", "RetentionPeriodInDays": 30}
    config.delete_retention_configuration(RetentionConfigurationName="default")
    assert len(items(config, "s1")) == 2
    refused = lambda: config.delete_retention_configuration(RetentionConfigurationName="default")  # noqa: E731
    assert code(refused) == "NoSuchRetentionConfigurationException"


# ---- resources of others, and tags ----


def test_the_same_state_again_is_no_item_and_the_call_is_the_cause(aws: Lab, config: Any) -> None:
    put(config, "s1", a=1)
    put(config, "s1", a=1)
    (item,) = items(config, "s1")
    (cause,) = item["relatedEvents"]
    assert aws.recorded(eventID=cause)[0]["eventName"] == "PutResourceConfig"
    config.delete_resource_config(ResourceType=THING, ResourceId="s1")
    assert [each["configurationItemStatus"] for each in items(config, "s1")] == [
        "ResourceDeleted",
        "ResourceDiscovered",
    ]


def test_what_is_no_resource_of_others_is_refused(config: Any) -> None:
    own = {"SchemaVersionId": "1", "ResourceId": "x", "Configuration": "{}"}
    assert code(lambda: config.put_resource_config(ResourceType="AWS::EC2::VPC", **own)) == "ValidationException"
    broken = own | {"Configuration": "[1"}
    assert code(lambda: config.put_resource_config(ResourceType=THING, **broken)) == "ValidationException"
    config.stop_configuration_recorder(ConfigurationRecorderName="default")
    stopped = code(lambda: config.put_resource_config(ResourceType=THING, **own))
    assert stopped == "NoRunningConfigurationRecorderException"


def test_a_recorder_can_be_tagged(config: Any) -> None:
    arn = config.describe_configuration_recorders()["ConfigurationRecorders"][0]["arn"]
    config.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "blue"}, {"Key": "stage", "Value": "test"}])
    config.untag_resource(ResourceArn=arn, TagKeys=["stage"])
    assert config.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "blue"}]
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    assert code(lambda: config.tag_resource(ResourceArn=arn, Tags=many)) == "TooManyTagsException"
    unknown = arn.replace("/default/", "/other/")
    assert code(lambda: config.list_tags_for_resource(ResourceArn=unknown)) == "ResourceNotFoundException"


def test_a_look_at_everything_can_be_asked_for(aws: Lab, config: Any) -> None:
    config.put_configuration_recorder(ConfigurationRecorder=recorder(aws, recordingGroup={"resourceTypes": [GROUP]}))
    aws.settle()
    answer = json.loads(urlopen(Request(f"{aws.endpoint}/_trailstate/look", method="POST"), timeout=10).read())
    assert answer["recorders"] == 1
    assert answer["looks"] >= 1
    aws.settle()
    (status,) = config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    assert status["lastStatus"] == "SUCCESS"


def test_the_channels_status_says_when_the_next_files_are_due(aws: Lab, config: Any) -> None:
    properties = {"deliveryFrequency": "One_Hour"}
    config.put_delivery_channel(
        DeliveryChannel={"s3BucketName": "config-files", "configSnapshotDeliveryProperties": properties}
    )
    (status,) = config.describe_delivery_channel_status()["DeliveryChannelsStatus"]
    until_next = status["configSnapshotDeliveryInfo"]["nextDeliveryTime"] - aws.now()
    assert timedelta(minutes=55) < until_next <= timedelta(hours=1)
    aws.advance("3h10m")
    aws.settle()
    keys = [each["Key"] for each in aws.client("s3").list_objects_v2(Bucket="config-files")["Contents"]]
    assert len([key for key in keys if "/ConfigSnapshot/" in key]) == 3
