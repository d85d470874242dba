"""Where configuration goes: object keys and files, as AWS Config writes them to the bucket of a delivery channel.

Follows "Delivering configuration snapshot to an Amazon S3 bucket", "Viewing configuration history" and the example
notifications of the AWS Config developer guide. Months and days in keys have no leading zero. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from isal import igzip

from trailstate.configuration.item import Item, as_file
from trailstate.configuration.recorder import Home

FILE_VERSION = "1.0"
COMPRESSION_LEVEL = 2
WRITABILITY_CHECK = "ConfigWritabilityCheckFile"

_encode = msgspec.json.Encoder().encode

Channel = Mapping[str, Any]


def folder(channel: Channel, home: Home) -> str:
    """What every key of an account and region begins with."""
    prefix = str(channel.get("s3KeyPrefix") or "")
    return f"{prefix}/AWSLogs/{home.account}/Config" if prefix else f"AWSLogs/{home.account}/Config"


def _day(channel: Channel, home: Home, moment: datetime) -> str:
    return f"{folder(channel, home)}/{home.region}/{moment.year}/{moment.month}/{moment.day}"


def stamp(moment: datetime) -> str:
    """A time as keys write it: `20160927T195818Z`."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def snapshot_key(channel: Channel, home: Home, moment: datetime, snapshot: str) -> str:
    """The key of a snapshot."""
    name = f"{home.account}_Config_{home.region}_ConfigSnapshot_{stamp(moment)}_{snapshot}.json.gz"
    return f"{_day(channel, home, moment)}/ConfigSnapshot/{name}"


def history_key(channel: Channel, home: Home, items: Sequence[Item], moment: datetime, number: int = 1) -> str:
    """The key of a history file: of one type, from its first capture time to its last."""
    first, last = (
        stamp(datetime.fromisoformat(each["configurationItemCaptureTime"])) for each in (items[0], items[-1])
    )
    kind = items[0]["resourceType"]
    name = f"{home.account}_Config_{home.region}_ConfigHistory_{kind}_{first}_{last}_{number}.json.gz"
    return f"{_day(channel, home, moment)}/ConfigHistory/{name}"


def oversized_key(channel: Channel, home: Home, item: Item, moment: datetime) -> str:
    """The key of an item that was too large for a message."""
    kind, resource = item["resourceType"], item["resourceId"]
    name = f"{home.account}_Config_{home.region}_ChangeNotification_{kind}_{resource}_{stamp(moment)}_0.json.gz"
    return f"{_day(channel, home, moment)}/OversizedChangeNotification/{kind}/{resource}/{name}"


def snapshot_file(items: Iterable[Item], snapshot: str) -> bytes:
    """A snapshot's bytes."""
    return _file({"configSnapshotId": snapshot}, items)


def history_file(items: Iterable[Item]) -> bytes:
    """A history file's bytes."""
    return _file({}, items)


def oversized_file(item: Item) -> bytes:
    """The bytes of a file that holds one item too large for a message."""
    return _file({}, [item])


def _file(members: Mapping[str, Any], items: Iterable[Item]) -> bytes:
    content = {"fileVersion": FILE_VERSION, **members, "configurationItems": [as_file(item) for item in items]}
    return bytes(igzip.compress(_encode(content), COMPRESSION_LEVEL))
