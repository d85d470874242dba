"""StartLogging, StopLogging and GetTrailStatus: on and off is kept with the trail, what was delivered beside it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from trailstate.services.cloudtrail.found import find_changeable, find_trail, save_trail
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.trail.organization import Organizations
from trailstate.trail.status import status_key
from trailstate.values.timestamp import record_time
from trailstate.wire.call import Call

TIMES = (
    *("LatestDeliveryTime", "LatestNotificationTime", "LatestCloudWatchLogsDeliveryTime", "LatestDigestDeliveryTime"),
    *("StartLoggingTime", "StopLoggingTime"),
)
TEXTS = (
    *("LatestDeliveryError", "LatestNotificationError", "LatestCloudWatchLogsDeliveryError"),
    "LatestDigestDeliveryError",
)


@operation("cloudtrail")
def start_logging(call: Call, shelf: StagedShelf, organizations: Organizations, *, Name: str) -> dict[str, Any]:
    """From the next record on, the trail delivers; a new chain of digests begins."""
    key, document = find_changeable(call, shelf, organizations, Name)
    if not document["IsLogging"]:
        started = {"IsLogging": True, "StartLoggingTime": _epoch(call.now), "Generation": document["Generation"] + 1}
        save_trail(call, shelf, key, {**document, **started})
    return {}


@operation("cloudtrail")
def stop_logging(call: Call, shelf: StagedShelf, organizations: Organizations, *, Name: str) -> dict[str, Any]:
    """This call's own record is the last that the trail delivers."""
    key, document = find_changeable(call, shelf, organizations, Name)
    if document["IsLogging"]:
        save_trail(call, shelf, key, {**document, "IsLogging": False, "StopLoggingTime": _epoch(call.now)})
    return {}


@operation("cloudtrail")
def get_trail_status(call: Call, shelf: StagedShelf, organizations: Organizations, *, Name: str) -> dict[str, Any]:
    """Whether the trail logs, and how its deliveries went; with the old members that hold times as text."""
    key, document = find_trail(call, shelf, organizations, Name)
    held = {**document, **(shelf.get(status_key(key)) or {})}
    times = {name: _moment(held[name]) for name in TIMES if held.get(name) is not None}
    texts = {name: held[name] for name in TEXTS if held.get(name)}
    return {"IsLogging": document["IsLogging"], **times, **texts, **_as_text(times, held)}


def _as_text(times: Mapping[str, datetime], held: Mapping[str, Any]) -> dict[str, str]:
    """The members that AWS calls no longer in use, and still fills."""
    written = {name: record_time(moment) for name, moment in times.items()}
    return {
        "LatestDeliveryAttemptTime": held.get("LatestDeliveryAttemptTime", ""),
        "LatestNotificationAttemptTime": held.get("LatestNotificationAttemptTime", ""),
        "LatestNotificationAttemptSucceeded": _succeeded(held, "LatestNotification"),
        "LatestDeliveryAttemptSucceeded": _succeeded(held, "LatestDelivery"),
        "TimeLoggingStarted": written.get("StartLoggingTime", ""),
        "TimeLoggingStopped": written.get("StopLoggingTime", ""),
    }


def _succeeded(held: Mapping[str, Any], what: str) -> str:
    """When the latest attempt succeeded; empty when it did not."""
    return "" if held.get(f"{what}Error") else str(held.get(f"{what}AttemptSucceeded", ""))


def _epoch(moment: datetime) -> float:
    return round(moment.timestamp(), 3)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
