"""The event history: every management event of the last 90 days, found by any of LookupEvents' eight attributes.

Follows "LookupEvents" in the CloudTrail API reference: one account, one region, newest first, exact values.

The index is one table of postings, (day, key, time, position). The key is a 48-bit hash of account, region, attribute
and value, so a posting is about 20 bytes whatever the value. Applications' own events are indexed under keys of their
own: LookupEvents never meets them, the operator's search does. The day comes first, so that writing touches only the
newest part of the tree however rare the values are, and so that a time range skips what lies outside it; a look-up
walks the days backward, a seek each. Hashes may collide and nothing depends on that they do not: each record found is
held against the question again. Everything here can be deleted and is then followed anew from the journal.
"""

import itertools
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any, Protocol

import msgspec

from trailstate.follow import Runner
from trailstate.follow.tables import TablesFollower, Write
from trailstate.stores.derived import Derived
from trailstate.stores.interface import JOURNAL, Entry, Store
from trailstate.trail.archive import Archive, Attribute, Found, Place, Window, merged
from trailstate.trail.attributes import ATTRIBUTES, attributes, has_all, is_searched
from trailstate.trail.audit import EVENT_CATEGORY, is_audit
from trailstate.values.timestamp import epoch_seconds

WINDOW = timedelta(days=90)
CATCH_UP_SECONDS = 1.0
_DAY_SECONDS = 86_400
_KEY_BYTES = 6
_KEY_SIGN = 1 << (8 * _KEY_BYTES - 1)
_ANY = ("", "")
_decode = msgspec.json.Decoder().decode

