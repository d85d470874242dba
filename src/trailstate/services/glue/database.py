"""Databases of the catalogue, the same that Athena's SQL makes (Glue API reference)."""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.lake import tables
from trailstate.lake.lake import DATABASE
from trailstate.services.glue.catalog import definitions, fault, hold_database, invalid, kept, some, told
from trailstate.services.operation import operation
from trailstate.stores.interface import Store
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call, Door, service_principal

SERVICE = "glue.amazonaws.com"


@operation("glue")
def create_database(
    call: Call,
    shelf: StagedShelf,
    store: Store,
    door: Door,
    *,
    DatabaseInput: Mapping[str, Any],
    CatalogId: str | None = None,
    Tags: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Make a database; its tags are kept where Glue's others are."""
    name = DatabaseInput["Name"].lower()
    if name in {each["Name"] for each in definitions(call, store, CatalogId).databases()}:
        raise fault.AlreadyExistsException("Database already exists.")
    document = {**kept(DatabaseInput), "Name": name, "CreateTime": call.now.isoformat()}
    shelf.put(tables.database_key(call.account, call.region, name), document)
    if Tags:
        arn = f"arn:aws:glue:{call.region}:{call.account}:database/{name}"
        asked = {"ResourceArn": arn, "TagsToAdd": dict(Tags)}
        principal = service_principal(SERVICE, call.account)
        door.call("glue", "TagResource", asked, account=call.account, region=call.region, as_=principal)
    return {}


@operation("glue")
def get_database(call: Call, store: Store, *, Name: str, CatalogId: str | None = None) -> dict[str, Any]:
    """One database."""
    return {"Database": told(hold_database(definitions(call, store, CatalogId), Name), call.account)}


@operation("glue")
def get_databases(
    call: Call,
    store: Store,
    tokens: PageTokens,
    *,
    CatalogId: str | None = None,
    NextToken: str | None = None,
    MaxResults: int | None = None,
    ResourceShareType: str | None = None,
    AttributesToGet: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Every database, the one that is always there included; nothing is shared from other accounts."""
    found = [] if ResourceShareType == "FOREIGN" else definitions(call, store, CatalogId).databases()
    question = ["databases", call.account, call.region, ResourceShareType]
    these, more = some(tokens, question, found, MaxResults, NextToken)
    only = ("Name",) if AttributesToGet and "NAME" in AttributesToGet else None
    return {"DatabaseList": [_narrowed(told(each, call.account), only) for each in these], **more}


@operation("glue")
def update_database(
    call: Call,
    shelf: StagedShelf,
    store: Store,
    *,
    Name: str,
    DatabaseInput: Mapping[str, Any],
    CatalogId: str | None = None,
) -> dict[str, Any]:
    """Replace what is said of a database; its name stays."""
    there = hold_database(definitions(call, store, CatalogId), Name)
    if DatabaseInput["Name"].lower() != there["Name"]:
        raise invalid(f"A database keeps its name: expected {there['Name']}, found {DatabaseInput['Name']}.")
    document = {**kept(DatabaseInput), "Name": there["Name"], "CreateTime": there["CreateTime"]}
    shelf.put(tables.database_key(call.account, call.region, there["Name"]), document)
    return {}


@operation("glue")
def delete_database(
    call: Call, shelf: StagedShelf, store: Store, *, Name: str, CatalogId: str | None = None
) -> dict[str, Any]:
    """Delete a database with every table in it; the one that is always there stays."""
    found = definitions(call, store, CatalogId)
    there = hold_database(found, Name)
    if there["Name"] == DATABASE:
        raise invalid(f"The database {DATABASE} is always there and cannot be deleted.")
    for change in found.without_database(there["Name"]):
        shelf.delete(change.key)
    return {}


def _narrowed(document: Mapping[str, Any], only: Sequence[str] | None) -> dict[str, Any]:
    return {name: value for name, value in document.items() if only is None or name in only}
