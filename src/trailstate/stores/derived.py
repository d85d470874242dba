"""What may be deleted at any time: followers' tables, each with its cursor in the same transaction.

`derived.db` is never the truth, so a commit does not wait for the disk; what a crash loses is followed again. It is
written in order all the same (WAL with `synchronous=NORMAL`): without, a power failure could leave a database that
opens and answers wrongly. https://www.sqlite.org/pragma.html#pragma_synchronous
"""

import contextlib
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

FILE_NAME = "derived.db"
SCHEMA_VERSION = 1


class Derived:
    """One database for all followers: a connection per reading thread, one writer at a time."""

    def __init__(self, directory: Path | None) -> None:
        """`directory` None keeps it in a temporary directory that goes with this object."""
        self._temporary = tempfile.TemporaryDirectory(prefix="trailstate-derived-") if directory is None else None
        self.path = (directory or Path(self._temporary.name if self._temporary else "")) / FILE_NAME
        self._local = threading.local()
        self._writing = threading.RLock()
        self._connections: list[sqlite3.Connection] = []
        self._writer = _open(self.path)

    def connection(self) -> sqlite3.Connection:
        """This thread's connection for reading."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            found.execute("PRAGMA query_only = ON")
            self._local.connection = found
            self._connections.append(found)
        return found

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The writer's connection inside a transaction: all of it is kept, or none."""
        with self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    def cursor(self, name: str) -> int:
        """Where a follower stands; 0 before its first transaction."""
        row = self.connection().execute("SELECT position FROM cursor WHERE name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])

    def set_cursor(self, connection: sqlite3.Connection, name: str, position: int) -> None:
        """Move a follower's cursor inside its own transaction."""
        connection.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?)", (name, position))

    def erase(self) -> None:
        """Empty every table; followers begin anew."""
        with self.transaction() as connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in names:
                connection.execute(f'DELETE FROM "{name}"')  # noqa: S608 - names come from the database itself

    def close(self) -> None:
        for connection in (*self._connections, self._writer):
            connection.close()
        if self._temporary is not None:
            self._temporary.cleanup()


def _open(path: Path) -> sqlite3.Connection:
    """The database, made anew when it is damaged or of another version."""
    try:
        return _prepared(path)
    except sqlite3.DatabaseError:
        for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            name.unlink(missing_ok=True)
        return _prepared(path)


def _prepared(path: Path) -> sqlite3.Connection:
    if not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, SCHEMA_VERSION):
            raise sqlite3.DatabaseError(f"derived schema {found}")
        connection.execute("CREATE TABLE IF NOT EXISTS cursor (name TEXT PRIMARY KEY, position INTEGER NOT NULL)")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection
