"""Whatever fails and however often, in the end the history tells what is there, each change once and in order."""

import contextlib
import random
from datetime import timedelta

import pytest
from tests.unit.configuration.estate import GROUP, HOME, House

from trailstate.configuration.item import GONE
from trailstate.configuration.line import read
from trailstate.stores.interface import StoreUnavailable
from trailstate.stores.memory import Faults
from trailstate.wire.fault import Fault

STEPS = 60
SEEDS = range(20)
THROTTLED = Fault("RequestLimitExceeded", "Request limit exceeded.", 503, "ec2")


def act(house: House, draw: random.Random, step: int) -> None:
    """Somebody makes, changes or deletes a group; the call is recorded."""
    group = f"sg-{draw.randrange(4)}"
    known = house.estate.groups.pop(group, None)
    if known is not None and draw.random() < 0.3:
        house.called("DeleteSecurityGroup", requestParameters={"groupId": group})
        return
    house.estate.groups[group] = {"GroupId": group, "GroupName": group, "Description": f"step {step}"}
    if draw.random() < 0.2:
        house.called("SomethingUnheardOf")
    elif known is None:
        house.called("CreateSecurityGroup", responseElements={"groupId": group})
    else:
        house.called("AuthorizeSecurityGroupIngress", requestParameters={"groupId": group})


def disturb(house: House, faults: Faults, draw: random.Random) -> None:
    """Sometimes the estate throttles, or the store fails, with what it was given kept or not."""
    house.estate.faults = {"DescribeSecurityGroups": THROTTLED} if draw.random() < 0.2 else {}
    if draw.random() < 0.3:
        faults.arm("commit", kept=draw.random() < 0.5)


def disarm(faults: Faults) -> None:
    for kept in (True, False):
        with contextlib.suppress(StoreUnavailable):
            faults.strike("commit", kept=kept)


def run(house: House) -> None:
    """As far as it goes."""
    with contextlib.suppress(StoreUnavailable):
        house.runner.run_until_idle()


@pytest.mark.parametrize("seed", SEEDS)
def test_in_the_end_the_history_is_true(seed: int) -> None:
    draw, faults = random.Random(seed), Faults()
    house = House(faults)
    for step in range(STEPS):
        act(house, draw, step)
        if draw.random() < 0.5:
            disturb(house, faults, draw)
            run(house)
            disarm(faults)
        house.world.advance(timedelta(seconds=draw.randrange(5)))
    house.estate.faults.clear()
    for _ in range(10):
        run(house)
        house.world.advance(timedelta(minutes=10))
    house.settle()
    assert told(house) == house.estate.groups, f"seed {seed}"
    hold_order(house)


def told(house: House) -> dict[str, dict[str, str]]:
    """The groups as the history has them."""
    found = (each.item["configuration"] for each in house.history.current(HOME.account, HOME.region, GROUP.name))
    return {
        each["groupId"]: {
            "GroupId": each["groupId"],
            "GroupName": each["groupName"],
            "Description": each["description"],
        }
        for each in found
    }


def hold_order(house: House) -> None:
    """Of each resource: state ids grow, no item repeats the one before, and each life begins with a discovery."""
    last: dict[str, dict] = {}
    for entry in house.items():
        item = read(entry).item
        before = last.get(item["resourceId"])
        if before is not None:
            assert item["configurationStateId"] > before["configurationStateId"]
            assert item["configuration"] != before["configuration"]
        is_new = before is None or before["configurationItemStatus"] in GONE
        assert (item["configurationItemStatus"] == "ResourceDiscovered") == is_new
        last[item["resourceId"]] = item
