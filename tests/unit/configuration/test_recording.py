"""From a record to an item: what is looked at, what is appended, and what happens when the estate does not answer."""

from datetime import timedelta

import pytest
from tests.unit.configuration.estate import GROUP, HOME, TYPES, House

from trailstate.configuration.line import read
from trailstate.configuration.recorder import recording_key
from trailstate.configuration.trigger import EVERYTHING, TOUCHED, Touches, Trigger
from trailstate.stores.interface import JOURNAL
from trailstate.wire.fault import Fault

OPEN = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
THROTTLED = Fault("RequestLimitExceeded", "Request limit exceeded.", 503, "ec2")


@pytest.fixture
def house() -> House:
    return House()


def with_group(house: House, group: str = "sg-1") -> House:
    house.estate.groups[group] = {"GroupId": group, "GroupName": "web", "IpPermissions": []}
    house.called("CreateSecurityGroup", responseElements={"groupId": group})
    house.settle()
    return house


def statuses(house: House, group: str = "sg-1") -> list[str]:
    found = house.history.history(HOME.account, HOME.region, GROUP.name, group, forward=True)
    return [each.item["configurationItemStatus"] for each in found]


def status_of(house: House) -> dict:
    document = house.store.get(recording_key(HOME, GROUP.name))
    return {} if document is None else document.value


def test_a_changed_resource_is_an_item_with_the_call_behind_it(house: House) -> None:
    with_group(house)
    house.estate.groups["sg-1"]["IpPermissions"] = [OPEN]
    opened = house.called("AuthorizeSecurityGroupIngress", requestParameters={"groupId": "sg-1"})
    house.settle()
    assert statuses(house) == ["ResourceDiscovered", "OK"]
    last = house.history.latest(HOME.account, HOME.region, GROUP.name, "sg-1")
    assert last is not None
    assert last.item["relatedEvents"] == [opened["eventID"]]
    assert last.cause == {
        "eventID": opened["eventID"],
        "eventName": "AuthorizeSecurityGroupIngress",
        "eventSource": "ec2.amazonaws.com",
        "eventTime": opened["eventTime"],
        "principal": "arn:aws:iam::111122223333:user/ana",
        "sourceIPAddress": "198.51.100.7",
    }


def test_what_a_round_finds_first_has_the_call_that_did_it_behind_it(house: House) -> None:
    """A round lists a group that was opened, and one that was deleted, before those calls' errands have their turn."""
    with_group(with_group(house, "sg-1"), "sg-2")
    house.estate.groups["sg-1"]["IpPermissions"] = [OPEN]
    del house.estate.groups["sg-2"]
    house.estate.groups["sg-3"] = {"GroupId": "sg-3", "GroupName": "old", "IpPermissions": []}
    house.look()
    opened = house.called("AuthorizeSecurityGroupIngress", requestParameters={"groupId": "sg-1"})
    deleted = house.called("DeleteSecurityGroup", requestParameters={"groupId": "sg-2"})
    house.settle()
    latest = [house.history.latest(HOME.account, HOME.region, GROUP.name, f"sg-{number}") for number in (1, 2, 3)]
    assert [each and each.item["relatedEvents"] for each in latest] == [[opened["eventID"]], [deleted["eventID"]], []]
    assert [each and each.cause and each.cause["eventName"] for each in latest] == [
        "AuthorizeSecurityGroupIngress",
        "DeleteSecurityGroup",
        None,
    ]
    assert statuses(house) == ["ResourceDiscovered", "OK"]


def test_an_unchanged_resource_is_no_item(house: House) -> None:
    with_group(house)
    house.called("AuthorizeSecurityGroupIngress", requestParameters={"groupId": "sg-1"})
    house.settle()
    assert len(house.items()) == 1


