"""What CREATE, DROP, SHOW and DESCRIBE do: definitions of one account and region, read and changed."""

from collections.abc import Sequence
from typing import Any

from trailstate.lake import gate, tables
from trailstate.lake.gate import Refused, TableName
from trailstate.lake.lake import DATABASE
from trailstate.lake.statement import (
    AddPartitions,
    CreateDatabase,
    CreateTable,
    CreateView,
    Drop,
    Show,
    Statement,
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
        return [{"Name": DATABASE}, *(each for each in made if each["Name"] != DATABASE)]

    def tables(self, database: str) -> list[dict[str, Any]]:
        """The tables and views of a database by name; a made one hides a built-in one of its name."""
        found = {each["Name"]: each for each in tables.built_in_documents() if each["Database"] == database}
        for _, document in self._store.documents(self._account, self._region, tables.TABLES):
            if document.value["Database"] == database:
                found[document.value["Name"]] = document.value
        return [found[name] for name in sorted(found)]

    def table(self, name: TableName) -> dict[str, Any] | None:
        """A table that somebody made; views are none."""
        document = self._store.get(tables.table_key(self._account, self._region, name))
        return None if document is None or "View" in document.value else document.value

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
        return None if document is None else document.value.get("View")

    def do(self, asked: Statement) -> Done:
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
                self.any_table(asked.name)
                return [], [], []
        raise Refused("this statement is not supported by Trailstate yet")

    def _create_database(self, asked: CreateDatabase) -> list[ShelfChange]:
        if asked.name in {each["Name"] for each in self.databases()}:
            if asked.if_not_exists:
                return []
            raise Refused(f"Database {asked.name} already exists")
        document = {"Name": asked.name, "Description": asked.comment, "LocationUri": asked.location}
        return [ShelfChange(tables.database_key(self._account, self._region, asked.name), document)]

    def _create(self, asked: CreateTable | CreateView) -> list[ShelfChange]:
        self._hold_database(asked.name.database)
        key = tables.table_key(self._account, self._region, asked.name)
        there = self._store.get(key)
        if isinstance(asked, CreateView):
            if there is not None and not (asked.or_replace and "View" in there.value):
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
        if there is None or ("View" in there.value) != (asked.what == "view"):
            if asked.if_exists:
                return []
            raise Refused(f"{asked.what.title()} '{asked.name.database}.{asked.name.name}' does not exist")
        return [ShelfChange(key, None)]

    def _drop_database(self, asked: Drop) -> list[ShelfChange]:
        key = tables.database_key(self._account, self._region, asked.name.database)
        if self._store.get(key) is None:
            if asked.if_exists:
                return []
            raise Refused(f"Database '{asked.name.database}' does not exist")
        if self.tables(asked.name.database):
            raise Refused(f"Database {asked.name.database} is not empty")
        return [ShelfChange(key, None)]

    def _hold_database(self, name: str) -> None:
        if name not in {each["Name"] for each in self.databases()}:
            raise Refused(f"Database '{name}' does not exist")

    def _show(self, asked: Show) -> Done:
        if asked.what == "databases":
            return ["database_name"], [[each["Name"]] for each in self.databases()], []
        if asked.what in ("tables", "views"):
            self._hold_database(asked.database)
            found = self.tables(asked.database)
            return ["tab_name"], [[each["Name"]] for each in found if asked.what == "tables" or "View" in each], []
        assert asked.table is not None
        document = self.any_table(asked.table)
        return _SHOWN[asked.what](document)


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
    text = str(document.get("Text") or document.get("View") or "")
    if not text:
        raise Refused(f"the table '{document['Name']}' is always there; nobody created it")
    return ["createtab_stmt"], [[line] for line in text.splitlines()], []


def _properties(document: dict[str, Any]) -> Done:
    pairs: Sequence[tuple[str, str]] = sorted(document.get("Properties", {}).items())
    return ["prpt_name", "prpt_value"], [[name, value] for name, value in pairs], []


def _no_partitions(document: dict[str, Any]) -> Done:
    """What lies below the location is found without partitions having been added."""
    if not document.get("Partitions"):
        raise Refused(f"the table '{document['Name']}' has no partitions")
    return ["partition"], [], []


_SHOWN = {
    "columns": _columns,
    "describe": _describe,
    "create table": _create_text,
    "create view": _create_text,
    "tblproperties": _properties,
    "partitions": _no_partitions,
}
