"""Tables and views of the catalogue, the same that Athena's SQL makes and asks (Glue API reference).

Any table can be kept here. Which of them Athena can ask is said when it is asked.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import re2

from trailstate.lake import tables
from trailstate.lake.gate import TableName
from trailstate.services.glue.catalog import (
    definitions,
    fault,
    hold_database,
    hold_table,
    invalid,
    kept,
    missing,
    refusals,
    some,
    table_name,
    told,
)
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey, Store
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call

FIRST_VERSION = "0"


@operation("glue")
def create_table(
    call: Call,
    shelf: StagedShelf,
    store: Store,
    *,
    DatabaseName: str,
    CatalogId: str | None = None,
    Name: str | None = None,
    TableInput: Mapping[str, Any] | None = None,
    PartitionIndexes: Sequence[Mapping[str, Any]] | None = None,
    TransactionId: str | None = None,
    OpenTableFormatInput: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Keep a table as it is described."""
    _refuse(PartitionIndexes=PartitionIndexes, TransactionId=TransactionId, OpenTableFormatInput=OpenTableFormatInput)
    found = definitions(call, store, CatalogId)
    hold_database(found, DatabaseName)
    given = _input(TableInput)
    name = table_name(DatabaseName, given["Name"])
    if shelf.get(_key(call, name)) is not None:
        raise fault.AlreadyExistsException("Table already exists.")
    shelf.put(_key(call, name), _document(call, name, given, call.now.isoformat(), FIRST_VERSION))
    return {}


@operation("glue")
def get_table(
    call: Call,
    store: Store,
    *,
    DatabaseName: str,
    Name: str,
    CatalogId: str | None = None,
    TransactionId: str | None = None,
    QueryAsOfTime: datetime | None = None,
    AuditContext: Mapping[str, Any] | None = None,
    IncludeStatusDetails: bool | None = None,
    AttributesToGet: Sequence[str] | None = None,
) -> dict[str, Any]:
    """One table or view."""
    _refuse(TransactionId=TransactionId, QueryAsOfTime=QueryAsOfTime)
    return {"Table": told(hold_table(call, store, CatalogId, DatabaseName, Name), call.account)}


@operation("glue")
def get_tables(
    call: Call,
    store: Store,
    tokens: PageTokens,
    *,
    DatabaseName: str,
    CatalogId: str | None = None,
    Expression: str | None = None,
    NextToken: str | None = None,
    MaxResults: int | None = None,
    TransactionId: str | None = None,
    QueryAsOfTime: datetime | None = None,
    AuditContext: Mapping[str, Any] | None = None,
    ResourceShareType: str | None = None,
    IncludeStatusDetails: bool | None = None,
    AttributesToGet: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The tables and views of a database whose names match the expression."""
    _refuse(TransactionId=TransactionId, QueryAsOfTime=QueryAsOfTime)
    catalogue = definitions(call, store, CatalogId)
    hold_database(catalogue, DatabaseName)
    pattern = _pattern(Expression)
    found = [each for each in catalogue.tables(DatabaseName.lower()) if pattern.fullmatch(each["Name"])]
    question = ["tables", call.account, call.region, DatabaseName, Expression]
    these, more = some(tokens, question, found, MaxResults, NextToken)
    return {"TableList": [told(each, call.account) for each in these], **more}


@operation("glue")
def update_table(
    call: Call,
    shelf: StagedShelf,
    store: Store,
    *,
    DatabaseName: str,
    CatalogId: str | None = None,
    Name: str | None = None,
    TableInput: Mapping[str, Any] | None = None,
    SkipArchive: bool | None = None,
    TransactionId: str | None = None,
    VersionId: str | None = None,
    ViewUpdateAction: str | None = None,
    Force: bool | None = None,
    UpdateOpenTableFormatInput: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Replace the description of a table, if it still has the version that is given."""
    _refuse(
        TransactionId=TransactionId,
        ViewUpdateAction=ViewUpdateAction,
        UpdateOpenTableFormatInput=UpdateOpenTableFormatInput,
    )
    given = _input(TableInput)
    name = table_name(DatabaseName, given["Name"])
    there = shelf.get(_key(call, name))
    if there is None:
        raise missing(f"Table {name.database}.{name.name} not found.")
    version = there.get("VersionId", FIRST_VERSION)
    if VersionId not in (None, version):
        raise fault.ConcurrentModificationException(f"Update table failed due to concurrent modifications: {version}.")
    shelf.put(_key(call, name), _document(call, name, given, there["CreateTime"], str(int(version) + 1)))
    return {}


@operation("glue")
def delete_table(
    call: Call,
    shelf: StagedShelf,
    store: Store,
    *,
    DatabaseName: str,
    Name: str,
    CatalogId: str | None = None,
    TransactionId: str | None = None,
) -> dict[str, Any]:
    """Delete a table or view that somebody made, with its partitions."""
    _refuse(TransactionId=TransactionId)
    hold_database(definitions(call, store, CatalogId), DatabaseName)
    _delete(call, shelf, store, table_name(DatabaseName, Name))
    return {}


@operation("glue")
def batch_delete_table(
    call: Call,
    shelf: StagedShelf,
    store: Store,
    *,
    DatabaseName: str,
    TablesToDelete: Sequence[str],
    CatalogId: str | None = None,
    TransactionId: str | None = None,
) -> dict[str, Any]:
    """Delete those that are there, and say which were not."""
    _refuse(TransactionId=TransactionId)
    hold_database(definitions(call, store, CatalogId), DatabaseName)
    return {
        "Errors": refusals(
            ({"TableName": each}, partial(_delete, call, shelf, store, table_name(DatabaseName, each)))
            for each in TablesToDelete
        )
    }


def _delete(call: Call, shelf: StagedShelf, store: Store, name: TableName) -> None:
    if shelf.get(_key(call, name)) is None:
        raise missing(f"Table {name.database}.{name.name} not found.")
    shelf.delete(_key(call, name))
    for change in definitions(call, store).without_partitions(name):
        shelf.delete(change.key)


def _document(call: Call, name: TableName, given: Mapping[str, Any], made: str, version: str) -> dict[str, Any]:
    return {
        "StorageDescriptor": {},
        "PartitionKeys": [],
        "TableType": tables.EXTERNAL,
        **kept(given),
        "DatabaseName": name.database,
        "Name": name.name,
        "CreateTime": made,
        "UpdateTime": call.now.isoformat(),
        "CreatedBy": call.principal.arn,
        "VersionId": version,
    }


def _input(given: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if given is None:
        raise invalid("TableInput is missing: expected the table's description.")
    return given


def _refuse(**given: Any) -> None:
    """What a table of a catalogue of files has nothing of: said, never passed over."""
    for name, value in given.items():
        if value:
            raise invalid(f"{name} is not supported by Trailstate yet.")


def _pattern(expression: str | None) -> Any:
    try:
        return re2.compile(f"(?i){expression or '.*'}")
    except re2.error:
        raise invalid(f"Expression is no regular expression: {expression}") from None


def _key(call: Call, name: TableName) -> ShelfKey:
    return tables.table_key(call.account, call.region, name)
