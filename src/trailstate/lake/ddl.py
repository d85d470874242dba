"""What CREATE, DROP, SHOW and DESCRIBE do: definitions of one account and region, read and changed."""

from collections.abc import Sequence
from typing import Any

from trailstate.lake import create_text, gate, partitions, tables
from trailstate.lake.gate import Refused, TableName
from trailstate.lake.statement import (
    AddPartitions,
    CreateDatabase,
    CreateTable,
    CreateView,
    Defining,
    Drop,
    DropPartitions,
    Show,
)
from trailstate.stores.interface import ShelfChange, Store

Rows = list[list[str]]
Done = tuple[list[str], Rows, list[ShelfChange]]
"""Names of the answer's columns, its rows, and what is to be committed."""


class Definitions:
    """Databases, tables and views of one account and region."""

    def __init__(self, store: Store, account: str, region: str, moment: str) -> None:
        self._store = store
        self._account = account
        self._region = region
        self._moment = moment

    def databases(self) -> list[dict[str, Any]]:
        """Every database, the one that is always there included."""
        made = [document.value for _, document in self._store.documents(self._account, self._region, tables.DATABASES)]
        return list({each["Name"]: each for each in (tables.built_in_database(), *made)}.values())

    def tables(self, database: str) -> list[dict[str, Any]]:
        """The tables and views of a database by name; a made one hides a built-in one of its name."""
        found = {each["Name"]: each for each in tables.built_in_documents() if each["DatabaseName"] == database}
        for _, document in self._store.documents(self._account, self._region, tables.TABLES):
            if document.value["DatabaseName"] == database:
                found[document.value["Name"]] = document.value
        return [found[name] for name in sorted(found)]

    def table(self, name: TableName) -> dict[str, Any] | None:
        """A table that somebody made; views are none."""
        document = self._store.get(tables.table_key(self._account, self._region, name))
        return None if document is None or tables.is_view(document.value) else document.value

    def partitions(self, table: TableName) -> list[dict[str, Any]]:
        """Those that were added, in order of their values."""
        kind = partitions.kind_of(table)
        return [document.value for _, document in self._store.documents(self._account, self._region, kind)]

    def any_table(self, name: TableName) -> dict[str, Any]:
        found = next((each for each in self.tables(name.database) if each["Name"] == name.name), None)
        if found is None:
            raise Refused(f"Table '{name.database}.{name.name}' does not exist")
        return found

    def with_views(self, text: str, database: str, depth: int) -> str:
        """The query with every view that it reads in front of it, and every bare name under its database."""
        from sqlglot import exp

        tree = gate.parsed(text)
        given = {each.alias_or_name.lower() for each in tree.find_all(exp.CTE)}
        for table in list(tree.find_all(exp.Table)):
            if not table.name or (not table.db and table.name.lower() in given):
                continue
            name = TableName((table.db or database).lower(), table.name.lower())
            table.set("db", exp.to_identifier(name.database))
            view = self._view(name)
            if view is not None:
                if depth == 0:
                    raise Refused(f"the view '{name.name}' reads views that read views, too deep")
                inner = gate.parsed(self.with_views(view, name.database, depth - 1))
                if not isinstance(inner, exp.Query):
                    raise Refused(f"the view '{name.name}' is no query")
                table.replace(inner.subquery(table.alias or table.name))
        return tree.sql("athena")

    def _view(self, name: TableName) -> str | None:
        document = self._store.get(tables.table_key(self._account, self._region, name))
        return None if document is None else tables.query_of(document.value)

    def do(self, asked: Defining) -> Done:
        """Carry a definition out, or tell of one; Refused."""
        match asked:
            case CreateDatabase():
                return [], [], self._create_database(asked)
            case CreateTable() | CreateView():
                return [], [], self._create(asked)
            case Drop():
                return [], [], self._drop(asked)
            case Show():
                return self._show(asked)
            case AddPartitions():
                return [], [], self._add_partitions(asked)
            case DropPartitions():
                return [], [], self._drop_partitions(asked)

    def _create_database(self, asked: CreateDatabase) -> list[ShelfChange]:
        if asked.name in {each["Name"] for each in self.databases()}:
            if asked.if_not_exists:
                return []
            raise Refused(f"Database {asked.name} already exists")
        document = {"Name": asked.name, "CreateTime": self._moment}
        document |= {
            name: value for name, value in (("Description", asked.comment), ("LocationUri", asked.location)) if value
        }
        return [ShelfChange(tables.database_key(self._account, self._region, asked.name), document)]

    def _create(self, asked: CreateTable | CreateView) -> list[ShelfChange]:
        self._hold_database(asked.name.database)
        key = tables.table_key(self._account, self._region, asked.name)
        there = self._store.get(key)
        if isinstance(asked, CreateView):
            if there is not None and not (asked.or_replace and tables.is_view(there.value)):
                raise Refused(f"View already exists: {asked.name.database}.{asked.name.name}")
            self.with_views(asked.query, asked.name.database, 10)
            return [ShelfChange(key, tables.document_of_view(asked, self._moment))]
        if there is not None:
            if asked.if_not_exists:
                return []
            raise Refused(f"Table {asked.name.name} already exists")
        return [ShelfChange(key, tables.document_of_table(asked, self._moment))]

    def _drop(self, asked: Drop) -> list[ShelfChange]:
        if asked.what == "database":
            return self._drop_database(asked)
        key = tables.table_key(self._account, self._region, asked.name)
        there = self._store.get(key)
        if there is None or tables.is_view(there.value) != (asked.what == "view"):
            if asked.if_exists:
                return []
            raise Refused(f"{asked.what.title()} '{asked.name.database}.{asked.name.name}' does not exist")
        return [ShelfChange(key, None), *self.without_partitions(asked.name)]

    def without_database(self, name: str) -> list[ShelfChange]:
        """What takes a database away, with the tables in it."""
        made = [TableName(name, each["Name"]) for each in self.tables(name)]
        changes = [ShelfChange(tables.database_key(self._account, self._region, name), None)]
        for each in made:
            changes.append(ShelfChange(tables.table_key(self._account, self._region, each), None))
            changes += self.without_partitions(each)
        return changes

    def without_partitions(self, table: TableName) -> list[ShelfChange]:
        """What takes a table's partitions away."""
        kind = partitions.kind_of(table)
        return [ShelfChange(key, None) for key, _ in self._store.documents(self._account, self._region, kind)]

    def _add_partitions(self, asked: AddPartitions) -> list[ShelfChange]:
        table, changes = self.any_table(asked.name), []
        for each in asked.partitions:
            values = partitions.values_of(table, each.values)
            key = partitions.partition_key(self._account, self._region, asked.name, values)
            if self._store.get(key) is None:
                descriptor = {**table["StorageDescriptor"], **({"Location": each.location} if each.location else {})}
                document = partitions.document_of(table, values, self._moment, StorageDescriptor=descriptor)
                changes.append(ShelfChange(key, document))
            elif not asked.if_not_exists:
                raise Refused(f"Partition already exists: {'/'.join(values)}")
        return changes

    def _drop_partitions(self, asked: DropPartitions) -> list[ShelfChange]:
        table, changes = self.any_table(asked.name), []
        for each in asked.partitions:
            values = partitions.values_of(table, each.values)
            key = partitions.partition_key(self._account, self._region, asked.name, values)
            if self._store.get(key) is not None:
                changes.append(ShelfChange(key, None))
            elif not asked.if_exists:
                raise Refused(f"Partition does not exist: {'/'.join(values)}")
        return changes

    def _drop_database(self, asked: Drop) -> list[ShelfChange]:
        key = tables.database_key(self._account, self._region, asked.name.database)
        if self._store.get(key) is None:
            if asked.if_exists:
                return []
            raise Refused(f"Database '{asked.name.database}' does not exist")
        if self.tables(asked.name.database) and not asked.cascade:
            raise Refused(f"Database {asked.name.database} is not empty")
        return self.without_database(asked.name.database)

    def _hold_database(self, name: str) -> None:
        if name not in {each["Name"] for each in self.databases()}:
            raise Refused(f"Database '{name}' does not exist")

    def _show(self, asked: Show) -> Done:
        if asked.what == "databases":
            return ["database_name"], [[each["Name"]] for each in self.databases()], []
        if asked.what in ("tables", "views"):
            self._hold_database(asked.database)
            found = self.tables(asked.database)
            return (
                ["tab_name"],
                [[each["Name"]] for each in found if asked.what == "tables" or tables.is_view(each)],
                [],
            )
        assert asked.table is not None
        document = self.any_table(asked.table)
        if asked.what == "partitions":
            return ["partition"], self._shown_partitions(asked.table, document), []
        return _SHOWN[asked.what](document)

    def _shown_partitions(self, name: TableName, table: dict[str, Any]) -> Rows:
        if not table.get("PartitionKeys"):
            raise Refused(f"the table '{table['Name']}' has no partitions")
        return [[partitions.spelled(table, each)] for each in self.partitions(name)]