def test_a_deleted_resource_ends_its_history_and_may_come_back(house: House) -> None:
    with_group(house)
    kept = house.estate.groups.pop("sg-1")
    house.called("DeleteSecurityGroup", requestParameters={"groupId": "sg-1"})
    house.settle()
    assert statuses(house) == ["ResourceDiscovered", "ResourceDeleted"]
    assert list(house.history.current(HOME.account, HOME.region)) == []
    house.estate.groups["sg-1"] = kept
    house.called("CreateSecurityGroup", responseElements={"groupId": "sg-1"})
    house.settle()
    assert statuses(house)[-1] == "ResourceDiscovered"


def test_what_is_touched_many_times_is_looked_at_once(house: House) -> None:
    with_group(house)
    house.estate.groups["sg-1"]["Description"] = "changed"
    house.estate.asked.clear()
    events = [
        house.called("AuthorizeSecurityGroupIngress", requestParameters={"groupId": "sg-1"})["eventID"]
        for _ in range(50)
    ]
    house.settle()
    assert house.estate.asked.count("DescribeSecurityGroups") == 1
    assert read(house.items()[-1]).item["relatedEvents"] == events


def test_a_call_that_no_type_knows_lists_the_types_of_its_service_again(house: House) -> None:
    house.estate.groups["sg-9"] = {"GroupId": "sg-9", "GroupName": "made-by-a-new-call"}
    house.called("CreateSomethingNew")
    house.settle()
    assert statuses(house, "sg-9") == ["ResourceDiscovered"]
    assert "ListTopics" not in house.estate.asked


@pytest.mark.parametrize(
    "members",
    [{"errorCode": "AccessDenied"}, {"readOnly": True}, {"eventCategory": "Data"}, {"eventName": "CreateFlowLogs"}],
)
def test_calls_that_change_nothing_are_not_followed(house: House, members: dict) -> None:
    house.called("CreateSomethingNew", **members)
    house.settle()
    assert house.estate.asked == []


def test_nothing_is_recorded_while_the_recorder_is_off(house: House) -> None:
    house.record(recording=False)
    with_group(house)
    assert house.items() == []


def test_a_throttled_look_keeps_the_old_item_shows_and_is_tried_again(house: House) -> None:
    with_group(house)
    house.estate.groups["sg-1"]["IpPermissions"] = [OPEN]
    house.estate.faults["DescribeSecurityGroups"] = THROTTLED
    opened = house.called("AuthorizeSecurityGroupIngress", requestParameters={"groupId": "sg-1"})
    house.settle()
    assert statuses(house) == ["ResourceDiscovered"]
    assert (status_of(house)["lastStatus"], status_of(house)["lastErrorCode"]) == ("Failure", "RequestLimitExceeded")
    house.estate.faults.clear()
    house.world.advance(timedelta(minutes=1))
    house.settle()
    assert statuses(house) == ["ResourceDiscovered", "OK"]
    assert read(house.items()[-1]).item["relatedEvents"] == [opened["eventID"]]
    assert status_of(house)["lastStatus"] == "Success"


def test_an_answer_that_breaks_off_deletes_nothing(house: House) -> None:
    with_group(with_group(house, "sg-1"), "sg-2")
    house.estate.faults["DescribeSecurityGroupRules"] = THROTTLED
    house.called("CreateSomethingNew")
    house.settle()
    assert len(list(house.history.current(HOME.account, HOME.region))) == 2


def test_one_resource_that_cannot_be_described_does_not_hold_up_the_others(house: House) -> None:
    house.estate.faults["DescribeSecurityGroups"] = THROTTLED
    house.called("CreateSecurityGroup", responseElements={"groupId": "sg-broken"})
    house.settle()
    house.estate.faults.clear()
    with_group(house, "sg-fine")
    assert statuses(house, "sg-fine") == ["ResourceDiscovered"]


