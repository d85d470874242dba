"""PutEventSelectors and GetEventSelectors: what was put comes back, with AWS's defaults. GetInsightSelectors."""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.services.cloudtrail.found import fault, find_changeable, find_trail, save_trail
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.trail.organization import Organizations
from trailstate.trail.selector_rules import InvalidSelectors, advanced_selectors, basic_selectors
from trailstate.trail.trails import DEFAULT_SELECTORS
from trailstate.wire.call import Call

SELECTORS = ("EventSelectors", "AdvancedEventSelectors")


@operation("cloudtrail")
def put_event_selectors(
    call: Call,
    shelf: StagedShelf,
    organizations: Organizations,
    *,
    TrailName: str,
    EventSelectors: Sequence[Mapping[str, Any]] | None = None,
    AdvancedEventSelectors: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The selectors replace those the trail had, of either kind."""
    key, document = find_changeable(call, shelf, organizations, TrailName)
    chosen = _held(EventSelectors, AdvancedEventSelectors)
    rest = {name: value for name, value in document.items() if name not in SELECTORS}
    custom = chosen.get("EventSelectors") != list(DEFAULT_SELECTORS)
    save_trail(call, shelf, key, {**rest, **chosen, "HasCustomEventSelectors": custom})
    return {"TrailARN": document["TrailARN"], **chosen}


@operation("cloudtrail")
def get_event_selectors(
    call: Call, shelf: StagedShelf, organizations: Organizations, *, TrailName: str
) -> dict[str, Any]:
    """The trail's selectors, of the one kind it has."""
    _, document = find_trail(call, shelf, organizations, TrailName)
    return {name: document[name] for name in ("TrailARN", *SELECTORS) if name in document}


@operation("cloudtrail")
def get_insight_selectors(
    call: Call,
    shelf: StagedShelf,
    organizations: Organizations,
    *,
    TrailName: str | None = None,
    EventDataStore: str | None = None,
) -> dict[str, Any]:
    """No trail has Insights, as they cannot be enabled yet; AWS says that with an exception."""
    if (TrailName is None) == (EventDataStore is None):
        raise fault.InvalidParameterCombinationException("Specify a TrailName or an EventDataStore, and not both.")
    if TrailName is None:
        raise fault.UnsupportedOperationException("Insights of event data stores are not supported by Trailstate yet")
    _, document = find_trail(call, shelf, organizations, TrailName)
    raise fault.InsightNotEnabledException(
        f"Trail {document['TrailARN']} does not have Insights enabled. Edit the trail settings to enable Insights, and"
        " then try the operation again."
    )


def _held(
    basic: Sequence[Mapping[str, Any]] | None, advanced: Sequence[Mapping[str, Any]] | None
) -> dict[str, list[dict[str, Any]]]:
    """The one kind of selectors given, held against AWS's rules."""
    if (basic is None) == (advanced is None):
        raise fault.InvalidEventSelectorsException(
            "Specify either EventSelectors or AdvancedEventSelectors; the request has "
            + ("neither." if basic is None else "both.")
        )
    try:
        if basic is not None:
            return {"EventSelectors": basic_selectors(basic)}
        return {"AdvancedEventSelectors": advanced_selectors(advanced or ())}
    except InvalidSelectors as wrong:
        raise fault.InvalidEventSelectorsException(str(wrong)) from wrong
