"""The catalogue as Athena shows it: one data catalog, its databases, and what their tables look like."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trailstate.lake import tables
from trailstate.lake.ddl import Definitions
from trailstate.services.athena.listing import listed, refused
from trailstate.services.operation import operation
from trailstate.stores.interface import Store
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call
from trailstate.wire.fault import Fault, faults

fault = faults("athena")

CATALOG = "AwsDataCatalog"


@operation("athena")
def list_data_catalogs(
    call: Call, *, NextToken: str | None = None, MaxResults: int | None = None, WorkGroup: str | None = None
) -> dict[str, Any]:
    """There is one."""
    return {"DataCatalogsSummary": [{"CatalogName": CATALOG, "Type": "GLUE"}]}


@operation("athena")
def get_data_catalog(call: Call, *, Name: str, WorkGroup: str | None = None) -> dict[str, Any]:
    """The one that there is."""
    _hold_catalog(Name)
    return {"DataCatalog": {"Name": CATALOG, "Type": "GLUE", "Parameters": {"catalog-id": call.account}}}


@operation("athena")
def list_databases(
    call: Call,
    store: Store,
    tokens: PageTokens,
    *,
    CatalogName: str,
    NextToken: str | None = None,
    MaxResults: int | None = None,
    WorkGroup: str | None = None,
    AttributesToGet: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Every database, the default one first."""
    _hold_catalog(CatalogName)
    found, asked = _definitions(call, store).databases(), ["databases"]
    return listed(call, tokens, "DatabaseList", asked, found, limit=MaxResults, token=NextToken, shape=_database)


@operation("athena")
def get_database(
    call: Call, store: Store, *, CatalogName: str, DatabaseName: str, WorkGroup: str | None = None
) -> dict[str, Any]:
    """One database."""
    _hold_catalog(CatalogName)
    for each in _definitions(call, store).databases():
        if each["Name"] == DatabaseName.lower():
            return {"Database": _database(each)}
    raise _missing(f"Database {DatabaseName} not found.")


@operation("athena")
def list_table_metadata(
    call: Call,
    store: Store,
    tokens: PageTokens,
    *,
    CatalogName: str,
    DatabaseName: str,
    Expression: str | None = None,
    NextToken: str | None = None,
    MaxResults: int | None = None,
    WorkGroup: str | None = None,
    AttributesToGet: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The tables of a database whose name holds the expression."""
    _hold_catalog(CatalogName)
    found = [
        each
        for each in _definitions(call, store).tables(DatabaseName.lower())
        if (Expression or "").strip("*").lower() in each["Name"]
    ]
    asked = ["tables", DatabaseName, Expression]
    return listed(call, tokens, "TableMetadataList", asked, found, limit=MaxResults, token=NextToken, shape=_table)


@operation("athena")
def get_table_metadata(
    call: Call, store: Store, *, CatalogName: str, DatabaseName: str, TableName: str, WorkGroup: str | None = None
) -> dict[str, Any]:
    """One table."""
    _hold_catalog(CatalogName)
    for each in _definitions(call, store).tables(DatabaseName.lower()):
        if each["Name"] == TableName.lower():
            return {"TableMetadata": _table(each)}
    raise _missing(f"Table {DatabaseName}.{TableName} not found.")


def _definitions(call: Call, store: Store) -> Definitions:
    return Definitions(store, call.account, call.region, "")


def _hold_catalog(name: str) -> None:
    if name.lower() != CATALOG.lower():
        raise refused(f"DataCatalog {name} was not found")


def _database(document: Mapping[str, Any]) -> dict[str, Any]:
    described = {"Name": document["Name"], "Description": document.get("Description")}
    return {
        **{name: value for name, value in described.items() if value},
        "Parameters": document.get("Parameters") or {},
    }


def _table(document: Mapping[str, Any]) -> dict[str, Any]:
    columns, partitions = tables.described(document)
    return {
        "Name": document["Name"],
        "CreateTime": datetime.fromisoformat(document["CreateTime"]),
        "TableType": document.get("TableType") or tables.EXTERNAL,
        "Columns": [{"Name": name, "Type": kind} for name, kind in columns],
        "PartitionKeys": [{"Name": name, "Type": kind} for name, kind in partitions],
        "Parameters": {
            "location": tables.location_of(document),
            "serde.serialization.lib": tables.serde_of(document),
            **(document.get("Parameters") or {}),
        },
    }


def _missing(message: str) -> Fault:
    return fault.MetadataException(message)
