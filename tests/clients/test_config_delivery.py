"""What AWS Config delivers and tells: snapshots, history files, messages to a topic and the event bus, with boto3."""

import gzip
import json
import re
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from tests.clients.receivers import a_queue
from trailstate.testing import Lab, lab

BUCKET = "config-files"
TYPES = ["AWS::EC2::SecurityGroup", "AWS::EC2::Subnet", "AWS::EC2::VPC"]


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab() as started:
        yield started


@pytest.fixture(scope="module")
def inbox(aws: Lab) -> str:
    """A queue that gets what the channel's topic is told; the recorder runs."""
    aws.client("s3").create_bucket(Bucket=BUCKET)
    topic = aws.client("sns").create_topic(Name="config")["TopicArn"]
    queue, arn = a_queue(aws, "inbox", "sns")
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    config = aws.client("config")
    role = f"arn:aws:iam::{aws.account}:role/config"
    recorder = {"name": "default", "roleARN": role, "recordingGroup": {"resourceTypes": TYPES}}
    config.put_configuration_recorder(ConfigurationRecorder=recorder)
    channel = {"name": "default", "s3BucketName": BUCKET, "s3KeyPrefix": "evidence", "snsTopicARN": topic}
    config.put_delivery_channel(DeliveryChannel=channel)
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    aws.settle()
    messages(aws, queue)
    return str(queue)


def messages(aws: Lab, queue: str) -> list[dict]:
    """What came to the topic since the last time."""
    aws.settle()
    found = []
    while batch := aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in batch:
            aws.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            found.append(json.loads(message["Body"]))
    return found


def keys(aws: Lab) -> list[str]:
    return [each["Key"] for each in aws.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]]


def file(aws: Lab, key: str) -> dict:
    return json.loads(gzip.decompress(aws.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()))


def test_a_channel_leaves_a_file_that_shows_it_can_write(aws: Lab, inbox: str) -> None:
    assert f"evidence/AWSLogs/{aws.account}/Config/ConfigWritabilityCheckFile" in keys(aws)


def test_a_change_is_told_with_the_subject_and_the_difference(aws: Lab, inbox: str) -> None:
    group = aws.client("ec2").create_security_group(GroupName="told", Description="told")["GroupId"]
    (created,) = messages(aws, inbox)
    assert (
        created["Subject"] == f"[AWS Config:us-east-1] AWS::EC2::SecurityGroup {group} Created in Account {aws.account}"
    )
    content = json.loads(created["Message"])
    assert content["messageType"] == "ConfigurationItemChangeNotification"
    assert content["configurationItemDiff"] == {"changedProperties": {}, "changeType": "CREATE"}
    assert content["configurationItem"]["configuration"]["groupId"] == group
    aws.client("ec2").create_tags(Resources=[group], Tags=[{"Key": "team", "Value": "blue"}])
    (tagged,) = messages(aws, inbox)
    changed = json.loads(tagged["Message"])["configurationItemDiff"]["changedProperties"]
    assert changed["Tags.0"] == {"previousValue": None, "updatedValue": "blue", "changeType": "CREATE"}


def test_a_rule_of_the_event_bus_sees_the_same_message(aws: Lab, inbox: str) -> None:
    events = aws.client("events")
    queue, arn = a_queue(aws, "from-the-bus", "events")
    events.put_rule(Name="config", EventPattern=json.dumps({"source": ["aws.config"]}))
    events.put_targets(Rule="config", Targets=[{"Id": "queue", "Arn": arn}])
    group = aws.client("ec2").create_security_group(GroupName="on-the-bus", Description="x")["GroupId"]
    (event,) = [each for each in messages(aws, queue) if group in json.dumps(each["detail"])]
    assert event["detail-type"] == "Config Configuration Item Change"
    assert event["resources"] == [f"arn:aws:ec2:us-east-1:{aws.account}:security-group/{group}"]
    (told,) = [each for each in messages(aws, inbox) if group in each["Subject"]]
    assert event["detail"] == json.loads(told["Message"])
    events.remove_targets(Rule="config", Ids=["queue"])


