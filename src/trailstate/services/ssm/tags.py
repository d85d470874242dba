"""Tags of SSM documents. Of everything else that SSM tags (parameters, instances), the estate keeps them.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AddTagsToResource.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.remediation.library import DOCUMENT
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.wire.call import Call
from trailstate.wire.fault import faults

fault = faults("ssm")

TAGS_MAX = 50
OURS = {"ResourceType": "Document"}


@operation("ssm", when=OURS)
def add_tags_to_resource(
    call: Call, shelf: StagedShelf, *, ResourceType: str, ResourceId: str, Tags: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """Give the document tags; one with the key of an old one takes its place."""
    document = _document(call, shelf, ResourceType, ResourceId)
    tags = _by_key(document) | _by_key({"Tags": Tags})
    if len(tags) > TAGS_MAX:
        raise fault.TooManyTagsError(f"A document has at most {TAGS_MAX} tags; it would have {len(tags)}.")
    _keep(call, shelf, document, tags)
    return {}


@operation("ssm", when=OURS)
def remove_tags_from_resource(
    call: Call, shelf: StagedShelf, *, ResourceType: str, ResourceId: str, TagKeys: Sequence[str]
) -> dict[str, Any]:
    """Take the tags of these keys away; a key that is not there is no error."""
    document = _document(call, shelf, ResourceType, ResourceId)
    _keep(call, shelf, document, {key: tag for key, tag in _by_key(document).items() if key not in TagKeys})
    return {}


@operation("ssm", when=OURS)
def list_tags_for_resource(call: Call, shelf: StagedShelf, *, ResourceType: str, ResourceId: str) -> dict[str, Any]:
    """The document's tags."""
    return {"TagList": _document(call, shelf, ResourceType, ResourceId)["Tags"]}


def _document(call: Call, shelf: StagedShelf, kind: str, name: str) -> dict[str, Any]:
    assert kind == OURS["ResourceType"], f"a {kind} is tagged in the estate"
    document = shelf.get(ShelfKey(call.account, call.region, DOCUMENT, name))
    if document is None:
        raise fault.InvalidResourceId(f"The account has no document '{name}' in {call.region}.")
    return document


def _by_key(tagged: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    return {tag["Key"]: dict(tag) for tag in tagged["Tags"]}


def _keep(call: Call, shelf: StagedShelf, document: Mapping[str, Any], tags: Mapping[str, dict[str, str]]) -> None:
    key = ShelfKey(call.account, call.region, DOCUMENT, document["Name"])
    shelf.put(key, {**document, "Tags": list(tags.values())})
