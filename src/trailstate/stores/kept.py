"""Tables that are a truth of their own beside the ledgers: log events and metric data, which grow and are let go again.

Durable like `truth.db` (WAL, `synchronous=FULL`), and never made anew by itself: what is damaged is refused.
https://www.sqlite.org/pragma.html#pragma_synchronous
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from trailstate.stores.interface import StoreUnavailable
from trailstate.stores.tables import Tables, opened


class Kept:
    """One database."""

    def __init__(self, directory: Path | None, name: str, schema: str) -> None:
        """`directory` None keeps it in a temporary directory that goes with this object."""
        synchronous = "FULL" if directory is not None else "OFF"
        self._tables = Tables(directory, name, lambda path: _open(path, synchronous, schema))
        self.path = self._tables.path

    def connection(self) -> sqlite3.Connection:
        """This thread's connection for reading."""
        return self._tables.connection()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The writer's connection inside a transaction: all of it is durable on leaving, or nothing is kept."""
        try:
            with self._tables.transaction() as connection:
                yield connection
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(f"{self.path} cannot be written: {error}") from error

    def erase(self) -> None:
        """Empty every table."""
        self._tables.erase()

    def close(self) -> None:
        self._tables.close()


def _open(path: Path, synchronous: str, schema: str) -> sqlite3.Connection:
    try:
        connection = opened(path, synchronous)
    except sqlite3.DatabaseError as error:
        raise StoreUnavailable(f"{path} cannot be opened: {error}") from error
    try:
        connection.executescript(schema)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise StoreUnavailable(f"{path} cannot be opened: {error}") from error
    return connection
