"""XML answers of the query protocols → output members: what `botocore.parsers` reads of them, at a third of its cost.

Most recorded changes are of EC2, IAM, STS and their like, and each of their answers is read. One reader is made for
each shape and kept; an answer is walked once. Tests hold both readers against one another. Where an entry of a map
lacks its key or value, botocore gives it those of the entry before; here that is no answer. Follows Smithy's awsQuery
and ec2Query protocols.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from trailstate.wire.readers import Builder, Members, Read, Readers, located_name

Moment = Callable[[str], datetime]


class Unreadable(ValueError):
    """The document is not what the model promises."""


def read_answer(operation: Any, body: bytes, moment: Moment) -> dict[str, Any]:
    """The output members of an operation that has an output shape; `moment` reads a time. Raises ValueError or
    LookupError for bytes that are no such answer."""
    shape = operation.output_shape
    parser = XMLParser(target=TreeBuilder(), encoding="utf-8")  # noqa: S314 - as botocore would read it
    try:
        parser.feed(body)
        start = parser.close()
    except ParseError as error:
        raise Unreadable(f"not well-formed: {error}") from None
    wrapper = shape.serialization.get("resultWrapper")
    if wrapper is not None:
        start = {_local(child): child for child in start}[wrapper]
    members: dict[str, Any] = _readers(operation.service_model, moment).of(shape)([start])
    return members


@cache
def _readers(_service_model: Any, moment: Moment) -> Readers:
    scalars: Mapping[str, Callable[[str], Any]] = {"timestamp": moment, **SCALARS}
    return Readers(BUILDERS | {kind: _scalar(read) for kind, read in scalars.items()})


def _local(element: Element) -> str:
    """The name without its namespace."""
    return element.tag.rpartition("}")[2]


# ---- readers: each takes the elements of one name under one parent ----


def _structure(shape: Any, readers: Readers) -> Read:
    members, is_union = Members(shape, readers, _wire_name), shape.is_tagged_union

    def read(elements: list[Element]) -> dict[str, Any]:
        groups: dict[str, list[Element]] = {}
        for child in elements[0]:
            groups.setdefault(_local(child), []).append(child)
        known = members.by_wire_name()
        if is_union and not (len(groups) == 1 and groups.keys() <= known.keys()):
            return _unknown(list(groups))
        return {name: read_member(groups[wire]) for wire, (name, read_member) in known.items() if wire in groups}

    return read


def _unknown(tags: list[str]) -> dict[str, Any]:
    """A union whose member the model does not have, as botocore tells it."""
    if len(tags) != 1:
        raise Unreadable("expected one member of a union")
    return {"SDK_UNKNOWN_MEMBER": {"name": tags[0]}}


def _wire_name(member: Any, name: str) -> tuple[str]:
    """A flattened list goes by its items' name, where they have one."""
    if member.type_name == "list" and member.serialization.get("flattened"):
        return (str(member.member.serialization.get("name") or located_name(member, name)),)
    return (located_name(member, name),)


def _list(shape: Any, readers: Readers) -> Read:
    flattened = shape.serialization.get("flattened")
    item = _late(shape.member, readers)

    def read(elements: list[Element]) -> list[Any]:
        read_item = item()
        return [read_item([each]) for each in (elements if flattened else elements[0])]

    return read


def _map(shape: Any, readers: Readers) -> Read:
    flattened = shape.serialization.get("flattened")
    names = located_name(shape.key, "key"), located_name(shape.value, "value")
    key, value = _late(shape.key, readers), _late(shape.value, readers)

    def read(elements: list[Element]) -> dict[Any, Any]:
        read_key, read_value = key(), value()
        entries = elements if flattened else elements[0]
        pairs = [{_local(part): part for part in entry} for entry in entries]
        if any(set(pair) != set(names) for pair in pairs):
            raise Unreadable("expected a key and a value in each entry of a map")
        return {read_key([pair[names[0]]]): read_value([pair[names[1]]]) for pair in pairs}

    return read


def _late(shape: Any, readers: Readers) -> Callable[[], Read]:
    """A reader found when it is first needed: a shape may hold itself."""
    made: list[Read] = []

    def reader() -> Read:
        if not made:
            made.append(readers.of(shape))
        return made[0]

    return reader


def _scalar(read_text: Callable[[str], Any]) -> Builder:
    def read(elements: list[Element]) -> Any:
        return read_text(elements[0].text or "")

    return lambda _shape, _readers: read


def _boolean(text: str) -> bool:
    return text == "true"


SCALARS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("string", "character"), str),
    **dict.fromkeys(("integer", "long", "short", "byte"), int),
    **dict.fromkeys(("float", "double"), float),
    "boolean": _boolean,
    "blob": base64.b64decode,
}

BUILDERS: dict[str, Builder] = {"structure": _structure, "list": _list, "map": _map}
