"""Who made the call, as CloudTrail's `userIdentity` element says it (CloudTrail user guide, "userIdentity element").

Which members stand in it, and in which order, is a table by type: a service is only named, a federated web user has
no ARN, everybody who signs with an access key has one.
"""

from datetime import UTC, datetime
from typing import Any

from trailstate.wire.call import Principal, Session, SessionIssuer

_SIGNED = ("principalId", "arn", "accountId", "accessKeyId")
_MEMBERS: dict[str, tuple[str, ...]] = {
    "AWSService": (),
    "AWSAccount": ("principalId", "accountId"),
    "IAMUser": (*_SIGNED, "userName"),
    "WebIdentityUser": ("principalId", "userName", "identityProvider"),
    "SAMLUser": ("principalId", "userName", "identityProvider"),
    "Unknown": ("principalId", "accountId", "accessKeyId", "userName"),
    "Directory": ("principalId", "accountId", "userName"),
    "Anonymous": ("principalId", "accountId"),
}

WRITTEN_EMPTY = ("AWSAccount", "principalId")
"""Recorded of anonymous callers: they have a principalId, and it is empty."""


def user_identity(principal: Principal) -> dict[str, Any]:
    """The `userIdentity` of a record; members that are not known are left out."""
    facts = {
        "principalId": principal.principal_id,
        "arn": principal.arn,
        "accountId": principal.account,
        "accessKeyId": principal.access_key_id,
        "userName": principal.user_name,
        "identityProvider": principal.identity_provider,
    }
    identity: dict[str, Any] = {"type": principal.type}
    for name in _MEMBERS.get(principal.type, _SIGNED):
        if facts[name] or (principal.type, name) == WRITTEN_EMPTY:
            identity[name] = facts[name]
    if principal.session is not None and principal.type != "AWSService":
        identity["sessionContext"] = _session_context(principal.session)
    if principal.invoked_by is not None:
        identity["invokedBy"] = principal.invoked_by
    return identity


def seconds(moment: datetime) -> str:
    """An instant as CloudTrail writes it: UTC, whole seconds, 20 characters."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def _session_context(session: Session) -> dict[str, Any]:
    # CloudTrail writes both members even when the session has neither: `{}`. Its booleans here are text.
    context: dict[str, Any] = {
        "sessionIssuer": {} if session.issuer is None else _issuer(session.issuer),
        "webIdFederationData": dict(session.web_identity or {}),
        "attributes": {
            "creationDate": seconds(session.created),
            "mfaAuthenticated": "true" if session.mfa_authenticated else "false",
        },
    }
    if session.source_identity is not None:
        context["sourceIdentity"] = session.source_identity
    if session.ec2_role_delivery is not None:
        context["ec2RoleDelivery"] = session.ec2_role_delivery
    return context


def _issuer(issuer: SessionIssuer) -> dict[str, Any]:
    return {
        "type": issuer.type,
        "principalId": issuer.principal_id,
        "arn": issuer.arn,
        "accountId": issuer.account,
        "userName": issuer.user_name,
    }