def test_a_snapshot_holds_every_resource_and_is_announced(aws: Lab, inbox: str) -> None:
    snapshot = aws.client("config").deliver_config_snapshot(deliveryChannelName="default")["configSnapshotId"]
    started, completed = (json.loads(each["Message"]) for each in messages(aws, inbox))
    assert started["messageType"] == "ConfigurationSnapshotDeliveryStarted"
    assert completed["messageType"] == "ConfigurationSnapshotDeliveryCompleted"
    assert (started["configSnapshotId"], completed["configSnapshotId"]) == (snapshot, snapshot)
    now = aws.now()
    assert re.fullmatch(
        rf"evidence/AWSLogs/{aws.account}/Config/us-east-1/{now.year}/{now.month}/{now.day}/ConfigSnapshot/"
        rf"{aws.account}_Config_us-east-1_ConfigSnapshot_\d{{8}}T\d{{6}}Z_{snapshot}\.json\.gz",
        completed["s3ObjectKey"],
    )
    content = file(aws, completed["s3ObjectKey"])
    assert (content["fileVersion"], content["configSnapshotId"]) == ("1.0", snapshot)
    counted = aws.client("config").get_discovered_resource_counts()
    assert len(content["configurationItems"]) == counted["totalDiscoveredResources"]
    status = aws.client("config").describe_delivery_channel_status()["DeliveryChannelsStatus"][0]
    assert status["configSnapshotDeliveryInfo"]["lastStatus"] == "SUCCESS"


def test_history_files_come_every_six_hours_one_for_each_type(aws: Lab, inbox: str) -> None:
    aws.advance("6h")
    messages(aws, inbox)
    earlier = set(keys(aws))
    aws.client("ec2").create_security_group(GroupName="late", Description="x")
    aws.settle()
    aws.advance("6h")
    told = [json.loads(each["Message"]) for each in messages(aws, inbox)]
    (completed,) = [each for each in told if each["messageType"] == "ConfigurationHistoryDeliveryCompleted"]
    assert {completed["s3ObjectKey"]} == set(keys(aws)) - earlier
    assert "_ConfigHistory_AWS::EC2::SecurityGroup_" in completed["s3ObjectKey"]
    (item,) = file(aws, completed["s3ObjectKey"])["configurationItems"]
    assert item["configuration"]["groupName"] == "late"


def test_an_item_too_large_for_a_message_goes_to_the_bucket(aws: Lab, inbox: str) -> None:
    config = aws.client("config")
    content = json.dumps({"text": "x" * 270_000})
    config.put_resource_config(
        ResourceType="Acme::Data::Store", SchemaVersionId="1", ResourceId="s1", Configuration=content
    )
    (told,) = (json.loads(each["Message"]) for each in messages(aws, inbox))
    assert told["messageType"] == "OversizedConfigurationItemChangeNotification"
    assert told["configurationItemSummary"]["resourceId"] == "s1"
    bucket, _, key = told["s3DeliverySummary"]["s3BucketLocation"].partition("/")
    assert bucket == BUCKET
    assert "/OversizedChangeNotification/Acme::Data::Store/s1/" in key
    assert len(file(aws, key)["configurationItems"]) == 1


def test_a_bucket_that_is_not_there_is_refused(aws: Lab, inbox: str) -> None:
    with pytest.raises(ClientError) as refused:
        aws.client("config").put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "nowhere-at-all"})
    assert refused.value.response["Error"]["Code"] == "NoSuchBucketException"


def test_a_failed_delivery_shows_in_the_channels_status(aws: Lab, inbox: str) -> None:
    config, s3 = aws.client("config"), aws.client("s3")
    s3.create_bucket(Bucket="doomed")
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "doomed"})
    for key in s3.list_objects_v2(Bucket="doomed")["Contents"]:
        s3.delete_object(Bucket="doomed", Key=key["Key"])
    s3.delete_bucket(Bucket="doomed")
    config.deliver_config_snapshot(deliveryChannelName="default")
    aws.settle()
    info = config.describe_delivery_channel_status()["DeliveryChannelsStatus"][0]["configSnapshotDeliveryInfo"]
    assert (info["lastStatus"], info["lastErrorCode"]) == ("FAILURE", "NoSuchBucket")
