"""The operator's search: events of all accounts and regions, many attributes at once, newest first or as they come.

Unlike LookupEvents it is bound to no account, no region and no 90 days. It takes what the index of the event history
knows and what the archive knows of imported records, and reads the rest, the journal's tail, itself; so it works on the
files of a running or a stopped server and writes nothing. It holds at most `limit` records of the tail, one page of the
journal and one chunk of the archive in memory.
"""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from trailstate.stores.interface import JOURNAL, Entry
from trailstate.trail.archive import CHUNK_MAX, Archive, Attribute, Found, Place, Window, merged
from trailstate.trail.attributes import ATTRIBUTES, has_all, is_searched
from trailstate.trail.audit import told
from trailstate.trail.history import Index, Lines, Tables, audited, fetch, place_of, scope_of

LIMIT = 50
PAGE_ENTRIES = 1000
_FAR = 1 << 40

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Question:
    """What to find; all of it must hold."""

    attributes: tuple[Attribute, ...] = ()
    """Of the eight attributes of LookupEvents, exact values."""
    members: tuple[tuple[str, str], ...] = ()
    """Members of the record itself, exact: `("errorCode", "AccessDenied")`, `("sourceIPAddress", "203.0.113.7")`."""
    accounts: frozenset[str] = frozenset()
    """Empty for all; regions likewise."""
    regions: frozenset[str] = frozenset()
    start: datetime | None = None
    end: datetime | None = None
    text: str = ""
    """Anywhere in the record's JSON, in any case."""
    limit: int = LIMIT

    def __post_init__(self) -> None:
        unknown = [name for name, _ in self.attributes if name not in ATTRIBUTES]
        if unknown:
            raise ValueError(f"'{unknown[0]}' is no attribute of the event history; it has {', '.join(ATTRIBUTES)}")

    @property
    def window(self) -> Window:
        first = -_FAR if self.start is None else -int(-self.start.timestamp() // 1)
        return Window(first, _FAR if self.end is None else int(self.end.timestamp()))


class NoJournal:
    """`Lines` and `Tables` of a directory that only imports ever filled."""

    def read(self, ledger: str, after: int, limit: int) -> list[Entry]:  # noqa: ARG002
        return []

    def entry(self, ledger: str, position: int) -> Entry | None:  # noqa: ARG002
        return None

    def head(self, ledger: str) -> int:  # noqa: ARG002
        return 0

    def cursor(self, name: str) -> int:  # noqa: ARG002
        return 0

    def connection(self) -> Any:
        raise AssertionError("there are no derived tables; ask the cursor first")


def newest(lines: Lines, tables: Tables, question: Question, archive: Archive | None = None) -> Iterator[Found]:
    """What answers the question, newest first, at most its limit; read as it is asked for."""
    head, index = lines.head(JOURNAL), Index(tables)
    indexed = min(index.cursor(), head)
    tail = _newest_of_tail(lines, question, indexed, head)
    known = _known(lines, index, question, indexed)
    if archive is not None:
        known = _with_archive(known, archive, index, question, {_identity(each) for each in tail})
    return islice(heapq.merge(tail, known, key=_by_place, reverse=True), question.limit)


def arrived(lines: Lines, question: Question, after: int) -> tuple[list[Found], int]:
    """What came into the journal after a position, oldest first, and the position to ask from next time.

    One page of the journal at a time: ask again at once while the position moves.
    """
    entries = lines.read(JOURNAL, after, PAGE_ENTRIES)
    met = (_answer(entry, question) for entry in entries)
    return [found for found in met if found is not None], entries[-1].position if entries else after


def _by_place(found: Found) -> Place:
    return found.place


def _known(lines: Lines, index: Index, question: Question, indexed: int) -> Iterator[Found]:
    """What the index finds, up to the position at which the tail begins."""
    each_scope = [
        index.places(account, indexed_as, question.attributes, question.window)
        for account, region in (index.scopes() if indexed else ())
        if _in_scope(question, account, region)
        for indexed_as in (region, audited(region))
    ]
    for place in heapq.merge(*each_scope, reverse=True):
        found = fetch(lines, place, question.attributes) if place.position <= indexed else None
        if found is not None and _holds(question, found.record, found.body):
            yield found


def _with_archive(
    live: Iterator[Found], archive: Archive, index: Index, question: Question, tail: set[tuple[str, Any]]
) -> Iterator[Found]:
    """What the index finds and what the archive holds."""

    def answers(found: Found) -> bool:
        scope = scope_of(found.record)
        return (
            _in_scope(question, *scope)
            and has_all(found.record, question.attributes)
            and _holds(question, found.record, found.body)
            and _identity(found) not in tail
            and not index.holds(*scope, found)
        )

    def in_scope(account: str, region: str) -> bool:
        return _in_scope(question, account, region)

    spots = archive.spots(in_scope, question.attributes, question.window)
    return merged(live, spots, archive, answers, chunk=min(question.limit + 1, CHUNK_MAX))


def _identity(found: Found) -> tuple[str, Any]:
    return scope_of(found.record)[0], found.record.get("eventID")


def _newest_of_tail(lines: Lines, question: Question, after: int, head: int) -> list[Found]:
    kept: list[tuple[Place, Found]] = []
    while after < head:
        entries = lines.read(JOURNAL, after, min(PAGE_ENTRIES, head - after))
        if not entries:
            break
        after = entries[-1].position
        for entry in entries:
            found = _answer(entry, question)
            if found is not None:
                heapq.heappush(kept, (found.place, found))
            if len(kept) > question.limit:
                heapq.heappop(kept)
    return [found for _, found in sorted(kept, key=lambda pair: pair[0], reverse=True)]


def _answer(entry: Entry, question: Question) -> Found | None:
    """The entry, if it answers the question; for those the index does not have."""
    if not _in_scope(question, entry.account, entry.region):
        return None
    record = _decode(entry.body)
    place, window = place_of(entry, record), question.window
    fits = is_searched(record) and window.first <= place.time <= window.last and has_all(record, question.attributes)
    return Found(place, record, entry.body) if fits and _holds(question, record, entry.body) else None


def _in_scope(question: Question, account: str, region: str) -> bool:
    return (not question.accounts or account in question.accounts) and (
        not question.regions or region in question.regions
    )


def _holds(question: Question, record: Mapping[str, Any], body: bytes) -> bool:
    """The part of the question that no index helps with."""
    said = told(record)
    if any(said.get(name) != value for name, value in question.members):
        return False
    return not question.text or question.text.casefold() in body.decode().casefold()
