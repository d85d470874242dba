"""What Glue's operations share: the one catalog, names, times, and the faults of a catalogue.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog.html
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from trailstate.lake.ddl import Definitions
from trailstate.lake.gate import TableName
from trailstate.services.paging import page
from trailstate.stores.interface import Store
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call
from trailstate.wire.fault import Fault, faults

fault = faults("glue")

LISTED_MAX = 100
TIMES = ("CreateTime", "CreationTime", "UpdateTime", "LastAccessTime", "LastAnalyzedTime")


def definitions(call: Call, store: Store, catalog: str | None = None) -> Definitions:
    """Those of the caller's account; the catalog of another account is refused."""
    if catalog not in (None, call.account):
        raise fault.EntityNotFoundException(
            f"Catalog {catalog} not found: there is the caller's own, {call.account}, alone."
        )
    return Definitions(store, call.account, call.region, call.now.isoformat())


def hold_database(found: Definitions, name: str) -> dict[str, Any]:
    for each in found.databases():
        if each["Name"] == name.lower():
            return each
    raise missing(f"Database {name.lower()} not found.")


def hold_table(call: Call, store: Store, catalog: str | None, database: str, name: str) -> dict[str, Any]:
    """A table or view of the caller's; the fault that says whether it, its database or its catalog is not there."""
    found = definitions(call, store, catalog)
    hold_database(found, database)
    for each in found.tables(database.lower()):
        if each["Name"] == name.lower():
            return each
    raise missing(f"Table {database.lower()}.{name.lower()} not found.")


def table_name(database: str, name: str) -> TableName:
    return TableName(database.lower(), name.lower())


def kept(given: Mapping[str, Any]) -> dict[str, Any]:
    """An input as a document: times as text."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in given.items()}


def told(document: Mapping[str, Any], account: str) -> dict[str, Any]:
    """A document as the API shows it."""
    times = {name: datetime.fromisoformat(document[name]) for name in TIMES if document.get(name)}
    return {**document, **times, "CatalogId": account}


def some(
    tokens: PageTokens, question: Sequence[Any], items: Sequence[Any], limit: int | None, token: str | None
) -> tuple[Sequence[Any], dict[str, str]]:
    """One page, and the member that leads to the next."""
    found, following = page(tokens, question, items, limit=limit or LISTED_MAX, token=token, refuse=invalid)
    return found, {"NextToken": following} if following else {}


def refusals(each_do: Iterable[tuple[Mapping[str, Any], Callable[[], None]]]) -> list[dict[str, Any]]:
    """Everything is done that can be; the errors of a batch, each beside what names the one that was refused."""
    errors = []
    for named, do in each_do:
        try:
            do()
        except Fault as refusal:
            detail = {"ErrorCode": refusal.code, "ErrorMessage": refusal.message}
            errors.append({**named, "ErrorDetail": detail})
    return errors


def missing(message: str) -> Fault:
    return fault.EntityNotFoundException(message)


def invalid(message: str) -> Fault:
    return fault.InvalidInputException(message)
