"""What resources looked like: the history of one, the last items of many, and what is there, by AWS Config's API."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from trailstate.configuration.history import ConfigurationHistory
from trailstate.configuration.item import as_api, as_base
from trailstate.configuration.line import Recorded
from trailstate.configuration.recorder import Home, Recorders, frequency
from trailstate.configuration.schema import is_published
from trailstate.services.operation import operation
from trailstate.values.page import InvalidToken, PageTokens
from trailstate.wire.call import Call
from trailstate.wire.fault import faults
from trailstate.wire.spelling import service_unavailable

fault = faults("config")

ITEMS_MAX = 100
ITEMS = 10
BATCH_MAX = 100
IDS_MAX = 20
TYPE = re.compile(r"\w{2,64}::\w{2,64}::\w{2,64}")
TIMES = ("configurationItemCaptureTime", "resourceCreationTime", "configurationItemDeliveryTime")


@operation("config", judges=("limit", "resourceType"))
def get_resource_config_history(
    call: Call,
    history: ConfigurationHistory,
    recorders: Recorders,
    tokens: PageTokens,
    *,
    resourceType: str,
    resourceId: str,
    laterTime: datetime | None = None,
    earlierTime: datetime | None = None,
    chronologicalOrder: str | None = None,
    limit: int | None = None,
    nextToken: str | None = None,
) -> dict[str, Any]:
    """The items of one resource between two times, newest first unless asked otherwise."""
    _hold_range(earlierTime, laterTime)
    size = _limit(limit, ITEMS)
    hold_type(resourceType)
    home = _home(call, history, recorders)
    if history.latest(call.account, call.region, resourceType, resourceId) is None:
        raise fault.ResourceNotDiscoveredException(
            f"Resource {resourceId} of resourceType:{resourceType} is unknown or has not been discovered"
        )
    times = [_text(earlierTime), _text(laterTime)]
    question = [call.account, call.region, resourceType, resourceId, chronologicalOrder, *times]
    oldest = call.now - timedelta(days=recorders.retention_days(home))
    found = history.history(
        call.account,
        call.region,
        resourceType,
        resourceId,
        since=max(oldest, earlierTime) if earlierTime else oldest,
        until=laterTime,
        after=_open(tokens, question, nextToken),
        forward=chronologicalOrder == "Forward",
        limit=size + 1,
    )
    answer: dict[str, Any] = {"configurationItems": _shown(found[:size], recorders, home)}
    if len(found) <= size:
        return answer
    place = (int(found[size - 1].item["configurationStateId"]),)
    return answer | {"nextToken": tokens.seal(question, place)}


def _hold_range(earlier: datetime | None, later: datetime | None) -> None:
    if earlier and later and earlier > later:
        raise fault.InvalidTimeRangeException(
            "The specified time range is not valid. The earlier time is not chronologically before the later time."
        )


@operation("config", judges=("resourceKeys",))
def batch_get_resource_config(
    call: Call, history: ConfigurationHistory, recorders: Recorders, *, resourceKeys: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """The last items of up to a hundred resources; what is not known is left out."""
    if not 1 <= len(resourceKeys) <= BATCH_MAX:
        raise fault.ValidationException(f"Give 1 to {BATCH_MAX} resource keys; the request has {len(resourceKeys)}.")
    for each in resourceKeys:
        hold_type(each.get("resourceType", ""))
    _home(call, history, recorders)
    asked = [(each["resourceType"], each.get("resourceId", "")) for each in resourceKeys]
    found = [history.latest(call.account, call.region, kind, identifier) for kind, identifier in asked]
    shown = [timed(as_base(each.item)) for each in found if each is not None and not each.is_gone]
    return {"baseConfigurationItems": shown, "unprocessedResourceKeys": []}


@operation("config", judges=("limit", "resourceType"))
def list_discovered_resources(
    call: Call,
    history: ConfigurationHistory,
    recorders: Recorders,
    tokens: PageTokens,
    *,
    resourceType: str,
    resourceIds: Sequence[str] | None = None,
    resourceName: str | None = None,
    limit: int | None = None,
    includeDeletedResources: bool | None = None,
    nextToken: str | None = None,
) -> dict[str, Any]:
    """What there is of a type: all of it, or what has these ids, or this name."""
    if resourceIds and resourceName:
        raise fault.ValidationException("You can provide a resource name or resource IDs, and not both.")
    if resourceIds and len(resourceIds) > IDS_MAX:
        raise fault.ValidationException(f"Give at most {IDS_MAX} resource IDs; the request has {len(resourceIds)}.")
    size = _limit(limit, ITEMS_MAX)
    hold_type(resourceType)
    _home(call, history, recorders)
    question = [call.account, call.region, resourceType, resourceIds, resourceName, includeDeletedResources]
    known = history.identifiers(
        call.account,
        call.region,
        resourceType,
        after=_open(tokens, question, nextToken) or 0,
        gone=bool(includeDeletedResources),
        ids=resourceIds,
        name=resourceName,
        limit=size + 1,
    )
    answer: dict[str, Any] = {"resourceIdentifiers": [_identifier(history, each) for each in known[:size]]}
    more = len(known) > size
    return answer | ({"nextToken": tokens.seal(question, (known[size - 1].number,))} if more else {})


@operation("config", judges=("limit",))
def get_discovered_resource_counts(
    call: Call,
    history: ConfigurationHistory,
    tokens: PageTokens,
    *,
    resourceTypes: Sequence[str] | None = None,
    limit: int | None = None,
    nextToken: str | None = None,
) -> dict[str, Any]:
    """How many resources there are, in all and by type, the most frequent type first."""
    size = _limit(limit, ITEMS_MAX)
    caught_up(call, history)
    counted = history.counts(call.account, call.region)
    wanted = [(kind, count) for kind, count in counted.items() if _counts(kind, resourceTypes)]
    question = [call.account, call.region, resourceTypes]
    start = _open(tokens, question, nextToken) or 0
    shown = [{"resourceType": kind, "count": count} for kind, count in wanted[start : start + size]]
    more = {"nextToken": tokens.seal(question, (start + size,))} if start + size < len(wanted) else {}
    return {"totalDiscoveredResources": sum(count for _, count in wanted), "resourceCounts": shown, **more}


def _counts(kind: str, wanted: Sequence[str] | None) -> bool:
    return kind in wanted if wanted else is_published(kind)


# ---- what they share ----


def hold_type(name: str) -> None:
    """AWS's model lists AWS's own types; resources of others have types of theirs."""
    if not is_published(name) or not TYPE.fullmatch(name):
        raise fault.ValidationException(
            f"1 validation error detected: Value '{name}' at 'resourceType' failed to satisfy constraint: Member must "
            "be a resource type of AWS Config, or one of your own as Organization::Service::Resource"
        )


def _home(call: Call, history: ConfigurationHistory, recorders: Recorders) -> Home:
    home = Home(call.account, call.region)
    if recorders.at(home) is None:
        raise fault.NoAvailableConfigurationRecorderException(
            "The configuration recorder is not available: there is none in this account and region."
        )
    caught_up(call, history)
    return home


def caught_up(call: Call, history: ConfigurationHistory) -> None:
    if not history.catch_up():
        raise service_unavailable("config", call.protocol, "The history is being indexed anew; try again soon.")


def _limit(asked: int | None, usual: int) -> int:
    if asked is not None and not 0 <= asked <= ITEMS_MAX:
        raise fault.InvalidLimitException(f"The limit must be between 0 and {ITEMS_MAX}; found {asked}.")
    return asked or usual


def _open(tokens: PageTokens, question: object, token: str | None) -> int | None:
    if token is None:
        return None
    try:
        return tokens.open(question, token)[0]
    except InvalidToken as error:
        raise fault.InvalidNextTokenException("The token is not valid, or the request is another one.") from error


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _shown(found: Iterable[Recorded], recorders: Recorders, home: Home) -> list[dict[str, Any]]:
    recorder = recorders.at(home) or {}
    return [
        timed(as_api(each.item)) | {"recordingFrequency": frequency(recorder, each.item["resourceType"])}
        for each in found
    ]


def timed(item: dict[str, Any]) -> dict[str, Any]:
    """With times as times: the protocol writes them its own way."""
    return {name: datetime.fromisoformat(value) if name in TIMES else value for name, value in item.items()}


def _identifier(history: ConfigurationHistory, known: Any) -> dict[str, Any]:
    shown = {"resourceType": known.type, "resourceId": known.id}
    if known.name is not None:
        shown["resourceName"] = known.name
    if known.is_live:
        return shown
    last = history.latest(known.account, known.region, known.type, known.id)
    assert last is not None, "a resource that is gone has a last item"
    return shown | {"resourceDeletionTime": datetime.fromisoformat(last.item["configurationItemCaptureTime"])}
