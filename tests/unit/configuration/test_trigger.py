"""What records touch: the tables of the types decide, and what nobody knows touches all of its service."""

from tests.unit.configuration.estate import GROUP, HOME, TYPES, House

from trailstate.configuration.form import ALL
from trailstate.configuration.trigger import Touch, Touches
from trailstate.trail.restart import restarted
from trailstate.world import SimulatedWorld

TOUCHES = Touches(TYPES.values())


def a_record(event: str, source: str = "ec2", **members: object) -> dict:
    usual = {
        "eventName": event,
        "eventSource": f"{source}.amazonaws.com",
        "eventCategory": "Management",
        "readOnly": False,
        "eventID": "event-1",
    }
    return usual | members


def test_a_known_call_names_the_resource() -> None:
    opened = a_record("AuthorizeSecurityGroupIngress", requestParameters={"groupId": "sg-1"})
    assert TOUCHES.of(opened) == [Touch(GROUP, "sg-1")]


def test_a_known_call_that_names_none_touches_all_of_the_type() -> None:
    assert TOUCHES.of(a_record("DeleteSecurityGroup", requestParameters={"groupName": "web"})) == [Touch(GROUP, ALL)]


def test_an_unknown_call_touches_all_types_of_its_service_and_no_others() -> None:
    assert [touch.declared.name for touch in TOUCHES.of(a_record("Unheard", "sns"))] == ["AWS::SNS::Topic"]
    assert TOUCHES.of(a_record("Unheard", "nobody")) == []


def test_a_call_known_to_touch_nothing_touches_nothing() -> None:
    assert TOUCHES.of(a_record("CreateFlowLogs")) == []


def test_an_estate_that_began_anew_touches_everything() -> None:
    record = restarted(HOME.account, HOME.region, "for a test", SimulatedWorld())
    assert {touch.declared.name for touch in TOUCHES.of(record)} == set(TYPES)


def test_what_the_estate_forgot_is_recorded_as_deleted() -> None:
    house = House()
    house.estate.groups["sg-1"] = {"GroupId": "sg-1", "GroupName": "web"}
    house.called("CreateSecurityGroup", responseElements={"groupId": "sg-1"})
    house.settle()
    house.estate.groups.clear()
    anew = restarted(HOME.account, HOME.region, "for a test", house.world)
    house.called(anew["eventName"], **anew)
    house.settle()
    last = house.history.latest(HOME.account, HOME.region, GROUP.name, "sg-1")
    assert last is not None
    assert last.is_gone
