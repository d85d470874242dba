"""Whom an organization trail covers is judged as of each record, not as of its delivery."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.simulation.cloud import Cloud
from tests.simulation.evidence import ACCOUNT, BUCKET, Evidence, Members, a_trail

from trailstate.stores.memory import MemoryObjects, MemoryStore
from trailstate.world import SimulatedWorld

MEMBER, OTHER = "444455556666", "777788889999"


@pytest.fixture
def world() -> SimulatedWorld:
    return SimulatedWorld()


@pytest.fixture
def evidence(world: SimulatedWorld, tmp_path: Path) -> Evidence:
    cloud = Cloud()
    cloud.make_bucket(BUCKET)
    members = Members({ACCOUNT, MEMBER})
    made = Evidence(world, MemoryStore(world), MemoryObjects(), cloud, tmp_path, members=members)
    made.change(a_trail(IsOrganizationTrail=True, OrganizationId="o-example"))
    return made


def settle(evidence: Evidence, world: SimulatedWorld, after: timedelta = timedelta(minutes=5)) -> None:
    world.advance(after)
    evidence.runner.run_until_idle()


def leaves(evidence: Evidence, account: str) -> None:
    """Its management account removes it."""
    evidence.members.accounts.discard(account)
    evidence.record(
        eventSource="organizations.amazonaws.com",
        eventName="RemoveAccountFromOrganization",
        requestParameters={"accountId": account},
    )


def joins(evidence: Evidence, account: str) -> None:
    evidence.members.accounts.add(account)
    evidence.record(
        eventSource="organizations.amazonaws.com",
        eventName="CreateAccount",
        responseElements={"createAccountStatus": {"accountId": account}},
    )


def delivered(evidence: Evidence, account: str) -> list[str]:
    return [
        record["eventID"]
        for _, records in sorted(evidence.files().items())
        for record in records
        if record["recipientAccountId"] == account
    ]


def test_what_a_member_did_before_it_left_is_delivered(evidence: Evidence, world: SimulatedWorld) -> None:
    wanted = [evidence.record(recipientAccountId=MEMBER)]
    leaves(evidence, MEMBER)
    evidence.record(recipientAccountId=MEMBER)
    settle(evidence, world)
    assert delivered(evidence, MEMBER) == wanted


def test_what_an_account_did_before_it_joined_is_not(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.record(recipientAccountId=OTHER)
    joins(evidence, OTHER)
    wanted = [evidence.record(recipientAccountId=OTHER)]
    settle(evidence, world)
    assert delivered(evidence, OTHER) == wanted


def test_a_restart_in_an_open_window_changes_nothing(evidence: Evidence, world: SimulatedWorld) -> None:
    wanted = [evidence.record(recipientAccountId=MEMBER)]
    evidence.runner.run_until_idle()
    leaves(evidence, MEMBER)
    evidence.runner.run_until_idle()
    evidence = evidence.restarted()
    evidence.record(recipientAccountId=MEMBER)
    settle(evidence, world)
    assert delivered(evidence, MEMBER) == wanted


def test_who_left_behind_our_back_was_a_member_until_then(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.record(recipientAccountId=MEMBER)
    settle(evidence, world)
    wanted = evidence.record(recipientAccountId=MEMBER)
    evidence.runner.run_until_idle()
    evidence.members.accounts.discard(MEMBER)
    evidence = evidence.restarted()
    settle(evidence, world)
    assert delivered(evidence, MEMBER)[-1] == wanted
    world.advance(timedelta(minutes=2))
    evidence.record(recipientAccountId=MEMBER)
    evidence.runner.run_until_idle()
    settle(evidence, world)
    assert delivered(evidence, MEMBER)[-1] == wanted, "it is noticed within a minute"
