"""The delivery of evidence without a server: the same parts as in the house, over stores in memory and a cloud."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.simulation.cloud import Cloud
from trailstate.follow import Runner
from trailstate.stores.interface import Commit, Objects, ShelfChange, Store
from trailstate.stores.memory import MemoryObjects, MemoryStore
from trailstate.trail import chain, journal
from trailstate.trail.bucket import Buckets
from trailstate.trail.delivery import Delivery, WindowTimer
from trailstate.trail.digester import Digester
from trailstate.trail.keys import Keys
from trailstate.trail.onward import Hearing
from trailstate.trail.send import BusShipper, LogsShipper, Sender, TopicShipper
from trailstate.trail.shelter import Clearing
from trailstate.trail.ship import DigestShipper, WindowShipper
from trailstate.trail.status import Statuses
from trailstate.trail.trails import DEFAULT_SELECTORS, change_document, change_key, trail_key
from trailstate.values.timestamp import record_time
from trailstate.world import SimulatedWorld, World

ACCOUNT, REGION, BUCKET = "111122223333", "us-east-1", "evidence"


def a_record(world: World, **members: Any) -> dict[str, Any]:
    """The record of a call made now."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {"type": "Root", "accountId": ACCOUNT},
        "eventTime": record_time(world.now()),
        "eventSource": "ec2.amazonaws.com",
        "eventName": "RunInstances",
        "awsRegion": REGION,
        "eventID": world.uuid(),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    } | members


def a_trail(**members: Any) -> dict[str, Any]:
    """A multi-region trail that logs, as its Shelf document."""
    name = members.pop("Name", "all")
    return {
        "Name": name,
        "S3BucketName": BUCKET,
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "IsOrganizationTrail": False,
        "HomeRegion": REGION,
        "TrailARN": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{name}",
        "LogFileValidationEnabled": True,
        "EventSelectors": list(DEFAULT_SELECTORS),
        "IsLogging": True,
        "Generation": 1,
    } | members


POOLED_KEYS = 64
POOLED_KEY_BITS = 1024
"""Short ones: what is simulated is which key signs, not how hard it is to break."""


@lru_cache(maxsize=1)
def _pool() -> list[Any]:
    return [rsa.generate_private_key(public_exponent=65537, key_size=POOLED_KEY_BITS) for _ in range(POOLED_KEYS)]


def pooled_keys() -> Callable[[], Any]:
    """Keys made beforehand, one after the other: a simulation of many months makes none anew."""
    numbers = iter(range(10**9))
    return lambda: _pool()[next(numbers) % len(_pool())]


@dataclass
class Members:
    """The accounts of one organization."""

    accounts: set[str] = field(default_factory=set)

    def members(self, manager: str) -> frozenset[str]:
        return frozenset(self.accounts)

    def forget(self) -> None:
        """There is nothing remembered here."""


@dataclass
class Listeners:
    """What the rules of every default bus hear of."""

    heard: Hearing = Hearing.CHANGES

    def hearing(self, account: str, region: str) -> Hearing:
        return self.heard


@dataclass(frozen=True)
class Parts:
    """What the process is built of; a simulation may put a damaged part in."""

    delivery: type[Delivery] = Delivery
    digester: type[Digester] = Digester
    windows: type[WindowShipper] = WindowShipper
    digests: type[DigestShipper] = DigestShipper
    clearing: type[Clearing] = Clearing
    buckets: type[Buckets] = Buckets
    keys: type[Keys] = Keys


