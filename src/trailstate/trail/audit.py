"""An application's own audit event, held against the schema of CloudTrail Lake integrations, becomes a record. Pure.

Follows the CloudTrail user guide, "CloudTrail Lake integrations event schema", and PutAuditEvents' list of error codes.
What is too long is rejected, not cut; what the application says stays as it is, under `eventData`.
"""

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from trailstate.values.timestamp import record_time

EVENT_VERSION = "1.0"
EVENT_CATEGORY = "ActivityAuditLog"
EVENT_TYPE = "ActivityLog"

REQUIRED = ("version", "userIdentity", "eventSource", "eventName", "eventTime", "UID", "recipientAccountId")
LENGTHS_MAX = {
    "version": 256,
    "userAgent": 1024,
    "eventSource": 256,
    "eventName": 1024,
    "eventTime": 256,
    "UID": 1024,
    "errorCode": 256,
    "errorMessage": 256,
    "sourceIPAddress": 1024,
    "recipientAccountId": 12,
}
SIZES_MAX = {"requestParameters": 100 * 1024, "responseElements": 100 * 1024, "additionalEventData": 28 * 1024}
IDENTITY_LENGTHS_MAX = {"type": 128, "principalId": 1024}
OWN_SOURCES = ".amazonaws.com"
"""How the sources of AWS's own events end; no application may speak as one of them."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Rejected(Exception):
    """The event is not taken in; `code` is one of PutAuditEvents' error codes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Channel(NamedTuple):
    """Through which an event comes in, and whose it is."""

    arn: str
    account: str
    region: str


def audit_record(text: str, checksum: str | None, channel: Channel, event_id: str, now: datetime) -> dict[str, Any]:
    """The record of an event; Rejected when it breaks the schema."""
    _hold_checksum(text, checksum)
    event = _read(text)
    for name in REQUIRED:
        if event.get(name) in (None, ""):
            raise Rejected("FieldNotFound", f"The event has no {name}.")
    _hold_lengths(event, LENGTHS_MAX, "")
    _hold_identity(event["userIdentity"])
    _hold_objects(event)
    if event["recipientAccountId"] != channel.account:
        raise Rejected("InvalidRecipient", f"recipientAccountId must be the channel's account {channel.account}.")
    if event["eventSource"].lower().endswith(OWN_SOURCES):
        raise Rejected("InvalidEventSource", f"eventSource must not end in {OWN_SOURCES}.")
    return {
        "eventVersion": EVENT_VERSION,
        "eventCategory": EVENT_CATEGORY,
        "eventType": EVENT_TYPE,
        "eventID": event_id,
        "eventTime": record_time(_moment(event["eventTime"])),
        "awsRegion": channel.region,
        "recipientAccountId": channel.account,
        "metadata": {"ingestionTime": record_time(now), "channelARN": channel.arn},
        "eventData": event,
    }


def is_audit(record: Mapping[str, Any]) -> bool:
    """Whether a record is an application's own event."""
    return record.get("eventCategory") == EVENT_CATEGORY


def told(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record as all others are written: what an application's event says stands in the record's own members."""
    event = record.get("eventData")
    return {**event, **record} if is_audit(record) and isinstance(event, dict) else record


def _hold_checksum(text: str, checksum: str | None) -> None:
    """The checksum is the base64 text of the SHA-256 of the event's text."""
    if checksum is not None and checksum != base64.b64encode(hashlib.sha256(text.encode()).digest()).decode():
        raise Rejected("InvalidChecksum", "eventDataChecksum is not the checksum of eventData.")


def _read(text: str) -> dict[str, Any]:
    try:
        event = _decode(text)
        _encode(event)  # what the journal could not hold is refused here
    except (ValueError, RecursionError) as error:
        raise Rejected("InvalidData", "eventData is not JSON text.") from error
    if not isinstance(event, dict):
        raise Rejected("InvalidData", "eventData is not a JSON object.")
    return event


def _hold_lengths(members: Mapping[str, Any], lengths: Mapping[str, int], place: str) -> None:
    for name, length_max in lengths.items():
        value = members.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise Rejected("InvalidData", f"{place}{name} must be text.")
        if len(value) > length_max:
            raise Rejected("FieldTooLong", f"{place}{name} has at most {length_max} characters; found {len(value)}.")


def _hold_identity(identity: Any) -> None:
    if not isinstance(identity, dict):
        raise Rejected("InvalidData", "userIdentity must be an object.")
    for name in IDENTITY_LENGTHS_MAX:
        if identity.get(name) in (None, ""):
            raise Rejected("FieldNotFound", f"The event has no userIdentity.{name}.")
    _hold_lengths(identity, IDENTITY_LENGTHS_MAX, "userIdentity.")
    if not isinstance(identity.get("details", {}), dict):
        raise Rejected("InvalidData", "userIdentity.details must be an object.")


def _hold_objects(event: Mapping[str, Any]) -> None:
    for name, size_max in SIZES_MAX.items():
        value = event.get(name)
        if value is None:
            continue
        if not isinstance(value, dict):
            raise Rejected("InvalidData", f"{name} must be an object.")
        size = len(_encode(value))
        if size > size_max:
            raise Rejected("FieldTooLong", f"{name} has at most {size_max} bytes; found {size}.")


def _moment(text: str) -> datetime:
    """The event's time, in UTC unless it says otherwise."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Rejected("InvalidData", "eventTime must be written as yyyy-MM-DDTHH:mm:ssZ.") from error
