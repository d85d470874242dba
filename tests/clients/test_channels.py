"""Channels and the events that applications send through them, by boto3."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.trails import assert_refused
from trailstate.testing import Lab, lab

OTHER = "222233334444"


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab(clock_start="2026-01-15T09:30:00Z") as started:
        yield started


def store_of(aws: Lab) -> dict[str, str]:
    location = f"arn:aws:cloudtrail:us-east-1:{aws.account}:eventdatastore/00000000-0000-4000-8000-000000000000"
    return {"Type": "EVENT_DATA_STORE", "Location": location}


@pytest.fixture
def channel(aws: Lab) -> Iterator[str]:
    client = aws.client("cloudtrail")
    arn = client.create_channel(Name="payroll", Source="Custom", Destinations=[store_of(aws)])["ChannelArn"]
    yield arn
    client.delete_channel(Channel=arn)


def an_event(aws: Lab, **members: Any) -> str:
    event = {
        "version": "1",
        "userIdentity": {"type": "user", "principalId": "ana", "details": {"team": "payroll"}},
        "eventSource": "payroll.example.com",
        "eventName": "RaiseSalary",
        "eventTime": "2026-01-15T09:29:58Z",
        "UID": "0001",
        "recipientAccountId": aws.account,
        "requestParameters": {"employee": 7},
    }
    return json.dumps({name: value for name, value in (event | members).items() if value is not None})


def put(aws: Lab, channel: str, *events: dict[str, str], key: str | None = None, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = aws.client("cloudtrail-data", key=key).put_audit_events(
        channelArn=channel, auditEvents=list(events), **more
    )
    return answer


def test_an_event_becomes_a_record_of_the_channels_account(aws: Lab, channel: str) -> None:
    text = an_event(aws)

    answer = put(aws, channel, {"id": "a", "eventData": text})

    assert answer["failed"] == []
    (accepted,) = answer["successful"]
    assert accepted["id"] == "a"
    (record,) = aws.recorded(eventID=accepted["eventID"])
    assert record.pop("metadata") == {"ingestionTime": record_time(aws), "channelARN": channel}
    assert record == {
        "eventVersion": "1.0",
        "eventCategory": "ActivityAuditLog",
        "eventType": "ActivityLog",
        "eventID": accepted["eventID"],
        "eventTime": "2026-01-15T09:29:58Z",
        "awsRegion": "us-east-1",
        "recipientAccountId": aws.account,
        "eventData": json.loads(text),
    }
    status = aws.client("cloudtrail").get_channel(Channel=channel)["IngestionStatus"]
    assert status["LatestIngestionSuccessEventID"] == accepted["eventID"]
    assert status["LatestIngestionAttemptEventID"] == accepted["eventID"]


def record_time(aws: Lab) -> str:
    """The second in which the newest audit event was taken in; the lab's clock runs."""
    (*_, newest) = aws.recorded(eventCategory="ActivityAuditLog")
    return str(newest["metadata"]["ingestionTime"])


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"UID": None}, "FieldNotFound"),
        ({"userIdentity": {"type": "user"}}, "FieldNotFound"),
        ({"userIdentity": "ana"}, "InvalidData"),
        ({"eventName": "x" * 1025}, "FieldTooLong"),
        ({"errorMessage": "x" * 257}, "FieldTooLong"),
        ({"additionalEventData": {"x": "y" * 28 * 1024}}, "FieldTooLong"),
        ({"requestParameters": "x"}, "InvalidData"),
        ({"eventTime": "yesterday"}, "InvalidData"),
        ({"recipientAccountId": OTHER}, "InvalidRecipient"),
        ({"eventSource": "ec2.amazonaws.com"}, "InvalidEventSource"),
    ],
)
def test_an_event_that_breaks_the_schema_is_rejected_by_itself(
    aws: Lab, channel: str, members: dict[str, Any], code: str
) -> None:
    bad, good = {"id": "bad", "eventData": an_event(aws, **members)}, {"id": "good", "eventData": an_event(aws)}
    before = len(aws.recorded(eventCategory="ActivityAuditLog"))

    answer = put(aws, channel, bad, good)

    assert [(each["id"], each["errorCode"]) for each in answer["failed"]] == [("bad", code)]
    assert [each["id"] for each in answer["successful"]] == ["good"]
    assert len(aws.recorded(eventCategory="ActivityAuditLog")) == before + 1


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "[" * 5000, '{"version": "\\ud800"}', '{"version": NaN}'])
def test_what_is_no_json_object_is_rejected(aws: Lab, channel: str, text: str) -> None:
    answer = put(aws, channel, {"id": "a", "eventData": text})
    assert answer["failed"][0]["errorCode"] in ("InvalidData", "FieldNotFound")


