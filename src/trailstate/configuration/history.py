"""The configuration history: every item of every resource, found by resource, by type, and at any moment.

The index can be deleted and is then made anew from the ledger (`line`).
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from trailstate.configuration.item import state_id
from trailstate.configuration.line import Recorded, digest_with_facts, read
from trailstate.follow import Runner
from trailstate.follow.tables import TablesFollower, Write
from trailstate.stores.derived import Derived
from trailstate.stores.interface import CONFIGURATION, Entry, Store

FOLLOWER = "configuration-history"
CATCH_UP_SECONDS = 1.0
_FAR = 1 << 62
_SCHEMA = """
CREATE TABLE IF NOT EXISTS configuration_resource (
  number INTEGER PRIMARY KEY, account TEXT, region TEXT, type TEXT, id TEXT, name TEXT, arn TEXT, key TEXT,
  position INTEGER, live INTEGER, digest BLOB);
CREATE UNIQUE INDEX IF NOT EXISTS configuration_by_id ON configuration_resource (account, region, type, id);
CREATE INDEX IF NOT EXISTS configuration_by_key ON configuration_resource (account, region, type, key);
CREATE INDEX IF NOT EXISTS configuration_by_arn ON configuration_resource (arn);
CREATE INDEX IF NOT EXISTS configuration_by_name ON configuration_resource (name);
CREATE TABLE IF NOT EXISTS configuration_item (
  resource INTEGER, state INTEGER, position INTEGER, PRIMARY KEY (resource, state)) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Identifier:
    """What is known of a resource without reading its items."""

    account: str
    region: str
    type: str
    id: str
    name: str | None
    arn: str | None
    key: str
    is_live: bool
    digest: bytes
    number: int
    """Where it stands among all resources, in the order in which they were first seen."""


def configuration_follower(derived: Derived) -> TablesFollower:
    """Keeps the index up with the ledger."""
    return TablesFollower(derived, FOLLOWER, CONFIGURATION, _SCHEMA, _read)


def _read(entries: Sequence[Entry]) -> Write:
    """Decoded one by one as they are written: a batch of items is large."""

    def write(connection: sqlite3.Connection) -> None:
        for entry in entries:
            _take(connection, entry)

    return write


def _take(connection: Any, entry: Entry) -> None:
    recorded = read(entry)
    item = recorded.item
    names = (item["resourceName"], item["ARN"], recorded.key)
    seen = (entry.position, int(not recorded.is_gone), digest_with_facts(item, recorded.facts))
    ((number, *known),) = connection.execute(
        _PUT, (entry.account, entry.region, item["resourceType"], item["resourceId"], *names, *seen)
    ).fetchall()
    if tuple(known) != names:  # rarely: what is not indexed anew costs nothing
        connection.execute(_RENAME, (*names, number))
    connection.execute(
        "INSERT OR REPLACE INTO configuration_item VALUES (?, ?, ?)",
        (number, item["configurationStateId"], entry.position),
    )


_PUT = (
    "INSERT INTO configuration_resource (account, region, type, id, name, arn, key, position, live, digest)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account, region, type, id) DO UPDATE"
    " SET position = excluded.position, live = excluded.live, digest = excluded.digest"
    " RETURNING number, name, arn, key"
)
_RENAME = "UPDATE configuration_resource SET name = ?, arn = ?, key = ? WHERE number = ?"
_IDENTIFIER = "SELECT account, region, type, id, name, arn, key, live, digest, number FROM configuration_resource"


class Lines(Protocol):
    """What reading needs of a store."""

    def entry(self, ledger: str, position: int) -> Entry | None: ...


class Tables(Protocol):
    """What reading needs of derived tables."""

    def connection(self) -> Any: ...


