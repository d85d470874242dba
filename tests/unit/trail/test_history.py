"""The event history: what finds a record, in which order, and that it can be made anew from the journal."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailstate.follow import Runner
from trailstate.services.cloudtrail.history import LookupLimits, lookup_events
from trailstate.stores.derived import Derived
from trailstate.stores.memory import MemoryStore
from trailstate.trail.attributes import attributes, username
from trailstate.trail.history import History, Window, _key
from trailstate.trail.journal import Journal
from trailstate.values.timestamp import record_time
from trailstate.wire.call import Call, Principal, WireRequest
from trailstate.wire.fault import Fault
from trailstate.world import SimulatedWorld

ACCOUNT, OTHER, REGION = "111122223333", "444455556666", "us-east-1"
ALICE = {"type": "IAMUser", "userName": "alice", "accessKeyId": "AKIAALICE", "principalId": "AIDA1"}
BOB = {"type": "AssumedRole", "principalId": "AROA1:bob", "accessKeyId": "ASIABOB", "arn": "arn:aws:sts::1:x/y/bob"}
ALWAYS = Window(0, 4_000_000_000)


class House:
    """A journal, its history, and somebody who looks things up."""

    def __init__(self) -> None:
        self.world = SimulatedWorld()
        self.store = MemoryStore(self.world)
        self.journal = Journal(self.store)
        self.runner = Runner(self.store, self.world)
        self.limits = LookupLimits(b"key")
        self.follow_anew()

    def follow_anew(self) -> None:
        self.history = History(self.store, Derived(None), self.runner)
        self.runner.add(self.history.follower)

    def record(self, name: str = "StopInstances", **members: Any) -> dict[str, Any]:
        made = a_record(self.world, eventName=name, **members)
        self.journal.append([made])
        return made

    def look_up(self, attribute: tuple[str, str] | None = None, **asked: Any) -> dict[str, Any]:
        if attribute is not None:
            asked["LookupAttributes"] = [{"AttributeKey": attribute[0], "AttributeValue": attribute[1]}]
        call = a_call(self.world, asked.pop("account", ACCOUNT), asked.pop("region", REGION))
        return lookup_events(call, self.history, self.limits, **asked)

    def names(self, attribute: tuple[str, str] | None = None, **asked: Any) -> list[str]:
        return [each["EventName"] for each in self.look_up(attribute, **asked)["Events"]]


def a_record(world: SimulatedWorld, **members: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.11",
        "userIdentity": ALICE,
        "eventTime": record_time(members.pop("at", world.now())),
        "eventSource": "ec2.amazonaws.com",
        "eventName": "StopInstances",
        "awsRegion": REGION,
        "requestParameters": {"instancesSet": {"items": [{"instanceId": "i-1"}]}},
        "responseElements": None,
        "eventID": world.uuid(),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    } | members


def a_call(world: SimulatedWorld, account: str, region: str) -> Call:
    return Call(
        service="cloudtrail",
        operation="LookupEvents",
        parameters={},
        account=account,
        region=region,
        principal=Principal(type="Root", account=account),
        source_address="203.0.113.7",
        user_agent="test",
        request_id=world.uuid(),
        event_id=world.uuid(),
        now=world.now(),
        request=WireRequest("POST", "/", ()),
    )


@pytest.fixture
def house() -> Iterator[House]:
    return House()


# ---- what finds a record ----


def test_each_of_the_eight_attributes_finds_a_record(house: House) -> None:
    made = house.record("TerminateInstances")
    house.record("DescribeInstances", readOnly=True, userIdentity=BOB, requestParameters=None, eventSource="x.y")

    wanted = [
        ("EventId", made["eventID"]),
        ("EventName", "TerminateInstances"),
        ("EventSource", "ec2.amazonaws.com"),
        ("ReadOnly", "false"),
        ("AccessKeyId", "AKIAALICE"),
        ("Username", "alice"),
        ("ResourceName", "i-1"),
        ("ResourceType", "AWS::EC2::Instance"),
    ]

    assert [house.names(attribute) for attribute in wanted] == [["TerminateInstances"]] * 8


def test_values_are_exact_and_case_sensitive(house: House) -> None:
    house.record("StopInstances")

    assert house.names(("EventName", "stopinstances")) == []
    assert house.names(("EventName", "Stop")) == []


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (ALICE, "alice"),
        (BOB, "bob"),
        ({"type": "Root", "arn": "arn:aws:iam::1:root", "userName": "My Company"}, "root"),
        ({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}, "ec2.amazonaws.com"),
        ({"type": "FederatedUser", "principalId": "1:carol", "arn": "arn:aws:sts::1:federated-user/carol"}, "carol"),
        ({}, None),
    ],
)
def test_the_user_is_named_as_aws_names_it(identity: dict[str, Any], expected: str | None) -> None:
    assert username(identity) == expected


def test_an_item_holds_what_aws_gives(house: House) -> None:
    made = house.record("StopInstances")

    (item,) = house.look_up()["Events"]

    assert item.pop("CloudTrailEvent").startswith('{"eventVersion":"1.11","userIdentity":{"type":"IAMUser"')
    assert item == {
        "EventId": made["eventID"],
        "EventName": "StopInstances",
        "ReadOnly": "false",
        "AccessKeyId": "AKIAALICE",
        "EventTime": house.world.now(),
        "EventSource": "ec2.amazonaws.com",
        "Username": "alice",
        "Resources": [{"ResourceType": "AWS::EC2::Instance", "ResourceName": "i-1"}],
    }


def test_data_events_are_not_in_the_history(house: House) -> None:
    house.record("GetObject", eventCategory="Data", managementEvent=False)

    assert house.names() == []


def test_only_the_callers_account_and_region_are_seen(house: House) -> None:
    house.record("Here")
    house.record("Elsewhere", awsRegion="eu-west-1")
    house.record("Theirs", recipientAccountId=OTHER)

    assert house.names() == ["Here"]
    assert house.names(region="eu-west-1") == ["Elsewhere"]
    assert house.names(account=OTHER) == ["Theirs"]


# ---- order, time, pages ----


def test_newest_come_first_and_equal_times_by_position(house: House) -> None:
    now = house.world.now()
    for name, age in (("First", 5), ("Late", 9000), ("Second", 5), ("Third", 5)):
        house.record(name, at=now - timedelta(seconds=age))

    assert house.names() == ["Third", "Second", "First", "Late"]


def test_both_ends_of_a_time_range_are_included(house: House) -> None:
    start = house.world.now() - timedelta(days=2)
    for second in range(4):
        house.record(f"At{second}", at=start + timedelta(seconds=second))

    asked = {"StartTime": start + timedelta(seconds=1), "EndTime": start + timedelta(seconds=2)}
    assert house.names(**asked) == ["At2", "At1"]
    assert house.names(("EventSource", "ec2.amazonaws.com"), **asked) == ["At2", "At1"]
    assert house.names(StartTime=start + timedelta(seconds=2, milliseconds=1)) == ["At3"]


def test_the_history_ends_after_ninety_days(house: House) -> None:
    house.record("Old")
    house.world.advance(timedelta(days=90))
    assert house.names() == ["Old"]

    house.world.advance(timedelta(seconds=1))

    assert house.names() == []
    assert house.names(StartTime=datetime(2020, 1, 1, tzinfo=UTC)) == []


@settings(max_examples=25, deadline=None)
@given(ages=st.lists(st.integers(0, 200_000), max_size=40), size=st.integers(1, 7))
def test_pages_lose_nothing_and_repeat_nothing(ages: list[int], size: int) -> None:
    house = House()
    for number, age in enumerate(ages):
        house.record(f"Event{number}", at=house.world.now() - timedelta(seconds=age))

    met: list[str] = []
    asked: dict[str, Any] = {"MaxResults": size}
    while True:
        page = house.look_up(("ReadOnly", "false"), **asked)
        met += [each["EventName"] for each in page["Events"]]
        house.record("NewerThanAllPages", at=house.world.now() + timedelta(seconds=1))
        if "NextToken" not in page:
            break
        asked["NextToken"] = page["NextToken"]

    newest_first = sorted(range(len(ages)), key=lambda number: (ages[number], -number))
    assert met == [f"Event{number}" for number in newest_first]


# ---- derived ----


def test_a_deleted_index_is_made_anew_with_the_same_content(house: House) -> None:
    for number in range(30):
        house.record(f"Event{number % 7}", at=house.world.now() - timedelta(hours=number * 5 % 90))
    before = house.look_up()
    rows = index_rows(house)

    house.follow_anew()

    assert house.look_up() == before
    assert index_rows(house) == rows != []


def test_taking_the_same_entries_twice_changes_nothing(house: House) -> None:
    house.record("StopInstances")
    house.look_up()
    rows = index_rows(house)

    house.history.follower.apply(house.store.read("journal", 0, 10))

    assert index_rows(house) == rows


def test_a_posting_that_lies_is_not_believed(house: House) -> None:
    """As a collision of two hashes would have it."""
    house.record("StopInstances")
    house.look_up()
    lie = _key(ACCOUNT, REGION, ("EventName", "Other"))
    with house.history.follower._derived.transaction() as connection:
        connection.execute("INSERT INTO history_posting SELECT DISTINCT day, ?, time, 1 FROM history_posting", (lie,))

    assert list(house.history.index.places(ACCOUNT, REGION, [("EventName", "Other")], ALWAYS)) != []
    assert house.names(("EventName", "Other")) == []


def index_rows(house: House) -> list[tuple[int, ...]]:
    connection = house.history.follower._derived.connection()
    return connection.execute("SELECT * FROM history_posting ORDER BY 1, 2, 3, 4").fetchall()


def test_several_attributes_are_combined_in_the_index(house: House) -> None:
    house.record("StopInstances")
    both = house.record("StopInstances", userIdentity=BOB)
    house.record("StartInstances", userIdentity=BOB)
    house.history.catch_up()

    wanted = [("EventName", "StopInstances"), ("Username", "bob")]

    assert [place.position for place in house.history.index.places(ACCOUNT, REGION, wanted, ALWAYS)] == [2]
    assert set(wanted) <= set(attributes(both))


# ---- what AWS refuses ----


def refusal(house: House, attribute: tuple[str, str] | None = None, **asked: Any) -> str:
    with pytest.raises(Fault) as raised:
        house.look_up(attribute, **asked)
    return raised.value.code


def test_more_than_one_attribute_is_refused(house: House) -> None:
    two = [{"AttributeKey": "EventName", "AttributeValue": "A"}, {"AttributeKey": "ReadOnly", "AttributeValue": "true"}]

    assert refusal(house, LookupAttributes=two) == "InvalidLookupAttributesException"


@pytest.mark.parametrize("attribute", [("Colour", "blue"), ("EventName", ""), ("EventName", "x" * 2001)])
def test_attributes_must_be_known_and_of_a_length(house: House, attribute: tuple[str, str]) -> None:
    assert refusal(house, attribute) == "InvalidLookupAttributesException"


@pytest.mark.parametrize("size", [0, -1, 51])
def test_pages_have_one_to_fifty_results(house: House, size: int) -> None:
    assert refusal(house, MaxResults=size) == "InvalidMaxResultsException"


def test_a_range_must_not_run_backward(house: House) -> None:
    now = house.world.now()

    assert refusal(house, StartTime=now, EndTime=now - timedelta(seconds=1)) == "InvalidTimeRangeException"
    assert house.names(StartTime=now, EndTime=now) == []


def test_insight_is_the_only_category_and_has_no_events_yet(house: House) -> None:
    house.record("StopInstances")

    assert house.look_up(EventCategory="insight") == {"Events": []}
    assert refusal(house, EventCategory="management") == "InvalidEventCategoryException"


def test_a_token_belongs_to_its_question_account_and_region(house: House) -> None:
    for _ in range(3):
        house.record("StopInstances")
        house.record("StopInstances", recipientAccountId=OTHER)
        house.record("StopInstances", awsRegion="eu-west-1")
    stop = ("EventName", "StopInstances")
    token = house.look_up(stop, MaxResults=1)["NextToken"]

    assert len(house.names(stop, NextToken=token)) == 2
    for attribute, asked in (
        (None, {}),
        (("EventName", "StartInstances"), {}),
        (stop, {"account": OTHER}),
        (stop, {"region": "eu-west-1"}),
        (stop, {"StartTime": house.world.now() - timedelta(days=1)}),
        (stop, {"EventCategory": "insight"}),
    ):
        assert refusal(house, attribute, NextToken=token, **asked) == "InvalidNextTokenException"
    assert refusal(house, stop, NextToken="made up") == "InvalidNextTokenException"


def test_two_requests_a_second_where_rates_are_enforced(house: House) -> None:
    house.limits = LookupLimits(b"key", requests_per_second=2.0)
    house.names()
    house.names()

    assert refusal(house) == "ThrottlingException"
    assert house.names(region="eu-west-1") == []
    house.world.advance(timedelta(seconds=0.5))
    assert house.names() == []
    assert refusal(house) == "ThrottlingException"
