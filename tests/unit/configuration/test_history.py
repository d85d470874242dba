"""The history of resources: at any moment, page by page, and the same when it is made anew."""

from datetime import timedelta

import pytest
from tests.unit.configuration.estate import GROUP, HOME, House

from trailstate.configuration.history import ConfigurationHistory
from trailstate.follow import Runner
from trailstate.stores.derived import Derived


@pytest.fixture
def house() -> House:
    """A group that changed every minute for ten minutes, and another that was deleted."""
    house = House()
    for minute in range(10):
        house.estate.groups["sg-1"] = {"GroupId": "sg-1", "GroupName": "web", "Description": f"minute {minute}"}
        house.called("CreateSecurityGroup", responseElements={"groupId": "sg-1"})
        house.settle()
        house.world.advance(timedelta(minutes=1))
    house.estate.groups["sg-2"] = {"GroupId": "sg-2", "GroupName": "db"}
    house.called("CreateSecurityGroup", responseElements={"groupId": "sg-2"})
    house.settle()
    house.world.advance(timedelta(minutes=1))
    del house.estate.groups["sg-2"]
    house.called("DeleteSecurityGroup", requestParameters={"groupId": "sg-2"})
    house.settle()
    return house


def descriptions(found: list) -> list[str]:
    return [each.item["configuration"]["description"] for each in found]


def test_a_resource_is_shown_as_it_was_at_a_moment(house: House) -> None:
    start = house.world.now() - timedelta(minutes=11)
    then = house.history.at(HOME.account, HOME.region, GROUP.name, "sg-1", start + timedelta(minutes=3, seconds=30))
    assert then is not None
    assert then.item["configuration"]["description"] == "minute 3"
    assert house.history.at(HOME.account, HOME.region, GROUP.name, "sg-1", start - timedelta(seconds=1)) is None


def test_everything_is_shown_as_it_was_at_a_moment(house: House) -> None:
    now = house.world.now()
    before = house.history.all_at(HOME.account, HOME.region, now - timedelta(seconds=30))
    assert [each.item["resourceId"] for each in before] == ["sg-1", "sg-2"]
    assert [each.item["resourceId"] for each in house.history.all_at(HOME.account, HOME.region, now)] == ["sg-1"]


@pytest.mark.parametrize("forward", [True, False])
def test_pages_lose_nothing(house: House, forward: bool) -> None:
    found, after = [], None
    while page := house.history.history(
        HOME.account, HOME.region, GROUP.name, "sg-1", after=after, forward=forward, limit=3
    ):
        found += page
        after = page[-1].item["configurationStateId"]
    expected = [f"minute {minute}" for minute in range(10)]
    assert descriptions(found) == (expected if forward else expected[::-1])


def test_a_resource_is_found_by_any_of_its_names(house: House) -> None:
    assert [each.id for each in house.history.find("web")] == ["sg-1"]
    assert [each.id for each in house.history.find("sg-2")] == ["sg-2"]
    assert house.history.counts(HOME.account, HOME.region) == {GROUP.name: 1}


def test_made_anew_it_is_the_same(house: House) -> None:
    derived, runner = Derived(None), Runner(house.store, house.world)
    anew = ConfigurationHistory(house.store, derived, runner)
    runner.add(anew.follower)
    runner.run_until_idle()
    tables = ("configuration_resource", "configuration_item")
    rows = [
        [each.connection().execute(f"SELECT * FROM {table}").fetchall() for table in tables]
        for each in (house.derived, derived)
    ]
    assert rows[0] == rows[1]
