"""Rows for CloudWatch Logs, EventBridge and SNS go out, one request each, as CloudTrail's own calls.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html

What these services refuse is tried again for a day and then given up: the evidence itself is in the bucket, and the
trail's status says what went wrong.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from trailstate.follow import Later
from trailstate.stores.interface import JOURNAL, Commit, Entry, OutboxRow, Store
from trailstate.trail import status
from trailstate.trail.bucket import SERVICE
from trailstate.trail.onward import DETAIL_TYPES, EVENTS, LOGS, NOTICES, ToBus, ToLogs, ToTopic
from trailstate.trail.ship import BackOff
from trailstate.trail.status import Statuses
from trailstate.trail.window import Span
from trailstate.values.arn import account_of_arn
from trailstate.values.timestamp import epoch_seconds
from trailstate.wire.call import Door, service_principal
from trailstate.wire.fault import Fault
from trailstate.world import World

log = logging.getLogger(__name__)

TRIED_FOR = timedelta(days=1)

_decode = msgspec.json.Decoder().decode
_to_logs = msgspec.json.Decoder(ToLogs).decode
_to_bus = msgspec.json.Decoder(ToBus).decode
_to_topic = msgspec.json.Decoder(ToTopic).decode

Members = dict[str, Any]


class Sender:
    """What the three have in common: the door, the status, and patience."""

    def __init__(self, store: Store, door: Door, statuses: Statuses, world: World) -> None:
        self._store = store
        self._door = door
        self._statuses = statuses
        self._world = world
        self._back_off = BackOff()
        self._first_failure: dict[str, datetime] = {}

    def entries(self, spans: Sequence[Span]) -> list[Entry]:
        """The lines of the journal at the positions of the spans."""
        return [entry for first, last in spans for entry in self._store.read(JOURNAL, first - 1, last - first + 1)]

    def call(
        self, service: str, operation: str, parameters: Members, account: str, region: str, trail: str = ""
    ) -> Mapping[str, Any]:
        """CloudTrail's own call, for a trail where the receiver's policy may ask which."""
        principal = service_principal(SERVICE, account_of_arn(trail) or account, trail)
        return self._door.call(service, operation, parameters, account=account, region=region, as_=principal)

    def succeeded(self, row: OutboxRow, trail: str, members: Members) -> Commit:
        self._back_off.succeeded(row.queue)
        self._first_failure.pop(row.id, None)
        return Commit(shelf=self._statuses.changed(trail, members) if trail else [])

    def refused(self, row: OutboxRow, trail: str, members: Members, refusal: Fault) -> Commit:
        """Later, or nothing more once the patience for this row is at its end."""
        now = self._world.now()
        commit = Commit(shelf=self._statuses.changed(trail, members) if trail else [])
        if now - self._first_failure.setdefault(row.id, now) > TRIED_FOR:
            log.error("'%s' is given up: %s: %s", row.id, refusal.code, refusal.message)
            del self._first_failure[row.id]
            return commit
        raise Later(f"{refusal.code}: {refusal.message}", self._back_off.after_failure(row.queue), commit)


class LogsShipper:
    """Puts records into the log streams of their trails' log groups, one event a record."""

    prefix = LOGS

    def __init__(self, sender: Sender, now: Callable[[], datetime]) -> None:
        self._sender = sender
        self._now = now

    def ship(self, row: OutboxRow) -> Commit:
        wanted = _to_logs(row.body)
        try:
            self._put(wanted)
        except Fault as refusal:
            return self._sender.refused(row, wanted.trail, status.not_logged(refusal.code), refusal)
        return self._sender.succeeded(row, wanted.trail, status.logged(self._now()))

    def _put(self, wanted: ToLogs) -> None:
        _, _, _, region, account, _, group, *_ = wanted.group.split(":")
        stream = {"logGroupName": group, "logStreamName": f"{wanted.account}_CloudTrail_{wanted.region}"}
        events = sorted(map(_log_event, self._sender.entries(wanted.spans)), key=lambda event: event["timestamp"])
        parameters = {**stream, "logEvents": events}
        try:
            self._sender.call("logs", "PutLogEvents", parameters, account, region)
        except Fault as refusal:
            if refusal.code != "ResourceNotFoundException":
                raise
            self._sender.call("logs", "CreateLogStream", stream, account, region)
            self._sender.call("logs", "PutLogEvents", parameters, account, region)


class BusShipper:
    """Puts records as events onto the default bus of their account and region."""

    prefix = EVENTS

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def ship(self, row: OutboxRow) -> Commit:
        wanted = _to_bus(row.body)
        events = [_bus_event(entry) for entry in self._sender.entries(wanted.spans)]
        try:
            self._sender.call("events", "PutEvents", {"Entries": events}, wanted.account, wanted.region)
        except Fault as refusal:
            return self._sender.refused(row, "", {}, refusal)
        return self._sender.succeeded(row, "", {})


class TopicShipper:
    """Publishes one message for each delivered file."""

    prefix = NOTICES

    def __init__(self, sender: Sender, now: Callable[[], datetime]) -> None:
        self._sender = sender
        self._now = now

    def ship(self, row: OutboxRow) -> Commit:
        wanted = _to_topic(row.body)
        _, _, _, region, account, _ = wanted.topic.split(":", 5)
        message = msgspec.json.encode({"s3Bucket": wanted.bucket, "s3ObjectKey": [wanted.key]}).decode()
        try:
            parameters = {"TopicArn": wanted.topic, "Message": message}
            self._sender.call("sns", "Publish", parameters, account, region, wanted.trail)
        except Fault as refusal:
            return self._sender.refused(row, wanted.trail, status.not_notified(self._now(), refusal.code), refusal)
        return self._sender.succeeded(row, wanted.trail, status.notified(self._now()))


def _log_event(entry: Entry) -> Members:
    return {"timestamp": _event_seconds(entry) * 1000, "message": entry.body.decode()}


def _event_seconds(entry: Entry) -> int:
    try:
        return epoch_seconds(_decode(entry.body)["eventTime"])
    except (KeyError, ValueError):
        return int(entry.time.timestamp())


def _bus_event(entry: Entry) -> Members:
    record = _decode(entry.body)
    return {
        "Source": f"aws.{record['eventSource'].removesuffix('.amazonaws.com')}",
        "DetailType": DETAIL_TYPES[record["eventType"]],
        "Detail": entry.body.decode(),
        "Time": datetime.fromisoformat(record["eventTime"]),
        "Resources": [],
    }
