"""`truth.db`: its tables, what turns an older version into this one, and how it is opened.

SQLite in WAL mode with `synchronous=FULL`; opening refuses anything less, because WAL with NORMAL loses acknowledged
rows when the power fails. https://www.sqlite.org/pragma.html#pragma_synchronous
"""

import contextlib
import fcntl
import os
import sqlite3
from pathlib import Path

from trailstate.stores.group import Head
from trailstate.stores.interface import DirectoryInUse

FILE_NAME = "truth.db"
LOCK_NAME = "truth.lock"
SCHEMA_VERSION = 3
WAL_PAGES_MAX = 1000
LOG_BYTES = (WAL_PAGES_MAX + 20) * (4096 + 24)
"""A commit may pass the number of pages by its own."""
STATEMENTS_CACHED = 256

# Entries are an ordinary table: without rowids a record's body, over a thousand bytes, would fill a page of its own.
SCHEMA = """
CREATE TABLE entry (
  ledger TEXT NOT NULL, position INTEGER NOT NULL, time INTEGER NOT NULL,
  account TEXT NOT NULL, region TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (ledger, position));
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
MIGRATIONS = {
    0: SCHEMA,
    1: "CREATE INDEX document_kind ON document (kind, account, region, name);",
    # An entry and the intent it settles in one statement: a transaction of its own, in a single step.
    2: """
CREATE VIEW answered AS SELECT ledger, position, time, account, region, body, NULL AS intent FROM entry;
CREATE TRIGGER settle INSTEAD OF INSERT ON answered BEGIN
  INSERT INTO entry VALUES (NEW.ledger, NEW.position, NEW.time, NEW.account, NEW.region, NEW.body);
  DELETE FROM intent WHERE id = NEW.intent;
END;
""",
}
"""What turns each version into the next one."""

TABLES = ("entry", "document", "intent", "outbox", "cursor")


class StoreRefused(Exception):
    """The database is not one this program may write; the message says why and what to do."""


def hold(directory: Path) -> int:
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


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Never makes a file: a database that has gone must not come back empty."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=STATEMENTS_CACHED,
    )


def opened(path: Path) -> sqlite3.Connection:
    """The writer's connection to the file, brought to this version. StoreRefused."""
    connection = connect(path, "rw")
    try:
        _make_durable(connection, path)
        _migrate(connection, path)
        _make_room(log_of(path))
    except sqlite3.DatabaseError as error:
        connection.close()
        raise StoreRefused(
            f"{path} cannot be used ({error}); it is damaged or no journal: restore it, or choose another directory"
            " with --data"
        ) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _make_durable(connection: sqlite3.Connection, path: Path) -> None:
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # where fsync alone leaves data in the drive's cache (macOS)
    level = connection.execute("PRAGMA synchronous").fetchone()[0]
    if (mode, level) != ("wal", 2):
        raise StoreRefused(
            f"{path} is in journal mode '{mode}' at level {level}; Trailstate needs 'wal' at level 2 (FULL), which this"
            " file system may not offer: choose another directory with --data"
        )
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES_MAX}")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > SCHEMA_VERSION:
        raise StoreRefused(
            f"{path} was written by a newer Trailstate (schema {found}, this one knows {SCHEMA_VERSION}); upgrade it"
        )
    for version in range(found, SCHEMA_VERSION):
        connection.executescript(f"BEGIN; {MIGRATIONS[version]} PRAGMA user_version = {version + 1}; COMMIT;")


def log_of(path: Path) -> Path:
    """The write-ahead log beside a database."""
    return path.with_name(f"{path.name}-wal")


def _make_room(log: Path) -> None:
    """Give the log the size at which SQLite begins it anew: a flush of a file that grows takes twice as long, and a
    server just started is the one that somebody waits for. What lies behind the last frame means nothing
    (https://www.sqlite.org/fileformat2.html#walformat). On a full disk the log grows as it can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(log, os.O_WRONLY | os.O_CLOEXEC)
        try:
            missing = LOG_BYTES - os.fstat(descriptor).st_size
            if missing > 0:
                os.pwrite(descriptor, bytes(missing), LOG_BYTES - missing)
        finally:
            os.close(descriptor)


def heads(connection: sqlite3.Connection) -> dict[str, Head]:
    """The last entry of each ledger, a seek each: a start must not read the whole journal."""
    found: dict[str, Head] = {}
    ledger = ""
    while row := connection.execute("SELECT min(ledger) FROM entry WHERE ledger > ?", (ledger,)).fetchone():
        if row[0] is None:
            break
        ledger = row[0]
        found[ledger] = connection.execute(
            "SELECT position, time FROM entry WHERE ledger = ? ORDER BY position DESC LIMIT 1", (ledger,)
        ).fetchone()
    return found
