"""What a record is found by: LookupEvents' eight attributes, and which records look-ups find at all.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupAttribute.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.trail.archive import Attribute
from trailstate.trail.audit import is_audit, told
from trailstate.trail.mentions import mentions

ATTRIBUTES = (
    "EventId",
    "ResourceName",
    "AccessKeyId",
    "Username",
    "EventName",
    "ResourceType",
    "EventSource",
    "ReadOnly",
)
"""The attributes of LookupEvents, those that usually single out fewest records first."""


def belongs(record: Mapping[str, Any]) -> bool:
    """Whether the record is in the event history: management events are, data and Insights events are not."""
    return bool(record.get("eventCategory", "Management") == "Management")


def is_searched(record: Mapping[str, Any]) -> bool:
    """Whether the operator's search finds the record: what the event history has, and applications' own events."""
    return belongs(record) or is_audit(record)


def attributes(record: Mapping[str, Any]) -> list[Attribute]:
    """Every attribute and value that finds the record. Imported records may have members of any type."""
    record = told(record)
    identity = identity_of(record)
    read_only = record.get("readOnly")
    single = (
        ("EventId", record.get("eventID")),
        ("EventName", record.get("eventName")),
        ("EventSource", record.get("eventSource")),
        ("ReadOnly", None if read_only is None else str(read_only).lower()),
        ("AccessKeyId", identity.get("accessKeyId")),
        ("Username", username(identity)),
    )
    found: dict[Attribute, None] = {(name, value): None for name, value in single if value and isinstance(value, str)}
    for kind, name in mentions(record):
        found["ResourceType", kind] = None
        found["ResourceName", name] = None
    return list(found)


def identity_of(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Who called; empty where the record does not say it as an object."""
    identity = record.get("userIdentity")
    return identity if isinstance(identity, dict) else {}


def username(identity: Mapping[str, Any]) -> str | None:
    """The name LookupEvents shows: the IAM user's, the role session's, `root`, or the service's."""
    kind = identity.get("type")
    if kind == "Root":
        return "root"
    if kind in ("AssumedRole", "FederatedUser"):
        return _session_name(identity)
    name = identity.get("userName") or identity.get("invokedBy") or _session_name(identity)
    return None if name is None else str(name)


def _session_name(identity: Mapping[str, Any]) -> str | None:
    principal, colon, session = str(identity.get("principalId") or "").partition(":")
    if colon:
        return session
    return str(identity.get("arn") or "").rpartition("/")[2] or principal or None


def has_all(record: Mapping[str, Any], wanted: Sequence[Attribute]) -> bool:
    """Whether the record has each of the attributes with exactly that value."""
    return not wanted or set(wanted) <= set(attributes(record))