def test_what_never_succeeds_is_given_up_after_a_while(house: House) -> None:
    house.estate.faults["DescribeSecurityGroups"] = THROTTLED
    house.called("CreateSecurityGroup", responseElements={"groupId": "sg-broken"})
    for _ in range(20):
        house.settle()
        house.world.advance(timedelta(minutes=10))
    house.estate.asked.clear()
    house.settle()
    assert house.estate.asked == []
    assert status_of(house)["lastStatus"] == "Failure"


def test_a_type_that_the_estate_lacks_is_said_and_left(house: House) -> None:
    lacking = "The operation DescribeSecurityGroups is not supported by Trailstate yet"
    house.estate.faults["DescribeSecurityGroups"] = Fault("InvalidAction", lacking, 400, "ec2")
    house.called("CreateSomethingNew")
    house.settle()
    assert status_of(house)["lastStatus"] == "NotApplicable"
    assert status_of(house)["lastErrorCode"] == "ec2:DescribeSecurityGroups"


def test_a_fact_that_the_estate_lacks_is_missing_not_empty(house: House) -> None:
    lacking = "The operation DescribeSecurityGroupRules is not supported by Trailstate yet"
    house.estate.faults["DescribeSecurityGroupRules"] = Fault("InvalidAction", lacking, 400, "ec2")
    with_group(house)
    assert read(house.items()[0]).facts == {}


def test_new_facts_are_no_new_item(house: House) -> None:
    with_group(house)
    house.estate.rules = [{"SecurityGroupRuleId": "sgr-1"}]
    house.called("AuthorizeSecurityGroupIngress", requestParameters={"groupId": "sg-1"})
    house.settle()
    assert statuses(house) == ["ResourceDiscovered"]
    last = house.history.latest(HOME.account, HOME.region, GROUP.name, "sg-1")
    assert last is not None
    assert last.facts == {"Rules": [{"SecurityGroupRuleId": "sgr-1"}]}


def test_what_was_to_be_looked_at_survives_a_crash(house: House) -> None:
    """The trigger's rows are in the store: whoever ships them next finds them."""
    house.estate.groups["sg-1"] = {"GroupId": "sg-1", "GroupName": "web"}
    house.called("CreateSecurityGroup", responseElements={"groupId": "sg-1"})
    (queue,) = _filled(house)
    assert queue.endswith("/AWS::EC2::SecurityGroup")
    house.settle()
    assert statuses(house) == ["ResourceDiscovered"]
    assert house.store.queues(TOUCHED) == []


def test_what_a_call_touched_does_not_wait_for_a_look_at_everything(house: House) -> None:
    house.estate.groups["sg-1"] = {"GroupId": "sg-1", "GroupName": "web"}
    house.look()
    house.called("CreateSecurityGroup", responseElements={"groupId": "sg-1"})
    (queue,) = _filled(house)
    house.runner.drain(TOUCHED, queue)
    assert house.history.catch_up()
    assert statuses(house) == ["ResourceDiscovered"]
    assert len(house.store.queues(EVERYTHING)) == len(TYPES)
    house.settle()
    assert statuses(house) == ["ResourceDiscovered"]


def test_of_calls_that_became_one_item_the_last_is_its_cause_and_all_are_related(house: House) -> None:
    with_group(house)
    house.estate.groups["sg-1"]["IpPermissions"] = [OPEN]
    first = house.called("AuthorizeSecurityGroupIngress", requestParameters={"groupId": "sg-1"})
    last = house.called("RevokeSecurityGroupIngress", requestParameters={"groupId": "sg-1"})
    house.settle()
    item = house.history.latest(HOME.account, HOME.region, GROUP.name, "sg-1")
    assert item is not None
    assert item.cause is not None
    assert item.cause["eventID"] == last["eventID"]
    assert item.item["relatedEvents"] == [first["eventID"], last["eventID"]]


def _filled(house: House) -> list[str]:
    Trigger(house.store, Touches(TYPES.values()), house.recorders).apply(house.store.read(JOURNAL, 0, 10))
    return house.store.queues(TOUCHED)
