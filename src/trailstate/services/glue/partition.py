"""Partitions of the catalogue's tables (Glue API reference): kept and listed; a question finds their files without."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from trailstate.lake import partitions, tables
from trailstate.lake.gate import Refused
from trailstate.services.glue.catalog import (
    definitions,
    fault,
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

Table = Mapping[str, Any]


@operation("glue")
def create_partition(
    call: Call,
    shelf: StagedShelf,
    store: Store,
    *,
    DatabaseName: str,
    TableName: str,
    PartitionInput: Mapping[str, Any],
    CatalogId: str | None = None,
) -> dict[str, Any]:
    """Add one partition."""
    table = hold_table(call, store, CatalogId, DatabaseName, TableName)
    _create(call, shelf, table, PartitionInput)
    return {}


@operation("glue")
def batch_create_partition(
    call: Call,
    shelf: StagedShelf,
    store: Store,
    *,
    DatabaseName: str,
    TableName: str,
    PartitionInputList: Sequence[Mapping[str, Any]],
    CatalogId: str | None = None,
) -> dict[str, Any]:
    """Add partitions, and say which were there already or do not fit."""
    table = hold_table(call, store, CatalogId, DatabaseName, TableName)
    return {
        "Errors": refusals(
            ({"PartitionValues": each.get("Values") or []}, partial(_create, call, shelf, table, each))
            for each in PartitionInputList
        )
    }


@operation("glue")
def get_partition(
    call: Call,
    shelf: StagedShelf,
    store: Store,
    *,
    DatabaseName: str,
    TableName: str,
    PartitionValues: Sequence[str],
    CatalogId: str | None = None,
    AuditContext: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The partition with exactly these values."""
    table = hold_table(call, store, CatalogId, DatabaseName, TableName)
    return {"Partition": told(_found(call, shelf, table, PartitionValues), call.account)}


@operation("glue")
def batch_get_partition(
    call: Call,
    shelf: StagedShelf,
    store: Store,
    *,
    DatabaseName: str,
    TableName: str,
    PartitionsToGet: Sequence[Mapping[str, Any]],
    CatalogId: str | None = None,
    AuditContext: Mapping[str, Any] | None = None,
    QuerySessionContext: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Those of the partitions that are there."""
    table = hold_table(call, store, CatalogId, DatabaseName, TableName)
    found = (shelf.get(_key(call, table, each["Values"])) for each in PartitionsToGet)
    return {"Partitions": [told(each, call.account) for each in found if each is not None], "UnprocessedKeys": []}


@operation("glue")
def get_partitions(
    call: Call,
    store: Store,
    tokens: PageTokens,
    *,
    DatabaseName: str,
    TableName: str,
    CatalogId: str | None = None,
    Expression: str | None = None,
    NextToken: str | None = None,
    Segment: Mapping[str, int] | None = None,
    MaxResults: int | None = None,
    ExcludeColumnSchema: bool | None = None,
    TransactionId: str | None = None,
    QueryAsOfTime: datetime | None = None,
    AuditContext: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The partitions that hold to an expression over the partition columns; of a segment those that fall into it."""
    table = hold_table(call, store, CatalogId, DatabaseName, TableName)
    found = definitions(call, store).partitions(table_name(DatabaseName, TableName))
    if Segment:
        found = found[Segment["SegmentNumber"] :: Segment["TotalSegments"]]
    try:
        chosen = list(filter(partitions.wanted(table, Expression), found)) if Expression else found
    except Refused as refusal:
        raise invalid(str(refusal)) from refusal
    question = ["partitions", call.account, call.region, DatabaseName, TableName, Expression, Segment]
    these, more = some(tokens, question, chosen, MaxResults, NextToken)
    return {"Partitions": [_shown(told(each, call.account), ExcludeColumnSchema) for each in these], **more}


@operation("glue")
def update_partition(
    call: Call,
    shelf: StagedShelf,
    store: Store,
    *,
    DatabaseName: str,
    TableName: str,
    PartitionValueList: Sequence[str],
    PartitionInput: Mapping[str, Any],
    CatalogId: str | None = None,
) -> dict[str, Any]:
    """Replace a partition; its values may change too."""
    table = hold_table(call, store, CatalogId, DatabaseName, TableName)
    _found(call, shelf, table, PartitionValueList)
    shelf.delete(_key(call, table, PartitionValueList))
    _create(call, shelf, table, {"Values": PartitionValueList, **PartitionInput})
    return {}


@operation("glue")
def delete_partition(
    call: Call,
    shelf: StagedShelf,
    store: Store,
    *,
    DatabaseName: str,
    TableName: str,
    PartitionValues: Sequence[str],
    CatalogId: str | None = None,
) -> dict[str, Any]:
    """Take one partition away; its files stay."""
    _delete(call, shelf, hold_table(call, store, CatalogId, DatabaseName, TableName), PartitionValues)
    return {}


@operation("glue")
def batch_delete_partition(
    call: Call,
    shelf: StagedShelf,
    store: Store,
    *,
    DatabaseName: str,
    TableName: str,
    PartitionsToDelete: Sequence[Mapping[str, Any]],
    CatalogId: str | None = None,
) -> dict[str, Any]:
    """Take partitions away, and say which were not there."""
    table = hold_table(call, store, CatalogId, DatabaseName, TableName)
    return {
        "Errors": refusals(
            ({"PartitionValues": each["Values"]}, partial(_delete, call, shelf, table, each["Values"]))
            for each in PartitionsToDelete
        )
    }


@operation("glue")
def get_partition_indexes(
    call: Call,
    store: Store,
    *,
    DatabaseName: str,
    TableName: str,
    CatalogId: str | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """No table has any: partitions are listed without."""
    hold_table(call, store, CatalogId, DatabaseName, TableName)
    return {"PartitionIndexDescriptorList": []}


def _create(call: Call, shelf: StagedShelf, table: Table, given: Mapping[str, Any]) -> None:
    values, columns = given.get("Values") or [], [name for name, _ in tables.described(table)[1]]
    if len(values) != len(columns):
        told = ", ".join(columns) or "none"
        raise invalid(f"The number of partition keys do not match the number of partition values: {told}; {values}.")
    if shelf.get(_key(call, table, values)) is not None:
        raise fault.AlreadyExistsException("Partition already exists.")
    document = partitions.document_of(table, values, call.now.isoformat(), **_more(given))
    shelf.put(_key(call, table, values), document)


def _more(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kept(given).items() if name != "Values"}


def _delete(call: Call, shelf: StagedShelf, table: Table, values: Sequence[str]) -> None:
    _found(call, shelf, table, values)
    shelf.delete(_key(call, table, values))


def _found(call: Call, shelf: StagedShelf, table: Table, values: Sequence[str]) -> dict[str, Any]:
    document = shelf.get(_key(call, table, values))
    if document is None:
        raise missing(f"Cannot find partition {'/'.join(values)} of {table['DatabaseName']}.{table['Name']}.")
    return document


def _shown(document: dict[str, Any], without_columns: bool | None) -> dict[str, Any]:
    if not without_columns or "StorageDescriptor" not in document:
        return document
    descriptor = {name: value for name, value in document["StorageDescriptor"].items() if name != "Columns"}
    return document | {"StorageDescriptor": descriptor}


def _key(call: Call, table: Table, values: Sequence[str]) -> ShelfKey:
    name = table_name(table["DatabaseName"], table["Name"])
    return partitions.partition_key(call.account, call.region, name, values)
