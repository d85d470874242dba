"""From the journal to what must be looked at: this record touched that resource, or some of that type.

Pure, but for the follower at the end and the reader of its queues. A record of a call that failed, that only reads, or
of a data event touches nothing. Of the others the tables of the resource types say what they touched; where a call
changes something of a service and no type of that service knows it, each of them is listed again. What a batch of
records touches twice is looked at once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from trailstate.configuration.form import ALL, ResourceType
from trailstate.configuration.recorder import DAILY, Home, Recorders, frequency, records
from trailstate.follow import Runner
from trailstate.stores.interface import JOURNAL, Commit, Entry, OutboxRow, Store
from trailstate.trail.category import event_prefix
from trailstate.trail.restart import EVENT_NAME as RESTARTED
from trailstate.values.path import pick

TOUCHED = "configuration/discover/"
"""The queues of what calls touched."""
EVERYTHING = "configuration/look/"
"""The queues of looks at all there is, which take long where there is much: what calls touch does not wait for them."""
WAITING_MAX = 5000
"""Rows of one queue that are looked through for the calls behind what a listing shows."""

CURSOR_ENTRIES_MAX = 1000
"""Entries that touched nothing before the cursor is committed all the same."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Touch:
    """A resource, by its key, that may have changed; ALL of the type when it is not known which."""

    declared: ResourceType
    key: str


class Touches:
    """What records touch, by the tables of the resource types."""

    def __init__(self, types: Iterable[ResourceType]) -> None:
        self._types = list(types)
        self._known: dict[tuple[str, str], list[tuple[ResourceType, Sequence[str]]]] = {}
        self._of_source: dict[str, list[ResourceType]] = {}
        for declared in self._types:
            self._of_source.setdefault(_source(declared.touching_service), []).append(declared)
            for written, paths in declared.touched_by.items():
                service, colon, event = written.rpartition(":")
                source = _source(service) if colon else _source(declared.touching_service)
                rows = (paths,) if isinstance(paths, str) else tuple(paths)
                self._known.setdefault((source, event), []).append((declared, rows))

    def of(self, record: Record) -> list[Touch]:
        """What the record touched, each once."""
        if record["eventName"] == RESTARTED:
            return [Touch(declared, ALL) for declared in self._types]
        if record.get("errorCode") or record.get("readOnly") or record.get("eventCategory") != "Management":
            return []
        source = record["eventSource"]
        known = self._known.get((source, record["eventName"]))
        if known is None:
            return [Touch(declared, ALL) for declared in self._of_source.get(source, ())]
        return list(dict.fromkeys(touch for declared, paths in known for touch in _touched(declared, paths, record)))


def _touched(declared: ResourceType, paths: Sequence[str], record: Record) -> Iterator[Touch]:
    if ALL in paths:
        yield Touch(declared, ALL)
        return
    written = [value for path in paths for value in pick(record, path)]
    keys = (declared.read_key(str(value)) for value in written)
    if written:
        yield from (Touch(declared, key) for key in keys if key)
    elif paths:
        yield Touch(declared, ALL)


def _source(service: str) -> str:
    return f"{event_prefix(service)}.amazonaws.com"


def cause_of(record: Record) -> dict[str, Any]:
    """Who changed it: what an item's line keeps of the record."""
    identity = record.get("userIdentity") or {}
    return {
        "eventID": record["eventID"],
        "eventName": record["eventName"],
        "eventSource": record["eventSource"],
        "eventTime": record["eventTime"],
        "principal": identity.get("arn") or identity.get("invokedBy"),
        "sourceIPAddress": record.get("sourceIPAddress"),
    }


# ---- what is to be looked at ----


@dataclass(slots=True)
class Errand:
    """One thing to look at, and why: the last call that touched it, and the events of all of them."""

    key: str
    cause: dict[str, Any] | None = None
    events: list[str] = field(default_factory=list)

    def add(self, later: "Errand") -> None:
        """Take in one to the same place: the last call is the cause."""
        self.cause = later.cause or self.cause
        self.events += later.events

    def body(self) -> bytes:
        return _encode({"key": self.key, "cause": self.cause, "events": self.events})