def test_a_checksum_is_held_against_the_event(aws: Lab, channel: str) -> None:
    text = an_event(aws)
    good = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    answer = put(
        aws,
        channel,
        {"id": "good", "eventData": text, "eventDataChecksum": good},
        {"id": "bad", "eventData": text, "eventDataChecksum": good[:-2] + "x="},
    )
    assert [each["id"] for each in answer["successful"]] == ["good"]
    assert answer["failed"][0]["errorCode"] == "InvalidChecksum"


def test_ids_are_unique_and_channels_known(aws: Lab, channel: str) -> None:
    put_events = aws.client("cloudtrail-data").put_audit_events
    one = {"id": "a", "eventData": an_event(aws)}
    assert_refused("DuplicatedAuditEventId", put_events, channelArn=channel, auditEvents=[one, one])
    assert_refused("InvalidChannelARN", put_events, channelArn="arn:aws:s3:::x", auditEvents=[one])
    unknown = channel[:-12] + "000000000000"
    assert_refused("ChannelNotFound", put_events, channelArn=unknown, auditEvents=[one])


def test_another_account_comes_in_by_the_channels_policy(aws: Lab, channel: str) -> None:
    client, one = aws.client("cloudtrail"), {"id": "a", "eventData": an_event(aws)}
    theirs = aws.client("cloudtrail-data", key=OTHER)
    assert_refused("ChannelInsufficientPermission", theirs.put_audit_events, channelArn=channel, auditEvents=[one])
    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"},
                    "Action": "cloudtrail-data:PutAuditEvents",
                    "Resource": channel,
                    "Condition": {"StringEquals": {"cloudtrail:ExternalId": "secret-phrase"}},
                }
            ],
        }
    )
    client.put_resource_policy(ResourceArn=channel, ResourcePolicy=policy)
    assert client.get_resource_policy(ResourceArn=channel)["ResourcePolicy"] == policy

    assert_refused("ChannelInsufficientPermission", theirs.put_audit_events, channelArn=channel, auditEvents=[one])
    answer = put(aws, channel, one, key=OTHER, externalId="secret-phrase")
    (record,) = aws.recorded(eventID=answer["successful"][0]["eventID"])
    assert record["recipientAccountId"] == aws.account

    client.delete_resource_policy(ResourceArn=channel)
    assert_refused("ResourcePolicyNotFoundException", client.get_resource_policy, ResourceArn=channel)
    assert_refused("ResourcePolicyNotFoundException", client.delete_resource_policy, ResourceArn=channel)


@pytest.mark.parametrize(
    "policy",
    ["no", "{}", '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}'],
)
def test_policies_of_channels_have_a_form(aws: Lab, channel: str, policy: str) -> None:
    put_policy = aws.client("cloudtrail").put_resource_policy
    assert_refused("ResourcePolicyNotValidException", put_policy, ResourceArn=channel, ResourcePolicy=policy)


def test_resources_of_policies_are_told_apart(aws: Lab, channel: str) -> None:
    client, start = aws.client("cloudtrail"), f"arn:aws:cloudtrail:us-east-1:{aws.account}"
    get = client.get_resource_policy
    assert_refused("ResourceARNNotValidException", get, ResourceArn="arn:aws:s3:::x")
    assert_refused("ResourceTypeNotSupportedException", get, ResourceArn=f"{start}:trail/audit")
    assert "yet" in assert_refused("ResourceTypeNotSupportedException", get, ResourceArn=f"{start}:dashboard/x")
    assert_refused("ResourceNotFoundException", get, ResourceArn=channel[:-12] + "000000000000")
    theirs = aws.client("cloudtrail", key=OTHER)
    assert_refused("ResourceNotFoundException", theirs.get_resource_policy, ResourceArn=channel)


