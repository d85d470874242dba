"""What AWS Config tells: messages to the delivery channel's topic and to EventBridge, with AWS's subjects.

Follows "Notifications that AWS Config sends to an Amazon SNS topic" and "Monitoring AWS Config with Amazon
EventBridge". Messages are pure values; `Messenger` sends them through the front door, in the name of AWS Config.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from trailstate.configuration.change import CREATE, DELETE, UPDATE, change_type, item_diff
from trailstate.configuration.discover import config_principal
from trailstate.configuration.item import Item, as_file
from trailstate.configuration.recorder import Home
from trailstate.values.timestamp import moment_text
from trailstate.wire.call import Door
from trailstate.wire.fault import Fault
from trailstate.wire.spelling import is_not_supported

SUBJECT_CHARACTERS_MAX = 100
MESSAGE_BYTES_MAX = 262_144
"""What SNS and EventBridge take; an item whose message is larger goes to the bucket instead."""

ITEM_CHANGE = "Config Configuration Item Change"
SNAPSHOT_STATUS = "Config Configuration Snapshot Delivery Status"
HISTORY_STATUS = "Config Configuration History Delivery Status"
VERBS = {CREATE: "Created", UPDATE: "Updated", DELETE: "Deleted"}

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Message:
    """One message, as both the topic and the bus get it."""

    detail_type: str
    subject: str
    content: dict[str, Any]
    resources: Sequence[str] = ()

    @property
    def text(self) -> str:
        return _encode(self.content).decode()


def subject(home: Home, words: str) -> str:
    """A subject with its beginning, cut to what SNS takes."""
    whole = f"[AWS Config:{home.region}] {words}"
    return whole if len(whole) <= SUBJECT_CHARACTERS_MAX else f"{whole[: SUBJECT_CHARACTERS_MAX - 3]}..."


def item_changed(home: Home, before: Item | None, item: Item, now: datetime) -> Message:
    """A resource was found, changed or deleted."""
    diff = item_diff(before, item)
    content = {"configurationItemDiff": diff, "configurationItem": as_file(item)}
    return _about_item(home, item, diff["changeType"], content, "ConfigurationItemChangeNotification", "1.3", now)


def oversized(home: Home, before: Item | None, item: Item, delivered: dict[str, Any], now: datetime) -> Message:
    """The same of an item that no message can hold: its summary, and where it was delivered, or why it was not."""
    kind = change_type(before, item)
    left_out = ("tags", "relatedEvents", "relationships", "configuration", "supplementaryConfiguration")
    summary = {"changeType": kind, **{name: value for name, value in item.items() if name not in left_out}}
    content = {"configurationItemSummary": summary, "s3DeliverySummary": delivered}
    failed = delivered["errorCode"] is not None
    name = "OversizedConfigurationItemChange" + ("DeliveryFailed" if failed else "Notification")
    return _about_item(home, item, kind, content, name, "1.0", now)


def _about_item(
    home: Home, item: Item, kind: str, content: dict[str, Any], name: str, version: str, now: datetime
) -> Message:
    words = f"{item['resourceType']} {item['resourceId']} {VERBS[kind]} in Account {home.account}"
    resources = (str(item["ARN"]),) if item["ARN"] else ()
    return Message(ITEM_CHANGE, subject(home, words), _closed(content, name, version, now), resources)


def snapshot_started(home: Home, snapshot: str, now: datetime) -> Message:
    """A snapshot is being made."""
    words = f"Configuration Snapshot Delivery Started for Account {home.account}"
    content = _closed({"configSnapshotId": snapshot}, "ConfigurationSnapshotDeliveryStarted", "1.1", now)
    return Message(SNAPSHOT_STATUS, subject(home, words), content)


def snapshot_completed(home: Home, snapshot: str, bucket: str, key: str, now: datetime) -> Message:
    """A snapshot is in the bucket."""
    words = f"Configuration Snapshot Delivery Completed for Account {home.account}"
    content = {"configSnapshotId": snapshot, "s3ObjectKey": key, "s3Bucket": bucket}
    return Message(
        SNAPSHOT_STATUS,
        subject(home, words),
        _closed(content, "ConfigurationSnapshotDeliveryCompleted", "1.1", now),
    )


def history_completed(home: Home, bucket: str, key: str, now: datetime) -> Message:
    """A history file is in the bucket."""
    words = f"Configuration History Delivery Completed for Account {home.account}"
    content = {"s3ObjectKey": key, "s3Bucket": bucket}
    return Message(
        HISTORY_STATUS, subject(home, words), _closed(content, "ConfigurationHistoryDeliveryCompleted", "1.1", now)
    )


def _closed(content: dict[str, Any], name: str, version: str, now: datetime) -> dict[str, Any]:
    return content | {
        "notificationCreationTime": moment_text(now),
        "messageType": name,
        "recordVersion": version,
    }


class Messenger:
    """Sends messages in the name of AWS Config."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def send(self, home: Home, topic: str | None, message: Message, now: datetime) -> None:
        """To the account's default event bus, and to the topic if there is one; Fault when either refuses."""
        self._put_event(home, message, now)
        if topic:
            parameters = {"TopicArn": topic, "Subject": message.subject, "Message": message.text}
            self._call(home, "sns", "Publish", parameters)

    def _put_event(self, home: Home, message: Message, now: datetime) -> None:
        event = {
            "Time": now,
            "Source": "aws.config",
            "DetailType": message.detail_type,
            "Resources": list(message.resources),
            "Detail": message.text,
        }
        try:
            self._call(home, "events", "PutEvents", {"Entries": [event]})
        except Fault as fault:
            if not is_not_supported(fault):  # an estate without a bus has nobody who would listen
                raise

    def _call(self, home: Home, service: str, operation: str, parameters: dict[str, Any]) -> None:
        principal = config_principal(home.account)
        self._door.call(service, operation, parameters, account=home.account, region=home.region, as_=principal)
