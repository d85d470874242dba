"""Event buses: rules as they are kept, the events that arrive, and the deliveries that follow from them.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-what-is-how-it-works-concepts.html

Every change of a bus's rules gives the bus document a new revision; the index of its patterns is built once for each.
Scheduled rules stand in documents of their own with their next time, so that the clock reads few.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec

from trailstate.stores.interface import OutboxRow, ShelfKey, Store
from trailstate.values.pattern import Pattern, read_pattern
from trailstate.values.pattern_index import PatternIndex

BUS = "watch.bus"
RULE = "watch.rule/"
SCHEDULE = "watch.schedule"
QUEUE = "bus/"
DEFAULT = "default"
ENABLED = "ENABLED"
WITH_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
INDEXES_MAX = 256
PATTERNS_KEPT = 20_000

Document: TypeAlias = Mapping[str, Any]

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class BusName:
    """Where a bus stands."""

    account: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        return f"arn:aws:events:{self.region}:{self.account}:event-bus/{self.name}"

    @property
    def key(self) -> ShelfKey:
        return ShelfKey(self.account, self.region, BUS, self.name)

    def rule_key(self, rule: str) -> ShelfKey:
        return ShelfKey(self.account, self.region, f"{RULE}{self.name}", rule)

    def rule_arn(self, rule: str) -> str:
        place = rule if self.name == DEFAULT else f"{self.name}/{rule}"
        return f"arn:aws:events:{self.region}:{self.account}:rule/{place}"


def bus_of_arn(arn: str) -> BusName | None:
    """The bus of an ARN; None for anything else."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[:3] != ["arn", "aws", "events"] or not parts[5].startswith("event-bus/"):
        return None
    return BusName(parts[4], parts[3], parts[5].removeprefix("event-bus/"))


class Event(msgspec.Struct, frozen=True, rename={"detail_type": "detail-type"}):
    """An event in AWS's envelope, its members in AWS's order."""

    version: str
    id: str
    detail_type: str
    source: str
    account: str
    time: str
    region: str
    resources: Sequence[str]
    detail: msgspec.Raw


class Delivery(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event on its way to one target."""

    event: str
    """The envelope's JSON text."""
    bus: str
    """The bus's ARN."""
    rule: str
    """The rule's name."""
    target: dict[str, Any]
    arrived: str
    attempt: int = 1
    not_before: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that is enabled, and what it does with an event."""

    name: str
    targets: tuple[dict[str, Any], ...]


class Buses:
    """The indexes of all buses. Safe from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._indexes: dict[BusName, tuple[str, PatternIndex[Rule]]] = {}

    def arrivals(self, bus: BusName, event: Event, now: datetime) -> Iterator[OutboxRow]:
        """A row for each target of each rule that the event meets."""
        index = self._index(bus)
        if index is None:
            return
        body = _encode(event)
        for rule in index.match(body):
            yield from delivery_rows(bus, rule.name, rule.targets, event.id, body.decode(), now)

    def forget(self) -> None:
        with self._lock:
            self._indexes.clear()

    def _index(self, bus: BusName) -> PatternIndex[Rule] | None:
        document = self._store.get(bus.key)
        revision = "" if document is None else document.value["Revision"]
        if not revision:
            return None
        with self._lock:
            held = self._indexes.get(bus)
            if held is None or held[0] != revision:
                if len(self._indexes) >= INDEXES_MAX:
                    self._indexes.clear()
                held = self._indexes[bus] = (revision, self._built(bus))
            return held[1]

    def _built(self, bus: BusName) -> PatternIndex[Rule]:
        documents = self._store.documents(bus.account, bus.region, f"{RULE}{bus.name}")
        return PatternIndex(
            (_rule(key.name, each.value), _pattern(each.value["EventPattern"]))
            for key, each in documents
            if each.value.get("EventPattern") and each.value["State"] != "DISABLED"
        )


@lru_cache(maxsize=PATTERNS_KEPT)
def _pattern(text: str) -> Pattern:
    """Read once: when a rule changes, the others of its bus do not."""
    return read_pattern(text)


def _rule(name: str, document: Document) -> Rule:
    return Rule(name, tuple(document["Targets"].values()))


def delivery_rows(
    bus: BusName, rule: str, targets: Sequence[dict[str, Any]], event_id: str, text: str, now: datetime
) -> Iterator[OutboxRow]:
    """What brings an event to the targets of a rule; one event comes to a target once."""
    place = f"{bus.account}/{bus.region}/{bus.name}/{rule}"
    for target in targets:
        body = _encode(Delivery(text, bus.arn, rule, target, now.isoformat()))
        yield OutboxRow(f"{QUEUE}{place}/{target['Id']}", f"event/{event_id}/{place}/{target['Id']}", body)
