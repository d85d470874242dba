"""What the operations for organizations share: who may call them, and how deployments and their members are told."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trailstate.compliance.line import moment_of
from trailstate.compliance.organization import SERVICE, Deployment
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.trail.organization import Organizations
from trailstate.wire.call import Call, Door
from trailstate.wire.fault import Fault, faults
from trailstate.world import World

fault = faults("config")

PAGE = 100


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


def named(
    shelf: StagedShelf, call: Call, deployment: Deployment, names: Sequence[str] | None, absent: Any
) -> list[dict[str, Any]]:
    """The documents of those names, or all of the caller's; `absent` makes the fault for a name that is not there."""
    if not names:
        return [value for _, value in shelf.documents(call.account, call.region, deployment.kind)]
    return [one(shelf, call, deployment, name, absent) for name in names]


def one(shelf: StagedShelf, call: Call, deployment: Deployment, name: str, absent: Any) -> dict[str, Any]:
    found = shelf.get(ShelfKey(call.account, call.region, deployment.kind, name))
    if found is None:
        refusal: Fault = absent(f"'{name}' does not exist in this organization.")
        raise refusal
    return found


def refuse_in_progress(found: Mapping[str, Any] | None, name: str) -> None:
    if found is not None and found["status"].endswith("_IN_PROGRESS"):
        raise fault.ResourceInUseException(f"'{name}' is being deployed or deleted; wait until that is done.")


def identified(document: Mapping[str, Any], thing: str) -> dict[str, Any]:
    """Name, ARN and last change, under the names that the thing's have."""
    return {
        f"{thing}Name": document["name"],
        f"{thing}Arn": document["arn"],
        "LastUpdateTime": moment_of(document["updated"]),
    }


def status_as(name_member: str, status_member: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """What tells the status of a whole document under those names."""
    return lambda document: _status(document, name_member, status_member)


def _status(document: Mapping[str, Any], name_member: str, status_member: str) -> dict[str, Any]:
    """The first member's error explains a failure."""
    failed = [each for each in document["members"].values() if each.get("ErrorCode")]
    errors = {key: failed[0][key] for key in ("ErrorCode", "ErrorMessage")} if failed else {}
    told = {name_member: document["name"], status_member: document["status"]}
    return told | errors | {"LastUpdateTime": moment_of(document["updated"])}


def members_of(
    document: Mapping[str, Any], filters: Mapping[str, str], name_member: str, status_member: str
) -> list[dict[str, Any]]:
    """How it went in each member account."""
    found = []
    for account, state in sorted(document["members"].items()):
        if filters.get("AccountId") in (None, account) and filters.get(status_member) in (None, state["status"]):
            told = {"AccountId": account, name_member: document["deployed"], status_member: state["status"]}
            errors = {key: state[key] for key in ("ErrorCode", "ErrorMessage") if key in state}
            found.append(told | errors | {"LastUpdateTime": moment_of(state["updated"])})
    return found
