"""The lake as one asks it: a question in Athena's SQL, whose data it may see, and the answer as it comes.

The lake is the sealed segments and what the journal holds since. A table is a view over both, narrowed to the accounts
that the asker may see before anything else happens to it.
"""

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from trailstate.lake import dialect, gate, shape
from trailstate.lake.engine import Bounds, Engine
from trailstate.lake.gate import Refused, TableName
from trailstate.lake.live import Live
from trailstate.lake.manifest import Manifest
from trailstate.lake.segment import RECORDS
from trailstate.stores.disk import DiskObjects

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot import exp

DATABASE = "default"
BUILT_IN = frozenset((TableName(DATABASE, "cloudtrail"), TableName(DATABASE, "cloudtrail_logs")))
"""The tables that are there without anybody having made them."""

_EMPTY = "(SELECT {columns} WHERE false)"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose data a question may see. None: everybody's, for the operator of the data directory."""

    accounts: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table over records: under its name, with these columns, and only rows that hold to a condition."""

    columns: tuple[shape.Column, ...] = shape.CLOUDTRAIL + shape.PARTITIONS
    condition: str = ""
    """A DuckDB condition over a segment's columns, made by the house."""
    files: tuple[Path, ...] | None = None
    """Its own files, below a directory that the engine may read; None: the lake's."""


class Lake:
    """Safe from any thread."""

    def __init__(self, objects: DiskObjects, live: Live, bounds: Bounds | None = None) -> None:
        self.objects = objects
        self.manifest = Manifest(objects)
        self.live = live
        segments = objects.directory("lake")
        segments.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.engine = Engine([segments, live.directory], bounds or Bounds())

    @contextlib.contextmanager
    def ask(
        self,
        text: str,
        scope: Scope,
        now: datetime,
        tables: Callable[[TableName], Table | None] | None = None,
        bounds: Bounds | None = None,
    ) -> Iterator["pa.RecordBatchReader"]:
        """The answer, to be read inside the block; Refused or QueryFailed. `tables` finds those that somebody made."""
        tree = gate.parsed(text)
        found: dict[TableName, Table] = {}

        def known(name: TableName) -> bool:
            made = None if tables is None else tables(_qualified(name))
            table = made or (Table() if _qualified(name) in BUILT_IN else None)
            if table is not None:
                found[_qualified(name)] = table
            return table is not None

        gate.admit(tree, known)
        query, views = self.planned(tree, found, scope, now)
        with self.engine.run(query, views, bounds) as reader:
            yield reader

    def planned(
        self, tree: "exp.Expr", found: Mapping[TableName, Table], scope: Scope, now: datetime
    ) -> tuple[str, list[str]]:
        """The query for the engine, and the views that it needs."""
        flat = not dialect.wants_structures(tree, shape.LEAVES)
        query = dialect.translated(_unqualified(tree), now, shape.LEAVES if flat else ())
        if not found:
            return query, []
        views = [f"CREATE VIEW records AS {relation(self._files(scope), scope)}"]
        for name, table in found.items():
            own = "records" if table.files is None else f"({relation(table.files, Scope())})"
            rows = f"(SELECT * FROM {own} WHERE {table.condition})" if table.condition else own  # noqa: S608
            select = shape.view(rows, table.columns, with_leaves=flat)
            views.append(f'CREATE VIEW "{view_name(name)}" AS {select}')
        return query, views

    def size_bytes(self, scope: Scope) -> int:
        """How much there is to read for that scope."""
        return sum(each.stat().st_size for each in self._files(scope))

    def close(self) -> None:
        self.engine.close()

    def _files(self, scope: Scope) -> list[Path]:
        sealed = self.manifest.segments(RECORDS, accounts=scope.accounts)
        return [*(self.objects.path(each.key) for each in sealed), *self.live.files()]


def relation(files: Sequence[Path], scope: Scope) -> str:
    """The SELECT over every file, narrowed to the scope."""
    from trailstate.lake.columns import schema

    if not files:
        columns = ", ".join(f"NULL::{_TYPES[str(each.type)]} AS {each.name}" for each in schema())
        return f"SELECT {columns} WHERE false"
    listed = ", ".join(text(str(path)) for path in files)
    everything = f"SELECT * FROM read_parquet([{listed}])"  # noqa: S608 - the house's own files
    if scope.accounts is None:
        return everything
    accounts = ", ".join(text(each) for each in scope.accounts) or "NULL"
    return f"{everything} WHERE recipientAccountId IN ({accounts})"


_TYPES = {"string": "VARCHAR", "bool": "BOOLEAN", "int64": "BIGINT"}


def text(value: str) -> str:
    """A text as a literal of SQL."""
    return "'" + value.replace("'", "''") + "'"


def view_name(table: TableName) -> str:
    """How a table is called inside the engine, where there is but one database."""
    return f"{table.database}.{table.name}"


def _qualified(name: TableName) -> TableName:
    return name if name.database else TableName(DATABASE, name.name)


def _unqualified(tree: "exp.Expr") -> "exp.Expr":
    """Every table by its view's name, under its own as an alias."""
    from sqlglot import exp

    given: Collection[str] = {each.alias_or_name.lower() for each in tree.find_all(exp.CTE)}
    tree = tree.copy()
    for table in list(tree.find_all(exp.Table)):
        if not table.db and table.name.lower() in given:
            continue
        name = _qualified(TableName(table.db.lower(), table.name.lower()))
        alias = table.alias or table.name
        renamed = exp.to_identifier(view_name(name), quoted=True)
        table.set("db", None)
        table.set("catalog", None)
        table.set("this", renamed)
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
    return tree


__all__ = ["DATABASE", "Lake", "Refused", "Scope", "Table", "TableName"]
