"""Log files and digests as a client of AWS meets them: in the bucket, and under the stock `validate-logs`."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.delivered import keys, records, text, validate, verify
from tests.clients.receivers import a_queue
from tests.clients.trails import a_bucket, a_trail, log_permission
from trailstate.testing import Lab, lab


@pytest.fixture(scope="module")
def running() -> Iterator[Lab]:
    with lab(delivery_seconds=5, digest_key_days=1) as aws:
        yield aws


@pytest.fixture
def aws(running: Lab) -> Lab:
    running.reset()
    return running


def test_a_call_is_in_one_log_file_of_the_bucket(aws: Lab) -> None:
    a_trail(aws, "all", a_bucket(aws, "evidence"))
    aws.client("iam").create_user(UserName="mallory")
    aws.client("ec2", region="eu-west-1").create_vpc(CidrBlock="10.0.0.0/16")
    aws.advance("5s")
    found = list(records(aws, "evidence"))
    assert [record["eventName"] for key, record in found if "/us-east-1/" in key] == ["CreateUser"]
    for key, record in found:
        assert key.startswith(f"AWSLogs/{aws.account}/CloudTrail/{record['awsRegion']}/")
        assert record == aws.recorded(eventID=record["eventID"])[0]


def test_the_lab_becomes_idle_though_it_delivers_its_own_deliveries(aws: Lab) -> None:
    a_trail(aws, "all", a_bucket(aws, "evidence"))
    aws.advance("1h")
    before = len(aws.recorded())
    aws.advance("1h")
    aws.advance("5s")
    assert len(aws.recorded()) == before
    assert keys(aws, "evidence", "CloudTrail") == []


def test_data_events_are_delivered_and_cause_no_more_of_them(aws: Lab) -> None:
    arn = a_trail(aws, "all", a_bucket(aws, "evidence"))
    selector = {"ReadWriteType": "All", "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}
    aws.client("cloudtrail").put_event_selectors(TrailName=arn, EventSelectors=[selector])
    aws.client("s3").create_bucket(Bucket="reports")
    aws.client("s3").put_object(Bucket="reports", Key="november.csv", Body=b"name")
    aws.advance("5s")
    aws.advance("5m")
    found = [record for _, record in records(aws, "evidence") if record["eventCategory"] == "Data"]
    puts = [record["requestParameters"]["bucketName"] for record in found if record["eventName"] == "PutObject"]
    assert puts == ["reports"], "the files' own delivery is not among them"


def test_validate_logs_accepts_a_day_of_a_trail(aws: Lab) -> None:
    arn = a_trail(aws, "all", a_bucket(aws, "evidence"), EnableLogFileValidation=True)
    aws.client("iam").create_user(UserName="mallory")
    aws.advance("24h")
    aws.client("iam").delete_user(UserName="mallory")
    aws.advance("1h")
    assert len(keys(aws, "evidence", "CloudTrail-Digest")) == 25
    code, said = validate(aws, arn)
    assert "25/25 digest files valid" in said
    assert "2/2 log files valid" in said
    assert code == 0


def test_validate_logs_accepts_what_stops_and_starts(aws: Lab) -> None:
    arn = a_trail(aws, "all", a_bucket(aws, "evidence"), EnableLogFileValidation=True)
    cloudtrail = aws.client("cloudtrail")
    aws.advance("90m")
    cloudtrail.stop_logging(Name=arn)
    aws.settle()
    last = text(aws, "evidence", keys(aws, "evidence", "CloudTrail-Digest")[-1])
    assert [record["eventName"] for _, record in records(aws, "evidence")] == ["StopLogging"]
    assert len(last["logFiles"]) == 1, "the chain is closed with its last file"
    aws.advance("5h")
    cloudtrail.start_logging(Name=arn)
    aws.advance("2h")
    code, said = validate(aws, arn)
    assert "4/4 digest files valid" in said
    assert "No log files were delivered by CloudTrail between" in said
    assert code == 0


def test_each_region_of_a_trail_validates_by_itself_and_is_missed_when_it_is_emptied(aws: Lab) -> None:
    arn = a_trail(aws, "all", a_bucket(aws, "evidence"), EnableLogFileValidation=True, IsMultiRegionTrail=True)
    aws.client("ec2", region="eu-west-1").create_vpc(CidrBlock="10.0.0.0/16")
    aws.advance("3h")
    code, said = validate(aws, arn, "--region", "eu-west-1")
    assert "3/3 digest files valid" in said
    assert "1/1 log files valid" in said
    assert code == 0
    code, said = validate(aws, arn, "--region", "sa-east-1")
    assert "3/3 digest files valid" in said, "where nothing happened too"
    assert code == 0
    code, report = verify(aws, "evidence")
    assert (code, report["findings"]) == (0, [])

    for key in keys(aws, "evidence", "CloudTrail-Digest/sa-east-1"):
        aws.client("s3").delete_object(Bucket="evidence", Key=key)
    code, said = validate(aws, arn, "--region", "sa-east-1")
    assert (code, "No digests found" in said) == (0, True)
    code, report = verify(aws, "evidence")
    assert code == 4
    assert {each["kind"] for each in report["findings"]} == {"chain-missing"}
    assert all(each["subject"].endswith(f"{aws.account}/sa-east-1") for each in report["findings"])


def test_a_trail_that_comes_to_be_of_its_home_alone_ends_its_digests_elsewhere(aws: Lab) -> None:
    arn = a_trail(aws, "all", a_bucket(aws, "evidence"), EnableLogFileValidation=True, IsMultiRegionTrail=True)
    aws.client("ec2", region="eu-west-1").create_vpc(CidrBlock="10.0.0.0/16")
    aws.advance("90m")
    aws.client("cloudtrail").update_trail(Name=arn, IsMultiRegionTrail=False)
    aws.advance("150m")
    assert [len(keys(aws, "evidence", f"CloudTrail-Digest/{region}")) for region in ("us-east-1", "eu-west-1")] == [
        4,
        2,
    ]
    code, report = verify(aws, "evidence")
    assert (code, report["findings"]) == (0, [])

    aws.client("cloudtrail").update_trail(Name=arn, IsMultiRegionTrail=True)
    aws.advance("2h")
    code, said = validate(aws, arn, "--region", "eu-west-1")
    assert "4/4 digest files valid" in said
    assert code == 0
    code, report = verify(aws, "evidence")
    assert {each["kind"] for each in report["findings"]} == {"stopped"}
    assert {each["who"]["eventName"] for each in report["findings"]} == {"UpdateTrail"}


def test_validate_logs_accepts_a_chain_over_a_new_key(aws: Lab) -> None:
    """The lab's keys sign for a day."""
    arn = a_trail(aws, "all", a_bucket(aws, "evidence"), EnableLogFileValidation=True)
    aws.advance("30h")
    digests = [text(aws, "evidence", key) for key in keys(aws, "evidence", "CloudTrail-Digest")]
    assert len({digest["digestPublicKeyFingerprint"] for digest in digests}) >= 2
    code, said = validate(aws, arn)
    assert "30/30 digest files valid" in said
    assert code == 0


