"""Log groups and streams as a caller names them, and the faults when there is none."""

from collections.abc import Sequence
from typing import Any, TypeVar

from trailstate.services import paging
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.watch.group import GROUP, streams
from trailstate.wire.call import Call
from trailstate.wire.fault import Fault, faults

fault = faults("logs")

Item = TypeVar("Item")


def group_key(call: Call, name: str) -> ShelfKey:
    return ShelfKey(call.account, call.region, GROUP, name)


def stream_key(call: Call, group: str, name: str) -> ShelfKey:
    return ShelfKey(call.account, call.region, streams(group), name)


def group_arn(call: Call, name: str) -> str:
    """Without the `:*` that AWS writes behind the ARN of a group's streams."""
    return f"arn:aws:logs:{call.region}:{call.account}:log-group:{name}"


def existing_group(call: Call, shelf: StagedShelf, name: str) -> dict[str, Any]:
    """The group's document; ResourceNotFoundException when there is none."""
    found = shelf.get(group_key(call, name))
    if found is None:
        raise fault.ResourceNotFoundException("The specified log group does not exist.")
    return found


def existing_stream(call: Call, shelf: StagedShelf, group: str, name: str) -> dict[str, Any]:
    found = shelf.get(stream_key(call, group, name))
    if found is None:
        raise fault.ResourceNotFoundException("The specified log stream does not exist.")
    return found


def named_group(name: str | None, identifier: str | None) -> str:
    """The group's name, given by name or by name or ARN; exactly one of the two may be given."""
    if (name is None) == (identifier is None):
        raise fault.InvalidParameterException("Exactly one of logGroupName and logGroupIdentifier must be given.")
    return name if name is not None else name_of(identifier or "")


def name_of(identifier: str) -> str:
    """The name in a group's ARN, or the name itself."""
    if not identifier.startswith("arn:"):
        return identifier
    parts = identifier.split(":", 6)
    if len(parts) < 7 or parts[2] != "logs" or parts[5] != "log-group":
        raise fault.InvalidParameterException(f"Expected the ARN of a log group; found '{identifier}'.")
    return parts[6].removesuffix(":*")


def page(
    tokens: PageTokens, question: Sequence[Any], items: Sequence[Item], *, limit: int | None, token: str | None
) -> tuple[Sequence[Item], dict[str, str]]:
    """One page of at most 50, and the member that holds the token of the next."""
    found, following = paging.page(tokens, question, items, limit=limit or 50, token=token, refuse=_bad_token)
    return found, {} if following is None else {"nextToken": following}


def _bad_token(_: str) -> Fault:
    return fault.InvalidParameterException("The specified nextToken is invalid.")


def milliseconds(call: Call) -> int:
    return int(call.now.timestamp() * 1000)
