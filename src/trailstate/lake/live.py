"""A ledger's lines as files of the lake, kept up as it grows: what is recorded can be asked about at once.

Every `CHUNK_ENTRIES` lines become a file that stays; what follows the last whole chunk becomes a file
that is made anew when there is more. All of it is derived from the ledger and may be deleted at any time.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from trailstate.lake.ledgers import Form
from trailstate.lake.segment import written
from trailstate.stores.interface import Entry

CHUNK_ENTRIES = 5000


class Lines(Protocol):
    """What is read of a ledger: a store, or a data directory beside its server."""

    def read(self, ledger: str, after: int, limit: int) -> Sequence[Entry]: ...

    def head(self, ledger: str) -> int: ...


class Live:
    """One ledger as Parquet files in a directory of their own. Safe from several threads."""

    def __init__(self, lines: Lines | None, directory: Path, form: Form) -> None:
        """Without lines there is no ledger: a directory that only imports ever filled."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory = directory
        self.form = form
        self._lines = lines
        self._lock = threading.Lock()
        self._tail: tuple[int, int] = (0, 0)
        self.forget()

    def files(self) -> list[Path]:
        """The files that hold every line the ledger has by now, and no other."""
        if self._lines is None:
            return []
        with self._lock:
            head = self._lines.head(self.form.ledger)
            whole = head // CHUNK_ENTRIES
            chunks = [self._chunk(number) for number in range(whole)]
            return [*chunks, *self._rest(whole * CHUNK_ENTRIES, head)]

    def forget(self) -> None:
        """Begin anew; for a ledger that was erased."""
        with self._lock:
            for path in self.directory.glob("*.parquet"):
                path.unlink(missing_ok=True)
            self._tail = (0, 0)

    def _chunk(self, number: int) -> Path:
        path = self.directory / f"chunk-{number:08d}.parquet"
        if not path.exists():
            self._write(path, number * CHUNK_ENTRIES, CHUNK_ENTRIES)
        return path

    def _rest(self, after: int, head: int) -> list[Path]:
        if after == head:
            return []
        path = self.directory / f"rest-{after:012d}-{head:012d}.parquet"
        if self._tail != (after, head):
            self._write(path, after, head - after)
            self._tail = (after, head)
            self._drop_older(path)
        return [path]

    def _drop_older(self, newest: Path) -> None:
        """All but the newest two: a query that began a moment ago may still read the one before."""
        older = sorted(self.directory.glob("rest-*.parquet"))
        for path in older[:-2]:
            if path != newest:
                path.unlink(missing_ok=True)

    def _write(self, path: Path, after: int, count: int) -> None:
        assert self._lines is not None
        entries: list[Entry] = []
        while len(entries) < count:
            found = self._lines.read(
                self.form.ledger, entries[-1].position if entries else after, min(count - len(entries), CHUNK_ENTRIES)
            )
            if not found:
                break
            entries += found
        fresh = path.with_suffix(".new")
        fresh.write_bytes(written(self.form.table(entries)))
        fresh.replace(path)
