"""How the operations of Lambda find the function they are asked for, and refuse what is not there."""

from collections.abc import Mapping
from typing import Any

from trailstate.functions.function import BadName, Named, NoQualifier, at_version, named, version_of
from trailstate.stores.staged import StagedShelf
from trailstate.wire.call import Call
from trailstate.wire.fault import Fault, faults

fault = faults("lambda")

Function = dict[str, Any]


def named_by(call: Call, text: str, qualifier: str | None = None) -> Named:
    """What the text names; a function of another region is not there, one of another account needs its policy."""
    try:
        return named(text, call.account, call.region, qualifier)
    except BadName as error:
        raise fault.InvalidParameterValueException(f"1 validation error detected: {error}.") from error


def find(call: Call, shelf: StagedShelf, text: str, qualifier: str | None = None) -> tuple[Named, Function]:
    """The caller's own function; ResourceNotFoundException."""
    who = named_by(call, text, qualifier)
    function = shelf.get(who.key) if (who.account, who.region) == (call.account, call.region) else None
    if function is None:
        raise absent(who)
    return who, dict(function)


def find_version(
    call: Call, shelf: StagedShelf, text: str, qualifier: str | None = None
) -> tuple[Named, Function, Mapping[str, Any]]:
    """The function and its version that are meant."""
    who, function = find(call, shelf, text, qualifier)
    try:
        return who, function, at_version(function, version_of(function, who.qualifier))
    except NoQualifier as error:
        raise absent(who) from error


def absent(who: Named) -> Fault:
    arn = who.arn if who.qualifier is None else f"{who.arn}:{who.qualifier}"
    return fault.ResourceNotFoundException(f"Function not found: {arn}", Type="User")


def hold_revision(function: Mapping[str, Any], revision: str | None) -> None:
    """Refuse a change that was made for another state of the function."""
    if revision is not None and revision != function["config"]["RevisionId"]:
        raise fault.PreconditionFailedException(
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
            "retrieve the latest Revision Id",
            Type="User",
        )
