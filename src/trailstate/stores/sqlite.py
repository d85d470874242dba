"""The store of one machine: `truth.db`, one writer thread, and nothing acknowledged before it is on the disk.

SQLite in WAL mode with `synchronous=FULL`; start-up refuses anything less, because WAL with NORMAL loses acknowledged
rows when the power fails. https://www.sqlite.org/pragma.html#pragma_synchronous
"""

import fcntl
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from trailstate.stores.interface import (
    Commit,
    DirectoryInUse,
    Document,
    Entry,
    Intent,
    OutboxRow,
    ShelfChange,
    ShelfKey,
    StoreUnavailable,
    VersionConflict,
)
from trailstate.world import World

FILE_NAME = "truth.db"
LOCK_NAME = "truth.lock"
SCHEMA_VERSION = 1
QUEUE_COMMITS_MAX = 4096
GROUP_COMMITS_MAX = 512
WAL_PAGES_MAX = 4000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

SCHEMA = """
CREATE TABLE entry (
  ledger TEXT NOT NULL, position INTEGER NOT NULL, time INTEGER NOT NULL,
  account TEXT NOT NULL, region TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (ledger, position)) WITHOUT ROWID;
CREATE TABLE document (
  account TEXT NOT NULL, region TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
  version INTEGER NOT NULL, value BLOB NOT NULL,
  PRIMARY KEY (account, kind, region, name)) WITHOUT ROWID;
CREATE TABLE intent (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, time INTEGER NOT NULL,
  account TEXT NOT NULL, region TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE outbox (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, queue TEXT NOT NULL, body BLOB, done INTEGER NOT NULL DEFAULT 0);
CREATE INDEX outbox_open ON outbox (queue, number) WHERE NOT done;
CREATE TABLE cursor (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
"""
TABLES = ("entry", "document", "intent", "outbox", "cursor")


class StoreRefused(Exception):
    """The database is not one this program may write; the message says why and what to do."""


class _Waiter:
    """One commit on its way: the writer releases `ready` once positions or an error stand here."""

    __slots__ = ("commit", "error", "positions", "ready")

    def __init__(self, commit: Commit | None) -> None:
        self.commit = commit
        self.positions: list[int] = []
        self.error: Exception | None = None
        self.ready = threading.Lock()
        self.ready.acquire()


