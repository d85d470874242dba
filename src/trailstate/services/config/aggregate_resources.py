"""What an aggregator sees of resources: one item, many, what is there, and how many."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.configuration.aggregate import Aggregation
from trailstate.configuration.history import ConfigurationHistory, Identifier
from trailstate.configuration.item import as_api, as_base
from trailstate.configuration.line import Recorded
from trailstate.configuration.recorder import Home
from trailstate.configuration.schema import is_published
from trailstate.services.config.aggregators import held_limit, readable
from trailstate.services.config.history import ITEMS_MAX, caught_up, hold_type, timed
from trailstate.services.config.paged import paged
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import InvalidToken, PageTokens
from trailstate.wire.call import Call
from trailstate.wire.fault import faults

fault = faults("config")

COUNTS_MAX = 1000
GROUPS = {"RESOURCE_TYPE": 0, "ACCOUNT_ID": 1, "AWS_REGION": 2}
"""Where in (type, account, region) stands what is grouped by."""


@operation("config")
def get_aggregate_resource_config(
    call: Call,
    shelf: StagedShelf,
    aggregation: Aggregation,
    history: ConfigurationHistory,
    *,
    ConfigurationAggregatorName: str,
    ResourceIdentifier: Mapping[str, str],
) -> dict[str, Any]:
    """The last item of a resource. What may not be read is as unknown as what is not there."""
    homes = readable(call, shelf, aggregation, ConfigurationAggregatorName)
    hold_type(ResourceIdentifier["ResourceType"])
    caught_up(call, history)
    found = _last(history, homes, ResourceIdentifier)
    if found is None:
        raise fault.ResourceNotDiscoveredException(
            f"Resource {ResourceIdentifier['ResourceId']} of resourceType:{ResourceIdentifier['ResourceType']} is"
            " unknown or has not been discovered"
        )
    return {"ConfigurationItem": timed(as_api(found.item))}


@operation("config")
def batch_get_aggregate_resource_config(
    call: Call,
    shelf: StagedShelf,
    aggregation: Aggregation,
    history: ConfigurationHistory,
    *,
    ConfigurationAggregatorName: str,
    ResourceIdentifiers: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    """The last items of many resources; those that are unknown come back as not processed."""
    homes = readable(call, shelf, aggregation, ConfigurationAggregatorName)
    for each in ResourceIdentifiers:
        hold_type(each["ResourceType"])
    caught_up(call, history)
    found = [(each, _last(history, homes, each)) for each in ResourceIdentifiers]
    return {
        "BaseConfigurationItems": [timed(as_base(last.item)) for _, last in found if last is not None],
        "UnprocessedResourceIdentifiers": [asked for asked, last in found if last is None],
    }


def _last(history: ConfigurationHistory, homes: Sequence[Home], asked: Mapping[str, str]) -> Recorded | None:
    home = Home(asked["SourceAccountId"], asked["SourceRegion"])
    if home not in homes:
        return None
    found = history.latest(home.account, home.region, asked["ResourceType"], asked["ResourceId"])
    if found is None or found.is_gone or asked.get("ResourceName") not in (None, found.item["resourceName"]):
        return None
    return found


@operation("config", judges=("Limit",))
def list_aggregate_discovered_resources(
    call: Call,
    shelf: StagedShelf,
    aggregation: Aggregation,
    history: ConfigurationHistory,
    tokens: PageTokens,
    *,
    ConfigurationAggregatorName: str,
    ResourceType: str,
    Filters: Mapping[str, str] | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """What there is of a type in every source, by account and region."""
    filters, limit = Filters or {}, held_limit(Limit, ITEMS_MAX)
    hold_type(ResourceType)
    homes = readable(call, shelf, aggregation, ConfigurationAggregatorName, filters)
    caught_up(call, history)
    question = [call.account, call.region, call.operation, ConfigurationAggregatorName, ResourceType, dict(filters)]
    try:
        start, after = tokens.open(question, NextToken) if NextToken else (0, 0)
    except (InvalidToken, ValueError):
        raise fault.InvalidNextTokenException(
            "The token is not valid, or belongs to a request with other parameters."
        ) from None
    found: list[tuple[int, Identifier]] = []
    for place, home in enumerate(homes[start:], start=start):
        ids = [filters["ResourceId"]] if "ResourceId" in filters else None
        known = history.identifiers(
            home.account,
            home.region,
            ResourceType,
            after=after if place == start else 0,
            ids=ids,
            name=filters.get("ResourceName"),
            limit=limit + 1 - len(found),
        )
        found += [(place, each) for each in known]
        if len(found) > limit:
            break
    shown = found[:limit]
    answer: dict[str, Any] = {"ResourceIdentifiers": [_identifier(each) for _, each in shown if _named(each, filters)]}
    if len(found) <= limit:
        return answer
    place, last = shown[-1]
    return answer | {"NextToken": tokens.seal(question, (place, last.number))}


def _named(known: Identifier, filters: Mapping[str, str]) -> bool:
    return filters.get("ResourceName") in (None, known.name)


def _identifier(known: Identifier) -> dict[str, Any]:
    told = {
        "SourceAccountId": known.account,
        "SourceRegion": known.region,
        "ResourceId": known.id,
        "ResourceType": known.type,
    }
    return told | ({"ResourceName": known.name} if known.name else {})


@operation("config", judges=("Limit",))
def get_aggregate_discovered_resource_counts(
    call: Call,
    shelf: StagedShelf,
    aggregation: Aggregation,
    history: ConfigurationHistory,
    tokens: PageTokens,
    *,
    ConfigurationAggregatorName: str,
    Filters: Mapping[str, str] | None = None,
    GroupByKey: str | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """How many resources there are in all sources; grouped only if asked so, the largest group first."""
    filters, limit = Filters or {}, held_limit(Limit, COUNTS_MAX, COUNTS_MAX)
    homes = readable(call, shelf, aggregation, ConfigurationAggregatorName, filters)
    caught_up(call, history)
    counted: Counter[tuple[str, str, str]] = Counter()
    for home in homes:
        for kind, count in history.counts(home.account, home.region).items():
            if is_published(kind) and filters.get("ResourceType") in (None, kind):
                counted[kind, home.account, home.region] += count
    total = {"TotalDiscoveredResources": counted.total()}
    if GroupByKey is None:
        return total
    grouped: Counter[str] = Counter()
    for key, count in counted.items():
        grouped[key[GROUPS[GroupByKey]]] += count
    told = [
        {"GroupName": name, "ResourceCount": count}
        for name, count in sorted(grouped.items(), key=lambda each: (-each[1], each[0]))
    ]
    shown = paged(call, tokens, "GroupedResourceCounts", told, limit=limit, token=NextToken)
    return total | {"GroupByKey": GroupByKey} | shown
