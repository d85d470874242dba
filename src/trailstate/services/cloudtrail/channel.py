"""Channels: CreateChannel, GetChannel, ListChannels, UpdateChannel and DeleteChannel of the API reference."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from trailstate.services.cloudtrail.found import fault
from trailstate.services.cloudtrail.history import LookupLimits
from trailstate.services.cloudtrail.resource import find_channel
from trailstate.services.cloudtrail.tags import drop_tags, listed, put_new_tags, tags_key
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.trail.channel import (
    ATTEMPT,
    CHANNEL,
    POLICY,
    SUCCESS,
    beside,
    channel_arn,
    channel_key,
    event_data_store_arn,
)
from trailstate.values.page import InvalidToken
from trailstate.wire.call import Call
from trailstate.world import World

CHANNELS_MAX = 25
PAGE_MAX = 1000
CUSTOM = "Custom"
_TIMES = ("LatestIngestionSuccessTime", "LatestIngestionAttemptTime")


@operation("cloudtrail")
def create_channel(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    Name: str,
    Source: str,
    Destinations: Sequence[Mapping[str, str]],
    Tags: Sequence[Mapping[str, str]] | None = None,
) -> dict[str, Any]:
    """A channel through which events of an application's own come in."""
    if Source != CUSTOM:
        raise fault.InvalidSourceException(
            f"The source '{Source}' is not supported by Trailstate yet; '{CUSTOM}' takes the events of any application."
        )
    _check_name(call, shelf, Name)
    if sum(1 for _ in _channels(call, shelf)) >= CHANNELS_MAX:
        raise fault.ChannelMaxLimitExceededException(f"An account has at most {CHANNELS_MAX} channels in a Region.")
    _check_destinations(call, Destinations)
    key = channel_key(call.account, call.region, world.uuid())
    document = {"Name": Name, "Source": Source, "Destinations": [dict(each) for each in Destinations]}
    shelf.put(key, document)
    put_new_tags(shelf, channel_arn(key), Tags or ())
    tags = listed((shelf.get(tags_key(channel_arn(key))) or {"Tags": {}})["Tags"])
    return {"ChannelArn": channel_arn(key), **document, "Tags": tags}


@operation("cloudtrail")
def get_channel(call: Call, shelf: StagedShelf, *, Channel: str) -> dict[str, Any]:
    """The channel, and how its events came in."""
    key, document = find_channel(call, shelf, Channel)
    told = {**(shelf.get(beside(key, ATTEMPT)) or {}), **(shelf.get(beside(key, SUCCESS)) or {})}
    status = {name: datetime.fromtimestamp(value, UTC) if name in _TIMES else value for name, value in told.items()}
    return {"ChannelArn": channel_arn(key), **document} | ({"IngestionStatus": status} if status else {})


@operation("cloudtrail", judges=("MaxResults",))
def list_channels(
    call: Call,
    shelf: StagedShelf,
    limits: LookupLimits,
    *,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The account's channels in the call's region, by id."""
    size = PAGE_MAX if MaxResults is None else MaxResults
    if not 1 <= size <= PAGE_MAX:
        raise fault.UnsupportedOperationException(f"MaxResults is 1 to {PAGE_MAX}; the request has {size}.")
    question = ["channels", call.account, call.region]
    first = 0 if NextToken is None else _place(limits, question, NextToken)
    found = [{"ChannelArn": channel_arn(key), "Name": document["Name"]} for key, document in _channels(call, shelf)]
    answer: dict[str, Any] = {"Channels": found[first : first + size]}
    if first + size < len(found):
        answer["NextToken"] = limits.tokens.seal(question, (first + size,))
    return answer


@operation("cloudtrail")
def update_channel(
    call: Call,
    shelf: StagedShelf,
    *,
    Channel: str,
    Destinations: Sequence[Mapping[str, str]] | None = None,
    Name: str | None = None,
) -> dict[str, Any]:
    """Another name, other destinations."""
    key, document = find_channel(call, shelf, Channel)
    changed = dict(document)
    if Name is not None and Name != document["Name"]:
        _check_name(call, shelf, Name)
        changed["Name"] = Name
    if Destinations is not None:
        _check_destinations(call, Destinations)
        changed["Destinations"] = [dict(each) for each in Destinations]
    shelf.put(key, changed)
    return {"ChannelArn": channel_arn(key), **changed}


@operation("cloudtrail")
def delete_channel(call: Call, shelf: StagedShelf, *, Channel: str) -> dict[str, Any]:
    """The channel is no more; what came in through it stays."""
    key, _ = find_channel(call, shelf, Channel)
    for each in (key, *(beside(key, kind) for kind in (POLICY, SUCCESS, ATTEMPT))):
        shelf.delete(each)
    drop_tags(shelf, channel_arn(key))
    return {}


def _channels(call: Call, shelf: StagedShelf) -> list[tuple[ShelfKey, dict[str, Any]]]:
    return list(shelf.documents(call.account, call.region, CHANNEL))


def _check_name(call: Call, shelf: StagedShelf, name: str) -> None:
    if any(document["Name"] == name for _, document in _channels(call, shelf)):
        raise fault.ChannelAlreadyExistsException(f"A channel of the name '{name}' already exists.")


def _check_destinations(call: Call, destinations: Sequence[Mapping[str, str]]) -> None:
    there = event_data_store_arn(call.account, call.region)
    for each in destinations:
        if each["Type"] != "EVENT_DATA_STORE":
            raise fault.InvalidParameterException(
                f"A destination of the type {each['Type']} is for channels of AWS's services; expected"
                " EVENT_DATA_STORE."
            )
        if ":eventdatastore/" not in each["Location"]:
            raise fault.EventDataStoreARNInvalidException(
                f"'{each['Location']}' is not the ARN of an event data store; the account's is {there}."
            )
        if each["Location"] != there:
            raise fault.EventDataStoreNotFoundException(
                f"There is no event data store {each['Location']}; the account's in this Region is {there}."
            )


def _place(limits: LookupLimits, question: object, token: str) -> int:
    try:
        return limits.tokens.open(question, token)[0]
    except InvalidToken as error:
        raise fault.InvalidNextTokenException("The token does not belong to this request.") from error
