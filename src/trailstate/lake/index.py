"""The index of a segment of records: every value that LookupEvents finds a record by, as `trail.history` reads them.

It says no more of a record than the event history does of a live one, and is made from the segment alone.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from trailstate.lake.columns import document
from trailstate.lake.postings import FURTHER, Part, written
from trailstate.trail.archive import Attribute
from trailstate.trail.attributes import attributes, belongs
from trailstate.trail.mentions import mentions

if TYPE_CHECKING:
    import pyarrow.parquet as pq

BATCH_ROWS = 8192
_IDS = ("eventID", "eventTime", "requestID")
_SCOPE = ("recipientAccountId", "awsRegion")
_FACTS = ("eventName", "eventSource", "readOnly", "eventCategory", "userIdentity")
_DOCUMENTS = ("requestParameters", "responseElements", "resources")
ANY = ("", "")
COLUMNS = ("time", *_IDS, *_SCOPE, *_FACTS, *_DOCUMENTS, "extra")
"""What a record is found by."""


def index_of(file: "pq.ParquetFile") -> bytes:
    """The index of a segment."""
    parts: list[Part] = []
    scopes: dict[tuple[str, str], int] = {}
    for number, row in enumerate(_rows(file)):
        time, event_id, event_time, request_id, account, region, name = row[:7]
        if not parts or not parts[-1].has_room(time):
            parts.append(Part(number, time))
        keys = _keys(row)
        scope = scopes.setdefault((account or "", region or ""), min(len(scopes), FURTHER)) if keys else 0
        id_ = key_of(("EventId", event_id or f"{event_time}\0{name}\0{request_id}"))
        parts[-1].add(time, id_, scope, keys, is_listed=bool(keys and event_id))
    return written(parts, list(scopes))


def key_of(attribute: Attribute) -> int:
    """The key of an attribute's value; of ANY: of every record."""
    text = "\0".join(attribute).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=4).digest(), "big")


_cached_key_of = lru_cache(maxsize=32_768)(key_of)


def _rows(file: "pq.ParquetFile") -> Iterator[tuple[Any, ...]]:
    for batch in file.iter_batches(BATCH_ROWS, columns=list(COLUMNS)):
        yield from zip(*(batch.column(name).to_pylist() for name in COLUMNS), strict=True)


def _keys(row: tuple[Any, ...]) -> Sequence[int]:
    """The keys of every attribute but the id; none for a record that is not in the event history."""
    facts, documents, extra = row[6:11], row[11:14], row[14]
    if extra is not None:
        return _keys_of_odd(facts, documents, extra)
    usual = _usual_keys(*facts)
    return [*usual, *_resource_keys(*facts[:2], *documents)] if usual else ()


def _keys_of_odd(facts: tuple[Any, ...], documents: tuple[Any, ...], extra: str) -> Sequence[int]:
    """Those of a record with members of another type than usual."""
    record = _record(_FACTS, facts) | document(extra)
    record |= {name: _said(text) for name, text in zip(_DOCUMENTS, documents, strict=True)}
    usual = _keys_of(record)
    return [*usual, *_keys_of_resources(record)] if usual else ()


@lru_cache(maxsize=65_536)
def _usual_keys(*facts: Any) -> tuple[int, ...]:
    """Of what many records have in common."""
    return _keys_of(_record(_FACTS, facts))


def _record(names: Sequence[str], facts: Sequence[Any]) -> dict[str, Any]:
    """What is not there is left out, as in the record itself."""
    found = {name: value for name, value in zip(names, facts, strict=True) if value is not None}
    return found | {"userIdentity": _said(found.get("userIdentity"))}


@lru_cache(maxsize=8192)
def _resource_keys(name: str | None, source: str | None, *documents: str | None) -> Sequence[int]:
    """Reading calls are often repeated to the letter."""
    record = {"eventName": name, "eventSource": source}
    record |= {each: _said(text) for each, text in zip(_DOCUMENTS, documents, strict=True) if text and text != "null"}
    return _keys_of_resources(record)


def _keys_of_resources(record: dict[str, Any]) -> Sequence[int]:
    found = mentions(record)
    kinds = dict.fromkeys(("ResourceType", kind) for kind, _ in found)
    return [_cached_key_of(each) for each in (*kinds, *(("ResourceName", name) for _, name in found))]


def _keys_of(record: dict[str, Any]) -> tuple[int, ...]:
    if not belongs(record):
        return ()
    return tuple(map(key_of, (ANY, *(each for each in attributes(record) if each[0] != "EventId"))))


def _said(text: str | None) -> Any:
    return None if text is None else document(text)
