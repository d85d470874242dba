"""One SQLite database of tables: a connection per reading thread, one writer at a time."""

import contextlib
import os
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path


class Tables:
    """What the house's own databases have in common. Safe from any thread."""

    def __init__(self, directory: Path | None, name: str, open_: Callable[[Path], sqlite3.Connection]) -> None:
        """`directory` None keeps it in a temporary directory that goes with this object."""
        self._temporary = tempfile.TemporaryDirectory(prefix="trailstate-tables-") if directory is None else None
        self.path = (directory or Path(self._temporary.name if self._temporary else "")) / name
        self._local = threading.local()
        self._writing = threading.RLock()
        self._connections: list[sqlite3.Connection] = []
        self._writer = open_(self.path)

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


def opened(path: Path, synchronous: str) -> sqlite3.Connection:
    """The writer's connection to a file that nobody else may read, with a write-ahead log."""
    if not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
    except BaseException:
        connection.close()
        raise
    return connection
