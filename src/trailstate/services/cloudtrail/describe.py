"""GetTrail, DescribeTrails and ListTrails, as their API reference pages describe them."""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.services.cloudtrail.found import (
    Found,
    fault,
    find_trail,
    is_shadow,
    organization_trails,
    own_trails,
    trails_here,
)
from trailstate.services.cloudtrail.trail import CHANGED
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.trail.organization import Organizations
from trailstate.wire.call import Call
from trailstate.wire.fault import Fault

DESCRIBED = (*CHANGED, "HomeRegion", "HasCustomEventSelectors", "HasInsightSelectors")
NOT_FOUND = "TrailNotFoundException"


@operation("cloudtrail")
def get_trail(call: Call, shelf: StagedShelf, organizations: Organizations, *, Name: str) -> dict[str, Any]:
    """One trail's settings."""
    _, document = find_trail(call, shelf, organizations, Name)
    return {"Trail": described(document)}


@operation("cloudtrail")
def describe_trails(
    call: Call,
    shelf: StagedShelf,
    organizations: Organizations,
    *,
    trailNameList: Sequence[str] | None = None,
    includeShadowTrails: bool | None = None,
) -> dict[str, Any]:
    """The trails of the call's region with the shadows of others, or those named; a name nobody bears is left out."""
    if trailNameList:
        found = [each for named in trailNameList for each in _named(call, shelf, organizations, named)]
    else:
        found = trails_here(call, shelf, organizations)
    shadows = includeShadowTrails is not False
    return {"trailList": [described(document) for key, document in found if shadows or not is_shadow(call, key)]}


@operation("cloudtrail")
def list_trails(
    call: Call, shelf: StagedShelf, organizations: Organizations, *, NextToken: str | None = None
) -> dict[str, Any]:
    """Every trail of the account in every region, each once, in one page; members see the organization's too."""
    if NextToken is not None:
        raise fault.UnsupportedOperationException("All trails are in the first answer; there is no next page.")
    found = [*own_trails(call, shelf), *organization_trails(call, shelf, organizations)]
    return {"Trails": [{name: document[name] for name in ("TrailARN", "Name", "HomeRegion")} for _, document in found]}


def described(document: Mapping[str, Any]) -> dict[str, Any]:
    """A trail as GetTrail and DescribeTrails answer it."""
    return {name: document[name] for name in DESCRIBED if name in document}


def _named(call: Call, shelf: StagedShelf, organizations: Organizations, named: str) -> list[Found]:
    try:
        return [find_trail(call, shelf, organizations, named)]
    except Fault as missing:
        if missing.code != NOT_FOUND:
            raise
        return []
