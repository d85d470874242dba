"""Whose is an access key: the facts CloudTrail's userIdentity needs, for every key the simulator hands out.

IAM users' keys are looked up where moto keeps them. Sessions are noted as STS hands them out, because moto does not
keep who asked, whether with MFA, or under which source identity; and it hands everyone who asks for a session token
the same key.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

import base64
import binascii
import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace as changed
from datetime import UTC, datetime
from typing import Any

from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.iam.utils import generate_access_key_id_from_account_id, random_alphanumeric
from moto.sts.responses import TokenResponse
from moto.sts.utils import random_session_token

from trailstate.estate.child.sources import replace
from trailstate.estate.frames import Caller
from trailstate.estate.interface import Credential, Login

SESSIONS_MAX = 100_000
ROOT_DEVICE = "root-account-mfa-device"


class Credentials:
    """The keys handed out so far. `caller` is who makes the request being served."""

    def __init__(self) -> None:
        self.caller: Caller | None = None
        self._sessions: OrderedDict[str, Credential] = OrderedDict()

    def watch(self) -> None:
        """From here on, note each session as it is handed out."""
        for name, note in NOTES.items():
            replace(TokenResponse, name, self._noted(note, getattr(TokenResponse, name)))

    def find(self, access_key_id: str) -> Credential | None:
        return self._sessions.get(access_key_id) or _of_user(access_key_id)

    def login(self, account: str, user_name: str | None) -> Login | None:
        """What somebody signs in with. A virtual device named as AWS names root's is root's."""
        backend = iam_backends[account]["aws"]
        if user_name is None:
            serial = f"arn:aws:iam::{account}:mfa/{ROOT_DEVICE}"
            device = backend.virtual_mfa_devices.get(serial)
            devices = {} if device is None else {serial: device.base32_string_seed}
            return Login(account, f"arn:aws:iam::{account}:root", None, devices)
        user = backend.users.get(user_name)
        if user is None:
            return None
        virtual = backend.virtual_mfa_devices
        devices = {serial: virtual[serial].base32_string_seed for serial in user.mfa_devices if serial in virtual}
        return Login(user.id, user.arn, user.password, devices, must_change=user.password_reset_required)

    def forget(self) -> None:
        self._sessions.clear()
        self.caller = None

    def _noted(self, note: "Note", answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def answer_and_note(request: Any) -> Any:
            result = answer(request)
            session = note(self.caller, request, result.result)
            self._sessions[session.access_key_id] = session
            if len(self._sessions) > SESSIONS_MAX:
                self._sessions.popitem(last=False)
            return result

        return answer_and_note


Note = Callable[[Caller | None, Any, dict[str, Any]], Credential]


def _assumed(caller: Caller | None, request: Any, result: dict[str, Any]) -> Credential:
    role = result["Credentials"]
    inherited = None if caller is None else caller.source_identity
    identifier, _, _ = role.user_id.partition(":")
    return Credential(
        access_key_id=role.access_key_id,
        kind="AssumedRole",
        account=role.account_id,
        principal_id=role.user_id,
        arn=role.arn,
        secret=role.secret_access_key,
        token=role.session_token,
        issuer=_issuer("Role", identifier, role.role_arn, role.account_id, role.role_arn.rpartition("/")[2]),
        created=_now(),
        mfa=_with_mfa(request),
        source_identity=request._get_param("SourceIdentity") or inherited,  # noqa: SLF001
    )


def _assumed_with_web_identity(caller: Caller | None, request: Any, result: dict[str, Any]) -> Credential:
    session = _assumed(caller, request, result)
    result["AssumedRoleUser"]["AssumedRoleId"] = session.principal_id
    claims = _claims(request._get_param("WebIdentityToken") or "")  # noqa: SLF001
    provider = request._get_param("ProviderId") or str(claims.get("iss", ""))  # noqa: SLF001
    return changed(session, web_identity={"federatedProvider": _provider(provider, session), "attributes": {}})


def _session_token(caller: Caller | None, request: Any, result: dict[str, Any]) -> Credential:
    """The caller again, for a while: the kind is the owner's, and nobody stands behind it."""
    owner = caller or _root(request.current_account)
    return Credential(
        **_fresh_key(owner.account, result),
        kind=owner.kind,
        account=owner.account,
        principal_id=owner.principal_id,
        arn=owner.arn,
        user_name=owner.user_name,
        created=_now(),
        mfa=_with_mfa(request),
    )


def _federation_token(caller: Caller | None, request: Any, result: dict[str, Any]) -> Credential:
    owner = caller or _root(request.current_account)
    user = result["FederatedUser"]
    return Credential(
        **_fresh_key(owner.account, result),
        kind="FederatedUser",
        account=owner.account,
        principal_id=user["FederatedUserId"],
        arn=user["Arn"],
        issuer=_issuer(owner.kind, owner.principal_id, owner.arn, owner.account, owner.user_name or ""),
        created=_now(),
    )


NOTES: dict[str, Note] = {
    "assume_role": _assumed,
    "assume_role_with_saml": _assumed,
    "assume_role_with_web_identity": _assumed_with_web_identity,
    "get_session_token": _session_token,
    "get_federation_token": _federation_token,
}


def _of_user(access_key_id: str) -> Credential | None:
    for account, partitions in list(iam_backends.items()):
        for backend in list(partitions.values()):
            key = backend.access_keys.get(access_key_id)
            # The keys of sessions stand among the others, without a user.
            user = backend.users.get(key.user_name or "") if key is not None else None
            if key is not None and user is not None:
                return Credential(
                    access_key_id=access_key_id,
                    kind="IAMUser",
                    account=account,
                    principal_id=user.id,
                    arn=user.arn,
                    user_name=user.name,
                    secret=key.secret_access_key,
                    created=key.create_date.replace(tzinfo=UTC),
                )
    return None


def _fresh_key(account: str, result: dict[str, Any]) -> dict[str, Any]:
    """A key of its own in place of the one moto gives everybody; put into the answer, and returned for the record."""
    keys = {
        "access_key_id": generate_access_key_id_from_account_id(account, prefix="ASIA", total_length=20),
        "secret": random_alphanumeric(40),
        "token": random_session_token(),
    }
    result["Credentials"] |= {
        "AccessKeyId": keys["access_key_id"],
        "SecretAccessKey": keys["secret"],
        "SessionToken": keys["token"],
    }
    return keys


def _issuer(kind: str, principal_id: str, arn: str, account: str, user_name: str) -> dict[str, str]:
    return {"type": kind, "principalId": principal_id, "arn": arn, "accountId": account, "userName": user_name}


def _root(account: str) -> Caller:
    return Caller("Root", account, f"arn:aws:iam::{account}:root", account, None, mfa=False, source_identity=None)


def _with_mfa(request: Any) -> bool:
    return bool(request._get_param("SerialNumber") and request._get_param("TokenCode"))  # noqa: SLF001


def _provider(name: str, session: Credential) -> str:
    """A login provider by its host name, an OIDC provider by the ARN it has in the account."""
    host = name.removeprefix("https://").rstrip("/")
    if host in {"accounts.google.com", "graph.facebook.com", "www.amazon.com", "cognito-identity.amazonaws.com"}:
        return host
    partition = session.arn.split(":")[1]
    return f"arn:{partition}:iam::{session.account}:oidc-provider/{host}"


def _claims(token: str) -> dict[str, Any]:
    """What a JSON web token says of itself, unverified: a description for the record, no ground for trust."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _now() -> datetime:
    return utcnow().replace(tzinfo=UTC)
