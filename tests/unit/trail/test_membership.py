"""Whom an organization trail covers is judged as of each record, not as of its delivery."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.simulation.evidence import ACCOUNT, Evidence, Members, a_trail, in_memory

from trailstate.world import SimulatedWorld

MEMBER, OTHER = "444455556666", "777788889999"


@pytest.fixture
def world() -> SimulatedWorld:
    return SimulatedWorld()


@pytest.fixture
def evidence(world: SimulatedWorld, tmp_path: Path) -> Evidence:
    members = Members({ACCOUNT, MEMBER})
    made = in_memory(world, tmp_path, members=members)
    made.change(a_trail(IsOrganizationTrail=True, OrganizationId="o-example"))
    return made


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
    evidence.settle()
    assert delivered(evidence, MEMBER) == wanted


def test_what_an_account_did_before_it_joined_is_not(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.record(recipientAccountId=OTHER)
    joins(evidence, OTHER)
    wanted = [evidence.record(recipientAccountId=OTHER)]
    evidence.settle()
    assert delivered(evidence, OTHER) == wanted


def test_a_restart_in_an_open_window_changes_nothing(evidence: Evidence, world: SimulatedWorld) -> None:
    wanted = [evidence.record(recipientAccountId=MEMBER)]
    evidence.runner.run_until_idle()
    leaves(evidence, MEMBER)
    evidence.runner.run_until_idle()
    evidence = evidence.restarted()
    evidence.record(recipientAccountId=MEMBER)
    evidence.settle()
    assert delivered(evidence, MEMBER) == wanted


def test_who_left_behind_our_back_was_a_member_until_then(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.record(recipientAccountId=MEMBER)
    evidence.settle()
    wanted = evidence.record(recipientAccountId=MEMBER)
    evidence.runner.run_until_idle()
    evidence.members.accounts.discard(MEMBER)
    evidence = evidence.restarted()
    evidence.settle()
    assert delivered(evidence, MEMBER)[-1] == wanted
    world.advance(timedelta(minutes=2))
    evidence.record(recipientAccountId=MEMBER)
    evidence.runner.run_until_idle()
    evidence.settle()
    assert delivered(evidence, MEMBER)[-1] == wanted, "it is noticed within a minute"
