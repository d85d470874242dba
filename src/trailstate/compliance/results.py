"""Compliance results: what every rule says of every resource, since when and because of what, and what it said before.

Derived from the ledger of verdicts, so dropped and rebuilt to the same content. The schedule of periodic rules stands
here too.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import msgspec

from trailstate.compliance.line import CONFIRMED, DROPPED, FORGOTTEN, JUDGED, SCHEDULED, Line, read_line
from trailstate.compliance.verdict import Verdict
from trailstate.follow import Runner
from trailstate.follow.tables import TablesFollower, Write
from trailstate.stores.derived import Derived
from trailstate.stores.interface import VERDICTS, Entry, Store
from trailstate.values.timestamp import moment_of, moment_text

FOLLOWER = "compliance results"
LINGER_SECONDS = 0.1
CATCH_UP_SECONDS = 1.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS compliance_result (
  account TEXT, region TEXT, rule TEXT, type TEXT, id TEXT, compliance TEXT, annotation TEXT, time TEXT, captured TEXT,
  invoked TEXT, recorded TEXT, since TEXT, cause TEXT, PRIMARY KEY (account, region, rule, type, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS compliance_result_resource ON compliance_result (account, region, type, id);
CREATE TABLE IF NOT EXISTS compliance_change (
  account TEXT, region TEXT, rule TEXT, type TEXT, id TEXT, position INTEGER, compliance TEXT, annotation TEXT,
  time TEXT, recorded TEXT, cause TEXT, PRIMARY KEY (account, region, rule, type, id, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS compliance_schedule (
  account TEXT, region TEXT, rule TEXT, seconds INTEGER, last INTEGER,
  PRIMARY KEY (account, region, rule)) WITHOUT ROWID
"""