def test_a_channel_is_made_changed_and_listed(aws: Lab, channel: str) -> None:
    client = aws.client("cloudtrail")
    described = client.get_channel(Channel=channel.rpartition("/")[2])
    assert described["ChannelArn"] == channel
    assert (described["Name"], described["Source"], described["Destinations"]) == ("payroll", "Custom", [store_of(aws)])
    assert "IngestionStatus" not in described
    renamed = client.update_channel(Channel=channel, Name="salaries")
    assert (renamed["ChannelArn"], renamed["Name"]) == (channel, "salaries")
    assert client.list_channels()["Channels"] == [{"ChannelArn": channel, "Name": "salaries"}]


def test_channels_are_listed_by_pages(aws: Lab, channel: str) -> None:
    client = aws.client("cloudtrail")
    more = [
        client.create_channel(Name=f"more-{number}", Source="Custom", Destinations=[store_of(aws)])["ChannelArn"]
        for number in range(24)
    ]
    over = {"Name": "over", "Source": "Custom", "Destinations": [store_of(aws)]}
    assert_refused("ChannelMaxLimitExceededException", client.create_channel, **over)
    pages = [client.list_channels(MaxResults=10)]
    while "NextToken" in pages[-1]:
        pages.append(client.list_channels(MaxResults=10, NextToken=pages[-1]["NextToken"]))
    assert [len(page["Channels"]) for page in pages] == [10, 10, 5]
    assert {each["ChannelArn"] for page in pages for each in page["Channels"]} == {channel, *more}
    assert_refused("InvalidNextTokenException", client.list_channels, NextToken="AAAA")
    for arn in more:
        client.delete_channel(Channel=arn)


def test_channels_that_cannot_be(aws: Lab, channel: str) -> None:
    create, start = aws.client("cloudtrail").create_channel, f"arn:aws:cloudtrail:us-east-1:{aws.account}"
    to = [store_of(aws)]
    assert_refused("ChannelAlreadyExistsException", create, Name="payroll", Source="Custom", Destinations=to)
    assert "yet" in assert_refused("InvalidSourceException", create, Name="okta", Source="Okta", Destinations=to)
    elsewhere = [
        {"Type": "EVENT_DATA_STORE", "Location": f"{start}:eventdatastore/11111111-1111-4111-8111-111111111111"}
    ]
    said = assert_refused(
        "EventDataStoreNotFoundException", create, Name="new", Source="Custom", Destinations=elsewhere
    )
    assert to[0]["Location"] in said
    no_store = [{"Type": "EVENT_DATA_STORE", "Location": f"{start}:trail/audit"}]
    assert_refused("EventDataStoreARNInvalidException", create, Name="new", Source="Custom", Destinations=no_store)
    service = [{"Type": "AWS_SERVICE", "Location": "ssm"}]
    assert_refused("InvalidParameterException", create, Name="new", Source="Custom", Destinations=service)


def test_unknown_channels_are_said_to_be_none(aws: Lab) -> None:
    client = aws.client("cloudtrail")
    unknown = "01234567-89ab-cdef-0123-456789abcdef"
    for call in (client.get_channel, client.delete_channel, client.update_channel):
        assert_refused("ChannelNotFoundException", call, Channel=unknown)
        assert_refused("ChannelARNInvalidException", call, Channel="nonsense")


def test_a_channel_has_tags(aws: Lab, channel: str) -> None:
    client = aws.client("cloudtrail")
    client.add_tags(ResourceId=channel, TagsList=[{"Key": "team", "Value": "pay"}, {"Key": "bare"}])
    theirs = aws.client("cloudtrail", key=OTHER)
    assert_refused("ChannelNotFoundException", theirs.list_tags, ResourceIdList=[channel])
    assert_refused("ChannelNotFoundException", theirs.remove_tags, ResourceId=channel, TagsList=[{"Key": "team"}])
    (listed,) = client.list_tags(ResourceIdList=[channel])["ResourceTagList"]
    assert listed == {"ResourceId": channel, "TagsList": [{"Key": "team", "Value": "pay"}, {"Key": "bare"}]}
