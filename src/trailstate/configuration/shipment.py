"""Deliveries: snapshots and history files to the channel's bucket, and the message that each is there.

A row of the outbox says what a file holds; key and bytes follow from it. The bytes are stored before they are
uploaded, so that a delivery that is tried again uploads the same. What became of it shows in the channel's status.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from trailstate.configuration.delivery import history_file, history_key, snapshot_file, snapshot_key
from trailstate.configuration.discover import config_principal
from trailstate.configuration.history import ConfigurationHistory
from trailstate.configuration.item import Item
from trailstate.configuration.line import ITEM, read
from trailstate.configuration.notice import (
    Message,
    Messenger,
    history_completed,
    snapshot_completed,
    snapshot_started,
)
from trailstate.configuration.recorder import CHANNEL, Home
from trailstate.configuration.schema import is_published
from trailstate.follow import Later
from trailstate.stores.interface import (
    CONFIGURATION,
    Commit,
    Entry,
    ObjectExists,
    Objects,
    OutboxRow,
    ShelfChange,
    ShelfKey,
    Store,
)
from trailstate.values.timestamp import record_time
from trailstate.wire.call import Door
from trailstate.wire.fault import Fault
from trailstate.world import World

CHANNEL_STATUS = "config.channel_status"
SNAPSHOT = "configSnapshotDeliveryInfo"
HISTORY = "configHistoryDeliveryInfo"
STREAM = "configStreamDeliveryInfo"
PREFIX = "configuration/deliver/"
RETRY_SECONDS = 30.0
INDEXING_SECONDS = 1.0
PAGE_ENTRIES = 1000

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

Channel = Mapping[str, Any]


def snapshot_row(home: Home, snapshot: str, moment: datetime) -> OutboxRow:
    """Deliver the state of that moment."""
    return _row(home, snapshot, {"snapshot": snapshot, "time": moment.isoformat()})


def history_row(home: Home, type_name: str, after: int, upto: int, moment: datetime) -> OutboxRow:
    """Deliver the items of a type on the ledger's lines after one position up to another."""
    body = {"type": type_name, "after": after, "upto": upto, "time": moment.isoformat()}
    return _row(home, f"history/{type_name}/{after}-{upto}", body)


def _row(home: Home, name: str, body: Mapping[str, Any]) -> OutboxRow:
    queue = f"{PREFIX}{home.account}/{home.region}"
    return OutboxRow(queue, f"{queue}/{name}", _encode(body))


def channel_of(store: Store, home: Home) -> Channel | None:
    """The delivery channel of an account in a region."""
    found = next(iter(store.documents(home.account, home.region, CHANNEL)), None)
    return None if found is None else found[1].value


def item_on(entry: Entry, home: Home) -> Item | None:
    """The new and published item of an account and region that a line of the ledger brings, if it brings one."""
    if (entry.account, entry.region) != (home.account, home.region):
        return None
    recorded = read(entry)
    return recorded.item if recorded.news == ITEM and is_published(recorded.item["resourceType"]) else None


def items_between(store: Store, home: Home, after: int, upto: int) -> Iterator[Item]:
    """The items of an account and region on the ledger's lines after one position up to another."""
    while after < upto:
        for entry in store.read(CONFIGURATION, after, min(PAGE_ENTRIES, upto - after)):
            after = entry.position
            item = item_on(entry, home)
            if item is not None:
                yield item


@dataclass(frozen=True, slots=True)
class _File:
    """What is to be put into the bucket, and what is said when it is there."""

    info: str
    key: str
    body: bytes
    done: Message


