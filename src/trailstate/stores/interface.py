"""What the house asks of a store: ledgers that only grow, shelves of documents, and one atomic commit.

Two implementations stand beside this page (`memory`, `sqlite`), and `disk` and `memory` for Objects;
`tests/contract/` says in examples what each must keep.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeAlias

JOURNAL = "journal"
CONFIGURATION = "configuration"
VERDICTS = "verdicts"


class StoreUnavailable(Exception):
    """The store could not make the commit durable (disk full, I/O error, closed); nothing of it was kept, or, after a
    lost acknowledgement, all of it was. Callers answer 503 and never claim success."""


class VersionConflict(Exception):
    """A Shelf document changed since it was read; nothing of the commit was kept. Read again and retry."""


class DirectoryInUse(Exception):
    """Another server holds this data directory."""


@dataclass(frozen=True, slots=True)
class Append:
    """One line for a ledger. `body` is JSON text in UTF-8."""

    ledger: str
    account: str
    region: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a ledger. Positions are dense from 1; `time` (ledger time) never goes backward."""

    position: int
    time: datetime
    account: str
    region: str
    body: bytes


@dataclass(frozen=True, slots=True)
class ShelfKey:
    """Where a document stands. The account comes first, and from the credential, never from the body."""

    account: str
    region: str
    kind: str
    name: str


def place(key: ShelfKey) -> tuple[bytes, bytes, bytes]:
    """Where a document stands among those of its kind."""
    return key.account.encode(), key.region.encode(), key.name.encode()


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON document and its version: 1 when first put, one more with each change."""

    value: dict[str, Any]
    version: int


@dataclass(frozen=True, slots=True)
class ShelfChange:
    """Put (`value`) or remove (`value` None) a document, if its version is `expected` (0: absent; None: whatever)."""

    key: ShelfKey
    value: dict[str, Any] | None
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An effect to be done outside, once: `queue` orders it, `id` makes it unique for ever."""

    queue: str
    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Intent:
    """Something about to be done in the estate. It stays until a commit that names it in `settled`."""

    id: str
    time: datetime
    account: str
    region: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """All of it becomes durable, or none of it."""

    appends: Sequence[Append] = ()
    shelf: Sequence[ShelfChange] = ()
    intents: Sequence[Intent] = ()
    settled: Sequence[str] = ()
    """Ids of intents whose outcome this commit holds."""
    outbox: Sequence[OutboxRow] = ()
    done: Sequence[str] = ()
    """Ids of outbox rows whose effect has happened."""
    cursors: Mapping[str, int] = field(default_factory=dict)


News: TypeAlias = frozenset[str]
"""The ledgers that grew and the queues that were filled, by name."""


class Store(Protocol):
    """The truth of one deployment."""

    def commit(self, commit: Commit) -> list[int]:
        """Make it durable and return the positions of its appends, in order.

        Raises VersionConflict or StoreUnavailable; after either nothing may be claimed done.
        Safe to call from any thread; concurrent commits are grouped.
        """

    def read(self, ledger: str, after: int, limit: int) -> list[Entry]:
        """The entries after a position, oldest first, at most `limit`; durable ones only."""

    def entry(self, ledger: str, position: int) -> Entry | None:
        """The entry at one position."""

    def head(self, ledger: str) -> int:
        """The last durable position; 0 for an empty ledger."""

    def get(self, key: ShelfKey) -> Document | None: ...

    def documents(self, account: str | None, region: str | None, kind: str) -> Iterator[tuple[ShelfKey, Document]]:
        """The documents of one kind, in order of account, region, name (bytewise); None stands for all of them. Only
        the house's own work may ask for every account."""

    def intents(self) -> list[Intent]:
        """Intents not yet settled, oldest first."""

    def outbox(self, queue: str, limit: int) -> list[OutboxRow]:
        """The oldest rows of a queue that are not done."""

    def queues(self, prefix: str) -> list[str]:
        """The queues with rows that are not done whose name starts so, in bytewise order."""

    def cursor(self, name: str) -> int:
        """Where a follower stands; 0 before its first commit."""

    def on_commit(self, listener: Callable[[News], None]) -> None:
        """Call `listener`, which must be quick, after commits that appended something or filled a queue."""

    def erase(self) -> None:
        """Forget everything; a test suite asks for it between tests."""

    def close(self) -> None: ...


class ObjectExists(Exception):
    """An object stands under that key already; delivered objects are never overwritten."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    key: str
    size_bytes: int


KEY_BYTES_MAX = 1024


def hold_key(key: str) -> bytes:
    """A key as its bytes; ValueError for what is no key."""
    raw = key.encode()
    if not 1 <= len(raw) <= KEY_BYTES_MAX:
        raise ValueError(f"a key has 1 to {KEY_BYTES_MAX} bytes in UTF-8; got {len(raw)}")
    return raw


class Objects(Protocol):
    """Immutable objects under slash-separated keys (any UTF-8 text of 1 to 1,024 bytes)."""

    def put_if_absent(self, key: str, body: bytes) -> None:
        """Durable when it returns; ObjectExists when the key is taken, whatever its bytes."""

    def get(self, key: str) -> bytes | None: ...

    def list(self, prefix: str, after: str = "", limit: int = 1000) -> Sequence[ObjectInfo]:
        """Objects whose key starts with `prefix` and sorts after `after`, in bytewise order."""

    def remove(self, key: str) -> None:
        """The object is not there, whether or not it was. A failing machine may bring it back: whoever removes objects
        must find them again."""
