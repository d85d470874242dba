"""Whom an account lets read it: authorizations of aggregators, and the requests that wait for one."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.configuration.aggregate import AUTHORIZATION, Aggregation, authorization_key, declined_key
from trailstate.configuration.recorder import Home
from trailstate.services.config.aggregators import LIMIT_MAX, held_limit
from trailstate.services.config.paged import paged
from trailstate.services.config.tags import put_tags, remove_tags
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.values.timestamp import moment_of, moment_text
from trailstate.wire.call import Call
from trailstate.wire.fault import faults

fault = faults("config")

REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
REQUESTS_MAX = 20


@operation("config")
def put_aggregation_authorization(
    call: Call,
    shelf: StagedShelf,
    *,
    AuthorizedAccountId: str,
    AuthorizedAwsRegion: str,
    Tags: Sequence[Mapping[str, str]] | None = None,
) -> dict[str, Any]:
    """Aggregators of that account in that region may read the caller's account in the region of the call."""
    source, reader = _sides(call, AuthorizedAccountId, AuthorizedAwsRegion)
    key = authorization_key(source, reader)
    found = shelf.get(key) or {
        "AggregationAuthorizationArn": _arn(source, reader),
        "AuthorizedAccountId": reader.account,
        "AuthorizedAwsRegion": reader.region,
        "CreationTime": moment_text(call.now),
    }
    shelf.put(key, found)
    shelf.delete(declined_key(source, reader))
    if Tags:
        put_tags(call, shelf, found["AggregationAuthorizationArn"], Tags)
    return {"AggregationAuthorization": _shown(found)}


@operation("config", judges=("Limit",))
def describe_aggregation_authorizations(
    call: Call, shelf: StagedShelf, tokens: PageTokens, *, Limit: int | None = None, NextToken: str | None = None
) -> dict[str, Any]:
    limit = held_limit(Limit, LIMIT_MAX)
    found = [value for _, value in shelf.documents(call.account, call.region, AUTHORIZATION)]
    return paged(call, tokens, "AggregationAuthorizations", found, limit=limit, token=NextToken, shape=_shown)


@operation("config")
def delete_aggregation_authorization(
    call: Call, shelf: StagedShelf, *, AuthorizedAccountId: str, AuthorizedAwsRegion: str
) -> dict[str, Any]:
    """From the next read on they may no more; one that is not there is not missed."""
    source, reader = _sides(call, AuthorizedAccountId, AuthorizedAwsRegion)
    shelf.delete(authorization_key(source, reader))
    remove_tags(call, shelf, _arn(source, reader))
    return {}


@operation("config", judges=("Limit",))
def describe_pending_aggregation_requests(
    call: Call, aggregation: Aggregation, tokens: PageTokens, *, Limit: int | None = None, NextToken: str | None = None
) -> dict[str, Any]:
    """Who wants to collect from here and is not authorized yet."""
    limit = held_limit(Limit, REQUESTS_MAX, REQUESTS_MAX)
    found = aggregation.requests(Home(call.account, call.region))
    told = [{"RequesterAccountId": each.account, "RequesterAwsRegion": each.region} for each in found]
    return paged(call, tokens, "PendingAggregationRequests", told, limit=limit, token=NextToken)


@operation("config")
def delete_pending_aggregation_request(
    call: Call, shelf: StagedShelf, *, RequesterAccountId: str, RequesterAwsRegion: str
) -> dict[str, Any]:
    """It waits no more, until an aggregator of theirs is put again."""
    source, reader = _sides(call, RequesterAccountId, RequesterAwsRegion)
    shelf.put(declined_key(source, reader), {"time": moment_text(call.now)})
    return {}


def _sides(call: Call, account: str, region: str) -> tuple[Home, Home]:
    if not REGION.fullmatch(region):
        raise fault.InvalidParameterValueException(f"'{region}' is not the name of a region.")
    return Home(call.account, call.region), Home(account, region)


def _arn(source: Home, reader: Home) -> str:
    place = f"arn:aws:config:{source.region}:{source.account}"
    return f"{place}:aggregation-authorization/{reader.account}/{reader.region}"


def _shown(document: Mapping[str, Any]) -> dict[str, Any]:
    return {**document, "CreationTime": moment_of(document["CreationTime"])}