def read_errand(row: OutboxRow) -> Errand:
    """The errand on a row of the outbox."""
    return Errand(**_decode(row.body))


def queue_of(prefix: str, home: Home, type_name: str) -> str:
    """The queue of one type in one account and region: what is in it is looked at in order."""
    return f"{prefix}{home.account}/{home.region}/{type_name}"


def place_of(queue: str) -> tuple[Home, str, bool]:
    """Whom and what type a queue is about, and whether it is one of errands that are tried again."""
    prefix = TOUCHED if queue.startswith(TOUCHED) else EVERYTHING
    account, region, type_name, *retry = queue.removeprefix(prefix).split("/", 3)
    return Home(account, region), type_name, bool(retry)


def every_type(home: Home, types: Iterable[ResourceType], reason: str) -> list[OutboxRow]:
    """Look at everything there is: `reason` makes the rows unique."""
    return [
        OutboxRow(queue, f"{queue}/{reason}", Errand(ALL).body())
        for queue in (queue_of(EVERYTHING, home, declared.name) for declared in types)
    ]


class Trigger:
    """Follows the journal and fills the queues of what is to be looked at. Its cursor is in the store, since its
    effects are; it is committed with them, or after many entries without any. Going over entries again is harmless: the
    rows have the same ids."""

    name = "configuration"
    ledger = JOURNAL
    linger_seconds = 0.02

    def __init__(self, store: Store, touches: Touches, recorders: Recorders) -> None:
        self._store = store
        self._touches = touches
        self._recorders = recorders
        self.forget()

    def forget(self) -> None:
        """The store is another one, or empty."""
        self._position = self._committed = self._store.cursor(self.name)

    def cursor(self) -> int:
        return self._position

    def apply(self, entries: Sequence[Entry]) -> None:
        rows = list(self._rows(entries))
        last = entries[-1].position
        if rows or last - self._committed >= CURSOR_ENTRIES_MAX:
            self._store.commit(Commit(outbox=rows, cursors={self.name: last}))
            self._committed = last
        self._position = last

    def _rows(self, entries: Sequence[Entry]) -> Iterator[OutboxRow]:
        running = self._recorders.running()
        errands: dict[tuple[Home, str, str], Errand] = {}
        for entry in entries if running else ():
            record = _decode(entry.body)
            for touch in self._touches.of(record):
                for home in _homes(entry, record, touch.declared, running):
                    place = (home, touch.declared.name, touch.key)
                    errand = errands.setdefault(place, Errand(touch.key))
                    errand.cause = cause_of(record)
                    errand.events.append(record["eventID"])
        for (home, type_name, _), errand in errands.items():
            queue = queue_of(TOUCHED, home, type_name)
            yield OutboxRow(queue, f"{queue}/{entries[0].position}/{errand.key}", errand.body())


def _homes(entry: Entry, record: Record, declared: ResourceType, running: Mapping[Home, Any]) -> Iterator[Home]:
    """The recorders that record the type as it changes. What has no region, or whose region its list must tell, may
    concern those of every region of the account."""
    anywhere = declared.is_global or bool(declared.home) or record["eventName"] == RESTARTED
    for home, recorder in running.items():
        concerns = home.account == entry.account and (anywhere or home.region == entry.region)
        if concerns and records(recorder, declared) and frequency(recorder, declared.name) != DAILY:
            yield home


class Waiting:
    """What recorded calls have left to be looked at, up to this moment."""

    def __init__(self, store: Store, runner: Runner, trigger: Trigger) -> None:
        self._store = store
        self._runner = runner
        self._trigger = trigger

    def errands(self, home: Home, type_name: str) -> dict[str, Errand]:
        """The errands to single resources of a type that wait in its queue, by key."""
        self._runner.catch_up(self._trigger, self._store.head(JOURNAL))
        found: dict[str, Errand] = {}
        for row in self._store.outbox(queue_of(TOUCHED, home, type_name), WAITING_MAX):
            errand = read_errand(row)
            if errand.key != ALL:
                found.setdefault(errand.key, Errand(errand.key)).add(errand)
        return found