@dataclass
class Evidence:
    """The parts of one process; `restarted` gives the next one's over the same stores."""

    world: World
    store: Store
    objects: Objects
    cloud: Cloud
    keys: Path
    window_seconds: int = 300
    digest_seconds: int = 3600
    key_days: int = 30
    members: Members = field(default_factory=Members)
    listeners: Listeners = field(default_factory=Listeners)
    make_key: Callable[[], Any] = field(default_factory=pooled_keys)
    parts: Parts = Parts()
    regions: tuple[str, ...] = ()
    """Where a multi-region trail has digests from its start."""

    def __post_init__(self) -> None:
        self.findings = 0
        self.delivery = self.parts.delivery(
            self.store, self.world, self.window_seconds, self.members, self.listeners, self.regions
        )
        statuses, buckets = Statuses(self.store), self.parts.buckets(self.cloud, self.world)
        windows = self.parts.windows(self.store, self.objects, buckets, statuses, self.world, self._found)
        keys = self.parts.keys(self.keys, self.store, self.key_days, self.make_key)
        self.digester = self.parts.digester(
            self.store, keys, self.digest_seconds, self.delivery.cut, windows.is_refused
        )
        self.runner = Runner(self.store, self.world)
        self.runner.add(self.delivery)
        self.runner.add_timer(WindowTimer(self.delivery))
        self.runner.add_timer(self.digester)
        self.runner.add_timer(self.parts.clearing(self.store, self.objects))
        senders = [Sender(self.store, self.cloud, statuses, self.world) for _ in range(3)]
        for shipper in (
            windows,
            self.parts.digests(self.objects, buckets, statuses, self.world, self._found),
            LogsShipper(senders[0], self.world.now),
            BusShipper(senders[1]),
            TopicShipper(senders[2], self.world.now),
        ):
            self.runner.add_shipper(shipper)

    def _found(self) -> None:
        self.findings += 1

    def is_busy(self) -> bool:
        """Whether something is due or on its way."""
        due = self.digester.due()
        is_due = due is not None and due <= self.world.now()
        queues = self.store.queues("")
        return is_due or any(not queue.startswith(chain.FILES) for queue in queues)

    def settle(self, after: timedelta = timedelta(minutes=5)) -> None:
        """Everything that is due after a while has happened; only in a world whose clock a test moves."""
        assert isinstance(self.world, SimulatedWorld)
        self.world.advance(after)
        self.runner.run_until_idle()

    def restarted(self) -> "Evidence":
        return Evidence(
            self.world, self.store, self.objects, self.cloud, self.keys, self.window_seconds, self.digest_seconds,
            self.key_days, self.members, self.listeners, self.make_key, self.parts, self.regions,
        )  # fmt: skip

    def record(self, **members: Any) -> str:
        """A call is recorded; its event id."""
        record = a_record(self.world, **members)
        self.store.commit(Commit(appends=[journal.line(record)]))
        return str(record["eventID"])

    def change(
        self,
        document: dict[str, Any],
        event: str = "StartLogging",
        *,
        is_gone: bool = False,
        event_id: str | None = None,
    ) -> str:
        """A call changes a trail, as CloudTrail's operations do it: in the commit of its record."""
        record = a_record(self.world, eventSource="cloudtrail.amazonaws.com", eventName=event)
        record["eventID"] = event_id or record["eventID"]
        key = trail_key(ACCOUNT, document["HomeRegion"], document["Name"])
        value = None if is_gone else document
        shelf = [
            ShelfChange(key, value),
            ShelfChange(change_key(ACCOUNT, REGION, record["eventID"]), change_document(key, value)),
        ]
        self.store.commit(Commit(appends=[journal.line(record)], shelf=shelf))
        return str(record["eventID"])

    def files(self, bucket: str = BUCKET) -> dict[str, list[dict[str, Any]]]:
        """The records in each log file of the bucket."""
        found = {key: stored.body for key, stored in self.cloud.buckets[bucket].items() if "/CloudTrail/" in key}
        return {key: json.loads(unpacked(body))["Records"] for key, body in found.items()}

    def digests(self, bucket: str = BUCKET) -> list[dict[str, Any]]:
        """The digests of the bucket, in order of their keys."""
        found = sorted((key, each.body) for key, each in self.cloud.buckets[bucket].items() if "-Digest/" in key)
        return [msgspec.json.decode(unpacked(body)) for _, body in found]


def unpacked(body: bytes) -> bytes:
    import gzip

    return gzip.decompress(body)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def der(value: str) -> bytes:
    return base64.b64decode(value)


def in_memory(world: World, keys: Path, **chosen: Any) -> Evidence:
    """The parts over stores in memory and a cloud with the bucket that `a_trail` delivers to."""
    cloud = Cloud()
    cloud.make_bucket(BUCKET)
    return Evidence(world, MemoryStore(world), MemoryObjects(), cloud, keys, **chosen)