def test_validate_logs_accepts_a_chain_over_a_restart_of_the_server(aws: Lab, tmp_path: Path) -> None:
    """The buckets stand in another AWS, so that they outlive the server."""
    settings = {"estate": aws.endpoint, "data": str(tmp_path), "ephemeral": False, "delivery_seconds": 5}
    with lab(**settings) as first:
        arn = a_trail(first, "all", a_bucket(first, "evidence"), EnableLogFileValidation=True)
        first.client("iam").create_user(UserName="mallory")
        first.advance("1h")
        first.client("iam").delete_user(UserName="mallory")
        stopped = first.now()
    with lab(clock_start=stopped, **settings) as second:
        second.advance("2h")
        assert [record["eventName"] for _, record in records(second, "evidence")] == ["CreateUser", "DeleteUser"]
        code, said = validate(second, arn)  # is recorded too, and delivered if it takes longer than a window
        assert "3/3 digest files valid" in said
        assert "2/2 log files valid" in said
        assert "No log files were delivered" not in said
        assert code == 0


def test_validate_logs_refuses_a_changed_file(aws: Lab) -> None:
    import gzip

    arn = a_trail(aws, "all", a_bucket(aws, "evidence"), EnableLogFileValidation=True)
    aws.client("iam").create_user(UserName="mallory")
    aws.advance("1h")
    (key,) = keys(aws, "evidence", "CloudTrail")
    changed = json.dumps(text(aws, "evidence", key)).replace("mallory", "alice")
    aws.client("s3").put_object(Bucket="evidence", Key=key, Body=gzip.compress(changed.encode()))
    code, said = validate(aws, arn)
    assert f"s3://evidence/{key}\tINVALID: hash value doesn't match" in said
    assert code == 1


