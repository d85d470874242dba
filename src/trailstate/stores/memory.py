"""The store and the objects in memory: the same contract, faults on demand, and gone when the process ends."""

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import msgspec

from trailstate.stores.group import rows_of
from trailstate.stores.interface import (
    Append,
    Commit,
    Document,
    Entry,
    Intent,
    News,
    ObjectExists,
    ObjectInfo,
    OutboxRow,
    ShelfChange,
    ShelfKey,
    StoreUnavailable,
    VersionConflict,
    hold_key,
    place,
)
from trailstate.world import World


class Faults:
    """Faults by name, in two forms: what was asked failed and was not kept, or failed although it was kept."""

    def __init__(self) -> None:
        self._armed: Counter[tuple[str, bool]] = Counter()

    def arm(self, name: str, *, kept: bool = False, count: int = 1) -> None:
        """Let the next `count` operations of that name (`commit`, `read`, `put`, `get`, `list`, `remove`) fail."""
        self._armed[name, kept] += count

    def strike(self, name: str, *, kept: bool) -> None:
        """StoreUnavailable if such a fault is armed."""
        if self._armed[name, kept] > 0:
            self._armed[name, kept] -= 1
            raise StoreUnavailable(f"armed fault: {name}, {'kept' if kept else 'not kept'}")


class MemoryStore:
    """`Store` without a disk."""

    def __init__(self, world: World, faults: Faults | None = None) -> None:
        self._world = world
        self._faults = faults or Faults()
        self._lock = threading.RLock()
        self._listeners: list[Callable[[News], None]] = []
        self._closed = False
        self._clear()

    def _clear(self) -> None:
        self._ledgers: dict[str, list[Entry]] = {}
        self._documents: dict[ShelfKey, tuple[bytes, int]] = {}
        """JSON text and version."""
        self._intents: dict[str, Intent] = {}
        self._queues: dict[str, dict[str, OutboxRow]] = {}
        """Rows that are not done, by queue and id."""
        self._queue_of: dict[str, str] = {}
        """Where each row ever seen stands or stood."""
        self._cursors: dict[str, int] = {}

    def commit(self, commit: Commit) -> list[int]:
        rows_of(commit)  # refuses what a store on a disk could not hold either
        with self._lock:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            self._faults.strike("commit", kept=False)
            for change in commit.shelf:
                self._hold_version(change)
            positions = [self._append(each) for each in commit.appends]
            self._apply(commit)
            self._faults.strike("commit", kept=True)
        news = frozenset([each.ledger for each in commit.appends] + [each.queue for each in commit.outbox])
        if news:
            for listener in self._listeners:
                listener(news)
        return positions

    def erase(self) -> None:
        """Forget everything (a test asks for it)."""
        with self._lock:
            self._clear()

    def on_commit(self, listener: Callable[[News], None]) -> None:
        """Call `listener` after each commit that appended something or filled a queue."""
        self._listeners.append(listener)

    def _hold_version(self, change: ShelfChange) -> None:
        version = self._version(change.key)
        if change.expected is not None and change.expected != version:
            name = f"{change.key.kind} '{change.key.name}'"
            raise VersionConflict(f"{name} has version {version}; the change expected {change.expected}")

    def _version(self, key: ShelfKey) -> int:
        return self._documents[key][1] if key in self._documents else 0

    def _append(self, append: Append) -> int:
        entries = self._ledgers.setdefault(append.ledger, [])
        time = self._ledger_time(entries)
        entries.append(Entry(len(entries) + 1, time, append.account, append.region, append.body))
        return len(entries)

    def _ledger_time(self, entries: list[Entry]) -> datetime:
        now = self._world.now()
        return max(now, entries[-1].time) if entries else now

    def _apply(self, commit: Commit) -> None:
        for change in commit.shelf:
            version = self._version(change.key) + 1
            self._documents.pop(change.key, None)
            if change.value is not None:
                self._documents[change.key] = (msgspec.json.encode(change.value), version)
        for intent in commit.intents:
            self._intents.setdefault(intent.id, intent)
        for settled in commit.settled:
            self._intents.pop(settled, None)
        for row in commit.outbox:
            if row.id not in self._queue_of:
                self._queue_of[row.id] = row.queue
                self._queues.setdefault(row.queue, {})[row.id] = row
        for done in commit.done:
            self._finish(done)
        self._cursors.update(commit.cursors)

    def _finish(self, row_id: str) -> None:
        """A row leaves its queue for good; one that never came in will not be taken any more."""
        queue = self._queue_of.setdefault(row_id, "")
        rows = self._queues.get(queue, {})
        rows.pop(row_id, None)
        if not rows:
            self._queues.pop(queue, None)

    def read(self, ledger: str, after: int, limit: int) -> list[Entry]:
        with self._lock:
            self._faults.strike("read", kept=False)
            return self._ledgers.get(ledger, [])[after : after + limit]

    def entry(self, ledger: str, position: int) -> Entry | None:
        with self._lock:
            entries = self._ledgers.get(ledger, [])
            return entries[position - 1] if 0 < position <= len(entries) else None

    def head(self, ledger: str) -> int:
        return len(self._ledgers.get(ledger, ()))

    def get(self, key: ShelfKey) -> Document | None:
        with self._lock:
            found = self._documents.get(key)
        return None if found is None else Document(msgspec.json.decode(found[0]), found[1])

    def documents(self, account: str | None, region: str | None, kind: str) -> Iterator[tuple[ShelfKey, Document]]:
        with self._lock:
            found = [
                (key, Document(msgspec.json.decode(text), version))
                for key, (text, version) in self._documents.items()
                if key.kind == kind and account in (None, key.account) and region in (None, key.region)
            ]
        yield from sorted(found, key=lambda pair: place(pair[0]))

    def intents(self) -> list[Intent]:
        with self._lock:
            return list(self._intents.values())

    def outbox(self, queue: str, limit: int) -> list[OutboxRow]:
        with self._lock:
            return list(itertools.islice(self._queues.get(queue, {}).values(), limit))

    def queues(self, prefix: str) -> list[str]:
        with self._lock:
            found = [queue for queue in self._queues if queue.startswith(prefix)]
        return sorted(found, key=str.encode)

    def cursor(self, name: str) -> int:
        return self._cursors.get(name, 0)

    def close(self) -> None:
        """Takes no more commits; what it holds can still be read."""
        with self._lock:
            self._closed = True


