"""Delivery channels: where snapshots, history and messages go, as the AWS Config API reference describes."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trailstate.configuration.delivery import WRITABILITY_CHECK, folder
from trailstate.configuration.discover import config_principal
from trailstate.configuration.recorder import CHANNEL, RECORDER, Home
from trailstate.configuration.rounds import HISTORY, SNAPSHOT, Rounds
from trailstate.configuration.shipment import CHANNEL_STATUS, snapshot_row
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.wire.call import Call, Door
from trailstate.wire.fault import Fault, faults
from trailstate.world import World

fault = faults("config")

DEFAULT_NAME = "default"
TOPIC = re.compile(r"arn:[\w-]+:sns:[\w-]+:[0-9]{12}:[\w.-]+")
KEY = re.compile(r"arn:[\w-]+:kms:[\w-]+:[0-9]{12}:(?:key|alias)/.+")
INFOS = {
    "configSnapshotDeliveryInfo": SNAPSHOT,
    "configHistoryDeliveryInfo": HISTORY,
    "configStreamDeliveryInfo": "",
}
"""What the status tells of, and the round that makes it."""


@operation("config")
def put_delivery_channel(
    call: Call, shelf: StagedShelf, door: Door, *, DeliveryChannel: Mapping[str, Any]
) -> dict[str, Any]:
    """Make the channel, or change it; a file that it can be written to is left in the bucket."""
    name = str(DeliveryChannel.get("name") or DEFAULT_NAME)
    if next(iter(shelf.documents(call.account, call.region, RECORDER)), None) is None:
        raise fault.NoAvailableConfigurationRecorderException(
            "Configuration recorder is not available to put delivery channel."
        )
    found = _found(call, shelf)
    if found is not None and found["name"] != name:
        raise fault.MaxNumberOfDeliveryChannelsExceededException(
            f"Failed to put delivery channel '{name}' because the maximum number of delivery channels: 1 is reached."
        )
    channel = {**DeliveryChannel, "name": name}
    _hold(channel)
    _try_topic(call, door, channel)
    _try_bucket(call, door, channel)
    shelf.put(_key(call, CHANNEL, name), channel)
    return {}


def _hold(channel: Mapping[str, Any]) -> None:
    if not channel.get("s3BucketName"):
        raise fault.NoSuchBucketException("The delivery channel must name an S3 bucket.")
    prefix = str(channel.get("s3KeyPrefix") or "")
    if prefix.endswith("/") or prefix.startswith("/") or "AWSLogs" in prefix.split("/"):
        raise fault.InvalidS3KeyPrefixException(
            f"The S3 key prefix must neither begin nor end with '/', nor contain 'AWSLogs'; found '{prefix}'."
        )
    if channel.get("s3KmsKeyArn") and not KEY.fullmatch(str(channel["s3KmsKeyArn"])):
        raise fault.InvalidS3KmsKeyArnException(f"'{channel['s3KmsKeyArn']}' is not the ARN of a KMS key.")
    if channel.get("snsTopicARN") and not TOPIC.fullmatch(str(channel["snsTopicARN"])):
        raise fault.InvalidSNSTopicARNException(f"'{channel['snsTopicARN']}' is not the ARN of an SNS topic.")


def _try_topic(call: Call, door: Door, channel: Mapping[str, Any]) -> None:
    topic = channel.get("snsTopicARN")
    if not topic:
        return
    try:
        _ask(call, door, "sns", "GetTopicAttributes", {"TopicArn": topic})
    except Fault as refused:
        raise fault.InvalidSNSTopicARNException(f"The SNS topic '{topic}' cannot be reached: {refused}.") from refused


def _try_bucket(call: Call, door: Door, channel: Mapping[str, Any]) -> None:
    bucket = channel["s3BucketName"]
    key = f"{folder(channel, Home(call.account, call.region))}/{WRITABILITY_CHECK}"
    try:
        _ask(call, door, "s3", "PutObject", {"Bucket": bucket, "Key": key, "Body": b""})
    except Fault as refused:
        if refused.code == "NoSuchBucket":
            raise fault.NoSuchBucketException(
                f"Cannot find a S3 bucket with an empty bucket name or '{bucket}'."
            ) from None
        raise fault.InsufficientDeliveryPolicyException(
            f"Insufficient delivery policy to s3 bucket: {bucket}, unable to write to bucket ({refused.code})."
        ) from refused


def _ask(call: Call, door: Door, service: str, name: str, parameters: Mapping[str, Any]) -> None:
    principal = config_principal(call.account)
    door.call(service, name, parameters, account=call.account, region=call.region, as_=principal)


@operation("config")
def describe_delivery_channels(
    call: Call, shelf: StagedShelf, *, DeliveryChannelNames: Sequence[str] | None = None
) -> dict[str, Any]:
    """The channel of the caller's account in the region, if any; or the one that is named."""
    return {"DeliveryChannels": _chosen(call, shelf, DeliveryChannelNames)}