GONE = ""
"""In the history: from then on there was no result."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one rule says of one resource. Times are texts as in configuration items."""

    rule: str
    type: str
    id: str
    compliance: str
    annotation: str
    time: str
    """The capture time of the item judged, or when the clock asked."""
    captured: str
    invoked: str
    recorded: str
    since: str
    """Since when the rule has said so of the resource, without a break."""
    cause: Mapping[str, Any] | None
    """The call that made it so, where it is known."""

    def says(self, verdict: Verdict) -> bool:
        return (self.compliance, self.annotation) == (verdict.compliance, verdict.annotation)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of what a rule says of a resource."""

    rule: str
    type: str
    id: str
    compliance: str
    """GONE: the resource was deleted or left the scope, or the results were deleted."""
    annotation: str
    time: str
    recorded: str
    cause: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Due:
    """A periodic rule, and when it ran last."""

    account: str
    region: str
    rule: str
    seconds: int
    last: int


_RESULT = "rule, type, id, compliance, annotation, time, captured, invoked, recorded, since, cause"
_CHANGE = "rule, type, id, compliance, annotation, time, recorded, cause"
_PUT = (
    "INSERT INTO compliance_result VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
    " since = CASE WHEN compliance = excluded.compliance THEN since ELSE excluded.since END,"
    " compliance = excluded.compliance, annotation = excluded.annotation, time = excluded.time,"
    " captured = excluded.captured, invoked = excluded.invoked, recorded = excluded.recorded, cause = excluded.cause"
)
_CONFIRM = "UPDATE compliance_result SET time = ?, captured = ?, invoked = ?, recorded = ? WHERE "
_NOTE = "INSERT OR IGNORE INTO compliance_change VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_OF_RULE = "account = ? AND region = ? AND rule = ?"
_OF_ONE = f"{_OF_RULE} AND type = ? AND id = ?"
_SELECT_ONE = f"SELECT {_RESULT} FROM compliance_result WHERE {_OF_ONE}"  # noqa: S608


def _read(entries: Sequence[Entry]) -> Write:
    """A batch as lines, those of one kind that follow one another together."""
    lines = [(entry, read_line(entry.body)) for entry in entries]

    def write(connection: sqlite3.Connection) -> None:
        for kind, alike in groupby(lines, key=lambda pair: pair[1].kind):
            _APPLY[kind](connection, list(alike))

    return write


Told = tuple[Entry, Line]


def _rule(entry: Entry, line: Line) -> tuple[str, str, str]:
    return entry.account, entry.region, line.rule


def _one(entry: Entry, line: Line) -> tuple[str, ...]:
    return (*_rule(entry, line), line.resource_type, line.resource_id)


def _judged(connection: Any, lines: Sequence[Told]) -> None:
    connection.executemany(_PUT, [_result_row(entry, line) for entry, line in lines])
    connection.executemany(_NOTE, [_change_row(*each) for each in lines if each[1].compliance != each[1].previous])


def _result_row(entry: Entry, line: Line) -> tuple[str | None, ...]:
    times = (line.time, line.captured, line.invoked, moment_text(entry.time), line.since or line.time)
    return (*_one(entry, line), line.compliance, line.annotation, *times, _text(line.cause))


def _change_row(entry: Entry, line: Line) -> tuple[Any, ...]:
    said = (line.compliance, line.annotation, line.time, moment_text(entry.time), _text(line.cause))
    return (*_one(entry, line), entry.position, *said)


def _confirmed(connection: Any, lines: Sequence[Told]) -> None:
    rows = [
        (line.time or captured, captured, line.invoked, moment_text(entry.time), *_rule(entry, line), kind, name)
        for entry, line in lines
        for kind, name, captured in line.resources
    ]
    connection.executemany(_CONFIRM + _OF_ONE, rows)


def _dropped(connection: Any, lines: Sequence[Told]) -> None:
    connection.executemany(
        f"DELETE FROM compliance_result WHERE {_OF_ONE}",  # noqa: S608
        [_one(*each) for each in lines],
    )
    connection.executemany(_NOTE, [_change_row(*each) for each in lines if each[1].previous])


def _forgotten(connection: Any, lines: Sequence[Told]) -> None:
    for entry, line in lines:
        connection.execute(
            "INSERT OR IGNORE INTO compliance_change SELECT account, region, rule, type, id, ?, ?, '', ?, ?, NULL"  # noqa: S608
            f" FROM compliance_result WHERE {_OF_RULE}",
            (entry.position, GONE, line.time, moment_text(entry.time), *_rule(entry, line)),
        )
        connection.execute(f"DELETE FROM compliance_result WHERE {_OF_RULE}", _rule(entry, line))  # noqa: S608


def _scheduled(connection: Any, lines: Sequence[Told]) -> None:
    for entry, line in lines:
        if line.seconds:
            last = int(moment_of(line.time).timestamp())
            row = (*_rule(entry, line), line.seconds, last)
            connection.execute("INSERT OR REPLACE INTO compliance_schedule VALUES (?, ?, ?, ?, ?)", row)
        else:
            connection.execute(f"DELETE FROM compliance_schedule WHERE {_OF_RULE}", _rule(entry, line))  # noqa: S608


_APPLY: Mapping[str, Callable[[Any, Sequence[Told]], None]] = {
    JUDGED: _judged,
    CONFIRMED: _confirmed,
    DROPPED: _dropped,
    FORGOTTEN: _forgotten,
    SCHEDULED: _scheduled,
}


def _text(cause: Mapping[str, Any] | None) -> str | None:
    return None if cause is None else msgspec.json.encode(cause).decode()


class Results:
    """Reads the tables. Safe from any thread. Every read first takes in what the ledger holds by then."""

    def __init__(self, store: Store, derived: Derived, runner: Runner) -> None:
        self.follower = TablesFollower(derived, FOLLOWER, VERDICTS, _SCHEMA, _read, linger_seconds=LINGER_SECONDS)
        self._store = store
        self._derived = derived
        self._runner = runner

    def catch_up(self) -> bool:
        """Take in what the ledger holds by now, within a second; whether it all came in."""
        return self._runner.catch_up(self.follower, self._store.head(VERDICTS), CATCH_UP_SECONDS)

    def of_rule(self, account: str, region: str, rule: str) -> list[Result]:
        return list(self._results(_OF_RULE, (account, region, rule)))

    def of_resource(self, account: str, region: str | None, resource_type: str, resource_id: str) -> list[Result]:
        where, given = ("account = ? AND region = ?", (account, region)) if region else ("account = ?", (account,))
        return list(self._results(f"{where} AND type = ? AND id = ?", (*given, resource_type, resource_id)))

    def regions_of(self, account: str, resource_type: str, resource_id: str) -> list[str]:
        """Where there are results of a resource; a global one is judged in every Region."""
        rows = self._rows(
            "SELECT DISTINCT region FROM compliance_result WHERE account = ? AND type = ? AND id = ?",
            (account, resource_type, resource_id),
        )
        return [region for (region,) in rows]

    def one(self, account: str, region: str, rule: str, resource_type: str, resource_id: str) -> Result | None:
        self.catch_up()
        return self.seen(account, region, rule, resource_type, resource_id)

    def seen(self, account: str, region: str, rule: str, resource_type: str, resource_id: str) -> Result | None:
        """The same as far as the tables were followed: for one who caught up and lets nobody write meanwhile."""
        one = (account, region, rule, resource_type, resource_id)
        row = self._derived.connection().execute(_SELECT_ONE, one).fetchone()
        return None if row is None else Result(**_members(_RESULT, row))

    def everything(self, account: str, region: str, resource_type: str | None = None) -> list[Result]:
        """All results of an account and Region in the order of resource type, resource, rule."""
        where, given = "account = ? AND region = ?", [account, region]
        if resource_type is not None:
            where, given = f"{where} AND type = ?", [*given, resource_type]
        return list(self._results(f"{where} ORDER BY type, id, rule", given))

    def history(self, account: str, region: str, rule: str, resource_type: str, resource_id: str) -> list[Change]:
        """Every change of what a rule said of a resource, oldest first."""
        rows = self._rows(
            f"SELECT {_CHANGE} FROM compliance_change"  # noqa: S608
            f" WHERE {_OF_ONE} ORDER BY position",
            (account, region, rule, resource_type, resource_id),
        )
        return [Change(**_members(_CHANGE, row)) for row in rows]

    def next_due(self) -> int | None:
        """When the first periodic rule wants to run, in seconds since 1970."""
        due: int | None = self._rows("SELECT min(last + seconds) FROM compliance_schedule", ())[0][0]
        return due

    def due(self, now: int) -> list[Due]:
        """The periodic rules that want to run by now, those that have waited longest first."""
        rows = self._rows(
            "SELECT account, region, rule, seconds, last FROM compliance_schedule WHERE last + seconds <= ?"
            " ORDER BY last + seconds, account, region, rule",
            (now,),
        )
        return [Due(*row) for row in rows]

    def _results(self, where: str, given: Sequence[object]) -> Iterator[Result]:
        for row in self._rows(f"SELECT {_RESULT} FROM compliance_result WHERE {where}", given):  # noqa: S608
            yield Result(**_members(_RESULT, row))

    def _rows(self, query: str, given: Sequence[object]) -> list[Any]:
        self.catch_up()
        rows: list[Any] = self._derived.connection().execute(query, given).fetchall()
        return rows


def _members(names: str, row: Sequence[Any]) -> dict[str, Any]:
    """A row by the names of its columns, its cause read."""
    members = dict(zip(names.split(", "), row, strict=True))
    cause = members["cause"]
    return members | {"cause": None if cause is None else msgspec.json.decode(cause)}
