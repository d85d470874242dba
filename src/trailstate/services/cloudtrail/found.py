"""Which trail a caller means, whether he may change it, and how a change is kept (CloudTrail user guide, trails)."""

from collections.abc import Iterator, Mapping
from typing import Any

from trailstate.services.cloudtrail.naming import check_name, read_trail_arn
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.trail.organization import Organization, Organizations
from trailstate.trail.trails import TRAIL, VERSION_KEY, change_document, change_key, trail_key
from trailstate.wire.call import Call
from trailstate.wire.fault import Fault, faults

fault = faults("cloudtrail")

Document = Mapping[str, Any]
Found = tuple[ShelfKey, Document]


def unknown_trail(call: Call, named: str) -> Fault:
    return fault.TrailNotFoundException(f"Unknown trail: {named} for the user: {call.account}")


def find_trail(call: Call, shelf: StagedShelf, organizations: Organizations, named: str) -> Found:
    """The trail of that name in the call's region, or of that ARN anywhere; TrailNotFoundException."""
    found = _by_arn(call, shelf, organizations, named) if named.startswith("arn:") else _by_name(call, shelf, named)
    if found is None:
        raise unknown_trail(call, named)
    return found


def _by_arn(call: Call, shelf: StagedShelf, organizations: Organizations, named: str) -> Found | None:
    region, account, name = read_trail_arn(named)
    key = trail_key(account, region, name)
    document = shelf.get(key)
    if document is None or not (account == call.account or _is_ours(call, organizations, key, document)):
        return None
    return key, document


def _by_name(call: Call, shelf: StagedShelf, named: str) -> Found | None:
    check_name(named)
    key = trail_key(call.account, call.region, named)
    document = shelf.get(key)
    return None if document is None else (key, document)


def _is_ours(call: Call, organizations: Organizations, key: ShelfKey, document: Document) -> bool:
    """Whether somebody else's trail is that of the caller's organization."""
    return bool(document["IsOrganizationTrail"]) and organizations.is_member(key.account, call.account)


def find_changeable(call: Call, shelf: StagedShelf, organizations: Organizations, named: str) -> Found:
    """The trail, if the caller may change it from this region; AWS's exceptions otherwise."""
    key, document = _anywhere(call, shelf, organizations, named)
    check_owner(call, organizations, key, document)
    if key.region != call.region:
        raise fault.InvalidHomeRegionException(
            f"The trail {document['TrailARN']} can be changed only from its home Region {key.region}; the request was"
            f" made in {call.region}."
        )
    return key, document


def check_owner(call: Call, organizations: Organizations, key: ShelfKey, document: Document) -> None:
    """NotOrganizationMasterAccountException for a member that only sees the organization's trail."""
    if key.account != call.account and not _runs(organizations.of(call.account), call.account):
        raise fault.NotOrganizationMasterAccountException(
            f"The trail {document['TrailARN']} belongs to the organization; only its management account or a delegated"
            f" administrator can change it, and {call.account} is neither."
        )


def _runs(organization: Organization | None, account: str) -> bool:
    return organization is not None and organization.is_run_by(account)


def _anywhere(call: Call, shelf: StagedShelf, organizations: Organizations, named: str) -> Found:
    """As `find_trail`; a name also finds a trail that reaches this region from its home in another."""
    try:
        return find_trail(call, shelf, organizations, named)
    except Fault as missing:
        shadows = [each for each in trails_here(call, shelf, organizations) if each[0].name == named]
        if missing.code != "TrailNotFoundException" or not shadows:
            raise
        return shadows[0]


def own_trails(call: Call, shelf: StagedShelf) -> Iterator[Found]:
    """Every trail of the caller's account."""
    yield from shelf.documents(call.account, None, TRAIL)


def organization_trails(call: Call, shelf: StagedShelf, organizations: Organizations) -> Iterator[Found]:
    """The organization trails that a member account sees; none for the account that owns them."""
    organization = organizations.of(call.account)
    if organization is None or organization.management_account == call.account:
        return
    for key, document in shelf.documents(organization.management_account, None, TRAIL):
        if document["IsOrganizationTrail"]:
            yield key, document


def trails_here(call: Call, shelf: StagedShelf, organizations: Organizations) -> list[Found]:
    """The trails that record the call's region: those at home here first, then the shadows of others."""
    found = [*own_trails(call, shelf), *organization_trails(call, shelf, organizations)]
    reaching = [each for each in found if each[0].region == call.region or each[1]["IsMultiRegionTrail"]]
    return sorted(reaching, key=lambda each: is_shadow(call, each[0]))


def is_shadow(call: Call, key: ShelfKey) -> bool:
    """Whether a trail is here only as the replica of another Region's, or of the organization's."""
    return (key.account, key.region) != (call.account, call.region)


def save_trail(call: Call, shelf: StagedShelf, key: ShelfKey, document: dict[str, Any] | None) -> None:
    """Keep a trail's new state (None: it is deleted), and beside it, under the call's record, that it changed."""
    if document is None:
        shelf.delete(key)
    else:
        shelf.put(key, document)
    shelf.put(change_key(call.account, call.region, call.event_id), change_document(key, document))
    shelf.put(VERSION_KEY, {"Version": (shelf.get(VERSION_KEY) or {"Version": 0})["Version"] + 1})
