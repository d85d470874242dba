"""Advanced queries kept under a name, in one account and region."""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.compliance.definition import ID_ALPHABET
from trailstate.configuration.query.lex import InvalidExpression
from trailstate.configuration.query.parse import parse
from trailstate.services.config.paged import paged
from trailstate.services.config.tags import put_tags, remove_tags
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call
from trailstate.wire.fault import Fault, faults
from trailstate.world import World

fault = faults("config")

QUERY_KIND = "config.query"
QUERIES_MAX = 300
LIMIT_MAX = 100
ID_CHARACTERS = 17
METADATA = ("QueryId", "QueryArn", "QueryName", "Description")


@operation("config")
def put_stored_query(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    StoredQuery: Mapping[str, str],
    Tags: Sequence[Mapping[str, str]] | None = None,
) -> dict[str, Any]:
    """A query that is there gets its new text; one whose text is no query is refused."""
    name = StoredQuery["QueryName"]
    found = shelf.get(_key(call, name))
    identity = found or _fresh(call, shelf, world, name)
    for each in ("QueryId", "QueryArn"):
        if StoredQuery.get(each) not in (None, identity[each] if found else None):
            raise _invalid(f"{each} must be that of the query '{name}', or be left out for a new one.")
    _hold_expression(StoredQuery.get("Expression"))
    shelf.put(_key(call, name), {**identity, **StoredQuery})
    if Tags:
        put_tags(call, shelf, identity["QueryArn"], Tags)
    return {"QueryArn": identity["QueryArn"]}


def _fresh(call: Call, shelf: StagedShelf, world: World, name: str) -> dict[str, Any]:
    if sum(1 for _ in shelf.documents(call.account, call.region, QUERY_KIND)) >= QUERIES_MAX:
        raise _invalid(f"There are {QUERIES_MAX} saved queries already, which is the most.")
    identifier = f"query-{world.token(ID_CHARACTERS, ID_ALPHABET)}"
    arn = f"arn:aws:config:{call.region}:{call.account}:stored-query/{name}/{identifier}"
    return {"QueryId": identifier, "QueryArn": arn, "QueryName": name}


def _hold_expression(expression: str | None) -> None:
    if expression is None:
        raise _invalid("Give the Expression of the query.")
    try:
        parse(expression)
    except InvalidExpression as error:
        raise _invalid(str(error)) from error


@operation("config")
def get_stored_query(call: Call, shelf: StagedShelf, *, QueryName: str) -> dict[str, Any]:
    return {"StoredQuery": _existing(call, shelf, QueryName)}


@operation("config")
def list_stored_queries(
    call: Call, shelf: StagedShelf, tokens: PageTokens, *, NextToken: str | None = None, MaxResults: int | None = None
) -> dict[str, Any]:
    """Name, id, ARN and description of each query, without its text."""
    found = [value for _, value in shelf.documents(call.account, call.region, QUERY_KIND)]
    told = [{name: each[name] for name in METADATA if name in each} for each in found]
    limit = MaxResults or LIMIT_MAX
    return paged(call, tokens, "StoredQueryMetadata", told, limit=limit, token=NextToken)


@operation("config")
def delete_stored_query(call: Call, shelf: StagedShelf, *, QueryName: str) -> dict[str, Any]:
    found = _existing(call, shelf, QueryName)
    shelf.delete(_key(call, QueryName))
    remove_tags(call, shelf, found["QueryArn"])
    return {}


def _existing(call: Call, shelf: StagedShelf, name: str) -> dict[str, Any]:
    found = shelf.get(_key(call, name))
    if found is None:
        raise fault.ResourceNotFoundException(f"There is no saved query '{name}' in this account and region.")
    return found


def _key(call: Call, name: str) -> ShelfKey:
    return ShelfKey(call.account, call.region, QUERY_KIND, name)


def _invalid(message: str) -> Fault:
    return fault.ValidationException(message)