class Deliveries:
    """Delivers snapshots and history files (`follow.Shipper`)."""

    prefix = PREFIX

    def __init__(
        self,
        world: World,
        store: Store,
        objects: Objects,
        door: Door,
        history: ConfigurationHistory,
        messenger: Messenger,
    ) -> None:
        self._world = world
        self._store = store
        self._objects = objects
        self._door = door
        self._history = history
        self._messenger = messenger

    def ship(self, row: OutboxRow) -> Commit:
        """One file: made, stored, uploaded, announced."""
        home = Home(*row.queue.removeprefix(PREFIX).split("/"))
        channel = channel_of(self._store, home)
        if channel is None:
            return Commit()
        body = _decode(row.body)
        moment = datetime.fromisoformat(body["time"])
        file = (self._snapshot if "snapshot" in body else self._history_file)(home, channel, body, moment)
        return self._delivered(home, channel, file)

    def _snapshot(self, home: Home, channel: Channel, body: Mapping[str, Any], moment: datetime) -> _File:
        if not self._history.catch_up():
            raise Later("the history of items is being indexed", INDEXING_SECONDS)
        snapshot = body["snapshot"]
        key = snapshot_key(channel, home, moment, snapshot)
        with contextlib.suppress(Fault):  # that it began is worth telling, and nothing depends on it
            self._messenger.send(home, channel.get("snsTopicARN"), snapshot_started(home, snapshot, moment), moment)
        found = (each.item for each in self._history.all_at(home.account, home.region, moment))
        content = snapshot_file(_published(found), snapshot)
        done = snapshot_completed(home, snapshot, channel["s3BucketName"], key, self._world.now())
        return _File(SNAPSHOT, key, content, done)

    def _history_file(self, home: Home, channel: Channel, body: Mapping[str, Any], moment: datetime) -> _File:
        found = items_between(self._store, home, body["after"], body["upto"])
        items = [item for item in found if item["resourceType"] == body["type"]]
        key = history_key(channel, home, items, moment)
        done = history_completed(home, channel["s3BucketName"], key, self._world.now())
        return _File(HISTORY, key, history_file(items), done)

    def _delivered(self, home: Home, channel: Channel, file: _File) -> Commit:
        stored = f"configuration/{home.region}/{file.key}"
        with contextlib.suppress(ObjectExists):
            self._objects.put_if_absent(stored, file.body)
        try:
            put_object(self._door, home, channel, file.key, self._objects.get(stored) or file.body)
        except Fault as fault:
            told = told_of(self._store, home, channel, file.info, self._world.now(), fault)
            if fault.sender:
                return Commit(shelf=told)
            raise Later(str(fault), RETRY_SECONDS, Commit(shelf=told)) from fault
        stream = self._announced(home, channel, file.done)
        return Commit(shelf=[*told_of(self._store, home, channel, file.info, self._world.now(), None), *stream])

    def _announced(self, home: Home, channel: Channel, message: Message) -> list[ShelfChange]:
        try:
            self._messenger.send(home, channel.get("snsTopicARN"), message, self._world.now())
        except Fault as fault:
            return told_of(self._store, home, channel, STREAM, self._world.now(), fault)
        return []


def put_object(door: Door, home: Home, channel: Channel, key: str, body: bytes) -> None:
    """Put a file into the channel's bucket; Fault when it is refused."""
    parameters: dict[str, Any] = {"Bucket": channel["s3BucketName"], "Key": key, "Body": body}
    if channel.get("s3KmsKeyArn"):
        parameters |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": channel["s3KmsKeyArn"]}
    principal = config_principal(home.account)
    door.call("s3", "PutObject", parameters, account=home.account, region=home.region, as_=principal)


def told_of(
    store: Store, home: Home, channel: Channel, info: str, now: datetime, fault: Fault | None
) -> list[ShelfChange]:
    """The change to what the channel's status says of one kind of delivery; none when it says that already."""
    key = ShelfKey(home.account, home.region, CHANNEL_STATUS, f"{channel['name']}/{info}")
    document = store.get(key)
    before = {} if document is None else document.value
    value = {"lastStatus": "SUCCESS"} if fault is None else _failure(fault)
    if info == STREAM:
        if value.items() <= before.items():
            return []
        return [ShelfChange(key, value | {"lastStatusChangeTime": record_time(now)})]
    succeeded = record_time(now) if fault is None else before.get("lastSuccessfulTime")
    times = {"lastAttemptTime": record_time(now)} | ({"lastSuccessfulTime": succeeded} if succeeded else {})
    return [ShelfChange(key, value | times)]


def _failure(fault: Fault) -> dict[str, str]:
    return {"lastStatus": "FAILURE", "lastErrorCode": fault.code, "lastErrorMessage": fault.message}


def _published(items: Iterable[Item]) -> Iterator[Item]:
    return (item for item in items if is_published(item["resourceType"]))
