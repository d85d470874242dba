"""PutEventConfiguration and GetEventConfiguration: what a trail is asked to sum up of its data events.

No summaries (aggregated events) are made yet, so nobody may ask for one: a trail's configuration is the empty one. The
size of events and context keys are settings of event data stores, which have no configuration yet.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.services.cloudtrail.found import fault, find_changeable, find_trail
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.trail.organization import Organizations
from trailstate.wire.call import Call

AGGREGATION = "AggregationConfigurations"


@operation("cloudtrail")
def put_event_configuration(
    call: Call,
    shelf: StagedShelf,
    organizations: Organizations,
    *,
    TrailName: str | None = None,
    EventDataStore: str | None = None,
    MaxEventSize: str | None = None,
    ContextKeySelectors: Sequence[Mapping[str, Any]] | None = None,
    AggregationConfigurations: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The trail sums up nothing, as before; refused for any template."""
    named = _trail_named(TrailName, EventDataStore)
    if MaxEventSize is not None or ContextKeySelectors is not None:
        raise fault.InvalidParameterCombinationException(
            "MaxEventSize and ContextKeySelectors are settings of an event data store, not of a trail."
        )
    if AggregationConfigurations is None:
        raise fault.InvalidParameterException(f"The request must contain {AGGREGATION}.")
    _, document = find_changeable(call, shelf, organizations, named)
    if AggregationConfigurations:
        raise fault.UnsupportedOperationException("Aggregated events are not supported by Trailstate yet")
    return {"TrailARN": document["TrailARN"], AGGREGATION: []}


@operation("cloudtrail")
def get_event_configuration(
    call: Call,
    shelf: StagedShelf,
    organizations: Organizations,
    *,
    TrailName: str | None = None,
    EventDataStore: str | None = None,
) -> dict[str, Any]:
    """The trail's configuration, which is the empty one."""
    _, document = find_trail(call, shelf, organizations, _trail_named(TrailName, EventDataStore))
    return {"TrailARN": document["TrailARN"], AGGREGATION: []}


def _trail_named(trail: str | None, store: str | None) -> str:
    if (trail is None) == (store is None):
        raise fault.InvalidParameterCombinationException("Specify a TrailName or an EventDataStore, and not both.")
    if trail is None:
        raise fault.UnsupportedOperationException(
            "The configuration of event data stores is not supported by Trailstate yet"
        )
    return trail