def test_a_file_says_how_it_is_encrypted(aws: Lab) -> None:
    kms = aws.client("kms").create_key(Policy=KEY_POLICY)["KeyMetadata"]["Arn"]
    a_trail(aws, "all", a_bucket(aws, "evidence"), EnableLogFileValidation=True, KmsKeyId=kms)
    aws.client("iam").create_user(UserName="mallory")
    aws.advance("1h")
    s3 = aws.client("s3")
    (log,), (digest,) = keys(aws, "evidence", "CloudTrail"), keys(aws, "evidence", "CloudTrail-Digest")
    head = s3.head_object(Bucket="evidence", Key=log)
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", kms)
    assert s3.head_object(Bucket="evidence", Key=digest)["ServerSideEncryption"] == "AES256"


def test_a_bucket_that_goes_away_is_told_and_its_backlog_drains(aws: Lab) -> None:
    cloudtrail, s3 = aws.client("cloudtrail"), aws.client("s3")
    arn = a_trail(aws, "all", a_bucket(aws, "evidence"))
    s3.delete_bucket(Bucket="evidence")
    aws.client("iam").create_user(UserName="mallory")
    aws.advance("10s")
    refused = cloudtrail.get_trail_status(Name=arn)
    assert refused["LatestDeliveryError"] == "NoSuchBucket"
    assert (refused["LatestDeliveryAttemptTime"] != "", refused["LatestDeliveryAttemptSucceeded"]) == (True, "")
    assert "LatestDeliveryTime" not in refused
    a_bucket(aws, "evidence")
    aws.advance("2m")
    assert "CreateUser" in [record["eventName"] for _, record in records(aws, "evidence")]
    status = cloudtrail.get_trail_status(Name=arn)
    assert not status.get("LatestDeliveryError")
    assert status["LatestDeliveryTime"]
    assert status["LatestDeliveryAttemptSucceeded"] == status["LatestDeliveryAttemptTime"]
    assert status["LatestDeliveryAttemptTime"] > refused["LatestDeliveryAttemptTime"]


def test_a_trail_of_the_same_name_begins_with_no_status(aws: Lab) -> None:
    cloudtrail, bucket = aws.client("cloudtrail"), a_bucket(aws, "evidence")
    for _ in range(2):
        arn = a_trail(aws, "all", bucket)
        assert "LatestDeliveryTime" not in cloudtrail.get_trail_status(Name=arn)
        aws.client("iam").list_users()
        aws.advance("10s")
        assert "LatestDeliveryTime" in cloudtrail.get_trail_status(Name=arn)
        cloudtrail.delete_trail(Name=arn)


def test_records_go_onward_to_logs_topic_and_bus(aws: Lab) -> None:
    logs, sns, sqs, events = (aws.client(name) for name in ("logs", "sns", "sqs", "events"))
    logs.create_log_group(logGroupName="trail")
    role = aws.client("iam").create_role(RoleName="to-logs", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    sns.create_topic(Name="deliveries")
    queue, target = a_queue(aws, "heard", "events")
    pattern = json.dumps({"source": ["aws.iam"], "detail-type": ["AWS API Call via CloudTrail"]})
    events.put_rule(Name="users", EventPattern=pattern)
    events.put_targets(Rule="users", Targets=[{"Id": "1", "Arn": target}])
    group = f"arn:aws:logs:us-east-1:{aws.account}:log-group:trail:*"
    aws.client("iam").put_role_policy(RoleName="to-logs", PolicyName="write", PolicyDocument=log_permission(group))
    sns.set_topic_attributes(
        TopicArn=f"arn:aws:sns:us-east-1:{aws.account}:deliveries", AttributeName="Policy", AttributeValue=TOPIC_POLICY
    )
    a_trail(
        aws,
        "all",
        a_bucket(aws, "evidence"),
        SnsTopicName="deliveries",
        CloudWatchLogsLogGroupArn=group,
        CloudWatchLogsRoleArn=role,
    )
    aws.client("iam").create_user(UserName="mallory")
    aws.settle()
    stream = f"{aws.account}_CloudTrail_us-east-1"
    logged = [
        json.loads(each["message"])
        for each in logs.get_log_events(logGroupName="trail", logStreamName=stream)["events"]
    ]
    assert [record["eventName"] for record in logged] == ["CreateUser"]
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    heard = json.loads(message["Body"])
    assert heard["detail-type"] == "AWS API Call via CloudTrail"
    assert heard["detail"] == logged[0]


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
KEY_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "cloudtrail.amazonaws.com"},
                "Action": "kms:GenerateDataKey*",
                "Resource": "*",
            }
        ],
    }
)
TOPIC_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "cloudtrail.amazonaws.com"},
                "Action": "SNS:Publish",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:SourceArn": "arn:aws:cloudtrail:us-east-1:123456789012:trail/all"}},
            }
        ],
    }
)
