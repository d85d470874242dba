"""Prepared statements: questions of a workgroup with places left open (Athena API reference)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trailstate.lake import gate
from trailstate.lake.gate import Refused
from trailstate.lake.prepared import PREPARED, document_of, prepared_key
from trailstate.services.athena.listing import listed, refused
from trailstate.services.athena.workgroup import found_workgroup
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call
from trailstate.wire.fault import faults

fault = faults("athena")


@operation("athena")
def create_prepared_statement(
    call: Call,
    shelf: StagedShelf,
    *,
    StatementName: str,
    WorkGroup: str,
    QueryStatement: str,
    Description: str | None = None,
) -> dict[str, Any]:
    """Keep a question under a name that the workgroup has not given yet."""
    key = _key(call, shelf, WorkGroup, StatementName)
    if shelf.get(key) is not None:
        raise refused(f"PreparedStatement {StatementName} already exists in workGroup {WorkGroup}")
    _put(call, shelf, key, QueryStatement, Description)
    return {}


@operation("athena")
def get_prepared_statement(call: Call, shelf: StagedShelf, *, StatementName: str, WorkGroup: str) -> dict[str, Any]:
    """One question."""
    return {"PreparedStatement": _told(_found(shelf, _key(call, shelf, WorkGroup, StatementName)))}


@operation("athena")
def batch_get_prepared_statement(
    call: Call, shelf: StagedShelf, *, PreparedStatementNames: Sequence[str], WorkGroup: str
) -> dict[str, Any]:
    """Several questions, and which names are none."""
    found = {name: shelf.get(_key(call, shelf, WorkGroup, name)) for name in PreparedStatementNames}
    unknown = [
        {"StatementName": name, "ErrorCode": "STATEMENT_NOT_FOUND", "ErrorMessage": f"{name} was not found"}
        for name, document in found.items()
        if document is None
    ]
    known = [_told(document) for document in found.values() if document is not None]
    return {"PreparedStatements": known, "UnprocessedPreparedStatementNames": unknown}


@operation("athena")
def list_prepared_statements(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    WorkGroup: str,
    NextToken: str | None = None,
    MaxResults: int | None = None,
) -> dict[str, Any]:
    """The names in a workgroup."""
    workgroup = found_workgroup(call, shelf, WorkGroup)["Name"]
    found = (_told(each) for _, each in shelf.documents(call.account, call.region, PREPARED))
    named = [
        {name: each[name] for name in ("StatementName", "LastModifiedTime")}
        for each in found
        if each["WorkGroupName"] == workgroup
    ]
    return listed(call, tokens, "PreparedStatements", ["prepared", workgroup], named, limit=MaxResults, token=NextToken)


@operation("athena")
def update_prepared_statement(
    call: Call,
    shelf: StagedShelf,
    *,
    StatementName: str,
    WorkGroup: str,
    QueryStatement: str,
    Description: str | None = None,
) -> dict[str, Any]:
    """Change a question."""
    key = _key(call, shelf, WorkGroup, StatementName)
    _found(shelf, key)
    _put(call, shelf, key, QueryStatement, Description)
    return {}


@operation("athena")
def delete_prepared_statement(call: Call, shelf: StagedShelf, *, StatementName: str, WorkGroup: str) -> dict[str, Any]:
    """Forget a question."""
    key = _key(call, shelf, WorkGroup, StatementName)
    _found(shelf, key)
    shelf.delete(key)
    return {}


def _put(call: Call, shelf: StagedShelf, key: ShelfKey, query: str, description: str | None) -> None:
    try:
        gate.parsed(query)
    except Refused as refusal:
        raise refused(f"The prepared statement cannot be read: {refusal}") from refusal
    workgroup, _, name = key.name.partition("/")
    shelf.put(key, document_of(workgroup, name, query, call.now.isoformat(), description))


def _key(call: Call, shelf: StagedShelf, workgroup: str, name: str) -> ShelfKey:
    return prepared_key(call.account, call.region, found_workgroup(call, shelf, workgroup)["Name"], name)


def _found(shelf: StagedShelf, key: ShelfKey) -> dict[str, Any]:
    document = shelf.get(key)
    if document is None:
        workgroup, _, name = key.name.partition("/")
        raise fault.ResourceNotFoundException(f"PreparedStatement {name} was not found in workGroup {workgroup}")
    return document


def _told(document: Mapping[str, Any]) -> dict[str, Any]:
    return {**document, "LastModifiedTime": datetime.fromisoformat(document["LastModifiedTime"])}
