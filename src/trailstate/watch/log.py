"""Log events: what streams hold, in the order of time, until their group's retention lets them go.

CloudWatch Logs API reference: PutLogEvents, GetLogEvents, FilterLogEvents. Groups and streams are documents of the
Shelf; their events stand here, under the id that a group gets when it is made, so that a group of the same name made
later never shows what an earlier one held. Times are milliseconds since 1970.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from trailstate.stores.kept import Kept

SCHEMA = """
CREATE TABLE IF NOT EXISTS log_stream (
  id INTEGER PRIMARY KEY, log_group TEXT NOT NULL, name TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  ingested INTEGER NOT NULL, bytes INTEGER NOT NULL, UNIQUE (log_group, name));
CREATE TABLE IF NOT EXISTS log_event (
  log_group TEXT NOT NULL, time INTEGER NOT NULL, number INTEGER NOT NULL, stream INTEGER NOT NULL,
  ingested INTEGER NOT NULL, message TEXT NOT NULL, PRIMARY KEY (log_group, time, number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS log_event_of_stream ON log_event (stream, time, number);
CREATE TABLE IF NOT EXISTS log_row (queue TEXT PRIMARY KEY, id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS log_number (only INTEGER PRIMARY KEY CHECK (only = 1), last INTEGER NOT NULL);
"""
EVENT_OVERHEAD_BYTES = 26
RETAINED_MAX_MS = 1 << 62
DELETED_AT_ONCE = 10_000


class Place(NamedTuple):
    """Where an event stands: its time, then its number in the order of arrival."""

    time: int
    number: int


BEFORE_ALL = Place(-1, -1)
AFTER_ALL = Place(RETAINED_MAX_MS, 0)


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event as it is kept; `ingested` is when it came, its place begins with when it happened."""

    place: Place
    stream: str
    ingested: int
    message: str

    @property
    def id(self) -> str:
        """AWS's ids of events are 56 digits."""
        return f"{self.place.time:013d}{self.place.number:043d}"


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What a stream's description says of its events."""

    first: int
    last: int
    ingested: int


Arriving = Sequence[tuple[int, str]]
"""Time and message of each event."""


class LogEvents:
    """The events of every group, by the group's id. What takes a connection is part of its caller's transaction."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def is_kept(self, queue: str, row: str) -> bool:
        """Whether the row was the last one kept of its queue."""
        return (
            self._kept.connection().execute("SELECT 1 FROM log_row WHERE queue = ? AND id = ?", (queue, row)).fetchone()
            is not None
        )

    def note(self, connection: sqlite3.Connection, queue: str, row: str) -> None:
        """Inside a transaction: remember that the row's effect is in it."""
        connection.execute("INSERT OR REPLACE INTO log_row VALUES (?, ?)", (queue, row))

    def add(self, connection: sqlite3.Connection, group: str, stream: str, events: Arriving, ingested: int) -> None:
        """Inside a transaction: keep events of one stream."""
        number = self._number(connection, len(events))
        times = [time for time, _ in events]
        size = sum(len(message.encode()) + EVENT_OVERHEAD_BYTES for _, message in events)
        (identity,) = connection.execute(
            "INSERT INTO log_stream (log_group, name, first, last, ingested, bytes) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (log_group, name) DO UPDATE SET first = min(first, excluded.first),"
            " last = max(last, excluded.last), ingested = excluded.ingested, bytes = bytes + excluded.bytes"
            " RETURNING id",
            (group, stream, min(times), max(times), ingested, size),
        ).fetchone()
        rows = [(group, time, number + each, identity, ingested, text) for each, (time, text) in enumerate(events)]
        connection.executemany("INSERT INTO log_event VALUES (?, ?, ?, ?, ?, ?)", rows)

    def drop(self, connection: sqlite3.Connection, group: str, stream: str | None = None) -> None:
        """Inside a transaction: forget a group, or one stream of it."""
        if stream is None:
            connection.execute("DELETE FROM log_event WHERE log_group = ?", (group,))
            connection.execute("DELETE FROM log_stream WHERE log_group = ?", (group,))
            return
        found = connection.execute(
            "DELETE FROM log_stream WHERE log_group = ? AND name = ? RETURNING id", (group, stream)
        ).fetchone()
        if found is not None:
            connection.execute("DELETE FROM log_event WHERE stream = ?", found)

    def expire(self, group: str, before: int) -> int:
        """Let go what is older than a time; how many events."""
        gone = 0
        while True:
            with self._kept.transaction() as connection:
                cursor = connection.execute(
                    "DELETE FROM log_event WHERE log_group = ? AND (time, number) IN"
                    " (SELECT time, number FROM log_event WHERE log_group = ? AND time < ? LIMIT ?)",
                    (group, group, before, DELETED_AT_ONCE),
                )
            gone += cursor.rowcount
            if cursor.rowcount < DELETED_AT_ONCE:
                return gone

    def streams(self, group: str) -> Mapping[str, StreamFacts]:
        """The facts of each stream that ever had an event, by its name."""
        rows = self._kept.connection().execute(
            "SELECT name, first, last, ingested FROM log_stream WHERE log_group = ?", (group,)
        )
        return {name: StreamFacts(first, last, ingested) for name, first, last, ingested in rows}

    def stored_bytes(self, group: str) -> int:
        """Of every event ever put into streams that are there, by AWS's measure; what retention let go still counts."""
        (found,) = (
            self._kept.connection()
            .execute("SELECT coalesce(sum(bytes), 0) FROM log_stream WHERE log_group = ?", (group,))
            .fetchone()
        )
        return int(found)

    def page(
        self, group: str, stream: str | None, first: Place, last: Place, limit: int, *, backward: bool = False
    ) -> list[LogEvent]:
        """Events strictly between two places, in order; `backward`: those next to `last`."""
        way = "DESC" if backward else "ASC"
        named = (
            "e.log_group = ?"
            if stream is None
            else "e.stream = (SELECT id FROM log_stream WHERE log_group = ? AND name = ?)"
        )
        owner = (group,) if stream is None else (group, stream)
        rows = self._kept.connection().execute(
            "SELECT e.time, e.number, s.name, e.ingested, e.message"  # noqa: S608 - fixed words
            " FROM log_event e JOIN log_stream s ON s.id = e.stream"
            f" WHERE {named} AND (e.time, e.number) > (?, ?) AND (e.time, e.number) < (?, ?)"
            f" ORDER BY e.time {way}, e.number {way} LIMIT ?",
            (*owner, *first, *last, limit),
        )
        found = [LogEvent(Place(time, number), name, ingested, text) for time, number, name, ingested, text in rows]
        return found[::-1] if backward else found

    def walk(self, group: str, first: Place, last: Place, batch: int = 1000) -> Iterator[LogEvent]:
        """Events strictly between two places, oldest first."""
        while found := self.page(group, None, first, last, batch):
            yield from found
            first = found[-1].place

    @staticmethod
    def _number(connection: sqlite3.Connection, count: int) -> int:
        """The first of so many fresh numbers."""
        (last,) = connection.execute(
            "INSERT INTO log_number VALUES (1, ?) ON CONFLICT (only) DO UPDATE SET last = last + excluded.last"
            " RETURNING last",
            (count,),
        ).fetchone()
        return int(last) - count + 1
