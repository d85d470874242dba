"""What changed between two items, in the words of AWS's messages: `configurationItemDiff`.

Follows the example notifications of the AWS Config developer guide. Properties are named by their path with capitals
(`Configuration.State.Name`). The elements of a list are not compared within: those that went and those that came are
numbered as they are met (`Configuration.NetworkInterfaces.0`). Tags are numbered by the order of their keys.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trailstate.configuration.item import GONE, Item

CREATE = "CREATE"
UPDATE = "UPDATE"
DELETE = "DELETE"
SECTIONS = (
    ("Relationships", "relationships"),
    ("Configuration", "configuration"),
    ("SupplementaryConfiguration", "supplementaryConfiguration"),
)

_Property = tuple[str, dict[str, Any]]


def change_type(before: Item | None, after: Item) -> str:
    """CREATE, UPDATE or DELETE."""
    if after["configurationItemStatus"] in GONE:
        return DELETE
    return CREATE if before is None or before["configurationItemStatus"] in GONE else UPDATE


def item_diff(before: Item | None, after: Item) -> dict[str, Any]:
    """The `configurationItemDiff` of a message; of what is new it names no properties."""
    kind = change_type(before, after)
    changed = dict(_properties(before, after)) if before is not None and kind != CREATE else {}
    return {"changedProperties": changed, "changeType": kind}


def _properties(before: Item, after: Item) -> Iterator[_Property]:
    for name, member in SECTIONS:
        yield from _differences(name, before[member], after[member])
    yield from _tags(before["tags"], after["tags"])


def _differences(path: str, before: Any, after: Any) -> Iterator[_Property]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys((*before, *after)):
            yield from _differences(f"{path}.{name[:1].upper()}{name[1:]}", before.get(name), after.get(name))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _elements(path, before, after)
    else:
        yield path, _changed(before, after)


def _elements(path: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[_Property]:
    gone = [_changed(each, None) for each in before if each not in after]
    come = [_changed(None, each) for each in after if each not in before]
    yield from ((f"{path}.{number}", each) for number, each in enumerate((*gone, *come)))


def _tags(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[_Property]:
    for number, name in enumerate(sorted({*before, *after})):
        if before.get(name) != after.get(name):
            yield f"Tags.{number}", _changed(before.get(name), after.get(name))


def _changed(before: Any, after: Any) -> dict[str, Any]:
    kind = CREATE if before is None else DELETE if after is None else UPDATE
    return {"previousValue": before, "updatedValue": after, "changeType": kind}
