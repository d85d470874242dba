"""Several commits as one transaction: encoded by their callers, checked one by one, written in few statements.

A commit is turned into `Rows` in its caller's thread, so that one that cannot be stored fails there and harms nobody
else. `Group` then takes commits in order, each seeing what those before it changed, and says what to execute. Few
statements matter more than short ones: Python's interpreter lock is given up at every step of a statement, and in a
busy server each return costs the writer a wait.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from trailstate.stores.interface import Commit, ShelfChange, ShelfKey, VersionConflict

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
POSITION_MAX = 2**63 - 1
INSERT_ROWS_MAX = 64

Row = tuple[object, ...]
Statement = tuple[str, Sequence[Row]]
Head = tuple[int, int]
"""The last position of a ledger and its time in microseconds."""

_VALUES = "(?, ?, ?, ?, ?, ?)"


def _inserts(beginning: str, columns: int) -> tuple[str, ...]:
    """The statement that inserts so many rows at once, by their number."""
    row = f"({', '.join(['?'] * columns)})"
    return tuple(f"{beginning} VALUES {', '.join([row] * count)}" for count in range(INSERT_ROWS_MAX + 1))


_ADD_ENTRIES = _inserts("INSERT INTO entry", 6)
_ADD_ANSWERED = _inserts("INSERT INTO answered", 7)
"""Entries, each with the intent that is settled by it: any of the transaction's, for all are kept or none."""
_ADD_INTENTS = _inserts("INSERT OR IGNORE INTO intent (id, time, account, region, body)", 5)
_PUT_DOCUMENT = f"INSERT OR REPLACE INTO document VALUES {_VALUES}"  # noqa: S608 - constants
_REMOVE_DOCUMENT = "DELETE FROM document WHERE account = ? AND region = ? AND kind = ? AND name = ?"
_SETTLE_INTENT = "DELETE FROM intent WHERE id = ?"
_ADD_EFFECT = "INSERT OR IGNORE INTO outbox (id, queue, body) VALUES (?, ?, ?)"
_EFFECT_DONE = (
    "INSERT INTO outbox (id, queue, done) VALUES (?, '', 1) ON CONFLICT (id) DO UPDATE SET done = 1, body = NULL"
)
_SET_CURSOR = "INSERT OR REPLACE INTO cursor VALUES (?, ?)"


@dataclass(frozen=True, slots=True)
class Rows:
    """One commit, ready to be written: nothing in it can be refused any more but a version."""

    appends: Sequence[tuple[str, str, str, bytes]]
    shelf: Sequence[tuple[ShelfChange, bytes | None]]
    intents: Sequence[Row]
    settled: Sequence[str]
    outbox: Sequence[Row]
    done: Sequence[str]
    cursors: Mapping[str, int]


def rows_of(commit: Commit) -> Rows:
    """TypeError, ValueError or OverflowError for what no store could hold: lone surrogates, what is not JSON."""
    return Rows(
        [(_text(each.ledger), _text(each.account), _text(each.region), each.body) for each in commit.appends],
        [(change, _document(change)) for change in commit.shelf],
        [
            (_text(each.id), microseconds(each.time), _text(each.account), _text(each.region), each.body)
            for each in commit.intents
        ],
        [_text(each) for each in commit.settled],
        [(_text(each.id), _text(each.queue), each.body) for each in commit.outbox],
        [_text(each) for each in commit.done],
        {_text(name): _position(at) for name, at in commit.cursors.items()},
    )


def _text(value: str) -> str:
    value.encode()
    return value


def _position(value: int) -> int:
    if not 0 <= value <= POSITION_MAX:
        raise OverflowError(f"a cursor stands between 0 and {POSITION_MAX}; got {value}")
    return value


def _document(change: ShelfChange) -> bytes | None:
    for part in _place(change.key):
        _text(part)
    return None if change.value is None else msgspec.json.encode(change.value)


def _place(key: ShelfKey) -> tuple[str, str, str, str]:
    return key.account, key.region, key.kind, key.name


