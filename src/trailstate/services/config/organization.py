"""What the operations for organizations share: who may call them, and how deployments and their members are told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trailstate.compliance.organization import SERVICE, Deployment, stage, suffixed, unstage
from trailstate.services.config.tags import put_tags, remove_tags
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.trail.organization import Organizations
from trailstate.values.timestamp import moment_of
from trailstate.wire.call import Call, Door
from trailstate.wire.fault import Fault, faults
from trailstate.world import World

fault = faults("config")

PAGE = 100


@dataclass(frozen=True, slots=True)
class Thing:
    """How the API tells of one kind of organization-wide thing."""

    deployment: Deployment
    name: str
    """What its members begin with: `OrganizationConfigRule`, of which there is a Name and an Arn."""
    called: str
    absent: Callable[[str], Fault]
    """The fault when there is none of a name."""
    status: str
    """The member that says how the whole of it is."""
    member_status: str
    """The member that says how it is in one account."""
    prefix: str
    """What the name begins with under which a member account has it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What one thing is called: by its owner, by AWS, and in the member accounts."""

    name: str
    suffixed: str
    arn: str
    deployed: str
    is_new: bool


def administered(call: Call, door: Door, world: World) -> frozenset[str]:
    """The organization's accounts, to which the caller may deploy; AWS's fault where there is none or it may not."""
    organizations = Organizations(door, world, SERVICE)
    found = organizations.of(call.account)
    if found is None:
        raise fault.NoAvailableOrganizationException(f"The account {call.account} is in no organization.")
    if not found.is_run_by(call.account):
        raise fault.OrganizationAccessDeniedException(
            f"The account {call.account} is neither the management account of the organization nor a delegated"
            " administrator of AWS Config."
        )
    return organizations.members(found.management_account)


def targets(accounts: frozenset[str], excluded: Sequence[str] | None) -> list[str]:
    """The accounts to deploy to."""
    strangers = [each for each in excluded or () if each not in accounts]
    if strangers:
        raise fault.InvalidParameterValueException(f"The excluded account {strangers[0]} is not in the organization.")
    return sorted(accounts.difference(excluded or ()))


def named(shelf: StagedShelf, call: Call, thing: Thing, names: Sequence[str] | None) -> list[dict[str, Any]]:
    """The documents of those names, or all of the caller's; the thing's own fault for a name that is not there."""
    if not names:
        return [value for _, value in shelf.documents(call.account, call.region, thing.deployment.kind)]
    return [one(shelf, call, thing, name) for name in names]


def one(shelf: StagedShelf, call: Call, thing: Thing, name: str) -> dict[str, Any]:
    """The document of that name, or the thing's own fault."""
    found = shelf.get(ShelfKey(call.account, call.region, thing.deployment.kind, name))
    if found is None:
        raise thing.absent(f"The {thing.called} '{name}' does not exist in this organization.")
    return found


def identity_of(call: Call, shelf: StagedShelf, world: World, thing: Thing, name: str) -> Identity:
    """That of the thing that is put under this name, there or new; ResourceInUseException while it is deployed."""
    known = shelf.get(ShelfKey(call.account, call.region, thing.deployment.kind, name))
    refuse_in_progress(known, name)
    one_of_a_kind = known["identity"] if known else suffixed(world, name)
    arn = f"arn:aws:config:{call.region}:{call.account}:{thing.called.replace(' ', '-')}/{one_of_a_kind}"
    return Identity(name, one_of_a_kind, arn, f"{thing.prefix}-{one_of_a_kind}", is_new=known is None)


def deploy(
    call: Call,
    shelf: StagedShelf,
    world: World,
    thing: Thing,
    identity: Identity,
    document: Mapping[str, Any],
    tags: Sequence[Mapping[str, str]] | None,
) -> None:
    """Keep the document and have it brought to the accounts it names; tags are those of a new thing alone."""
    named = {"name": identity.name, "identity": identity.suffixed, "arn": identity.arn, "deployed": identity.deployed}
    stage(shelf, call, world, thing.deployment, identity.name, {**named, **document})
    if tags and identity.is_new:
        put_tags(call, shelf, identity.arn, tags)


def withdraw(call: Call, shelf: StagedShelf, door: Door, world: World, thing: Thing, name: str) -> None:
    """Have it taken from every member account, with its tags; the faults of whoever may not, or must wait."""
    administered(call, door, world)
    found = one(shelf, call, thing, name)
    refuse_in_progress(found, name)
    unstage(shelf, call, world, thing.deployment, name)
    remove_tags(call, shelf, found["arn"])


def refuse_in_progress(found: Mapping[str, Any] | None, name: str) -> None:
    if found is not None and found["status"].endswith("_IN_PROGRESS"):
        raise fault.ResourceInUseException(f"'{name}' is being deployed or deleted; wait until that is done.")


def identified(thing: Thing, document: Mapping[str, Any]) -> dict[str, Any]:
    """Name, ARN and last change, under the names that the thing's have."""
    return {
        f"{thing.name}Name": document["name"],
        f"{thing.name}Arn": document["arn"],
        "LastUpdateTime": moment_of(document["updated"]),
    }


def status_of(thing: Thing, document: Mapping[str, Any]) -> dict[str, Any]:
    """How the whole of it is; the first member's error explains a failure."""
    failed = [each for each in document["members"].values() if each.get("ErrorCode")]
    told = {f"{thing.name}Name": document["name"], thing.status: document["status"]}
    return told | (_error(failed[0]) if failed else {}) | {"LastUpdateTime": moment_of(document["updated"])}


def members_of(thing: Thing, document: Mapping[str, Any], filters: Mapping[str, str] | None) -> list[dict[str, Any]]:
    """How it went in each member account."""
    asked = filters or {}
    return [
        {"AccountId": account, thing.deployment.named: document["deployed"], thing.member_status: state["status"]}
        | _error(state)
        | {"LastUpdateTime": moment_of(state["updated"])}
        for account, state in sorted(document["members"].items())
        if asked.get("AccountId") in (None, account) and asked.get(thing.member_status) in (None, state["status"])
    ]


def _error(state: Mapping[str, Any]) -> dict[str, Any]:
    return {name: state[name] for name in ("ErrorCode", "ErrorMessage") if name in state}
