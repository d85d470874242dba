"""The store of one machine: `truth.db`, one writer at a time, and nothing acknowledged before it is on the disk."""

import contextlib
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from trailstate.stores.group import Group, Head, Rows, microseconds, moment, rows_of
from trailstate.stores.interface import (
    Commit,
    Document,
    Entry,
    Intent,
    News,
    OutboxRow,
    ShelfKey,
    StoreUnavailable,
    VersionConflict,
)
from trailstate.stores.truth import FILE_NAME, TABLES, StoreRefused, connect, heads, hold, opened
from trailstate.world import World

QUEUE_COMMITS_MAX = 4096
GROUP_COMMITS_MAX = 512

_BROKEN_OFF = StoreUnavailable("the commit was broken off")
"""What a commit has come to until it has come to something."""


class _Waiter:
    """One commit on its way (no rows: erase). `ready`, which a commit that comes alone has no use for, is released once
    positions or an error stand here, or, with `writes` set, when its caller is to write for itself and those behind."""

    __slots__ = ("error", "positions", "ready", "rows", "writes")

    def __init__(self, rows: Rows | None) -> None:
        self.rows = rows
        self.positions: list[int] = []
        self.error: Exception | None = _BROKEN_OFF
        self.writes = False
        self.ready: threading.Lock | None = None

    @property
    def news(self) -> Iterator[str]:
        """The ledgers that grew by it and the queues it filled."""
        if self.error is None and self.rows is not None:
            yield from (ledger for ledger, *_ in self.rows.appends)
            yield from (str(queue) for _, queue, _ in self.rows.outbox)

    def fail(self, error: Exception) -> None:
        self.positions, self.error = [], error