def _columns(document: dict[str, Any]) -> Done:
    columns, partitions = tables.described(document)
    return ["field"], [[name] for name, _ in (*columns, *partitions)], []


def _describe(document: dict[str, Any]) -> Done:
    columns, partitions = tables.described(document)
    rows = [_padded(*each) for each in (*columns, *partitions)]
    if partitions:
        rows += [["", "", ""], ["# Partition Information", "", ""], ["# col_name", "data_type", "comment"]]
        rows += [_padded(*each) for each in partitions]
    return ["col_name", "data_type", "comment"], rows, []


def _padded(name: str, kind: str) -> list[str]:
    return [f"{name:<20}", f"{kind:<20}", ""]


def _create_text(document: dict[str, Any]) -> Done:
    if tables.is_view(document):
        lines = [f"CREATE VIEW {document['Name']} AS", *str(tables.query_of(document)).splitlines()]
    elif tables.location_of(document):
        lines = create_text.written(document)
    else:
        raise Refused(f"the table '{document['Name']}' is always there; nobody created it")
    return ["createtab_stmt"], [[line] for line in lines], []


def _properties(document: dict[str, Any]) -> Done:
    pairs: Sequence[tuple[str, str]] = sorted((document.get("Parameters") or {}).items())
    return ["prpt_name", "prpt_value"], [[name, value] for name, value in pairs], []


_SHOWN = {
    "columns": _columns,
    "describe": _describe,
    "create table": _create_text,
    "create view": _create_text,
    "tblproperties": _properties,
}
