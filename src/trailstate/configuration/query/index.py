"""What there is now, ready to be queried: the last item of every resource that is there, in columns and bodies.

Derived from the configuration history; it can be deleted and is then made anew. As AWS documents it, deleted resources,
those that are not recorded, and the configuration of third-party resources are not in it.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import msgspec

from trailstate.configuration.item import GONE, Item
from trailstate.configuration.line import ITEM, Recorded, read
from trailstate.configuration.query.hold import BODIES, COLUMNS
from trailstate.configuration.query.match import Resource
from trailstate.configuration.query.narrow import Narrowed
from trailstate.configuration.query.shape import Tree, reader
from trailstate.configuration.recorder import Home
from trailstate.configuration.schema import is_published
from trailstate.follow import Runner
from trailstate.follow.tables import TablesFollower, Write
from trailstate.stores.derived import Derived
from trailstate.stores.interface import CONFIGURATION, Entry, Store

FOLLOWER = "configuration-query"
LINGER_SECONDS = 0.5
CATCH_UP_SECONDS = 1.0
NOT_RECORDED = "ResourceNotRecorded"
OF_AWS = "AWS::"

_encode = msgspec.json.Encoder().encode

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS query_resource (number INTEGER PRIMARY KEY, home TEXT, {", ".join(COLUMNS)});
CREATE UNIQUE INDEX IF NOT EXISTS query_by_id ON query_resource (home, resourceType, resourceId);
CREATE TABLE IF NOT EXISTS query_body (number INTEGER PRIMARY KEY, {", ".join(BODIES)})
"""
_PUT = (
    f"INSERT INTO query_resource (home, {', '.join(COLUMNS)}) VALUES ({', '.join('?' * (len(COLUMNS) + 1))})"  # noqa: S608
    " ON CONFLICT (home, resourceType, resourceId) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS)
    + " RETURNING number"
)
_PUT_BODY = f"INSERT OR REPLACE INTO query_body (number, {', '.join(BODIES)}) VALUES (?, ?, ?, ?, ?)"  # noqa: S608 - names of ours
_REMOVE = "DELETE FROM query_resource WHERE home = ? AND resourceType = ? AND resourceId = ? RETURNING number"


def _read(entries: Sequence[Entry]) -> Write:
    """Decoded one by one as they are written: a batch of items is large."""

    def write(connection: sqlite3.Connection) -> None:
        for entry in entries:
            _take(connection, Home(entry.account, entry.region), read(entry))

    return write


def home_text(home: Home) -> str:
    """An account and region as one word of the index."""
    return f"{home.account}/{home.region}"


def _take(connection: Any, home: Home, recorded: Recorded) -> None:
    item = recorded.item
    if recorded.news != ITEM or not is_published(item["resourceType"]):
        return
    if item["configurationItemStatus"] in GONE or item["configurationItemStatus"] == NOT_RECORDED:
        key = (home_text(home), item["resourceType"], item["resourceId"])
        for (number,) in connection.execute(_REMOVE, key).fetchall():
            connection.execute("DELETE FROM query_body WHERE number = ?", (number,))
        return
    ((number,),) = connection.execute(_PUT, (home_text(home), *_columns(item))).fetchall()
    connection.execute(_PUT_BODY, (number, *map(_body_text, _bodies(item))))


def _columns(item: Item) -> list[Any]:
    shown = item | {
        "accountId": item["awsAccountId"],
        "arn": item["ARN"],
        "configurationStateId": str(item["configurationStateId"]),
        "version": item["configurationItemVersion"],
    }
    return [shown[name] for name in COLUMNS]


def _bodies(item: Item) -> tuple[Any, ...]:
    """In the order of BODIES."""
    theirs = item["resourceType"].startswith(OF_AWS)
    relationships = [
        {"relationshipName" if name == "name" else name: value for name, value in each.items() if value is not None}
        for each in item["relationships"]
    ]
    return (
        item["configuration"] if theirs else None,
        relationships,
        item["supplementaryConfiguration"],
        tag_list(item["tags"]),
    )


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags as queries see them."""
    return [{"tag": f"{name}={value}", "key": name, "value": value} for name, value in tags.items()]


def _body_text(value: Any) -> str | None:
    return None if value is None else _encode(value).decode()


class QueryIndex:
    """Reads the index. Safe from any thread."""

    def __init__(self, store: Store, derived: Derived, runner: Runner) -> None:
        self.follower = TablesFollower(derived, FOLLOWER, CONFIGURATION, _SCHEMA, _read, linger_seconds=LINGER_SECONDS)
        self._store = store
        self._derived = derived
        self._runner = runner

    def catch_up(self) -> bool:
        """Take in what the ledger holds by now, within a second; whether it all came in."""
        return self._runner.catch_up(self.follower, self._store.head(CONFIGURATION), CATCH_UP_SECONDS)

    def resources(
        self, homes: Sequence[Home], narrowed: Narrowed, wanted: Tree, after: int = 0
    ) -> Iterator[tuple[int, Resource]]:
        """Resources of these accounts and regions with their numbers, in the order of these, those after one number.
        Among them are all that pass the narrowed condition; each has what is wanted of it, and its type."""
        columns = [name for name in COLUMNS if name in wanted or name == "resourceType"]
        bodies = [(name, reader(wanted[name])) for name in BODIES if name in wanted]
        query = _select([*columns, *(name for name, _ in bodies)], narrowed)
        given = (_encode([home_text(each) for each in homes]).decode(), after, *narrowed.values)
        with closing(self._derived.connection().execute(query, given)) as rows:
            for number, *found in rows:
                resource = dict(zip(columns, found, strict=False))
                for place, (name, read_body) in enumerate(bodies, start=len(columns)):
                    text = found[place]
                    resource[name] = None if text is None else read_body(text)
                yield number, resource


def _select(names: Sequence[str], narrowed: Narrowed) -> str:
    """Of names that are ours. Whoever looks at nearly everything reads it in the order in which it lies."""
    whole = "" if narrowed.by_type else " NOT INDEXED"
    joined = " JOIN query_body USING (number)" if {*names, *narrowed.roots} & set(BODIES) else ""
    where = f" AND {narrowed.sql}" if narrowed.sql else ""
    return (
        f"SELECT number, {', '.join(names)} FROM query_resource{whole}{joined}"  # noqa: S608
        f" WHERE home IN (SELECT value FROM json_each(?)) AND number > ?{where} ORDER BY number"
    )
