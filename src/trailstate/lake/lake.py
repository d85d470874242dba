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

from trailstate.lake import activity, dialect, gate, shape
from trailstate.lake.engine import Bounds, Engine
from trailstate.lake.gate import Refused, TableName
from trailstate.lake.ledgers import ACTIVITY, ITEM_COLUMNS, ITEMS, JUDGEMENTS, VERDICT_COLUMNS, Form
from trailstate.lake.ledgers import RECORDS as RECORD_LINES
from trailstate.lake.live import Lines, Live
from trailstate.lake.manifest import Manifest
from trailstate.lake.segment import RECORDS
from trailstate.stores.disk import DiskObjects

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot import exp

DATABASE = "default"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose data a question may see. None: everybody's, for the operator of the data directory."""

    accounts: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table over one ledger: under its name, with these columns, and only rows that hold to a condition."""

    columns: tuple[shape.Column, ...] = shape.CLOUDTRAIL + shape.PARTITIONS
    condition: str = ""
    """A DuckDB condition over a segment's columns, made by the house."""
    files: tuple[Path, ...] | None = None
    """Its own files, below a directory that the engine may read; None: the lake's."""
    form: Form = RECORD_LINES


BUILT_IN: Mapping[TableName, Table] = {
    TableName(DATABASE, "activity"): Table(activity.COLUMNS, form=ACTIVITY),
    TableName(DATABASE, "cloudtrail"): Table(),
    TableName(DATABASE, "cloudtrail_logs"): Table(),
    TableName(DATABASE, "compliance"): Table(VERDICT_COLUMNS, form=JUDGEMENTS),
    TableName(DATABASE, "configuration_items"): Table(ITEM_COLUMNS, form=ITEMS),
}
"""The tables that are there without anybody having made them."""


class Lake:
    """Safe from any thread."""

    def __init__(
        self, objects: DiskObjects, lines: Lines | None, directory: Path, bounds: Bounds | None = None
    ) -> None:
        """`directory` is for what can be made again from the ledgers; without `lines` there are none."""
        self.objects = objects
        self.manifest = Manifest(objects)
        self.live = {
            form.name: Live(lines, directory / form.name, form) for form in (RECORD_LINES, ACTIVITY, ITEMS, JUDGEMENTS)
        }
        segments = objects.directory("lake")
        segments.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.engine = Engine([segments, directory], bounds or Bounds())

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
            table = made or BUILT_IN.get(_qualified(name))
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
        is_plain = len(found) == 1 and dialect.is_plain(tree)
        if is_plain:
            [table] = found.values()
            tree = dialect.without_stars(tree, [column.name for column in table.columns])
        flat = is_plain or not dialect.wants_structures(tree, shape.LEAVES)
        query = dialect.translated(_unqualified(tree), now, shape.LEAVES if flat else ())
        if not found:
            return query, []
        forms = {table.form.name: table.form for table in found.values()}
        views = [f'CREATE VIEW "{name}" AS {self._relation(form, scope)}' for name, form in forms.items()]
        for name, table in found.items():
            own = f'"{table.form.name}"' if table.files is None else f"({relation(table.files, Scope())})"
            rows = f"(SELECT * FROM {own} WHERE {table.condition})" if table.condition else own  # noqa: S608
            select = shape.view(rows, table.columns, with_leaves=flat and table.form is RECORD_LINES)
            views.append(f'CREATE VIEW "{view_name(name)}" AS {select}')
        return query, views

    def size_bytes(self, scope: Scope) -> int:
        """How much there is to read for that scope."""
        return sum(each.stat().st_size for each in self._files(RECORD_LINES, scope))

    def forget(self) -> None:
        """Begin anew; for ledgers that were erased."""
        for live in self.live.values():
            live.forget()

    def close(self) -> None:
        self.engine.close()

    def _relation(self, form: Form, scope: Scope) -> str:
        """The SELECT over all that there is of one form."""
        if form is not ACTIVITY:
            return relation(self._files(form, scope), scope, form)
        segments = self.manifest.segments(RECORDS, accounts=scope.accounts)
        summed = [self.objects.path(each.activity) for each in segments if each.activity]
        others = [self.objects.path(each.key) for each in segments if not each.activity]
        parts = [relation([*summed, *self.live[form.name].files()], scope, form)]
        if others:
            parts.append(activity.select(relation(others, scope)))
        return " UNION ALL ".join(parts)

    def _files(self, form: Form, scope: Scope) -> list[Path]:
        """Newest first: most questions want the newest of something, and the engine reads in this order."""
        sealed = self.manifest.segments(RECORDS, accounts=scope.accounts) if form is RECORD_LINES else ()
        return [*reversed(self.live[form.name].files()), *(self.objects.path(each.key) for each in reversed(sealed))]


def relation(files: Sequence[Path], scope: Scope, form: Form = RECORD_LINES) -> str:
    """The SELECT over every file, narrowed to the scope."""
    if not files:
        columns = ", ".join(f"NULL::{_TYPES[str(each.type)]} AS {each.name}" for each in form.schema())
        return f"SELECT {columns} WHERE false"
    listed = ", ".join(text(str(path)) for path in files)
    everything = f"SELECT * FROM read_parquet([{listed}])"  # noqa: S608 - the house's own files
    if scope.accounts is None:
        return everything
    accounts = ", ".join(text(each) for each in scope.accounts) or "NULL"
    return f"{everything} WHERE {form.account} IN ({accounts})"


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
