"""Advanced queries: what there is now, asked in AWS's subset of SQL, of one account and region or of many."""

from collections.abc import Sequence
from typing import Any

from trailstate.configuration.aggregate import Aggregation
from trailstate.configuration.query.answer import GROUPS_MAX, TooManyGroups, selected
from trailstate.configuration.query.lex import InvalidExpression
from trailstate.configuration.query.parse import parse
from trailstate.configuration.query.run import Queries
from trailstate.configuration.query.tree import Query
from trailstate.configuration.recorder import Home
from trailstate.services.config.aggregators import readable
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import InvalidToken, PageTokens
from trailstate.wire.call import Call
from trailstate.wire.fault import faults
from trailstate.wire.spelling import service_unavailable

fault = faults("config")

LIMIT_MAX = 100
LIMIT = 25
"""How many answers a page has unless the request says otherwise; those about groups 500."""
GROUPS_LIMIT = 500


@operation("config", judges=("Limit",))
def select_resource_config(
    call: Call,
    queries: Queries,
    tokens: PageTokens,
    *,
    Expression: str,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """Answers about the caller's account and region."""
    limit = held_limit(Limit)
    return answered(call, queries, tokens, parsed(Expression), [Home(call.account, call.region)], limit, NextToken)


@operation("config", judges=("Limit", "MaxResults"))
def select_aggregate_resource_config(
    call: Call,
    shelf: StagedShelf,
    queries: Queries,
    aggregation: Aggregation,
    tokens: PageTokens,
    *,
    Expression: str,
    ConfigurationAggregatorName: str,
    Limit: int | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """Answers about every account and region that the caller's aggregator may read."""
    limit = held_limit(MaxResults if Limit is None else Limit)
    query = parsed(Expression)
    homes = readable(call, shelf, aggregation, ConfigurationAggregatorName)
    return answered(call, queries, tokens, query, homes, limit, NextToken)


def parsed(expression: str) -> Query:
    """The query; AWS's fault when it is none."""
    try:
        return parse(expression)
    except InvalidExpression as error:
        raise fault.InvalidExpressionException(str(error)) from error


def held_limit(asked: int | None) -> int | None:
    if asked is not None and not 0 <= asked <= LIMIT_MAX:
        raise fault.InvalidLimitException(f"The limit must be between 0 and {LIMIT_MAX}; found {asked}.")
    return asked or None


def answered(
    call: Call,
    queries: Queries,
    tokens: PageTokens,
    query: Query,
    homes: Sequence[Home],
    limit: int | None,
    token: str | None,
) -> dict[str, Any]:
    """One page about these accounts and regions."""
    if not queries.index.catch_up():
        raise service_unavailable("config", call.protocol, "The index of queries is being made anew; try again soon.")
    question = [
        call.account,
        call.region,
        *(call.parameters[name] for name in sorted(call.parameters.keys() - _PAGING)),
    ]
    try:
        place = tokens.open(question, token) if token else None
        page = queries.run(query, homes, limit or (GROUPS_LIMIT if query.aggregates else LIMIT), place)
    except InvalidToken as error:
        raise fault.InvalidNextTokenException("The token is not valid, or the request is another one.") from error
    except TooManyGroups as error:
        raise fault.InvalidExpressionException(f"The query has more than {GROUPS_MAX} groups.") from error
    answer: dict[str, Any] = {
        "Results": list(page.answers),
        "QueryInfo": {"SelectFields": [{"Name": each.text} for each in selected(query)]},
    }
    return answer | ({"NextToken": tokens.seal(question, page.following)} if page.following else {})


_PAGING = {"NextToken"}