class MemoryObjects:
    """`Objects` without a disk."""

    def __init__(self, faults: Faults | None = None) -> None:
        self._faults = faults or Faults()
        self._lock = threading.Lock()
        self._bodies: dict[str, bytes] = {}

    def put_if_absent(self, key: str, body: bytes) -> None:
        hold_key(key)
        with self._lock:
            self._faults.strike("put", kept=False)
            if key in self._bodies:
                raise ObjectExists(f"an object stands under '{key}' already")
            self._bodies[key] = body
            self._faults.strike("put", kept=True)

    def get(self, key: str) -> bytes | None:
        with self._lock:
            self._faults.strike("get", kept=False)
            return self._bodies.get(key)

    def list(self, prefix: str, after: str = "", limit: int = 1000) -> Sequence[ObjectInfo]:
        with self._lock:
            self._faults.strike("list", kept=False)
            start, floor = prefix.encode(), after.encode()
            keys = sorted(key.encode() for key in self._bodies)
            found = [key.decode() for key in keys if key.startswith(start) and key > floor]
            return [ObjectInfo(key, len(self._bodies[key])) for key in found[:limit]]

    def remove(self, key: str) -> None:
        hold_key(key)
        with self._lock:
            self._faults.strike("remove", kept=False)
            self._bodies.pop(key, None)
            self._faults.strike("remove", kept=True)
