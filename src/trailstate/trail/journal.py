"""The journal's lines: a record goes in exactly as it will be delivered, and an effect never stays without a trace.

A line's body is the record's JSON and nothing else; account and region of the line are the record's own
(`recipientAccountId`, `awsRegion`), so that calls to a global service stand where AWS files them.

Before a call may take effect its *intent* is committed: the record it would have if no answer ever came. The commit
of the real record settles it. After a crash the intents that are left become records by `unanswered`, which say in
`additionalEventData.outcome` what is known.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

import msgspec

from trailstate.stores.interface import JOURNAL, Append, Commit, Entry, Intent, Store
from trailstate.trail import record
from trailstate.wire.call import Failure, Outcome, WireResponse

_RECOVERY_GROUP = 500

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Fate(Enum):
    """What is known of a call whose answer was never recorded."""

    NOT_APPLIED = "not applied"
    UNKNOWN = "outcome unknown"


MESSAGES = {
    Fate.NOT_APPLIED: "The server stopped before it recorded an answer; the call has no lasting effect.",
    Fate.UNKNOWN: "The server stopped before it recorded an answer; whether the call took effect is not known.",
}


UNANSWERED = Outcome(
    WireResponse(503, ()),
    failure=Failure("ServiceUnavailable", MESSAGES[Fate.UNKNOWN], 503, quotes=False),
    notes={"outcome": Fate.UNKNOWN.value},
)
"""What an intent says became of its call."""


def line(event: Mapping[str, Any]) -> Append:
    """One record as a line of the journal."""
    return Append(JOURNAL, event["recipientAccountId"], event["awsRegion"], _encode(event))


def read(entry: Entry) -> dict[str, Any]:
    """The record on a line of the journal."""
    event: dict[str, Any] = _decode(entry.body)
    return event


def intent(begun: record.Draft) -> Intent:
    """What to commit before a call takes effect; its id is the call's event id."""
    call = begun.call
    return Intent(call.event_id, call.now, call.account, call.region, _encode(record.build_all(begun, UNANSWERED)))


def unanswered(left: Intent, fate: Fate) -> list[dict[str, Any]]:
    """The truthful records of a call that never got an answer: a failure, and what is known of its effect."""
    return [_with_fate(event, fate) for event in _decode(left.body)]


def _with_fate(event: dict[str, Any], fate: Fate) -> dict[str, Any]:
    additional = (event.get("additionalEventData") or {}) | {"outcome": fate.value}
    return event | {"errorMessage": MESSAGES[fate], "additionalEventData": additional}


class Journal:
    """The journal of one store. Safe from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def head(self) -> int:
        """The last durable position."""
        return self._store.head(JOURNAL)

    def append(self, events: Iterable[Mapping[str, Any]]) -> list[int]:
        """Make records durable and return their positions; StoreUnavailable when it cannot be done."""
        return self._store.commit(Commit(appends=[line(event) for event in events]))

    def at(self, position: int) -> dict[str, Any] | None:
        """The record at one position."""
        entry = self._store.entry(JOURNAL, position)
        return None if entry is None else read(entry)

    def settle_unanswered(self, fate: Fate) -> int:
        """At start, before the first call: turn every intent that a crash left into records. Returns how many calls."""
        left: Sequence[Intent] = self._store.intents()
        for first in range(0, len(left), _RECOVERY_GROUP):
            group = left[first : first + _RECOVERY_GROUP]
            lines = [line(event) for each in group for event in unanswered(each, fate)]
            self._store.commit(Commit(appends=lines, settled=[each.id for each in group]))
        return len(left)
