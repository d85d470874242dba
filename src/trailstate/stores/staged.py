"""Shelf writes that wait: an operation reads through here and stages its changes, which then commit with its record."""

from collections.abc import Iterator
from typing import Any

from trailstate.stores.interface import Append, Commit, Document, OutboxRow, ShelfChange, ShelfKey, Store, place


class StagedShelf:
    """One call's view of the Shelf: what it wrote itself, and below that what is durable.

    Every document read is remembered with its version, so that the commit fails with VersionConflict if somebody
    changed it meanwhile.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: dict[ShelfKey, int] = {}
        self._written: dict[ShelfKey, dict[str, Any] | None] = {}
        self._appended: list[Append] = []
        self._sent: list[OutboxRow] = []

    def get(self, key: ShelfKey) -> dict[str, Any] | None:
        if key in self._written:
            return self._written[key]
        document = self._store.get(key)
        self._remember(key, document)
        return None if document is None else document.value

    def documents(self, account: str, region: str | None, kind: str) -> Iterator[tuple[ShelfKey, dict[str, Any]]]:
        """One account's documents of a kind in order of region and name, this call's own writes included. An operation
        that may look further reads the store itself."""
        found: dict[ShelfKey, dict[str, Any] | None] = {}
        for key, document in self._store.documents(account, region, kind):
            self._remember(key, document)
            found[key] = document.value
        wanted = (
            (key, value)
            for key, value in self._written.items()
            if (key.account, key.kind) == (account, kind) and region in (None, key.region)
        )
        found.update(wanted)
        for key in sorted(found, key=place):
            value = found[key]
            if value is not None:
                yield key, value

    def put(self, key: ShelfKey, value: dict[str, Any]) -> None:
        self._written[key] = value

    def delete(self, key: ShelfKey) -> None:
        self._written[key] = None

    def append(self, line: Append) -> None:
        """Add a line to a ledger, with the call's record."""
        self._appended.append(line)

    def send(self, row: OutboxRow) -> None:
        """Have an effect done outside, once the call is recorded."""
        self._sent.append(row)

    def staged(self) -> Commit:
        """What to commit; `Commit()` when there is nothing. A document that was written unread is written whatever its
        version."""
        changes = tuple(ShelfChange(key, value, self._read.get(key)) for key, value in self._written.items())
        return Commit(appends=tuple(self._appended), shelf=changes, outbox=tuple(self._sent))

    def _remember(self, key: ShelfKey, document: Document | None) -> None:
        self._read.setdefault(key, 0 if document is None else document.version)