class Items:
    """Reads the configuration history as far as its index has come. Safe from any thread, if its tables are."""

    def __init__(self, lines: Lines, tables: Tables) -> None:
        self._lines = lines
        self._tables = tables

    def current(self, account: str, region: str, type_name: str | None = None) -> Iterator[Recorded]:
        """The last item of every resource that is there, by type and id."""
        chosen, values = ("", ()) if type_name is None else (" AND type = ?", (type_name,))
        rows = self._rows(
            "SELECT position FROM configuration_resource WHERE account = ? AND region = ? AND live"  # noqa: S608
            f"{chosen} ORDER BY type, id",
            (account, region, *values),
        )
        return self._read(position for (position,) in rows)

    def latest(self, account: str, region: str, type_name: str, resource_id: str) -> Recorded | None:
        """The last item of a resource, also of one that is gone."""
        return self.at(account, region, type_name, resource_id, None)

    def at(
        self, account: str, region: str, type_name: str, resource_id: str, moment: datetime | None
    ) -> Recorded | None:
        """The item that held at a moment (None: now); None when the resource was not known then."""
        found = self.history(account, region, type_name, resource_id, until=moment, limit=1)
        return found[0] if found else None

    def all_at(self, account: str, region: str, moment: datetime) -> Iterator[Recorded]:
        """The item that held at a moment of every resource that was there, by type and id."""
        rows = self._rows(
            "SELECT item.position FROM configuration_resource AS one JOIN configuration_item AS item"
            " ON item.resource = one.number AND item.state = (SELECT max(state) FROM configuration_item AS other"
            " WHERE other.resource = one.number AND other.state <= ?)"
            " WHERE account = ? AND region = ? ORDER BY type, id",
            (state_id(moment), account, region),
        )
        return (each for each in self._read(position for (position,) in rows) if not each.is_gone)

    def history(
        self,
        account: str,
        region: str,
        type_name: str,
        resource_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: int | None = None,
        forward: bool = False,
        limit: int = 100,
    ) -> list[Recorded]:
        """Items of a resource between two moments, both included, newest first unless `forward`; `after` is the state
        id where the page before ended."""
        low = 0 if since is None else state_id(since)
        high = _FAR if until is None else state_id(until)
        if after is not None:
            low, high = (max(low, after + 1), high) if forward else (low, min(high, after - 1))
        rows = self._rows(
            "SELECT position FROM configuration_item WHERE resource = (SELECT number FROM configuration_resource"  # noqa: S608
            " WHERE account = ? AND region = ? AND type = ? AND id = ?) AND state BETWEEN ? AND ?"
            f" ORDER BY state {'ASC' if forward else 'DESC'} LIMIT ?",
            (account, region, type_name, resource_id, low, high, limit),
        )
        return list(self._read(position for (position,) in rows))

    # Without reading items.

    def identifiers(
        self,
        account: str,
        region: str,
        type_name: str,
        *,
        after: int = 0,
        gone: bool = False,
        ids: Sequence[str] | None = None,
        name: str | None = None,
        limit: int = 1 << 31,
    ) -> list[Identifier]:
        """The resources of a type in the order in which they were first seen, those after a number; `gone` has deleted
        ones among them. Only those of these ids, or of this name, if any are given."""
        chosen, values = "", []
        if ids:
            chosen, values = f" AND id IN ({', '.join('?' * len(ids))})", list(ids)
        elif name is not None:
            chosen, values = " AND name = ?", [name]
        rows = self._rows(
            f"{_IDENTIFIER} WHERE account = ? AND region = ? AND type = ? AND number > ? AND (live OR ?){chosen}"
            " ORDER BY number LIMIT ?",
            (account, region, type_name, after, gone, *values, limit),
        )
        return [_identifier(row) for row in rows]

    def identified(self, account: str, region: str, type_name: str, resource_id: str) -> Identifier | None:
        """What is known of a resource of that id."""
        rows = self._rows(
            f"{_IDENTIFIER} WHERE account = ? AND region = ? AND type = ? AND id = ?",
            (account, region, type_name, resource_id),
        )
        return _identifier(rows[0]) if rows else None

    def counts(self, account: str, region: str) -> dict[str, int]:
        """How many resources there are of each type, most first."""
        rows = self._rows(
            "SELECT type, count(*) FROM configuration_resource WHERE account = ? AND region = ? AND live"
            " GROUP BY type ORDER BY count(*) DESC, type",
            (account, region),
        )
        return dict(rows)

    def known_as(self, account: str, region: str, type_name: str, word: str) -> Identifier | None:
        """The resource that the API's calls, or people, mean by a word: its key, its id, its ARN, or its name."""
        for column in ("key", "id", "arn", "name"):
            rows = self._rows(
                f"{_IDENTIFIER} WHERE account = ? AND region = ? AND type = ? AND {column} = ?"
                " ORDER BY live DESC, position DESC LIMIT 1",
                (account, region, type_name, word),
            )
            if rows:
                return _identifier(rows[0])
        return None

    def find(self, word: str) -> list[Identifier]:
        """Resources of any account, region and type of that id, ARN, name or key."""
        rows = self._rows(f"{_IDENTIFIER} WHERE ? IN (id, arn, name, key)", (word,))
        return [_identifier(row) for row in rows]

    def homes(self) -> list[tuple[str, str]]:
        """Every account and region that has resources."""
        return self._rows("SELECT DISTINCT account, region FROM configuration_resource ORDER BY account, region", ())

    def _rows(self, query: str, values: Iterable[Any]) -> list[Any]:
        found: list[Any] = self._tables.connection().execute(query, tuple(values)).fetchall()
        return found

    def _read(self, positions: Iterable[int]) -> Iterator[Recorded]:
        for position in positions:
            entry = self._lines.entry(CONFIGURATION, position)
            assert entry is not None, f"the index names line {position}, which the ledger does not have"
            yield read(entry)


class ConfigurationHistory(Items):
    """The configuration history of a running house, which can be had up to now."""

    def __init__(self, store: Store, derived: Derived, runner: Runner) -> None:
        super().__init__(store, derived)
        self.follower = configuration_follower(derived)
        self._store = store
        self._runner = runner

    def catch_up(self) -> bool:
        """Take in what the ledger holds by now, within a second; whether it all came in."""
        return self._runner.catch_up(self.follower, self._store.head(CONFIGURATION), CATCH_UP_SECONDS)


def _identifier(row: Any) -> Identifier:
    account, region, type_name, resource_id, name, arn, key, live, seen, number = row
    return Identifier(account, region, type_name, resource_id, name, arn, key, bool(live), bytes(seen), number)