POSTINGS_AT_ONCE = 128
_Row = tuple[int, int, int, int]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS history_posting (
  day INTEGER, key INTEGER, time INTEGER, position INTEGER, PRIMARY KEY (day, key, time, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history_day (day INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS history_scope (account TEXT, region TEXT, PRIMARY KEY (account, region)) WITHOUT ROWID
"""


class Lines(Protocol):
    """What reading needs of a store."""

    def read(self, ledger: str, after: int, limit: int) -> list[Entry]: ...
    def entry(self, ledger: str, position: int) -> Entry | None: ...
    def head(self, ledger: str) -> int: ...


class Tables(Protocol):
    """What reading needs of derived tables."""

    def connection(self) -> Any: ...
    def cursor(self, name: str) -> int: ...


def place_of(entry: Entry, record: Mapping[str, Any]) -> Place:
    """By the event's own time; a record without a readable one stands where the journal took it in."""
    try:
        return Place(epoch_seconds(record["eventTime"]), entry.position)
    except (KeyError, TypeError, ValueError):
        return Place(int(entry.time.timestamp()), entry.position)


# ---- the index ----


FOLLOWER = "history"
LINGER_SECONDS = 0.25
"""A transaction per call would cost as much as recording the call; look-ups catch up first."""


def _read(entries: Sequence[Entry]) -> Write:
    """A batch as rows of the index."""
    rows = sorted([row for entry in entries for row in _postings(entry)])
    days = sorted({(row[0],) for row in rows})
    scopes = sorted({(entry.account, entry.region) for entry in entries})

    def write(connection: sqlite3.Connection) -> None:
        for chunk in _chunks(rows, POSTINGS_AT_ONCE):
            connection.execute(_insert(len(chunk)), [value for row in chunk for value in row])
        connection.executemany("INSERT OR IGNORE INTO history_day VALUES (?)", days)
        connection.executemany("INSERT OR IGNORE INTO history_scope VALUES (?, ?)", scopes)

    return write


@cache
def _insert(count: int) -> str:
    """One statement for many rows: the interpreter's lock is given up at each, and callers take it meanwhile."""
    return f"INSERT OR IGNORE INTO history_posting VALUES {', '.join(['(?, ?, ?, ?)'] * count)}"  # noqa: S608 - constants


def _chunks(rows: Sequence[_Row], size: int) -> Iterator[Sequence[_Row]]:
    return (rows[first : first + size] for first in range(0, len(rows), size))


def _postings(entry: Entry) -> Iterator[_Row]:
    record = _decode(entry.body)
    if not is_searched(record):
        return
    region = audited(entry.region) if is_audit(record) else entry.region
    time, position = place_of(entry, record)
    for attribute in (_ANY, *attributes(record)):
        yield time // _DAY_SECONDS, _key(entry.account, region, attribute), time, position


def audited(region: str) -> str:
    """What stands for the region in the keys of applications' own events."""
    return f"{region}/{EVENT_CATEGORY}"


def _key(account: str, region: str, attribute: Attribute) -> int:
    if attribute[0] == "EventId":  # never met twice, so not worth a place in the cache
        return _hash(account, region, attribute)
    return _cached_hash(account, region, attribute)


def _hash(account: str, region: str, attribute: Attribute) -> int:
    text = "\x00".join((account, region, *attribute)).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=_KEY_BYTES).digest(), "big") - _KEY_SIGN


_cached_hash = lru_cache(maxsize=32_768)(_hash)


class Index:
    """Reads the index. Safe from any thread, while it is written too."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def cursor(self) -> int:
        """The last position of the journal that the index holds."""
        return self._tables.cursor(FOLLOWER)

    def scopes(self) -> list[tuple[str, str]]:
        """Every account and region that has events."""
        rows = self._tables.connection().execute("SELECT account, region FROM history_scope ORDER BY account, region")
        return [(account, region) for account, region in rows]

    def places(
        self, account: str, region: str, wanted: Sequence[Attribute], window: Window, before: Place | None = None
    ) -> Iterator[Place]:
        """Where records with all wanted attributes may stand, newest first; those hold who hold against the record."""
        ordered = sorted(wanted, key=lambda attribute: ATTRIBUTES.index(attribute[0])) or [_ANY]
        first, *others = (_key(account, region, attribute) for attribute in ordered)
        time, position = before or Place(window.last + 1, 0)
        also = "".join(
            " AND EXISTS (SELECT 1 FROM history_posting AS q WHERE q.day = p.day AND q.key = ?"
            " AND q.time = p.time AND q.position = p.position)"
            for _ in others
        )
        query = (
            "SELECT time, position FROM history_posting AS p WHERE day = ? AND key = ? AND time >= ?"  # noqa: S608
            f" AND (time, position) < (?, ?){also} ORDER BY time DESC, position DESC"
        )
        for day in self._days(window.first, min(time, window.last)):
            rows = self._tables.connection().execute(query, (day, first, window.first, time, position, *others))
            yield from map(Place._make, rows)

    def holds(self, account: str, region: str, found: Found) -> bool:
        """Whether an archived record is one of the journal's too."""
        event_id, time = found.record.get("eventID"), found.place.time
        if not isinstance(event_id, str) or not self.cursor():
            return False
        return any(self.places(account, region, [("EventId", event_id)], Window(time, time)))

    def _days(self, first: int, last: int) -> list[int]:
        rows = self._tables.connection().execute(
            "SELECT day FROM history_day WHERE day BETWEEN ? AND ? ORDER BY day DESC",
            (first // _DAY_SECONDS, last // _DAY_SECONDS),
        )
        return [day for (day,) in rows]


def scope_of(record: Mapping[str, Any]) -> tuple[str, str]:
    """The account and region in whose history an archived record is."""
    return str(record.get("recipientAccountId") or ""), str(record.get("awsRegion") or "")


def fetch(lines: Lines, place: Place, wanted: Sequence[Attribute] = ()) -> Found | None:
    """The record at a place, if it is there and has the attributes."""
    entry = lines.entry(JOURNAL, place.position)
    if entry is None:
        return None
    record = _decode(entry.body)
    return Found(place, record, entry.body) if wanted == () or has_all(record, wanted) else None


class History:
    """The event history of a running house."""

    def __init__(self, store: Store, derived: Derived, runner: Runner) -> None:
        self.follower = TablesFollower(derived, FOLLOWER, JOURNAL, _SCHEMA, _read, linger_seconds=LINGER_SECONDS)
        self.index = Index(derived)
        self.archive: Archive | None = None
        """Records from before the journal, where there are any."""
        self._lines: Lines = store
        self._runner = runner

    def catch_up(self) -> bool:
        """Take in what the journal holds by now, within a second; whether it all came in."""
        return self._runner.catch_up(self.follower, self._lines.head(JOURNAL), CATCH_UP_SECONDS)

    def page(
        self,
        account: str,
        region: str,
        attribute: Attribute | None,
        window: Window,
        *,
        limit: int,
        before: Place | None = None,
    ) -> tuple[list[Found], bool]:
        """At most `limit` records after a place, newest first, and whether there are more."""
        wanted = () if attribute is None else (attribute,)
        places = self.index.places(account, region, wanted, window, before)
        met: Iterator[Found] = (each for place in places if (each := fetch(self._lines, place, wanted)) is not None)
        if self.archive is not None:
            met = self._with_archive(self.archive, met, (account, region), wanted, window, before, limit + 1)
        found = list(itertools.islice(met, limit + 1))
        return found[:limit], len(found) > limit

    def _with_archive(
        self,
        archive: Archive,
        live: Iterator[Found],
        scope: tuple[str, str],
        wanted: Sequence[Attribute],
        window: Window,
        before: Place | None,
        chunk: int,
    ) -> Iterator[Found]:
        """The journal's records and the archive's, those of both once."""

        def answers(found: Found) -> bool:
            is_asked_for = scope_of(found.record) == scope and has_all(found.record, wanted)
            return is_asked_for and not self.index.holds(*scope, found)

        spots = archive.spots(lambda *each: each == scope, wanted, window, before)
        return merged(live, spots, archive, answers, chunk)


def window_of(start: datetime | None, end: datetime | None, now: datetime) -> Window:
    """The seconds a look-up covers: what was asked for, within the last 90 days."""
    oldest = _ceiling(now - WINDOW)
    # Without an end nothing new is left out, not even events of a clock that ran ahead and was set back.
    first = oldest if start is None else max(oldest, _ceiling(start))
    return Window(first, int((now + WINDOW if end is None else end).timestamp()))


def _ceiling(moment: datetime) -> int:
    return -int(-moment.timestamp() // 1)
