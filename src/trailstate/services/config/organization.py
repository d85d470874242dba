"""What the operations for organizations share: who may call them, and how deployments and their members are told."""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.compliance.line import moment_of
from trailstate.compliance.organization import Deployment, Membership, NoOrganization, membership
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.wire.call import Call, Door
from trailstate.wire.fault import Fault, faults

fault = faults("config")

PAGE = 100


def administered(call: Call, door: Door) -> Membership:
    """The organization that the caller may deploy to; AWS's fault when there is none or the caller may not."""
    try:
        found = membership(door, call.account)
    except NoOrganization as error:
        raise fault.NoAvailableOrganizationException(
            f"The account {call.account} is in no organization. {error}"
        ) from error
    if call.account != found.management and call.account not in found.delegated:
        raise fault.OrganizationAccessDeniedException(
            f"The account {call.account} is neither the management account of the organization nor a delegated"
            " administrator of AWS Config."
        )
    return found


def targets(found: Membership, excluded: Sequence[str] | None) -> list[str]:
    """The accounts to deploy to."""
    strangers = [each for each in excluded or () if each not in found.accounts]
    if strangers:
        raise fault.InvalidParameterValueException(f"The excluded account {strangers[0]} is not in the organization.")
    return [each for each in found.accounts if each not in (excluded or ())]


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


def status_of(document: Mapping[str, Any], name_member: str, status_member: str) -> dict[str, Any]:
    """The status of the whole; the first member's error explains a failure."""
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
