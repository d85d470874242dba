"""What GetTrailStatus tells of a trail's deliveries: one document, kept by those who deliver.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
"""

import threading
from datetime import datetime
from typing import Any

from trailstate.stores.interface import ShelfChange, ShelfKey, Store
from trailstate.trail.trails import STATUS, trail_key
from trailstate.values.timestamp import record_time


def key_of_arn(arn: str) -> ShelfKey:
    """Where the trail with that ARN stands."""
    head, _, name = arn.partition("/")
    _, _, _, region, account, _ = head.split(":")
    return trail_key(account, region, name)


def status_key(trail: ShelfKey) -> ShelfKey:
    """Where the status of a trail stands."""
    return ShelfKey(trail.account, trail.region, STATUS, trail.name)


class Statuses:
    """The documents as they will be once every commit handed out is kept. Safe from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._values: dict[ShelfKey, tuple[object, dict[str, Any]]] = {}
        """Beside each document the call that made its trail: a later trail of the name begins with nothing."""

    def forget(self) -> None:
        """Begin again from what is durable."""
        with self._lock:
            self._values.clear()

    def changed(self, trail: str, members: dict[str, Any]) -> list[ShelfChange]:
        """What to commit for a trail, by ARN; a member that is None goes. Nothing for a trail that is no more."""
        owner = key_of_arn(trail)
        found = self._store.get(owner)
        if found is None:
            return []
        key, creation = status_key(owner), found.value.get("Creation")
        with self._lock:
            made_by, before = self._values.get(key, (None, None))
            if before is None or made_by != creation:
                document = self._store.get(key)
                before = {} if document is None else document.value
            after = {name: value for name, value in (before | members).items() if value is not None}
            self._values[key] = creation, after
        return [] if after == before else [ShelfChange(key, after)]


def delivered(now: datetime) -> dict[str, Any]:
    """A log file came into its bucket."""
    time = record_time(now)
    return {
        "LatestDeliveryTime": int(now.timestamp()),
        "LatestDeliveryError": None,
        "LatestDeliveryAttemptTime": time,
        "LatestDeliveryAttemptSucceeded": time,
    }


def not_delivered(now: datetime, error: str) -> dict[str, Any]:
    """A log file could not be brought."""
    return {"LatestDeliveryError": error, "LatestDeliveryAttemptTime": record_time(now)}


def digest_delivered(now: datetime) -> dict[str, Any]:
    return {"LatestDigestDeliveryTime": int(now.timestamp()), "LatestDigestDeliveryError": None}


def digest_not_delivered(error: str) -> dict[str, Any]:
    return {"LatestDigestDeliveryError": error}


def notified(now: datetime) -> dict[str, Any]:
    """What a trail shows after a notification that was taken."""
    time = record_time(now)
    return {
        "LatestNotificationTime": int(now.timestamp()),
        "LatestNotificationError": None,
        "LatestNotificationAttemptTime": time,
        "LatestNotificationAttemptSucceeded": time,
    }


def not_notified(now: datetime, error: str) -> dict[str, Any]:
    return {"LatestNotificationError": error, "LatestNotificationAttemptTime": record_time(now)}


def logged(now: datetime) -> dict[str, Any]:
    return {"LatestCloudWatchLogsDeliveryTime": int(now.timestamp()), "LatestCloudWatchLogsDeliveryError": None}


def not_logged(error: str) -> dict[str, Any]:
    return {"LatestCloudWatchLogsDeliveryError": error}
