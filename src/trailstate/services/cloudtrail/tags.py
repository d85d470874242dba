"""AddTags, RemoveTags and ListTags on trails and channels; each resource's tags are a Shelf document of their own."""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.services.cloudtrail.found import check_owner, fault, find_trail
from trailstate.services.cloudtrail.resource import Channel, check_region, find_channel, resource_of
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.trail.channel import channel_arn
from trailstate.trail.organization import Organizations
from trailstate.wire.call import Call

TAGS = "trail.tags"
TAGS_MAX = 50


def tags_key(arn: str) -> ShelfKey:
    """Where the tags of a trail or channel stand: with its account and region, under its ARN."""
    _, _, _, region, account, _ = arn.split(":", 5)
    return ShelfKey(account, region, TAGS, arn)


@operation("cloudtrail")
def add_tags(
    call: Call,
    shelf: StagedShelf,
    organizations: Organizations,
    *,
    ResourceId: str,
    TagsList: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    """New keys are added, known ones get the new value."""
    arn = _taggable(call, shelf, organizations, ResourceId)
    key = tags_key(arn)
    _put(shelf, key, _held(shelf, key) | _given(TagsList))
    return {}


@operation("cloudtrail")
def remove_tags(
    call: Call,
    shelf: StagedShelf,
    organizations: Organizations,
    *,
    ResourceId: str,
    TagsList: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    """A tag goes by its key, whatever value is given."""
    arn = _taggable(call, shelf, organizations, ResourceId)
    key = tags_key(arn)
    gone = {each["Key"] for each in TagsList}
    _put(shelf, key, {name: value for name, value in _held(shelf, key).items() if name not in gone})
    return {}


@operation("cloudtrail")
def list_tags(
    call: Call,
    shelf: StagedShelf,
    organizations: Organizations,
    *,
    ResourceIdList: Sequence[str],
    NextToken: str | None = None,
) -> dict[str, Any]:
    """All tags of the resources that are named, in one page."""
    if NextToken is not None:
        raise fault.InvalidTokenException("All tags of a request are in its first answer; there is no next page.")
    arns = [_existing(call, shelf, organizations, each) for each in ResourceIdList]
    return {"ResourceTagList": [{"ResourceId": arn, "TagsList": listed(_held(shelf, tags_key(arn)))} for arn in arns]}


def put_new_tags(shelf: StagedShelf, arn: str, given: Sequence[Mapping[str, str]]) -> None:
    """The tags that a resource is created with."""
    _put(shelf, tags_key(arn), _given(given))


def drop_tags(shelf: StagedShelf, arn: str) -> None:
    shelf.delete(tags_key(arn))


def listed(tags: Mapping[str, str | None]) -> list[dict[str, str]]:
    """Tags as AWS lists them; one without a value has its key alone."""
    return [{"Key": name} | ({} if value is None else {"Value": value}) for name, value in tags.items()]


def _held(shelf: StagedShelf, key: ShelfKey) -> dict[str, str | None]:
    return dict((shelf.get(key) or {"Tags": {}})["Tags"])


def _put(shelf: StagedShelf, key: ShelfKey, tags: Mapping[str, str | None]) -> None:
    if len(tags) > TAGS_MAX:
        raise fault.TagsLimitExceededException(f"A resource has at most {TAGS_MAX} tags; it would have {len(tags)}.")
    if tags:
        shelf.put(key, {"Tags": dict(tags)})
    else:
        shelf.delete(key)


def _given(tags: Sequence[Mapping[str, str]]) -> dict[str, str | None]:
    found = {each["Key"]: each.get("Value") for each in tags}
    if len(found) != len(tags):
        raise fault.InvalidTagParameterException("A tag key stands twice in the request; keys must be unique.")
    reserved = [name for name in found if name.lower().startswith("aws:")]
    if reserved:
        raise fault.InvalidTagParameterException(f"Tag keys that begin with 'aws:' are AWS's own: '{reserved[0]}'.")
    return found


def _existing(call: Call, shelf: StagedShelf, organizations: Organizations, named: str) -> str:
    """The ARN of a resource that is there; AWS's exceptions otherwise."""
    if isinstance(resource_of(named), Channel):
        return channel_arn(find_channel(call, shelf, named)[0])
    return str(find_trail(call, shelf, organizations, named)[1]["TrailARN"])


def _taggable(call: Call, shelf: StagedShelf, organizations: Organizations, named: str) -> str:
    """The ARN of a resource whose tags the caller may change from this region."""
    if not isinstance(resource_of(named), Channel):
        check_owner(call, organizations, *find_trail(call, shelf, organizations, named))
    arn = _existing(call, shelf, organizations, named)
    check_region(call, arn)
    return arn