class SqliteStore:
    """`Store` on a directory. Only one process at a time holds it; DirectoryInUse names the other."""

    def __init__(self, directory: Path, world: World) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory
        self._world = world
        self._lock_file = _hold(directory)
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._queue: deque[_Waiter] = deque()
        self._wake = threading.Condition(threading.Lock())
        self._closed = False
        self._listeners: list[Callable[[], None]] = []
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = _open(directory / FILE_NAME)
            self._heads = _heads(self._connection)
        except BaseException:
            os.close(self._lock_file)
            raise
        self._writer = threading.Thread(target=self._write_groups, name="writer", daemon=True)
        self._writer.start()

    # Writing.

    def commit(self, commit: Commit) -> list[int]:
        waiter = self._enqueue(_Waiter(commit))
        if waiter.error is not None:
            raise waiter.error
        return waiter.positions

    def erase(self) -> None:
        """Forget everything (a test asks for it)."""
        waiter = self._enqueue(_Waiter(None))
        if waiter.error is not None:
            raise waiter.error

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call `listener`, quickly and from any thread, after each group that appended something."""
        self._listeners.append(listener)

    def _enqueue(self, waiter: _Waiter) -> _Waiter:
        with self._wake:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            if len(self._queue) >= QUEUE_COMMITS_MAX:
                raise StoreUnavailable(f"{QUEUE_COMMITS_MAX} commits are waiting already")
            self._queue.append(waiter)
            if len(self._queue) == 1:
                self._wake.notify()
        waiter.ready.acquire()
        return waiter

    def _write_groups(self) -> None:
        while True:
            with self._wake:
                while not self._queue and not self._closed:
                    self._wake.wait()
                if not self._queue:
                    return
                group = [self._queue.popleft() for _ in range(min(GROUP_COMMITS_MAX, len(self._queue)))]
            self._write_group(group)
            for waiter in group:
                waiter.ready.release()
            if any(waiter.positions for waiter in group):
                for listener in self._listeners:
                    listener()

    def _write_group(self, group: Sequence[_Waiter]) -> None:
        heads = dict(self._heads)
        try:
            connection = self._reopened()
            connection.execute("BEGIN IMMEDIATE")
            for waiter in group:
                self._write_one(connection, waiter)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            # A failed fsync is never retried on the same connection: SQLite recovers when the file is opened anew.
            self._heads = heads
            self._drop_connection()
            for waiter in group:
                waiter.positions = []
                waiter.error = StoreUnavailable(f"the journal cannot be written: {error}")

    def _write_one(self, connection: sqlite3.Connection, waiter: _Waiter) -> None:
        if waiter.commit is None:
            for table in TABLES:
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are constants above
            self._heads = {}
            return
        conflict = _conflict(connection, waiter.commit.shelf)
        if conflict is not None:
            waiter.error = conflict
            return
        waiter.positions = self._append(connection, waiter.commit)
        _apply(connection, waiter.commit)

    def _append(self, connection: sqlite3.Connection, commit: Commit) -> list[int]:
        rows, positions = [], []
        now = _microseconds(self._world.now())
        for each in commit.appends:
            position, time = self._heads.get(each.ledger, (0, 0))
            self._heads[each.ledger] = position, time = position + 1, max(now, time)
            positions.append(position)
            rows.append((each.ledger, position, time, each.account, each.region, each.body))
        if rows:
            connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", rows)
        return positions

    def _reopened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = _open(self._directory / FILE_NAME)
            self._heads = _heads(self._connection)
        return self._connection

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # Reading.

    def read(self, ledger: str, after: int, limit: int) -> list[Entry]:
        rows = self._reader().execute(
            "SELECT position, time, account, region, body FROM entry WHERE ledger = ? AND position > ?"
            " ORDER BY position LIMIT ?",
            (ledger, after, limit),
        )
        return [_entry(row) for row in rows]

    def entry(self, ledger: str, position: int) -> Entry | None:
        row = self._reader().execute(
            "SELECT position, time, account, region, body FROM entry WHERE ledger = ? AND position = ?",
            (ledger, position),
        )
        return next((_entry(each) for each in row), None)

    def head(self, ledger: str) -> int:
        row = self._reader().execute("SELECT max(position) FROM entry WHERE ledger = ?", (ledger,)).fetchone()
        return int(row[0] or 0)

    def get(self, key: ShelfKey) -> Document | None:
        row = (
            self._reader()
            .execute(
                "SELECT value, version FROM document WHERE account = ? AND kind = ? AND region = ? AND name = ?",
                (key.account, key.kind, key.region, key.name),
            )
            .fetchone()
        )
        return None if row is None else Document(msgspec.json.decode(row[0]), row[1])

    def documents(self, account: str, region: str | None, kind: str) -> Iterator[tuple[ShelfKey, Document]]:
        rows = self._reader().execute(
            "SELECT region, name, value, version FROM document WHERE account = ? AND kind = ?"
            " AND (?3 IS NULL OR region = ?3) ORDER BY region, name",
            (account, kind, region),
        )
        for found, name, value, version in rows.fetchall():
            yield ShelfKey(account, found, kind, name), Document(msgspec.json.decode(value), version)

    def intents(self) -> list[Intent]:
        rows = self._reader().execute("SELECT id, time, account, region, body FROM intent ORDER BY number")
        return [Intent(row[0], _datetime(row[1]), row[2], row[3], row[4]) for row in rows]

    def outbox(self, queue: str, limit: int) -> list[OutboxRow]:
        rows = self._reader().execute(
            "SELECT id, body FROM outbox WHERE queue = ? AND NOT done ORDER BY number LIMIT ?", (queue, limit)
        )
        return [OutboxRow(queue, row[0], row[1]) for row in rows]

    def cursor(self, name: str) -> int:
        row = self._reader().execute("SELECT position FROM cursor WHERE name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])

    def close(self) -> None:
        """Commits under way finish; then the directory is free for the next server."""
        with self._wake:
            if self._closed:
                return
            self._closed = True
            self._wake.notify()
        self._writer.join()
        for connection in self._readers:
            connection.close()
        self._drop_connection()
        os.close(self._lock_file)

    def _reader(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            path = (self._directory / FILE_NAME).absolute().as_uri() + "?mode=ro"
            found = sqlite3.connect(path, uri=True, isolation_level=None, check_same_thread=False)
            self._local.connection = found
            self._readers.append(found)
        return found


def _hold(directory: Path) -> int:
    """Take the directory's lock for the life of this process; the file names the holder."""
    descriptor = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise DirectoryInUse(
            f"the data directory {directory} is held by another server (process {holder}); stop it, or choose another"
            " directory with --data"
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _open(path: Path) -> sqlite3.Connection:
    if not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    connection.execute("PRAGMA synchronous = FULL")
    level = connection.execute("PRAGMA synchronous").fetchone()[0]
    if (mode, level) != ("wal", 2):
        connection.close()
        raise StoreRefused(
            f"{path} is in journal mode '{mode}' at level {level}; Trailstate needs 'wal' at level 2 (FULL), which this"
            " file system may not offer: choose another directory with --data"
        )
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES_MAX}")
    _migrate(connection, path)
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > SCHEMA_VERSION:
        connection.close()
        raise StoreRefused(
            f"{path} was written by a newer Trailstate (schema {found}, this one knows {SCHEMA_VERSION}); upgrade it"
        )
    if found == 0:
        connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")


