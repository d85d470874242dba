"""Whose call is it? Keys that the estate handed out, the root key, account numbers, and anything else."""

from collections.abc import Callable
from datetime import UTC, datetime

from trailstate.estate.interface import Credential, EstateRequest, nothing
from trailstate.identity.principals import ANONYMOUS_ACCOUNT, Principals
from trailstate.wire.call import WireResponse

ACCOUNT, OTHER = "111122223333", "444455556666"
ROOT_KEY = "AKIAROOTROOTROOTROOT"


class EstateOfKeys:
    """An estate that knows some keys and counts how often it is asked."""

    def __init__(self, *credentials: Credential) -> None:
        self.known = {each.access_key_id: each for each in credentials}
        self.asked = 0

    def credential(self, access_key_id: str) -> Credential | None:
        self.asked += 1
        return self.known.get(access_key_id)

    def handle(self, request: EstateRequest, meanwhile: Callable[[], None] = nothing) -> WireResponse:
        raise AssertionError("resolving a principal must not call the estate's services")

    def reset(self) -> None:
        self.known.clear()

    def close(self) -> None: ...


def principals(*credentials: Credential) -> tuple[Principals, EstateOfKeys]:
    estate = EstateOfKeys(*credentials)
    return Principals(estate, [ACCOUNT, OTHER], {ROOT_KEY: OTHER}), estate


ALICE = Credential("AKIAALICE", "IAMUser", OTHER, "AIDAALICE", f"arn:aws:iam::{OTHER}:user/alice", user_name="alice")
SESSION = Credential(
    "ASIASESSION",
    "AssumedRole",
    ACCOUNT,
    "AROAOPS:dana",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/ops/dana",
    token="token",
    issuer={
        "type": "Role",
        "principalId": "AROAOPS",
        "arn": f"arn:aws:iam::{ACCOUNT}:role/ops",
        "accountId": ACCOUNT,
        "userName": "ops",
    },
    created=datetime(2026, 1, 15, 9, 30, tzinfo=UTC),
    mfa=True,
)


def test_a_key_of_the_estate_is_whoever_it_was_made_for() -> None:
    known, _ = principals(ALICE)
    alice = known.resolve("AKIAALICE")
    assert (alice.type, alice.user_name, alice.account, alice.access_key_id) == ("IAMUser", "alice", OTHER, "AKIAALICE")
    assert alice.session is None


def test_a_role_session_names_its_role_and_its_mfa() -> None:
    known, _ = principals(SESSION)
    session = known.resolve("ASIASESSION").session
    assert session is not None
    assert session.mfa_authenticated
    assert session.issuer is not None
    assert (session.issuer.user_name, session.issuer.principal_id) == ("ops", "AROAOPS")


def test_the_root_key_is_root_of_its_own_account() -> None:
    known, _ = principals()
    assert (known.resolve(ROOT_KEY).type, known.resolve(ROOT_KEY).account) == ("Root", OTHER)


def test_twelve_digits_choose_an_account_and_any_other_key_gets_the_default_one() -> None:
    known, _ = principals()
    assert known.resolve("777788889999").account == "777788889999"
    assert known.resolve("test").account == ACCOUNT
    assert known.resolve("test").type == "IAMUser"
    assert known.resolve("test").principal_id == known.resolve("else").principal_id


def test_without_a_key_the_caller_is_anonymous_and_lands_in_the_default_account() -> None:
    known, _ = principals()
    nobody = known.resolve(None)
    assert (nobody.type, nobody.account) == ("AWSAccount", ANONYMOUS_ACCOUNT)
    assert known.account_of(nobody) == ACCOUNT


def test_answers_are_remembered_until_a_call_outdates_them() -> None:
    known, estate = principals(ALICE)
    known.resolve("AKIAALICE")
    known.resolve("AKIAALICE")
    assert estate.asked == 1
    known.passed("iam", "ListUsers")
    known.resolve("AKIAALICE")
    assert estate.asked == 1
    del estate.known["AKIAALICE"]
    known.passed("iam", "DeleteAccessKey")
    assert known.resolve("AKIAALICE").user_name == "administrator"
