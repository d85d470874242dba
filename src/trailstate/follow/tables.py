"""A follower whose tables are derived: one batch is one transaction, the cursor in it."""

import sqlite3
from collections.abc import Callable, Sequence

from trailstate.stores.derived import Derived
from trailstate.stores.interface import Entry

Write = Callable[[sqlite3.Connection], None]


class TablesFollower:
    """Keeps tables of `derived.db` up with a ledger; see `follow.Follower`."""

    def __init__(
        self,
        derived: Derived,
        name: str,
        ledger: str,
        schema: str,
        read: Callable[[Sequence[Entry]], Write],
        *,
        linger_seconds: float = 0.0,
    ) -> None:
        """Makes the tables. `read` takes a batch in before the transaction begins, because that holds every other
        writer up, and returns what then writes it."""
        self.name = name
        self.ledger = ledger
        self.linger_seconds = linger_seconds
        self._derived = derived
        self._read = read
        derived.define(schema)

    def cursor(self) -> int:
        return self._derived.cursor(self.name)

    def apply(self, entries: Sequence[Entry]) -> None:
        write = self._read(entries)
        with self._derived.transaction() as connection:
            write(connection)
            self._derived.set_cursor(connection, self.name, entries[-1].position)