def _heads(connection: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    rows = connection.execute("SELECT ledger, max(position), max(time) FROM entry GROUP BY ledger")
    return {ledger: (position, time) for ledger, position, time in rows}


def _conflict(connection: sqlite3.Connection, changes: Sequence[ShelfChange]) -> VersionConflict | None:
    for change in changes:
        found = _version(connection, change.key)
        if change.expected is not None and change.expected != found:
            name = f"{change.key.kind} '{change.key.name}'"
            return VersionConflict(f"{name} has version {found}; the change expected {change.expected}")
    return None


def _version(connection: sqlite3.Connection, key: ShelfKey) -> int:
    row = connection.execute(
        "SELECT version FROM document WHERE account = ? AND kind = ? AND region = ? AND name = ?",
        (key.account, key.kind, key.region, key.name),
    ).fetchone()
    return 0 if row is None else int(row[0])


def _apply(connection: sqlite3.Connection, commit: Commit) -> None:
    for change in commit.shelf:
        key = (change.key.account, change.key.region, change.key.kind, change.key.name)
        if change.value is None:
            connection.execute("DELETE FROM document WHERE account = ? AND region = ? AND kind = ? AND name = ?", key)
        else:
            row = (*key, _version(connection, change.key) + 1, msgspec.json.encode(change.value))
            connection.execute("INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?, ?, ?)", row)
    for intent in commit.intents:
        connection.execute(
            "INSERT INTO intent (id, time, account, region, body) VALUES (?, ?, ?, ?, ?)",
            (intent.id, _microseconds(intent.time), intent.account, intent.region, intent.body),
        )
    for settled in commit.settled:
        connection.execute("DELETE FROM intent WHERE id = ?", (settled,))
    for row_ in commit.outbox:
        connection.execute(
            "INSERT OR IGNORE INTO outbox (id, queue, body) VALUES (?, ?, ?)", (row_.id, row_.queue, row_.body)
        )
    for done in commit.done:
        connection.execute("UPDATE outbox SET done = 1, body = NULL WHERE id = ?", (done,))
    for name, position in commit.cursors.items():
        connection.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?)", (name, position))


def _microseconds(time: datetime) -> int:
    return (time - EPOCH) // MICROSECOND


def _datetime(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def _entry(row: Sequence[object]) -> Entry:
    position, time, account, region, body = row
    return Entry(position, _datetime(time), account, region, body)  # type: ignore[arg-type]
