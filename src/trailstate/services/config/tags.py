"""Tags on what AWS Config keeps: recorders, rules, packs, aggregators and the like, by ARN."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import InvalidToken, PageTokens
from trailstate.wire.call import Call
from trailstate.wire.fault import faults

fault = faults("config")

TAGS = "config.tags"
TAGS_MAX = 50
LIMIT = 100
KINDS = {
    "configuration-recorder": "config.recorder",
    "config-rule": "config.rule",
    "conformance-pack": "config.pack",
    "config-aggregator": "config.aggregator",
    "aggregation-authorization": "config.authorization",
    "stored-query": "config.query",
    "organization-config-rule": "config.organization_rule",
    "organization-conformance-pack": "config.organization_pack",
}
"""The resource part of an ARN -> the kind of the documents among which it must stand, under any member."""


@operation("config")
def tag_resource(
    call: Call, shelf: StagedShelf, *, ResourceArn: str, Tags: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """Add tags, or give those that are there new values."""
    _hold_exists(call, shelf, ResourceArn)
    put_tags(call, shelf, ResourceArn, Tags)
    return {}


@operation("config")
def untag_resource(call: Call, shelf: StagedShelf, *, ResourceArn: str, TagKeys: Sequence[str]) -> dict[str, Any]:
    """Remove tags; those that are not there are not missed."""
    _hold_exists(call, shelf, ResourceArn)
    kept = {name: value for name, value in tags_on(call, shelf, ResourceArn).items() if name not in TagKeys}
    shelf.put(_key(call, ResourceArn), kept)
    return {}


@operation("config", judges=("Limit",))
def list_tags_for_resource(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    ResourceArn: str,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The tags, by key."""
    _hold_exists(call, shelf, ResourceArn)
    if Limit is not None and not 0 <= Limit <= LIMIT:
        raise fault.InvalidLimitException(f"The limit must be between 0 and {LIMIT}; found {Limit}.")
    question = [call.account, call.region, ResourceArn]
    start = _start(tokens, question, NextToken)
    found = [{"Key": name, "Value": value} for name, value in sorted(tags_on(call, shelf, ResourceArn).items())]
    end = start + (Limit or LIMIT)
    more = {"NextToken": tokens.seal(question, (end,))} if end < len(found) else {}
    return {"Tags": found[start:end], **more}


def _start(tokens: PageTokens, question: object, token: str | None) -> int:
    if token is None:
        return 0
    try:
        return tokens.open(question, token)[0]
    except InvalidToken as error:
        raise fault.InvalidNextTokenException("The token is not valid for this request.") from error


def put_tags(call: Call, shelf: StagedShelf, arn: str, tags: Sequence[Mapping[str, str]]) -> None:
    """Add tags to what has that ARN; TooManyTagsException when it would have more than 50."""
    merged = tags_on(call, shelf, arn) | {each["Key"]: each.get("Value", "") for each in tags}
    if len(merged) > TAGS_MAX:
        raise fault.TooManyTagsException(f"A resource has at most {TAGS_MAX} tags; this one would have {len(merged)}.")
    shelf.put(_key(call, arn), merged)


def tags_on(call: Call, shelf: StagedShelf, arn: str) -> dict[str, str]:
    """The tags of what has that ARN."""
    return dict(shelf.get(_key(call, arn)) or {})


def remove_tags(call: Call, shelf: StagedShelf, arn: str) -> None:
    """What had that ARN is gone, its tags with it."""
    shelf.delete(_key(call, arn))


def _key(call: Call, arn: str) -> ShelfKey:
    return ShelfKey(call.account, call.region, TAGS, arn)


def _hold_exists(call: Call, shelf: StagedShelf, arn: str) -> None:
    kind = KINDS.get(arn.partition(f"arn:aws:config:{call.region}:{call.account}:")[2].partition("/")[0])
    if kind is None or arn not in _texts(
        [document for _, document in shelf.documents(call.account, call.region, kind)]
    ):
        raise fault.ResourceNotFoundException(f"The resource '{arn}' does not exist in this account and region.")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value
