"""Reads a data directory without writing to it, beside the server that holds it or without one.

Connections are opened with SQLite's `mode=ro`: https://www.sqlite.org/uri.html#urimode
"""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from trailstate.stores import derived
from trailstate.stores.interface import Entry
from trailstate.stores.truth import FILE_NAME

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = "position, time, account, region, body"


class NothingRecorded(Exception):
    """The directory holds no journal; the message says what to do."""


class Reading:
    """The ledgers and derived tables of one directory, for one thread. What is committed meanwhile is seen too."""

    def __init__(self, directory: Path) -> None:
        path = directory / FILE_NAME
        if not path.is_file():
            raise NothingRecorded(
                f"There is no journal in '{directory}'. Start `trailstate up` there, or name another."
            )
        self._truth = _open(path)
        index = directory / derived.FILE_NAME
        self._derived = _usable(_open(index)) if index.is_file() else None

    def read(self, ledger: str, after: int, limit: int) -> list[Entry]:
        """The entries after a position, oldest first, at most `limit`."""
        query = f"SELECT {_COLUMNS} FROM entry WHERE ledger = ? AND position > ? ORDER BY position LIMIT ?"  # noqa: S608
        return [_entry(*row) for row in self._truth.execute(query, (ledger, after, limit))]

    def entry(self, ledger: str, position: int) -> Entry | None:
        """The entry at one position."""
        query = f"SELECT {_COLUMNS} FROM entry WHERE ledger = ? AND position = ?"  # noqa: S608
        row = self._truth.execute(query, (ledger, position)).fetchone()
        return None if row is None else _entry(*row)

    def head(self, ledger: str) -> int:
        """The last durable position; 0 for an empty ledger."""
        row = self._truth.execute("SELECT max(position) FROM entry WHERE ledger = ?", (ledger,)).fetchone()
        return int(row[0] or 0)

    def connection(self) -> sqlite3.Connection:
        """The derived tables; only for who asked `cursor` first and got more than 0."""
        assert self._derived is not None, "there are no derived tables; ask the cursor first"
        return self._derived

    def cursor(self, name: str) -> int:
        """Where a follower's tables stand; 0 when there are none, and all is to be read from the ledger."""
        if self._derived is None:
            return 0
        known = self._derived.execute("SELECT 1 FROM sqlite_master WHERE name = 'cursor'").fetchone()
        row = known and self._derived.execute("SELECT position FROM cursor WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        self._truth.close()
        if self._derived is not None:
            self._derived.close()


def _usable(connection: sqlite3.Connection) -> sqlite3.Connection | None:
    """The derived tables, unless they are damaged: then everything is read from the journal."""
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError:
        connection.close()
        return None
    return connection


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True, isolation_level=None)


def _entry(position: int, microseconds: int, account: str, region: str, body: bytes) -> Entry:
    return Entry(position, EPOCH + timedelta(microseconds=microseconds), account, region, body)
