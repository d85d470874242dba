"""Event selectors through boto3 and the stock CLI: what was put comes back exactly, and decides what is journalled."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.trails import a_bucket, a_trail, assert_refused
from trailstate.testing import Lab, lab


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab(clock_start="2026-01-15T09:30:00Z") as started:
        a_bucket(started, "evidence")
        yield started


@pytest.fixture
def trail(aws: Lab) -> Iterator[str]:
    arn = a_trail(aws, "audit", "evidence")
    yield arn
    aws.client("cloudtrail").delete_trail(Name=arn)


BASIC = [
    {
        "ReadWriteType": "WriteOnly",
        "IncludeManagementEvents": True,
        "DataResources": [
            {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::reports/2026/", "arn:aws:s3:::other/"]},
            {"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]},
        ],
        "ExcludeManagementEventSources": ["rdsdata.amazonaws.com", "kms.amazonaws.com"],
    },
    {
        "ReadWriteType": "All",
        "IncludeManagementEvents": False,
        "DataResources": [{"Type": "AWS::DynamoDB::Table", "Values": ["arn:aws:dynamodb"]}],
        "ExcludeManagementEventSources": [],
    },
]
ADVANCED = [
    {"Name": "management", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
    {
        "Name": "",
        "FieldSelectors": [
            {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "eventName", "Equals": ["PutObject"], "NotStartsWith": ["Delete", "Abort"]},
            {"Field": "resources.ARN", "NotStartsWith": ["arn:aws:s3:::evidence/"]},
        ],
    },
    {
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["NetworkActivity"]},
            {"Field": "eventSource", "Equals": ["kms.amazonaws.com"]},
        ]
    },
]


@pytest.mark.parametrize(("member", "selectors"), [("EventSelectors", BASIC), ("AdvancedEventSelectors", ADVANCED)])
def test_selectors_come_back_exactly_as_they_were_put(aws: Lab, trail: str, member: str, selectors: Any) -> None:
    client = aws.client("cloudtrail")
    put = client.put_event_selectors(TrailName="audit", **{member: selectors})
    for _ in range(2):  # a second plan finds nothing to do
        got = client.get_event_selectors(TrailName=trail)
        assert (got["TrailARN"], got[member]) == (trail, selectors)
        assert put[member] == selectors
        assert {"EventSelectors", "AdvancedEventSelectors"} & got.keys() == {member}
        put = client.put_event_selectors(TrailName=trail, **{member: got[member]})
    assert client.get_trail(Name=trail)["Trail"]["HasCustomEventSelectors"] is True


def test_defaults_are_filled_in_and_are_no_custom_selectors(aws: Lab, trail: str) -> None:
    client = aws.client("cloudtrail")
    client.put_event_selectors(TrailName=trail, AdvancedEventSelectors=ADVANCED)
    client.put_event_selectors(TrailName=trail, EventSelectors=[{"ReadWriteType": "All"}])
    (selector,) = client.get_event_selectors(TrailName=trail)["EventSelectors"]
    assert selector == {
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "DataResources": [],
        "ExcludeManagementEventSources": [],
    }
    assert client.get_trail(Name=trail)["Trail"]["HasCustomEventSelectors"] is False


def test_refused_selectors_leave_the_trails_own(aws: Lab, trail: str) -> None:
    client = aws.client("cloudtrail")
    put, invalid = client.put_event_selectors, "InvalidEventSelectorsException"
    star = [{"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::*"]}]}]
    said = assert_refused(invalid, put, TrailName=trail, EventSelectors=star)
    assert said == "Value arn:aws:s3:::* for DataResources.Values is invalid."
    assert_refused(invalid, put, TrailName=trail)
    assert_refused(invalid, put, TrailName=trail, EventSelectors=BASIC, AdvancedEventSelectors=ADVANCED)
    assert_refused(invalid, put, TrailName=trail, EventSelectors=[{}] * 6)
    assert client.get_trail(Name=trail)["Trail"]["HasCustomEventSelectors"] is False


def test_the_stock_cli_reads_what_it_wrote(aws: Lab, trail: str, tmp_path: Path) -> None:
    def run(*arguments: str) -> Any:
        command = [str(Path(sys.executable).parent / "aws"), "cloudtrail", *arguments, "--output", "json"]
        environment = {**os.environ, **aws.environment, "HOME": str(tmp_path), "AWS_PAGER": ""}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
        return json.loads(done.stdout)

    put = run("put-event-selectors", "--trail-name", "audit", "--advanced-event-selectors", json.dumps(ADVANCED))
    got = run("get-event-selectors", "--trail-name", "audit")
    assert put["AdvancedEventSelectors"] == got["AdvancedEventSelectors"] == ADVANCED


def test_data_events_are_journalled_while_a_trail_selects_them(aws: Lab, trail: str) -> None:
    client, s3 = aws.client("cloudtrail"), aws.client("s3")
    s3.create_bucket(Bucket="reports")

    def write(key: str) -> bool:
        s3.put_object(Bucket="reports", Key=key, Body=b"x")
        return any(record["requestParameters"]["key"] == key for record in aws.recorded(eventName="PutObject"))

    selector = {"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::reports/in/"]}]}
    assert not write("in/before")
    client.put_event_selectors(TrailName=trail, EventSelectors=[selector])
    assert write("in/selected")
    assert not write("out/beside")
    client.stop_logging(Name=trail)
    assert not write("in/stopped")
    client.start_logging(Name=trail)
    assert write("in/started")
    client.put_event_selectors(TrailName=trail, EventSelectors=[{**selector, "ReadWriteType": "ReadOnly"}])
    assert not write("in/narrowed")
    s3.get_object(Bucket="reports", Key="in/started")
    assert aws.recorded(eventName="GetObject")[-1]["requestParameters"]["key"] == "in/started"


def test_functions_tables_topics_and_queues_make_data_events(aws: Lab, trail: str) -> None:
    types = ("AWS::Lambda::Function", "AWS::DynamoDB::Table", "AWS::SNS::Topic", "AWS::SQS::Queue")
    selectors = [
        {
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": [kind]},
                {"Field": "resources.ARN", "StartsWith": ["arn:aws:"]},
            ]
        }
        for kind in types
    ]
    aws.client("cloudtrail").put_event_selectors(TrailName=trail, AdvancedEventSelectors=selectors)
    attribute = [{"AttributeName": "id", "AttributeType": "S"}]
    schema = [{"AttributeName": "id", "KeyType": "HASH"}]
    table = aws.client("dynamodb")
    table.create_table(TableName="t", AttributeDefinitions=attribute, KeySchema=schema, BillingMode="PAY_PER_REQUEST")
    topic = aws.client("sns").create_topic(Name="told")["TopicArn"]
    queue = aws.client("sqs").create_queue(QueueName="asked")["QueueUrl"]

    table.put_item(TableName="t", Item={"id": {"S": "1"}})
    aws.client("sns").publish(TopicArn=topic, Message="x")
    aws.client("sqs").send_message(QueueUrl=queue, MessageBody="x")
    with pytest.raises(aws.client("lambda").exceptions.ResourceNotFoundException):
        aws.client("lambda").invoke(FunctionName="none")

    found = {
        (record["eventName"], resource["type"], resource["ARN"].split(":")[2])
        for record in aws.recorded(eventCategory="Data")
        for resource in record.get("resources", ())
        if resource["type"] in types
    }
    assert found == {
        ("PutItem", "AWS::DynamoDB::Table", "dynamodb"),
        ("Publish", "AWS::SNS::Topic", "sns"),
        ("SendMessage", "AWS::SQS::Queue", "sqs"),
        ("Invoke", "AWS::Lambda::Function", "lambda"),
    }


def test_network_activity_is_journalled_while_a_trail_selects_it(aws: Lab, trail: str) -> None:
    endpoint = "vpce-1a2b3c4d"

    def through_endpoint(request: Any, **_: Any) -> None:
        request.headers["Host"] = f"{endpoint}-5e6f.kms.us-east-1.vpce.amazonaws.com"

    client = aws.client("kms", use_ssl=False)
    client.meta.events.register("before-send.kms", through_endpoint)
    about = {"Field": "eventCategory", "Equals": ["NetworkActivity"]}
    source = {"Field": "eventSource", "Equals": ["kms.amazonaws.com"]}
    client.list_keys()
    assert aws.recorded(eventCategory="NetworkActivity") == []
    aws.client("cloudtrail").put_event_selectors(
        TrailName=trail, AdvancedEventSelectors=[{"FieldSelectors": [about, source]}]
    )

    client.list_keys()
    client.list_aliases()
    aws.client("kms").list_keys()

    found = aws.recorded(eventCategory="NetworkActivity")
    assert [(each["eventName"], each["vpcEndpointId"]) for each in found] == [
        ("ListKeys", endpoint),
        ("ListAliases", endpoint),
    ]
    assert all("requestParameters" not in each for each in found)


def test_insights_are_not_enabled_and_cannot_be_yet(aws: Lab, trail: str) -> None:
    client = aws.client("cloudtrail")
    said = assert_refused("InsightNotEnabledException", client.get_insight_selectors, TrailName=trail)
    assert trail in said
    wanted = [{"InsightType": "ApiCallRateInsight"}]
    put = client.put_insight_selectors
    said = assert_refused("UnsupportedOperationException", put, TrailName=trail, InsightSelectors=wanted)
    assert said == "The operation PutInsightSelectors is not supported by Trailstate yet"


def test_a_trail_sums_up_nothing_yet(aws: Lab, trail: str) -> None:
    client = aws.client("cloudtrail")
    wanted = [{"Templates": ["API_ACTIVITY", "USER_ACTIONS"], "EventCategory": "Data"}]
    put = client.put_event_configuration
    said = assert_refused("UnsupportedOperationException", put, TrailName="audit", AggregationConfigurations=wanted)
    assert said == "Aggregated events are not supported by Trailstate yet"
    assert put(TrailName=trail, AggregationConfigurations=[])["AggregationConfigurations"] == []
    assert client.get_event_configuration(TrailName=trail)["AggregationConfigurations"] == []
    combination = "InvalidParameterCombinationException"
    assert_refused(combination, client.put_event_configuration, TrailName=trail, MaxEventSize="Large")
    assert_refused(combination, client.get_event_configuration)


def test_tags_of_a_trail(aws: Lab, trail: str) -> None:
    client = aws.client("cloudtrail")

    def tags() -> dict[str, str]:
        (found,) = client.list_tags(ResourceIdList=[trail])["ResourceTagList"]
        return {tag["Key"]: tag.get("Value", "") for tag in found["TagsList"]}

    client.add_tags(ResourceId=trail, TagsList=[{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": "test"}])
    client.add_tags(ResourceId=trail, TagsList=[{"Key": "team", "Value": "b"}])
    assert tags() == {"team": "b", "stage": "test"}
    client.remove_tags(ResourceId=trail, TagsList=[{"Key": "stage"}])
    assert tags() == {"team": "b"}
    many = [{"Key": f"key-{number}", "Value": "x"} for number in range(50)]
    assert_refused("TagsLimitExceededException", client.add_tags, ResourceId=trail, TagsList=many)
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    assert_refused("InvalidTagParameterException", client.add_tags, ResourceId=trail, TagsList=twice)
    reserved = [{"Key": "aws:mine", "Value": "1"}]
    assert_refused("InvalidTagParameterException", client.add_tags, ResourceId=trail, TagsList=reserved)
    unknown = trail + "-other"
    assert_refused("TrailNotFoundException", client.list_tags, ResourceIdList=[unknown])
    assert_refused("CloudTrailARNInvalidException", client.list_tags, ResourceIdList=["audit"])
    dashboard = trail.replace("trail/audit", "dashboard/x")
    assert "yet" in assert_refused("ResourceTypeNotSupportedException", client.list_tags, ResourceIdList=[dashboard])


def test_tags_given_at_birth(aws: Lab) -> None:
    client, tags = aws.client("cloudtrail"), [{"Key": "team", "Value": "a"}]
    arn = client.create_trail(Name="tagged", S3BucketName="evidence", TagsList=tags)["TrailARN"]
    assert client.list_tags(ResourceIdList=[arn])["ResourceTagList"] == [{"ResourceId": arn, "TagsList": tags}]
    client.delete_trail(Name=arn)
    arn = client.create_trail(Name="tagged", S3BucketName="evidence")["TrailARN"]
    assert client.list_tags(ResourceIdList=[arn])["ResourceTagList"] == [{"ResourceId": arn, "TagsList": []}]
    client.delete_trail(Name=arn)