@operation("config")
def describe_delivery_channel_status(
    call: Call, shelf: StagedShelf, rounds: Rounds, *, DeliveryChannelNames: Sequence[str] | None = None
) -> dict[str, Any]:
    """What became of the last snapshot, history file and message, and when the next files are due."""
    chosen = _chosen(call, shelf, DeliveryChannelNames)
    times = rounds.next_times(Home(call.account, call.region))
    return {"DeliveryChannelsStatus": [{"name": each["name"], **_infos(call, shelf, each, times)} for each in chosen]}


def _infos(call: Call, shelf: StagedShelf, channel: Mapping[str, Any], times: Mapping[str, datetime]) -> dict[str, Any]:
    infos: dict[str, dict[str, Any]] = {}
    for name, kind in INFOS.items():
        told = shelf.get(_key(call, CHANNEL_STATUS, f"{channel['name']}/{name}")) or {}
        infos[name] = {
            member: datetime.fromisoformat(value) if member.endswith("Time") else value
            for member, value in told.items()
        }
        if kind in times:
            infos[name]["nextDeliveryTime"] = times[kind]
    return infos


@operation("config")
def delete_delivery_channel(call: Call, shelf: StagedShelf, *, DeliveryChannelName: str) -> dict[str, Any]:
    """The channel goes, unless a running recorder needs it."""
    _named(call, shelf, DeliveryChannelName)
    if any(recorder["recording"] for _, recorder in shelf.documents(call.account, call.region, RECORDER)):
        raise fault.LastDeliveryChannelDeleteFailedException(
            f"Failed to delete last specified delivery channel with name '{DeliveryChannelName}', "
            "because there, is a running configuration recorder."
        )
    shelf.delete(_key(call, CHANNEL, DeliveryChannelName))
    for name in INFOS:
        shelf.delete(_key(call, CHANNEL_STATUS, f"{DeliveryChannelName}/{name}"))
    return {}


@operation("config")
def deliver_config_snapshot(
    call: Call, shelf: StagedShelf, world: World, *, deliveryChannelName: str
) -> dict[str, Any]:
    """Begin to deliver the state of all recorded resources; messages tell when it has been."""
    recorder = next((recorder for _, recorder in shelf.documents(call.account, call.region, RECORDER)), None)
    if recorder is None:
        raise fault.NoAvailableConfigurationRecorderException(
            "Configuration recorder is not available to deliver a snapshot."
        )
    _named(call, shelf, deliveryChannelName)
    if not recorder["recording"]:
        raise fault.NoRunningConfigurationRecorderException("Configuration recorder is not running.")
    snapshot = world.uuid()
    shelf.send(snapshot_row(Home(call.account, call.region), snapshot, call.now))
    return {"configSnapshotId": snapshot}


# ---- finding it ----


def _key(call: Call, kind: str, name: str) -> ShelfKey:
    return ShelfKey(call.account, call.region, kind, name)


def _found(call: Call, shelf: StagedShelf) -> dict[str, Any] | None:
    return next((channel for _, channel in shelf.documents(call.account, call.region, CHANNEL)), None)


def _named(call: Call, shelf: StagedShelf, name: str) -> dict[str, Any]:
    found = _found(call, shelf)
    if found is None or found["name"] != name:
        raise fault.NoSuchDeliveryChannelException(f"Cannot find delivery channel with specified name '{name}'.")
    return found


def _chosen(call: Call, shelf: StagedShelf, names: Sequence[str] | None) -> list[dict[str, Any]]:
    if names:
        return [_named(call, shelf, name) for name in names]
    found = _found(call, shelf)
    return [found] if found else []
