"""Tags of log groups, by ARN and, as older clients ask, by name."""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.services.logs.found import existing_group, fault, group_key, name_of
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.wire.call import Call

TAGS_MAX = 50


def hold_tags(before: Mapping[str, str], tags: Mapping[str, str]) -> dict[str, str]:
    """The tags together; the fault when they are too many."""
    merged = {**before, **tags}
    if len(merged) > TAGS_MAX:
        raise fault.TooManyTagsException(f"A resource has at most {TAGS_MAX} tags; it would have {len(merged)}.")
    return merged


@operation("logs")
def tag_resource(call: Call, shelf: StagedShelf, *, resourceArn: str, tags: Mapping[str, str]) -> dict[str, Any]:
    return _tag(call, shelf, name_of(resourceArn), tags)


@operation("logs")
def untag_resource(call: Call, shelf: StagedShelf, *, resourceArn: str, tagKeys: Sequence[str]) -> dict[str, Any]:
    return _untag(call, shelf, name_of(resourceArn), tagKeys)


@operation("logs")
def list_tags_for_resource(call: Call, shelf: StagedShelf, *, resourceArn: str) -> dict[str, Any]:
    return {"tags": existing_group(call, shelf, name_of(resourceArn))["tags"]}


@operation("logs")
def tag_log_group(call: Call, shelf: StagedShelf, *, logGroupName: str, tags: Mapping[str, str]) -> dict[str, Any]:
    return _tag(call, shelf, logGroupName, tags)


@operation("logs")
def untag_log_group(call: Call, shelf: StagedShelf, *, logGroupName: str, tags: Sequence[str]) -> dict[str, Any]:
    return _untag(call, shelf, logGroupName, tags)


@operation("logs")
def list_tags_log_group(call: Call, shelf: StagedShelf, *, logGroupName: str) -> dict[str, Any]:
    return {"tags": existing_group(call, shelf, logGroupName)["tags"]}


def _tag(call: Call, shelf: StagedShelf, name: str, tags: Mapping[str, str]) -> dict[str, Any]:
    group = existing_group(call, shelf, name)
    shelf.put(group_key(call, name), group | {"tags": hold_tags(group["tags"], tags)})
    return {}


def _untag(call: Call, shelf: StagedShelf, name: str, keys: Sequence[str]) -> dict[str, Any]:
    group = existing_group(call, shelf, name)
    kept = {key: value for key, value in group["tags"].items() if key not in keys}
    shelf.put(group_key(call, name), group | {"tags": kept})
    return {}
