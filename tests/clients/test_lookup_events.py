"""LookupEvents through boto3: every attribute, pages, time ranges, and one's own writes."""

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.clients.calls import only_record, recorded_during
from trailstate.testing import Lab, lab

QUEUES = 120


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    """A lab in which a hundred and twenty queues were made, one a second."""
    with lab(clock_start="2026-01-15T09:30:00Z") as started:
        for number in range(QUEUES):
            started.client("sqs").create_queue(QueueName=f"queue-{number:03}")
            started.advance(1)
        yield started


def look_up(aws: Lab, **asked: Any) -> list[dict[str, Any]]:
    """Every page's events."""
    pages = aws.client("cloudtrail").get_paginator("lookup_events").paginate(**asked)
    return [event for page in pages for event in page["Events"]]


def by(key: str, value: str) -> dict[str, Any]:
    return {"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]}


def names(events: list[dict[str, Any]]) -> list[str]:
    return [json.loads(event["CloudTrailEvent"])["requestParameters"]["queueName"] for event in events]


def test_pages_hold_everything_once_newest_first(aws: Lab) -> None:
    client = aws.client("cloudtrail")
    pages = list(client.get_paginator("lookup_events").paginate(**by("EventName", "CreateQueue")))
    assert [len(page["Events"]) for page in pages] == [50, 50, 20]
    assert "NextToken" not in pages[-1]
    found = names([event for page in pages for event in page["Events"]])
    assert found == [f"queue-{number:03}" for number in reversed(range(QUEUES))]


def test_pages_stay_whole_while_more_is_recorded(aws: Lab) -> None:
    client = aws.client("cloudtrail")
    asked = by("EventSource", "sqs.amazonaws.com")
    first = client.lookup_events(**asked, MaxResults=40)
    client.get_paginator("lookup_events")
    aws.client("sqs").list_queues()
    rest = client.lookup_events(**asked, MaxResults=40, NextToken=first["NextToken"])
    seen = [event["EventId"] for event in first["Events"] + rest["Events"]]
    assert len(seen) == len(set(seen)) == 80
    assert all(event["EventName"] == "CreateQueue" for event in rest["Events"])


def test_a_token_belongs_to_its_question(aws: Lab) -> None:
    client = aws.client("cloudtrail")
    token = client.lookup_events(MaxResults=1)["NextToken"]
    with pytest.raises(ClientError, match="InvalidNextTokenException"):
        client.lookup_events(**by("EventName", "CreateQueue"), NextToken=token)


@pytest.mark.parametrize(
    ("key", "member"),
    [
        ("EventId", "EventId"),
        ("EventName", "EventName"),
        ("ReadOnly", "ReadOnly"),
        ("Username", "Username"),
        ("EventSource", "EventSource"),
        ("AccessKeyId", "AccessKeyId"),
    ],
)
def test_an_attribute_finds_its_events_and_no_others(aws: Lab, key: str, member: str) -> None:
    chosen = look_up(aws, **by("EventName", "CreateQueue"))[7]
    found = look_up(aws, **by(key, chosen[member]))
    assert chosen["EventId"] in {event["EventId"] for event in found}
    assert {event[member] for event in found} == {chosen[member]}
    assert look_up(aws, **by(key, "nothing-of-that-kind")) == []


@pytest.mark.parametrize(("key", "member"), [("ResourceName", "ResourceName"), ("ResourceType", "ResourceType")])
def test_a_resource_finds_what_touched_it(aws: Lab, key: str, member: str) -> None:
    created = look_up(aws, **by("EventName", "CreateQueue"))[7]
    for resource in created["Resources"]:
        found = look_up(aws, **by(key, resource[member]))
        assert created["EventId"] in {event["EventId"] for event in found}
        assert all(resource[member] in {each[member] for each in event["Resources"]} for event in found)
    assert created["Resources"]


def test_a_bucket_is_found_by_its_name(aws: Lab) -> None:
    aws.client("s3").create_bucket(Bucket="found-by-name")
    (event,) = look_up(aws, **by("ResourceName", "found-by-name"))
    assert event["Resources"] == [{"ResourceType": "AWS::S3::Bucket", "ResourceName": "found-by-name"}]


def test_a_range_of_time_includes_both_its_ends(aws: Lab) -> None:
    created = look_up(aws, **by("EventName", "CreateQueue"))
    start, end = created[20]["EventTime"], created[10]["EventTime"]
    found = look_up(aws, **by("EventName", "CreateQueue"), StartTime=start, EndTime=end)
    assert names(found) == names(created)[10:21]
    with pytest.raises(ClientError, match="InvalidTimeRangeException"):
        look_up(aws, StartTime=end, EndTime=start)


def test_one_sees_ones_own_writes_at_once(aws: Lab) -> None:
    for number in range(20):
        done = recorded_during(aws, partial(aws.client("sns").create_topic, Name=f"topic-{number}"))
        (found,) = look_up(aws, **by("EventId", only_record(done)["eventID"]))
        assert found["EventName"] == "CreateTopic"


def test_insight_events_are_another_category(aws: Lab) -> None:
    assert look_up(aws, EventCategory="insight") == []
    with pytest.raises(ClientError, match="InvalidEventCategoryException"):
        aws.client("cloudtrail").lookup_events(EventCategory="data")


def test_regions_and_global_services_are_looked_up_where_they_are_recorded(aws: Lab) -> None:
    far = aws.client("cloudtrail", region="eu-central-1")
    aws.client("sqs", region="eu-central-1").create_queue(QueueName="far")
    aws.client("iam", region="eu-central-1").create_user(UserName="everywhere")
    assert names(far.lookup_events(**by("EventName", "CreateQueue"))["Events"]) == ["far"]
    assert far.lookup_events(**by("EventName", "CreateUser"))["Events"] == []
    assert len(look_up(aws, **by("EventName", "CreateUser"))) == 1


def test_the_window_of_ninety_days_moves_with_the_clock() -> None:
    with lab(clock_start="2026-01-15T09:30:00Z") as started:
        started.client("sqs").create_queue(QueueName="old")
        started.advance(timedelta(days=89, hours=23))
        assert names(look_up(started, **by("EventName", "CreateQueue"))) == ["old"]
        started.advance("2h")
        assert look_up(started, **by("EventName", "CreateQueue")) == []
        assert len(started.recorded(eventName="CreateQueue")) == 1, "the journal keeps what the window leaves behind"
