"""What may be deleted at any time: followers' tables, each with its cursor in the same transaction.

`derived.db` is never the truth, so a commit does not wait for the disk; what a crash loses is followed again. It is
written in order all the same (WAL with `synchronous=NORMAL`): without, a power failure could leave a database that
opens and answers wrongly. https://www.sqlite.org/pragma.html#pragma_synchronous
"""

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from trailstate.stores.tables import Tables, opened

FILE_NAME = "derived.db"
SCHEMA_VERSION = 1


class Derived:
    """One database for all followers."""

    def __init__(self, directory: Path | None) -> None:
        """`directory` None keeps it in a temporary directory that goes with this object."""
        self._tables = Tables(directory, FILE_NAME, _open)
        self.path = self._tables.path

    def define(self, schema: str) -> None:
        """Make a follower's tables and indexes, where they are not there yet."""
        with self.transaction() as connection:
            for statement in schema.split(";"):
                connection.execute(statement)

    def connection(self) -> sqlite3.Connection:
        """This thread's connection for reading."""
        return self._tables.connection()

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """The writer's connection inside a transaction: all of it is kept, or none."""
        return self._tables.transaction()

    def cursor(self, name: str) -> int:
        """Where a follower stands; 0 before its first transaction."""
        row = self.connection().execute("SELECT position FROM cursor WHERE name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])

    def set_cursor(self, connection: sqlite3.Connection, name: str, position: int) -> None:
        """Move a follower's cursor inside its own transaction."""
        connection.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?)", (name, position))

    def erase(self) -> None:
        """Empty every table; followers begin anew."""
        self._tables.erase()

    def close(self) -> None:
        self._tables.close()


def _open(path: Path) -> sqlite3.Connection:
    """The database, made anew when it is damaged or of another version."""
    try:
        return _prepared(path)
    except sqlite3.DatabaseError:
        for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            name.unlink(missing_ok=True)
        return _prepared(path)


def _prepared(path: Path) -> sqlite3.Connection:
    connection = opened(path, "NORMAL")
    try:
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, SCHEMA_VERSION):
            raise sqlite3.DatabaseError(f"derived schema {found}")
        connection.execute("CREATE TABLE IF NOT EXISTS cursor (name TEXT PRIMARY KEY, position INTEGER NOT NULL)")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection
