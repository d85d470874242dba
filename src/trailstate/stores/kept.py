"""Tables that are a truth of their own beside the ledgers: log events and metric data, which grow and are let go again.

Durable like `truth.db` (WAL, `synchronous=FULL`), and never made anew by itself: what is damaged is refused.
https://www.sqlite.org/pragma.html#pragma_synchronous
"""

import contextlib
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from trailstate.stores.interface import StoreUnavailable


class Kept:
    """One database: a connection per reading thread, one writer at a time."""

    def __init__(self, directory: Path | None, name: str, schema: str) -> None:
        """`directory` None keeps it in a temporary directory that goes with this object."""
        self._temporary = tempfile.TemporaryDirectory(prefix="trailstate-kept-") if directory is None else None
        self.path = (directory or Path(self._temporary.name if self._temporary else "")) / name
        self._synchronous = "FULL" if directory is not None else "OFF"
        self._local = threading.local()
        self._writing = threading.RLock()
        self._connections: list[sqlite3.Connection] = []
        self._writer = self._open(schema)

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
        """The writer's connection inside a transaction: all of it is durable on leaving, or nothing is kept."""
        with self._writing:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield self._writer
                except BaseException:
                    self._writer.execute("ROLLBACK")
                    raise
                self._writer.execute("COMMIT")
            except sqlite3.OperationalError as error:
                raise StoreUnavailable(f"{self.path} cannot be written: {error}") from error

    def erase(self) -> None:
        """Empty every table."""
        with self.transaction() as connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in names:
                connection.execute(f'DELETE FROM "{name}"')  # noqa: S608 - names come from the database itself

    def close(self) -> None:
        for connection in (*self._connections, self._writer):
            connection.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def _open(self, schema: str) -> sqlite3.Connection:
        if not self.path.exists():
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600))
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.executescript(schema)
        except sqlite3.DatabaseError as error:
            connection.close()
            raise StoreUnavailable(f"{self.path} cannot be opened: {error}") from error
        return connection
