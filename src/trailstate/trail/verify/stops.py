"""Who stopped a trail: the calls that end or begin logging, read from the delivered records themselves."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from trailstate.trail.verify.names import Chain

STOPPING = ("StopLogging", "DeleteTrail", "UpdateTrail")
_SOURCE = "cloudtrail.amazonaws.com"
_MARK = f'"{_SOURCE}"'.encode()
_MARKS = tuple(f'"{name}"'.encode() for name in STOPPING)


@dataclass(frozen=True, slots=True)
class Stop:
    """A call after which a trail may not have been logging."""

    trail: str
    time: datetime
    who: Mapping[str, str]


class _Records(msgspec.Struct):
    Records: list[dict[str, Any]] = []


_decode = msgspec.json.Decoder(_Records).decode


def stops_in(text: bytes) -> Iterator[Stop]:
    """The stopping calls among a log file's records."""
    if _MARK not in text or not any(mark in text for mark in _MARKS):
        return
    try:
        records = _decode(text).Records
    except msgspec.DecodeError:
        return
    for record in records:
        if record.get("eventSource") == _SOURCE and record.get("eventName") in STOPPING:
            stop = _stop(record)
            if stop is not None and not record.get("errorCode"):
                yield stop


def _stop(record: Mapping[str, Any]) -> Stop | None:
    parameters = record.get("requestParameters") or {}
    identity = record.get("userIdentity") or {}
    try:
        moment = datetime.fromisoformat(str(record["eventTime"]))
    except (KeyError, ValueError):
        return None
    who = {
        "principal": str(identity.get("arn") or identity.get("invokedBy") or identity.get("type") or "somebody"),
        "eventName": str(record.get("eventName")),
        "eventTime": str(record.get("eventTime")),
        "sourceIPAddress": str(record.get("sourceIPAddress")),
        "eventID": str(record.get("eventID")),
    }
    return Stop(str(parameters.get("name") or ""), moment, who)


def who_stopped(chain: Chain, before: datetime, stops: Iterable[Stop]) -> Stop | None:
    """The last call on that trail until the end of its chain; a trail is named by its name or its ARN."""
    named = [each for each in stops if each.trail.rpartition("/")[2] == chain.trail and each.time <= before]
    return max(named, key=lambda each: each.time, default=None)
