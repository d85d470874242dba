"""Event buses: rules as they are kept, the events that arrive, and the deliveries that follow from them.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-what-is-how-it-works-concepts.html

Every change of a bus's rules gives the bus document a new revision; the index of its patterns is built once for each.
Of read-only management events only rules in a state of their own hear.
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
from trailstate.trail.onward import DETAIL_TYPES, Hearing, is_quiet
from trailstate.values.pattern import Pattern, read_pattern
from trailstate.values.pattern_index import PatternIndex
from trailstate.values.policy import Question, allows

BUS = "watch.bus"
RULE = "watch.rule/"
SCHEDULE = "watch.schedule"
QUEUE = "bus/"
DEFAULT = "default"
ENABLED = "ENABLED"
WITH_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
INDEXES_MAX = 256
PATTERNS_KEPT = 20_000
BY_CLOUDTRAIL = frozenset(DETAIL_TYPES.values())
_SAYS_READ_ONLY = b'"readOnly":true'

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


def policy_of(bus: Document) -> dict[str, Any] | None:
    """The policy of a bus, if it has one."""
    held = bus.get("Statements") or []
    return {"Version": "2012-10-17", "Statement": held} if held else None


def lets_in(bus: BusName, document: Document | None, account: str) -> bool:
    """Whether a bus takes events from another account."""
    policy = policy_of(document or {})
    question = Question("events:PutEvents", bus.arn, principal_arn=f"arn:aws:iam::{account}:root")
    return policy is not None and allows(policy, question)


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
    hears_reads: bool


@dataclass(frozen=True, slots=True)
class _Ready:
    """The rules of a bus at one revision."""

    revision: str
    index: PatternIndex[Rule]
    hearing: Hearing


class Buses:
    """The indexes of all buses. Safe from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._ready: dict[BusName, _Ready] = {}

    def arrivals(self, bus: BusName, event: Event, now: datetime) -> Iterator[OutboxRow]:
        """A row for each target of each rule that the event meets."""
        ready = self._at(bus)
        if ready is None:
            return
        body, quiet = _encode(event), _is_quiet(event)
        for rule in ready.index.match(body):
            if rule.hears_reads or not quiet:
                yield from delivery_rows(bus, rule.name, rule.targets, event.id, body.decode(), now)

    def hearing(self, account: str, region: str) -> Hearing:
        """What the rules of an account's default bus hear of now."""
        ready = self._at(BusName(account, region, DEFAULT))
        return Hearing.NOTHING if ready is None else ready.hearing

    def forget(self) -> None:
        with self._lock:
            self._ready.clear()

    def _at(self, bus: BusName) -> _Ready | None:
        document = self._store.get(bus.key)
        revision = "" if document is None else document.value["Revision"]
        if not revision:
            return None
        with self._lock:
            held = self._ready.get(bus)
            if held is None or held.revision != revision:
                if len(self._ready) >= INDEXES_MAX:
                    self._ready.clear()
                held = self._ready[bus] = self._built(bus, revision)
            return held

    def _built(self, bus: BusName, revision: str) -> _Ready:
        documents = self._store.documents(bus.account, bus.region, f"{RULE}{bus.name}")
        rules = [
            (_rule(key.name, each.value), _pattern(each.value["EventPattern"]))
            for key, each in documents
            if each.value.get("EventPattern") and each.value["State"] != "DISABLED"
        ]
        heard = (Hearing.READS if rule.hears_reads else Hearing.CHANGES for rule, _ in rules)
        return _Ready(revision, PatternIndex(rules), max(heard, default=Hearing.NOTHING))


@lru_cache(maxsize=PATTERNS_KEPT)
def _pattern(text: str) -> Pattern:
    """Read once: when a rule changes, the others of its bus do not."""
    return read_pattern(text)


def _rule(name: str, document: Document) -> Rule:
    return Rule(name, tuple(document["Targets"].values()), document["State"] == WITH_READS)


def _is_quiet(event: Event) -> bool:
    """Whether CloudTrail tells of something that was only read."""
    told_by_trail = event.detail_type in BY_CLOUDTRAIL and event.source.startswith("aws.")
    return told_by_trail and _SAYS_READ_ONLY in bytes(event.detail) and is_quiet(msgspec.json.decode(event.detail))


def delivery_rows(
    bus: BusName, rule: str, targets: Sequence[dict[str, Any]], event_id: str, text: str, now: datetime
) -> Iterator[OutboxRow]:
    """What brings an event to the targets of a rule; one event comes to a target once."""
    place = f"{bus.account}/{bus.region}/{bus.name}/{rule}"
    for target in targets:
        body = _encode(Delivery(text, bus.arn, rule, target, now.isoformat()))
        yield OutboxRow(f"{QUEUE}{place}/{target['Id']}", f"event/{event_id}/{place}/{target['Id']}", body)