class Group:
    """The commits of one transaction. `heads` afterwards are those to publish once it is durable."""

    def __init__(self, heads: Mapping[str, Head], version_of: Callable[[ShelfKey], int], now: int) -> None:
        self.heads = dict(heads)
        self._version_of = version_of
        self._now = now
        self._entries: list[Row] = []
        self._documents: dict[ShelfKey, tuple[int, bytes | None]] = {}
        self._intents: dict[object, Row] = {}
        self._settled: dict[str, None] = {}
        self._outbox: list[Row] = []
        self._done: dict[str, None] = {}
        self._cursors: dict[str, int] = {}

    def add(self, rows: Rows) -> list[int]:
        """Take one commit and return the positions of its appends; VersionConflict leaves the group as it was."""
        for change, _ in rows.shelf:
            self._hold_version(change)
        for change, value in rows.shelf:
            self._documents[change.key] = (0 if value is None else self._version(change.key) + 1, value)
        for intent in rows.intents:
            self._intents.setdefault(intent[0], intent)
        for settled in rows.settled:
            self._intents.pop(settled, None)
            self._settled[settled] = None
        self._outbox += rows.outbox
        self._done.update(dict.fromkeys(rows.done))
        self._cursors.update(rows.cursors)
        return [self._append(*each) for each in rows.appends]

    def _append(self, ledger: str, account: str, region: str, body: bytes) -> int:
        position, time = self.heads.get(ledger, (0, 0))
        self.heads[ledger] = position, time = position + 1, max(self._now, time)
        self._entries.append((ledger, position, time, account, region, body))
        return position

    def _version(self, key: ShelfKey) -> int:
        return self._documents[key][0] if key in self._documents else self._version_of(key)

    def _hold_version(self, change: ShelfChange) -> None:
        if change.expected is None:
            return
        found = self._version(change.key)
        if change.expected != found:
            name = f"{change.key.kind} '{change.key.name}'"
            raise VersionConflict(f"{name} has version {found}; the change expected {change.expected}")

    def statements(self) -> Iterator[Statement]:
        """What to execute, in this order; one statement alone needs no transaction around it."""
        settled, entries = list(self._settled), self._entries
        if settled and entries:
            intents: list[str | None] = [*settled[: len(entries)], *[None] * (len(entries) - len(settled))]
            rows = [(*entry, intent) for entry, intent in zip(entries, intents, strict=True)]
            yield from _in_chunks(_ADD_ANSWERED, rows)
        else:
            yield from _in_chunks(_ADD_ENTRIES, entries)
        if len(settled) > len(entries):
            yield _SETTLE_INTENT, [(each,) for each in settled[len(entries) :]]
        if self._documents:
            yield from self._document_statements()
        yield from _in_chunks(_ADD_INTENTS, list(self._intents.values()))
        if self._outbox:
            yield _ADD_EFFECT, self._outbox
        if self._done:
            yield _EFFECT_DONE, [(each,) for each in self._done]
        if self._cursors:
            yield _SET_CURSOR, list(self._cursors.items())

    def _document_statements(self) -> Iterator[Statement]:
        documents = [(_place(key), version, value) for key, (version, value) in self._documents.items()]
        put = [(*place, version, value) for place, version, value in documents if value is not None]
        removed = [place for place, _, value in documents if value is None]
        yield from (each for each in ((_PUT_DOCUMENT, put), (_REMOVE_DOCUMENT, removed)) if each[1])


def _in_chunks(inserts: Sequence[str], rows: Sequence[Row]) -> Iterator[Statement]:
    for first in range(0, len(rows), INSERT_ROWS_MAX):
        chunk = rows[first : first + INSERT_ROWS_MAX]
        yield inserts[len(chunk)], [chunk[0] if len(chunk) == 1 else tuple(value for row in chunk for value in row)]


def microseconds(time: datetime) -> int:
    """Since 1970; TypeError for a time without its zone."""
    return (time - EPOCH) // MICROSECOND


def moment(since_epoch: int) -> datetime:
    """The time that many microseconds after 1970."""
    return EPOCH + timedelta(microseconds=since_epoch)
