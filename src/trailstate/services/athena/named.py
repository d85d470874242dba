"""Named queries: questions that a workgroup keeps (Athena API reference)."""

from collections.abc import Sequence
from typing import Any

from trailstate.services.athena.listing import listed, refused
from trailstate.services.athena.workgroup import PRIMARY, found_workgroup
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call
from trailstate.world import World

KIND = "lake.query"


@operation("athena")
def create_named_query(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    Name: str,
    Database: str,
    QueryString: str,
    Description: str | None = None,
    ClientRequestToken: str | None = None,
    WorkGroup: str | None = None,
) -> dict[str, Any]:
    """Keep a question; the same token is the same one."""
    workgroup = found_workgroup(call, shelf, WorkGroup or PRIMARY)["Name"]
    if ClientRequestToken is not None:
        for key, each in shelf.documents(call.account, call.region, KIND):
            if each.get("ClientRequestToken") == ClientRequestToken:
                return {"NamedQueryId": key.name}
    name = world.uuid()
    document = {
        "Name": Name,
        "Description": Description or "",
        "Database": Database,
        "QueryString": QueryString,
        "NamedQueryId": name,
        "WorkGroup": workgroup,
        "ClientRequestToken": ClientRequestToken,
    }
    shelf.put(_key(call, name), document)
    return {"NamedQueryId": name}


@operation("athena")
def get_named_query(call: Call, shelf: StagedShelf, *, NamedQueryId: str) -> dict[str, Any]:
    """One question."""
    return {"NamedQuery": _told(_found(call, shelf, NamedQueryId))}


@operation("athena")
def batch_get_named_query(call: Call, shelf: StagedShelf, *, NamedQueryIds: Sequence[str]) -> dict[str, Any]:
    """Several questions, and which ids are none."""
    found = {name: shelf.get(_key(call, name)) for name in NamedQueryIds}
    unknown = [
        {"NamedQueryId": name, "ErrorCode": "NOT_FOUND", "ErrorMessage": f"NamedQuery {name} was not found"}
        for name, document in found.items()
        if document is None
    ]
    known = [_told(document) for document in found.values() if document is not None]
    return {"NamedQueries": known, "UnprocessedNamedQueryIds": unknown}


@operation("athena")
def list_named_queries(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    NextToken: str | None = None,
    MaxResults: int | None = None,
    WorkGroup: str | None = None,
) -> dict[str, Any]:
    """The ids of a workgroup's questions."""
    workgroup = found_workgroup(call, shelf, WorkGroup or PRIMARY)["Name"]
    found = [
        key.name for key, each in shelf.documents(call.account, call.region, KIND) if each["WorkGroup"] == workgroup
    ]
    return listed(call, tokens, "NamedQueryIds", ["named", workgroup], found, limit=MaxResults, token=NextToken)


@operation("athena")
def update_named_query(
    call: Call, shelf: StagedShelf, *, NamedQueryId: str, Name: str, QueryString: str, Description: str | None = None
) -> dict[str, Any]:
    """Change a question."""
    changes = {"Name": Name, "QueryString": QueryString, "Description": Description or ""}
    shelf.put(_key(call, NamedQueryId), _found(call, shelf, NamedQueryId) | changes)
    return {}


@operation("athena")
def delete_named_query(call: Call, shelf: StagedShelf, *, NamedQueryId: str) -> dict[str, Any]:
    """Forget a question."""
    _found(call, shelf, NamedQueryId)
    shelf.delete(_key(call, NamedQueryId))
    return {}


def _told(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "ClientRequestToken"}


def _found(call: Call, shelf: StagedShelf, name: str) -> dict[str, Any]:
    document = shelf.get(_key(call, name))
    if document is None:
        raise refused(f"NamedQuery {name} was not found")
    return document


def _key(call: Call, name: str) -> ShelfKey:
    return ShelfKey(call.account, call.region, KIND, name)
