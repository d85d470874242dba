"""The index of a segment of records: every value that LookupEvents finds a record by, as `trail.history` reads them.

It says no more of a record than the event history does of a live one, and is made from the segment alone.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from trailstate.lake.columns import document
from trailstate.lake.postings import Part, written
from trailstate.trail.archive import Attribute
from trailstate.trail.history import ANY, attributes, belongs, key_of
from trailstate.trail.mentions import mentions

if TYPE_CHECKING:
    import pyarrow.parquet as pq

BATCH_ROWS = 8192
_IDS = ("eventID", "eventTime", "requestID")
_FACTS = ("recipientAccountId", "awsRegion", "eventName", "eventSource", "readOnly", "eventCategory", "userIdentity")
_DOCUMENTS = ("requestParameters", "responseElements", "resources")
COLUMNS = ("time", *_IDS, *_FACTS, *_DOCUMENTS, "extra")
"""What a record is found by."""

_HASH = 0xFFFFFFFF


def index_of(file: "pq.ParquetFile") -> bytes:
    """The index of a segment."""
    parts: list[Part] = []
    scopes: set[tuple[str, str]] = set()
    for number, row in enumerate(_rows(file)):
        time, event_id, event_time, request_id, account, region, name = row[:7]
        if not parts or not parts[-1].has_room(time):
            parts.append(Part(number, time))
        scope = account or "", region or ""
        keys = _keys(row)
        if keys:
            scopes.add(scope)
        id_ = id_of(*scope, event_id, event_time, request_id, name)
        parts[-1].add(time, id_, keys, is_listed=bool(keys and event_id))
    return written(parts, sorted(scopes))


def id_of(
    account: str, region: str, event_id: str | None, event_time: str | None, request_id: str | None, name: str | None
) -> int:
    """A number for the record itself, by its eventID; by what it says, where it is too old to have one."""
    own = event_id or f"{event_time}\0{name}\0{request_id}"
    return key_for(account, region, ("EventId", own))


def key_for(account: str, region: str, attribute: Attribute) -> int:
    """The key of an attribute's value in an index."""
    return key_of(account, region, attribute) & _HASH


def _rows(file: "pq.ParquetFile") -> Iterator[tuple[Any, ...]]:
    for batch in file.iter_batches(BATCH_ROWS, columns=list(COLUMNS)):
        yield from zip(*(batch.column(name).to_pylist() for name in COLUMNS), strict=True)


def _keys(row: tuple[Any, ...]) -> Sequence[int]:
    """The keys of every attribute but the id; none for a record that is not in the event history."""
    facts, documents, extra = row[4:11], row[11:14], row[14]
    if extra is not None:
        return _keys_of_odd(facts, documents, extra)
    usual = _usual_keys(*facts)
    return [*usual, *_resource_keys(*facts[:4], *documents)] if usual else ()


def _keys_of_odd(facts: tuple[Any, ...], documents: tuple[Any, ...], extra: str) -> Sequence[int]:
    """Those of a record with members of another type than usual."""
    account, region = facts[0] or "", facts[1] or ""
    record = _record(_FACTS, facts) | document(extra)
    record |= {name: _said(text) for name, text in zip(_DOCUMENTS, documents, strict=True)}
    usual = _keys_of(account, region, record)
    return [*usual, *_keys_of_resources(account, region, record)] if usual else ()


@lru_cache(maxsize=65_536)
def _usual_keys(account: str | None, region: str | None, *facts: Any) -> tuple[int, ...]:
    """Of what many records have in common."""
    return _keys_of(account or "", region or "", _record(_FACTS[2:], facts))


def _record(names: Sequence[str], facts: Sequence[Any]) -> dict[str, Any]:
    """What is not there is left out, as in the record itself."""
    found = {name: value for name, value in zip(names, facts, strict=True) if value is not None}
    return found | {"userIdentity": _said(found.get("userIdentity"))}


@lru_cache(maxsize=8192)
def _resource_keys(
    account: str | None, region: str | None, name: str | None, source: str | None, *documents: str | None
) -> Sequence[int]:
    """Reading calls are often repeated to the letter."""
    record = {"eventName": name, "eventSource": source}
    record |= {each: _said(text) for each, text in zip(_DOCUMENTS, documents, strict=True) if text and text != "null"}
    return _keys_of_resources(account or "", region or "", record)


def _keys_of_resources(account: str, region: str, record: dict[str, Any]) -> Sequence[int]:
    found = mentions(record)
    kinds = dict.fromkeys(("ResourceType", kind) for kind, _ in found)
    return [key_for(account, region, each) for each in (*kinds, *(("ResourceName", name) for _, name in found))]


def _keys_of(account: str, region: str, record: dict[str, Any]) -> tuple[int, ...]:
    if not belongs(record):
        return ()
    found = [ANY, *(each for each in attributes(record) if each[0] != "EventId")]
    return tuple(key_for(account, region, each) for each in found)


def _said(text: str | None) -> Any:
    return None if text is None else document(text)
