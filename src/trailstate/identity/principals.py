"""Access key to principal: who a signature speaks for (CloudTrail's `userIdentity`, facts only).

In the lab any key is welcome. A key that the estate handed out is whoever it was made for; the account's root key is
root; twelve digits choose an account; every other key is the default account's administrator.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.estate.interface import Credential, Estate
from trailstate.values.arn import ACCOUNT
from trailstate.wire.call import Principal, Session, SessionIssuer

CACHE_ENTRIES_MAX = 10_000

ADMINISTRATOR = "administrator"
ANONYMOUS_ACCOUNT = "ANONYMOUS_PRINCIPAL"
"""What CloudTrail writes as the account of an unsigned call to S3."""

FORGETTING = frozenset(
    {
        ("iam", "DeleteAccessKey"),
        ("iam", "UpdateAccessKey"),
        ("iam", "DeleteUser"),
        ("iam", "UpdateUser"),
        ("iam", "DeleteRole"),
        ("iam", "EnableMFADevice"),
        ("iam", "DeactivateMFADevice"),
    }
)
"""Calls after which a known key may stand for somebody else, or nobody."""


class Principals:
    """Resolves access keys and remembers the answers until a call in `FORGETTING` passes. Safe from any thread."""

    def __init__(self, estate: Estate, accounts: Sequence[str], root_keys: Mapping[str, str]) -> None:
        """`root_keys` maps root access key ids to their accounts; `accounts[0]` is the default account."""
        self._estate = estate
        self._default_account = accounts[0]
        self._root_keys = dict(root_keys)
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Principal] = OrderedDict()
        self._forgotten = 0

    def resolve(self, access_key_id: str | None) -> Principal:
        """Whoever the key speaks for; without a key, AWS's anonymous principal. Raises what the estate raises."""
        if not access_key_id:
            return Principal(type="AWSAccount", account=ANONYMOUS_ACCOUNT)
        with self._lock:
            principal = self._known.get(access_key_id)
            if principal is not None:
                self._known.move_to_end(access_key_id)
                return principal
            forgotten = self._forgotten
        principal = self._look_up(access_key_id)
        with self._lock:
            if forgotten != self._forgotten:  # somebody outdated the answer while it was on its way
                return principal
            self._known[access_key_id] = principal
            while len(self._known) > CACHE_ENTRIES_MAX:
                self._known.popitem(last=False)
        return principal

    def account_of(self, principal: Principal) -> str:
        """The account a call lands in: the caller's own, or the default one for anonymous calls."""
        return self._default_account if principal.account == ANONYMOUS_ACCOUNT else principal.account

    def passed(self, service: str, operation: str) -> None:
        """Tell that a call has taken effect, so that what it outdates is forgotten."""
        if (service, operation) in FORGETTING:
            self.forget()

    def unknown(self, access_key_id: str | None) -> Principal:
        """Somebody whom nobody can name just now, in the default account."""
        return Principal(type="Unknown", account=self._default_account, access_key_id=access_key_id)

    def forget(self) -> None:
        with self._lock:
            self._forgotten += 1
            self._known.clear()

    def _look_up(self, access_key_id: str) -> Principal:
        root_of = self._root_keys.get(access_key_id)
        if root_of is not None:
            return root(root_of, access_key_id)
        if ACCOUNT.fullmatch(access_key_id):
            return administrator(access_key_id, access_key_id)
        credential = self._estate.credential(access_key_id)
        if credential is not None:
            return of_credential(credential) if ACCOUNT.fullmatch(credential.account) else self.unknown(access_key_id)
        return administrator(self._default_account, access_key_id)


def root(account: str, access_key_id: str | None = None) -> Principal:
    """The account's root user."""
    return Principal(
        type="Root",
        account=account,
        principal_id=account,
        arn=f"arn:aws:iam::{account}:root",
        access_key_id=access_key_id,
    )


def administrator(account: str, access_key_id: str | None = None) -> Principal:
    """The IAM user that unknown keys act as; its id is the same in every run."""
    digest = hashlib.sha256(f"{ADMINISTRATOR}/{account}".encode()).digest()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return Principal(
        type="IAMUser",
        account=account,
        principal_id="AIDA" + "".join(alphabet[byte % 32] for byte in digest[:17]),
        arn=f"arn:aws:iam::{account}:user/{ADMINISTRATOR}",
        user_name=ADMINISTRATOR,
        access_key_id=access_key_id,
    )


def of_credential(credential: Credential) -> Principal:
    """The principal behind a key that the estate handed out."""
    return Principal(
        type=credential.kind,
        account=credential.account,
        principal_id=credential.principal_id,
        arn=credential.arn,
        user_name=credential.user_name,
        access_key_id=credential.access_key_id,
        session=_session(credential),
    )


def _session(credential: Credential) -> Session | None:
    if credential.created is None or credential.token is None:
        return None
    return Session(
        created=credential.created,
        mfa_authenticated=credential.mfa,
        issuer=None if credential.issuer is None else _issuer(credential.issuer),
        web_identity=credential.web_identity,
        source_identity=credential.source_identity,
    )


def _issuer(facts: Mapping[str, Any]) -> SessionIssuer:
    return SessionIssuer(
        type=facts["type"],
        principal_id=facts["principalId"],
        arn=facts["arn"],
        account=facts["accountId"],
        user_name=facts["userName"],
    )
