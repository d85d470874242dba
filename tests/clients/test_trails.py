"""Trails through boto3: made, described, changed, started, stopped, deleted, and every refusal on the way."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.trails import CLOUDTRAIL, a_bucket, a_trail, assert_refused, bucket_policy, log_permission
from trailstate.testing import Lab, lab

START = "2026-01-15T09:30:00Z"


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab(clock_start=START) as started:
        a_bucket(started, "evidence")
        yield started


@pytest.fixture(autouse=True)
def _no_trails_left(aws: Lab) -> Iterator[None]:
    yield
    client = aws.client("cloudtrail")
    for trail in client.list_trails()["Trails"]:
        aws.client("cloudtrail", region=trail["HomeRegion"]).delete_trail(Name=trail["TrailARN"])


def without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_a_new_trail_has_awss_defaults(aws: Lab) -> None:
    client = aws.client("cloudtrail")

    made = without_metadata(client.create_trail(Name="audit", S3BucketName="evidence"))

    arn = f"arn:aws:cloudtrail:us-east-1:{aws.account}:trail/audit"
    assert made == {
        "Name": "audit",
        "S3BucketName": "evidence",
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": False,
        "TrailARN": arn,
        "LogFileValidationEnabled": False,
        "IsOrganizationTrail": False,
        "RecursiveLogging": True,
    }
    described = made | {"HomeRegion": "us-east-1", "HasCustomEventSelectors": False, "HasInsightSelectors": False}
    assert client.get_trail(Name="audit")["Trail"] == described
    assert client.get_trail(Name=arn)["Trail"] == described
    assert client.describe_trails()["trailList"] == [described]
    assert client.list_trails()["Trails"] == [{"TrailARN": arn, "Name": "audit", "HomeRegion": "us-east-1"}]
    assert client.get_event_selectors(TrailName="audit")["EventSelectors"] == [
        {
            "ReadWriteType": "All",
            "IncludeManagementEvents": True,
            "DataResources": [],
            "ExcludeManagementEventSources": [],
        }
    ]


def test_a_trail_made_by_the_api_logs_once_it_is_started(aws: Lab) -> None:
    client = aws.client("cloudtrail")
    client.create_trail(Name="audit", S3BucketName="evidence")
    never = client.get_trail_status(Name="audit")
    assert without_metadata(never) == {
        "IsLogging": False,
        "LatestDeliveryAttemptTime": "",
        "LatestNotificationAttemptTime": "",
        "LatestNotificationAttemptSucceeded": "",
        "LatestDeliveryAttemptSucceeded": "",
        "TimeLoggingStarted": "",
        "TimeLoggingStopped": "",
    }

    client.start_logging(Name="audit")
    started = client.get_trail_status(Name="audit")
    aws.advance(60)
    client.start_logging(Name="audit")
    assert started["IsLogging"]
    assert started["StartLoggingTime"].strftime("%Y-%m-%dT%H:%M:%SZ") == started["TimeLoggingStarted"]
    assert client.get_trail_status(Name="audit")["StartLoggingTime"] == started["StartLoggingTime"]

    client.stop_logging(Name="audit")
    stopped = client.get_trail_status(Name="audit")
    assert not stopped["IsLogging"]
    assert (stopped["StopLoggingTime"] - stopped["StartLoggingTime"]).total_seconds() >= 60


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ab", "Trail name too short. Minimum allowed length: 3 characters. Specified name length: 2 characters."),
        (
            "a" * 129,
            "Trail name too long. Maximum allowed length: 128 characters. Specified name length: 129 characters.",
        ),
        ("-ab", "Trail name must starts with a letter or number."),
        ("ab-", "Trail name must ends with a letter or number."),
        ("my trail", "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.)"),
        ("my-_trail", "adjacent"),
        ("192.168.5.4", "IP address"),
    ],
)
def test_names_follow_awss_rules(aws: Lab, name: str, message: str) -> None:
    said = assert_refused(
        "InvalidTrailNameException", aws.client("cloudtrail").create_trail, Name=name, S3BucketName="evidence"
    )
    assert message in said


@pytest.mark.parametrize("arn", ["arn:aws:cloudtrail", "arn:aws:s3:us-east-1:123456789012:trail/audit"])
def test_what_is_no_arn_of_a_trail_is_said_to_be_none(aws: Lab, arn: str) -> None:
    assert arn in assert_refused("CloudTrailARNInvalidException", aws.client("cloudtrail").get_trail, Name=arn)


def test_an_unknown_trail_is_named(aws: Lab) -> None:
    client = aws.client("cloudtrail")
    for call, named in (
        (client.get_trail, {"Name": "missing"}),
        (client.get_trail_status, {"Name": "missing"}),
        (client.start_logging, {"Name": "missing"}),
        (client.stop_logging, {"Name": "missing"}),
        (client.delete_trail, {"Name": "missing"}),
        (client.update_trail, {"Name": "missing"}),
        (client.get_event_selectors, {"TrailName": "missing"}),
    ):
        assert (
            assert_refused("TrailNotFoundException", call, **named)
            == f"Unknown trail: missing for the user: {aws.account}"
        )
    assert client.describe_trails(trailNameList=["missing"])["trailList"] == []


def test_a_name_can_be_taken_once(aws: Lab) -> None:
    client = aws.client("cloudtrail")
    client.create_trail(Name="audit", S3BucketName="evidence")
    said = assert_refused("TrailAlreadyExistsException", client.create_trail, Name="audit", S3BucketName="evidence")
    assert said == f"Trail audit already exists for customer: {aws.account}"


def test_a_region_has_five_trails_at_most_shadows_among_them(aws: Lab) -> None:
    client, far = aws.client("cloudtrail"), aws.client("cloudtrail", region="eu-west-1")
    far.create_trail(Name="everywhere", S3BucketName="evidence", IsMultiRegionTrail=True)
    for number in range(4):
        client.create_trail(Name=f"audit-{number}", S3BucketName="evidence")
    said = assert_refused(
        "MaximumNumberOfTrailsExceededException", client.create_trail, Name="sixth", S3BucketName="evidence"
    )
    assert said == f"User: {aws.account} already has 5 trails in us-east-1."
    assert far.create_trail(Name="second", S3BucketName="evidence")["Name"] == "second"
    assert_refused(
        "MaximumNumberOfTrailsExceededException",
        far.create_trail,
        Name="third",
        S3BucketName="evidence",
        IsMultiRegionTrail=True,
    )


def test_a_trail_that_comes_to_reach_every_region_needs_room_in_each(aws: Lab) -> None:
    client, far = aws.client("cloudtrail"), aws.client("cloudtrail", region="eu-west-1")
    client.create_trail(Name="growing", S3BucketName="evidence")
    for number in range(5):
        far.create_trail(Name=f"audit-{number}", S3BucketName="evidence")
    update = client.update_trail
    said = assert_refused("MaximumNumberOfTrailsExceededException", update, Name="growing", IsMultiRegionTrail=True)
    assert said == f"User: {aws.account} already has 5 trails in eu-west-1."
    far.delete_trail(Name="audit-4")
    assert update(Name="growing", IsMultiRegionTrail=True)["IsMultiRegionTrail"]
    assert update(Name="growing", IsMultiRegionTrail=True, EnableLogFileValidation=True)["LogFileValidationEnabled"]


def test_a_trail_that_comes_to_reach_every_region_needs_its_name_in_each(aws: Lab) -> None:
    client, far = aws.client("cloudtrail"), aws.client("cloudtrail", region="eu-west-1")
    for each in (client, far):
        each.create_trail(Name="audit", S3BucketName="evidence")
    assert_refused("TrailAlreadyExistsException", client.update_trail, Name="audit", IsMultiRegionTrail=True)
    client.delete_trail(Name="audit")
    wanted = {"Name": "audit", "S3BucketName": "evidence", "IsMultiRegionTrail": True}
    assert_refused("TrailAlreadyExistsException", client.create_trail, **wanted)


def test_a_multi_region_trail_has_shadows_that_cannot_be_changed(aws: Lab) -> None:
    client, far = aws.client("cloudtrail"), aws.client("cloudtrail", region="eu-west-1")
    arn = client.create_trail(Name="audit", S3BucketName="evidence", IsMultiRegionTrail=True)["TrailARN"]
    client.create_trail(Name="local", S3BucketName="evidence")

    (shadow,) = far.describe_trails()["trailList"]

    assert (shadow["TrailARN"], shadow["HomeRegion"]) == (arn, "us-east-1")
    assert far.describe_trails(includeShadowTrails=False)["trailList"] == []
    assert [each["Name"] for each in client.describe_trails(includeShadowTrails=False)["trailList"]] == [
        "audit",
        "local",
    ]
    assert far.get_trail(Name=arn)["Trail"] == shadow
    assert far.get_trail_status(Name=arn)["IsLogging"] is False
    assert [each["Name"] for each in far.list_trails()["Trails"]] == ["audit", "local"]
    for named in ("audit", arn):
        for call in (far.start_logging, far.stop_logging, far.delete_trail, far.update_trail):
            assert "us-east-1" in assert_refused("InvalidHomeRegionException", call, Name=named)
        assert_refused("InvalidHomeRegionException", far.put_event_selectors, TrailName=named, EventSelectors=[{}])
    assert_refused("TrailNotFoundException", far.start_logging, Name="local")


def test_members_given_replace_and_empty_texts_take_away(aws: Lab) -> None:
    client = aws.client("cloudtrail")
    policy = bucket_policy("evidence", folder="*")
    aws.client("s3").put_bucket_policy(Bucket="evidence", Policy=policy)
    client.create_trail(Name="audit", S3BucketName="evidence", S3KeyPrefix="here")

    changed = client.update_trail(Name="audit", IsMultiRegionTrail=True, EnableLogFileValidation=True)

    assert (changed["S3KeyPrefix"], changed["IsMultiRegionTrail"], changed["LogFileValidationEnabled"]) == (
        "here",
        True,
        True,
    )
    assert "S3KeyPrefix" not in client.update_trail(Name="audit", S3KeyPrefix="")
    assert "S3KeyPrefix" not in client.get_trail(Name="audit")["Trail"]


def test_a_multi_region_trail_includes_global_events(aws: Lab) -> None:
    client = aws.client("cloudtrail")
    said = assert_refused(
        "InvalidParameterCombinationException",
        client.create_trail,
        Name="audit",
        S3BucketName="evidence",
        IsMultiRegionTrail=True,
        IncludeGlobalServiceEvents=False,
    )
    assert said == "Multi-Region trail must include global service events."


# ---- where it delivers ----


def test_the_bucket_must_be_there_and_let_cloudtrail_in(aws: Lab) -> None:
    client, s3 = aws.client("cloudtrail"), aws.client("s3")
    said = assert_refused("S3BucketDoesNotExistException", client.create_trail, Name="audit", S3BucketName="nowhere")
    assert said == "S3 bucket nowhere does not exist!"
    s3.create_bucket(Bucket="closed")
    arn = f"arn:aws:cloudtrail:us-east-1:{aws.account}:trail/audit"
    for policy, good in (
        (None, False),
        (bucket_policy("closed", folder="AWSLogs/999999999999"), False),
        (bucket_policy("closed", **{"aws:SourceArn": arn + "-other"}), False),
        (bucket_policy("closed", **{"aws:SourceArn": arn}), True),
    ):
        if policy:
            s3.put_bucket_policy(Bucket="closed", Policy=policy)
        if good:
            assert client.create_trail(Name="audit", S3BucketName="closed")["S3BucketName"] == "closed"
        else:
            said = assert_refused(
                "InsufficientS3BucketPolicyException", client.create_trail, Name="audit", S3BucketName="closed"
            )
            assert said == "Incorrect S3 bucket policy is detected for bucket: closed"


@pytest.mark.parametrize("bucket", ["x", "Evidence", "192.168.5.4", "a..b", "-evidence"])
def test_buckets_have_names_of_buckets(aws: Lab, bucket: str) -> None:
    assert_refused(
        "InvalidS3BucketNameException", aws.client("cloudtrail").create_trail, Name="audit", S3BucketName=bucket
    )


def test_prefixes_and_topics_have_lengths(aws: Lab) -> None:
    create, where = aws.client("cloudtrail").create_trail, {"Name": "audit", "S3BucketName": "evidence"}
    assert_refused("InvalidS3PrefixException", create, **where, S3KeyPrefix="x" * 201)
    assert_refused("InvalidSnsTopicNameException", create, **where, SnsTopicName="x" * 257)


def test_the_topic_must_let_cloudtrail_publish(aws: Lab) -> None:
    client, sns = aws.client("cloudtrail"), aws.client("sns")
    where = {"Name": "audit", "S3BucketName": "evidence", "SnsTopicName": "told"}
    assert_refused("InsufficientSnsTopicPolicyException", client.create_trail, **where)
    topic = sns.create_topic(Name="told")["TopicArn"]
    said = assert_refused("InsufficientSnsTopicPolicyException", client.create_trail, **where)
    assert said == "SNS Topic does not exist or the topic policy is incorrect!"
    statement = {"Effect": "Allow", "Principal": CLOUDTRAIL, "Action": "SNS:Publish", "Resource": topic}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)

    made = client.create_trail(**where)

    assert (made["SnsTopicName"], made["SnsTopicARN"]) == ("told", topic)
    assert client.get_trail(Name="audit")["Trail"]["SnsTopicARN"] == topic
    assert "SnsTopicARN" not in client.update_trail(Name="audit", SnsTopicName="")


def test_the_key_must_let_cloudtrail_encrypt(aws: Lab) -> None:
    client, kms = aws.client("cloudtrail"), aws.client("kms")
    where = {"Name": "audit", "S3BucketName": "evidence"}
    assert_refused("KmsKeyNotFoundException", client.create_trail, **where, KmsKeyId="alias/none")
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/trail", TargetKeyId=key["KeyId"])
    far = aws.client("kms", region="eu-west-1").create_key()["KeyMetadata"]["Arn"]
    said = assert_refused("KmsKeyNotFoundException", client.create_trail, **where, KmsKeyId=far)
    assert "us-east-1" in said
    said = assert_refused("InsufficientEncryptionPolicyException", client.create_trail, **where, KmsKeyId=key["KeyId"])
    assert said == f"Insufficient permissions to access S3 bucket evidence or KMS key {key['Arn']}."
    statement = {"Effect": "Allow", "Principal": CLOUDTRAIL, "Action": "kms:GenerateDataKey*", "Resource": "*"}
    owner = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{aws.account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [owner, statement]})
    kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=policy)
    assert client.create_trail(**where, KmsKeyId="alias/trail")["KmsKeyId"] == key["Arn"]


def test_the_log_group_and_its_role_must_be_there(aws: Lab) -> None:
    client, iam = aws.client("cloudtrail"), aws.client("iam")
    where = {"Name": "audit", "S3BucketName": "evidence"}
    group = f"arn:aws:logs:us-east-1:{aws.account}:log-group:trails:*"
    role = f"arn:aws:iam::{aws.account}:role/to-logs"
    create = client.create_trail
    assert_refused("InvalidCloudWatchLogsRoleArnException", create, **where, CloudWatchLogsLogGroupArn=group)
    assert_refused("InvalidCloudWatchLogsLogGroupArnException", create, **where, CloudWatchLogsRoleArn=role)
    both = {"CloudWatchLogsLogGroupArn": group, "CloudWatchLogsRoleArn": role}
    assert_refused("InvalidCloudWatchLogsLogGroupArnException", create, **where, **both)
    aws.client("logs").create_log_group(logGroupName="trails")
    assert_refused("InvalidCloudWatchLogsRoleArnException", create, **where, **both)
    for principal, good in (({"Service": "ec2.amazonaws.com"}, False), (CLOUDTRAIL, True)):
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        if good:
            iam.update_assume_role_policy(RoleName="to-logs", PolicyDocument=trust)
            assert "permissions" in assert_refused("InvalidCloudWatchLogsRoleArnException", create, **where, **both)
            iam.put_role_policy(RoleName="to-logs", PolicyName="write", PolicyDocument=log_permission(group))
            assert create(**where, **both)["CloudWatchLogsRoleArn"] == role
        else:
            iam.create_role(RoleName="to-logs", AssumeRolePolicyDocument=trust)
            assert_refused("InvalidCloudWatchLogsRoleArnException", create, **where, **both)


# ---- what is recorded of it ----


def test_stopping_is_recorded_and_makes_no_gap(aws: Lab) -> None:
    client = aws.client("cloudtrail")
    arn = a_trail(aws, "audit", "evidence")
    client.stop_logging(Name=arn)
    client.delete_trail(Name=arn)
    aws.client("sqs").create_queue(QueueName="afterwards")

    names = [record["eventName"] for record in aws.recorded() if record["eventSource"] == "cloudtrail.amazonaws.com"]

    assert names[-2:] == ["StopLogging", "DeleteTrail"]
    (after,) = aws.recorded(eventName="CreateQueue")
    assert after["readOnly"] is False
    events = client.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateQueue"}])
    assert [each["EventId"] for each in events["Events"]] == [after["eventID"]]