class SqliteStore:
    """`Store` on a directory. Only one process at a time holds it; DirectoryInUse names the other."""

    def __init__(self, directory: Path, world: World) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = directory / FILE_NAME
        self._world = world
        self._lock_file = hold(directory)
        self._idle_readers: deque[sqlite3.Connection] = deque()
        self._queue: deque[_Waiter] = deque()
        self._turn = threading.Condition(threading.Lock())
        self._writing = False
        self._closed = False
        self._listeners: list[Callable[[News], None]] = []
        self._connection: sqlite3.Connection | None = None
        self._heads: dict[str, Head] = {}
        try:
            self._path.touch(mode=0o600)
            self._open_writer()
        except BaseException:
            self._drop_writer()
            os.close(self._lock_file)
            raise

    # Writing.

    @property
    def writes(self) -> bool:
        """Whether the last commit could be written, and the next one may be."""
        return self._connection is not None and not self._closed

    def commit(self, commit: Commit) -> list[int]:
        return self._written(_Waiter(rows_of(commit)))

    def erase(self) -> None:
        """Forget everything (a test asks for it)."""
        self._written(_Waiter(None))

    def on_commit(self, listener: Callable[[News], None]) -> None:
        """Call `listener`, quickly and from any thread, after each group that appended something or filled a queue."""
        self._listeners.append(listener)

    def _written(self, waiter: _Waiter) -> list[int]:
        """Whoever finds nobody writing writes, for itself and for those who came meanwhile; the first of those who
        came while it wrote is next. So a commit that is alone changes no thread, and many at once share a group."""
        with self._turn:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            if self._writing:
                self._queue_up(waiter)
            else:
                self._writing = True
        if waiter.ready is None:
            self._write([waiter])
        else:
            waiter.ready.acquire()
            if waiter.writes:
                self._write_queued()
        if waiter.error is not None:
            raise waiter.error
        return waiter.positions

    def _queue_up(self, waiter: _Waiter) -> None:
        if len(self._queue) >= QUEUE_COMMITS_MAX:
            raise StoreUnavailable(f"{QUEUE_COMMITS_MAX} commits are waiting already")
        waiter.ready = threading.Lock()
        waiter.ready.acquire()
        self._queue.append(waiter)

    def _write_queued(self) -> None:
        with self._turn:
            group = [self._queue.popleft() for _ in range(min(GROUP_COMMITS_MAX, len(self._queue)))]
        self._write(group)

    def _write(self, group: Sequence[_Waiter]) -> None:
        """One group, the writer's own commit first; then somebody else's turn."""
        try:
            self._write_group(group)
        finally:
            for waiter in group[1:]:
                _release(waiter)
            self._hand_on()
        news = frozenset(name for waiter in group for name in waiter.news)
        if news:
            for listener in self._listeners:
                listener(news)

    def _hand_on(self) -> None:
        with self._turn:
            if self._queue:
                following = self._queue[0]
                following.writes = True
                _release(following)
            else:
                self._writing = False
                self._turn.notify_all()

    def _write_group(self, group: Sequence[_Waiter]) -> None:
        try:
            connection = self._connection or self._open_writer()
            for run in _runs(group):
                if run[0].rows is None:
                    self._erase(connection)
                    run[0].error = None
                else:
                    self._write_run(connection, run)
        except (sqlite3.Error, OSError, StoreRefused) as error:
            # A failed fsync is never tried again on the same connection: SQLite recovers when the file is opened anew.
            # Readers go too, or it would not have to; but a disk that is merely full can still be read.
            self._drop_writer()
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_FULL:
                self._drop_readers()
            for waiter in group:
                waiter.fail(StoreUnavailable(f"the journal cannot be written: {error}"))

    def _write_run(self, connection: sqlite3.Connection, run: Sequence[_Waiter]) -> None:
        merged = Group(self._heads, lambda key: _version(connection, key), microseconds(self._world.now()))
        taken = []
        for waiter in run:
            assert waiter.rows is not None
            try:
                waiter.positions = merged.add(waiter.rows)
                taken.append(waiter)
            except VersionConflict as conflict:
                waiter.error = conflict
        _execute(connection, list(merged.statements()))
        self._heads = merged.heads
        for waiter in taken:
            waiter.error = None

    def _erase(self, connection: sqlite3.Connection) -> None:
        _execute(connection, [(f"DELETE FROM {table}", [()]) for table in TABLES])  # noqa: S608 - constants
        self._heads = {}

    def _open_writer(self) -> sqlite3.Connection:
        """Also finds out what a commit left behind whose acknowledgement failed: it may have been kept."""
        self._connection = opened(self._path)
        self._heads = heads(self._connection)
        return self._connection

    def _drop_readers(self) -> None:
        while self._idle_readers:
            self._idle_readers.pop().close()

    def _drop_writer(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # Reading.

    def read(self, ledger: str, after: int, limit: int) -> list[Entry]:
        rows = self._select(
            "SELECT position, time, account, region, body FROM entry WHERE ledger = ? AND position > ?"
            " ORDER BY position LIMIT ?",
            (ledger, after, limit),
        )
        return [Entry(position, moment(time), *rest) for position, time, *rest in rows]

    def entry(self, ledger: str, position: int) -> Entry | None:
        return next((each for each in self.read(ledger, position - 1, 1) if each.position == position), None)

    def head(self, ledger: str) -> int:
        return self._heads.get(ledger, (0, 0))[0]

    def get(self, key: ShelfKey) -> Document | None:
        rows = self._select(
            "SELECT value, version FROM document WHERE account = ? AND kind = ? AND region = ? AND name = ?",
            (key.account, key.kind, key.region, key.name),
        )
        return next((Document(msgspec.json.decode(value), version) for value, version in rows), None)

    def documents(self, account: str | None, region: str | None, kind: str) -> Iterator[tuple[ShelfKey, Document]]:
        given = {"account": account, "region": region, "kind": kind}
        wanted = " AND ".join(f"{name} = :{name}" for name, value in given.items() if value is not None)
        rows = self._select(
            "SELECT account, region, name, value, version FROM document"  # noqa: S608 - three constant names
            f" WHERE {wanted} ORDER BY account, region, name",
            given,
        )
        for owner, found, name, value, version in rows:
            yield ShelfKey(owner, found, kind, name), Document(msgspec.json.decode(value), version)

    def intents(self) -> list[Intent]:
        rows = self._select("SELECT id, time, account, region, body FROM intent ORDER BY number")
        return [Intent(name, moment(time), *rest) for name, time, *rest in rows]

    def outbox(self, queue: str, limit: int) -> list[OutboxRow]:
        rows = self._select(
            "SELECT id, body FROM outbox WHERE queue = ? AND NOT done ORDER BY number LIMIT ?", (queue, limit)
        )
        return [OutboxRow(queue, name, body) for name, body in rows]

    def queues(self, prefix: str) -> list[str]:
        """A seek for each queue: what was done long ago is not walked through."""
        found: list[str] = []
        first, following = (
            f"SELECT min(queue) FROM outbox WHERE NOT done AND queue {sign} ?"  # noqa: S608 - two constants
            for sign in (">=", ">")
        )
        queue = self._select(first, (prefix,))[0][0]
        while queue is not None and queue.startswith(prefix):
            found.append(queue)
            queue = self._select(following, (queue,))[0][0]
        return found

    def cursor(self, name: str) -> int:
        return next((at for (at,) in self._select("SELECT position FROM cursor WHERE name = ?", (name,))), 0)

    def close(self) -> None:
        """Commits under way finish; then the directory is free for the next server."""
        with self._turn:
            self._closed = True
            self._turn.wait_for(lambda: not self._writing)
        lock_file, self._lock_file = self._lock_file, -1
        self._drop_readers()
        self._drop_writer()
        if lock_file >= 0:
            os.close(lock_file)

    def _select(self, query: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        """The rows as they are durable now; StoreUnavailable when they cannot be read."""
        try:
            with self._reader() as connection:
                return connection.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the journal cannot be read: {error}") from error

    @contextlib.contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """A connection nobody else uses meanwhile; there are as many as ever read at once."""
        if self._lock_file < 0:
            raise StoreUnavailable("the store is closed")
        try:
            connection = self._idle_readers.pop()
        except IndexError:
            connection = connect(self._path, "ro")
        try:
            yield connection
        finally:
            self._idle_readers.append(connection)
            if self._lock_file < 0:
                self._drop_readers()


def _release(waiter: _Waiter) -> None:
    assert waiter.ready is not None, "only who queued up waits"
    waiter.ready.release()


def _runs(group: Sequence[_Waiter]) -> Iterator[list[_Waiter]]:
    """The commits between two erasures together, each erasure alone."""
    run: list[_Waiter] = []
    for waiter in group:
        if waiter.rows is not None:
            run.append(waiter)
            continue
        if run:
            yield run
        yield [waiter]
        run = []
    if run:
        yield run


def _execute(connection: sqlite3.Connection, statements: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> None:
    """All of them or none; when it returns they are on the disk."""
    if len(statements) == 1 and len(statements[0][1]) == 1:
        connection.execute(statements[0][0], statements[0][1][0])  # is a transaction of its own, in a single step
        return
    if not statements:
        return
    connection.execute("BEGIN IMMEDIATE")
    for query, rows in statements:
        if len(rows) == 1:
            connection.execute(query, rows[0])
        else:
            connection.executemany(query, rows)
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection, key: ShelfKey) -> int:
    row = connection.execute(
        "SELECT version FROM document WHERE account = ? AND kind = ? AND region = ? AND name = ?",
        (key.account, key.kind, key.region, key.name),
    ).fetchone()
    return 0 if row is None else int(row[0])
