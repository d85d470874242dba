"""What metric and subscription filters have alike: their place under a log group, and what neither reads yet."""

from typing import Any

from trailstate.services.logs.found import existing_group, fault
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.wire.call import Call
from trailstate.wire.spelling import NOT_SUPPORTED


def refuse_transformed(*asked: Any) -> None:
    """A filter that reads anything but the events as they were put."""
    if any(asked):
        raise fault.InvalidParameterException(f"A filter over transformed logs or system fields {NOT_SUPPORTED}")


def put_filter(call: Call, shelf: StagedShelf, kind: str, name: str, document: dict[str, Any], *, most: int) -> None:
    """Keep it, in place of one that has its name; LimitExceededException when the group holds `most` others."""
    key = ShelfKey(call.account, call.region, kind, name)
    others = [each for each, _ in shelf.documents(call.account, call.region, kind) if each != key]
    if len(others) >= most:
        raise fault.LimitExceededException("Resource limit exceeded.")
    shelf.put(key, document)


def delete_filter(call: Call, shelf: StagedShelf, group: str, kind: str, name: str, *, called: str) -> None:
    """Take it away; ResourceNotFoundException when the group, or the filter in it, is not there."""
    existing_group(call, shelf, group)
    key = ShelfKey(call.account, call.region, kind, name)
    if shelf.get(key) is None:
        raise fault.ResourceNotFoundException(f"The specified {called} does not exist.")
    shelf.delete(key)
