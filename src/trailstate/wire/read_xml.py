"""XML bodies → parameters (rest-xml), by expat, with neither a document type nor entities of one's own (OWASP: XXE).

Names are compared without their namespace prefix: S3's clients disagree about prefixes, and no model has two members
that only a namespace tells apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from xml.parsers import expat

from trailstate.wire.readers import Builder, Members, Read, Readers, located_name
from trailstate.wire.text import INTEGER_RANGES, Malformed, text_reader

DEPTH_MAX = 64
ELEMENTS_MAX = 100_000
"""A multipart upload of 10,000 parts is completed with some 40,000."""
TIMESTAMP_FORMAT = "iso8601"


@dataclass(slots=True)
class Element:
    """An XML element, names without prefixes."""

    name: str
    attributes: dict[str, str]
    children: list["Element"] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def parse_xml(body: bytes) -> Element:
    """The root element. Raises Malformed."""
    top = Element("", {})
    path = [top]
    left = ELEMENTS_MAX

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal left
        left -= 1
        if left < 0 or len(path) > DEPTH_MAX:
            raise Malformed(f"The XML has more than {ELEMENTS_MAX} elements, or is nested more than {DEPTH_MAX} deep.")
        element = Element(_local(name), {_local(key): value for key, value in attributes.items() if _is_plain(key)})
        path[-1].children.append(element)
        path.append(element)

    def end(_: str) -> None:
        path.pop()

    def text(piece: str) -> None:
        path[-1].pieces.append(piece)

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        if isinstance(error, Malformed):
            raise
        raise Malformed("The XML you provided was not well-formed.") from None
    return top.children[0]


def _refuse_doctype(*_: Any) -> NoReturn:
    raise Malformed("The XML you provided has a document type declaration.")


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _is_plain(attribute: str) -> bool:
    return not attribute.startswith("xmlns")


# ---- readers: each takes the elements of one name under one parent ----


def _structure(shape: Any, readers: Readers) -> Read:
    members = Members(shape, readers, _wire_names)

    def read(elements: list[Element]) -> dict[str, Any]:
        known = members.by_wire_name()
        element = elements[-1]
        result = {}
        for wire_name, same in _by_name(element).items():
            if wire_name in known:
                name, read_member = known[wire_name]
                result[name] = read_member(same)
        return result

    return read


def _by_name(element: Element) -> dict[str, list[Element]]:
    """Children by name, and attributes as if they were children, under a name no element can have."""
    groups: dict[str, list[Element]] = {
        "@" + name: [Element(name, {}, pieces=[value])] for name, value in element.attributes.items()
    }
    for child in element.children:
        groups.setdefault(child.name, []).append(child)
    return groups


def _wire_names(member: Any, name: str) -> tuple[str, ...]:
    """A structure's own element name is not for members of its type, but botocore uses it so: both are understood."""
    stated = located_name(member, name)
    if member.serialization.get("xmlAttribute"):
        return ("@" + _local(stated),)
    return (stated, name) if member.type_name == "structure" else (stated,)


def _list(shape: Any, readers: Readers) -> Read:
    flattened = shape.serialization.get("flattened")

    def read(elements: list[Element]) -> list[Any]:
        read_item = readers.of(shape.member)
        items = elements if flattened else elements[-1].children
        return [read_item([item]) for item in items]

    return read


def _map(shape: Any, readers: Readers) -> Read:
    flattened = shape.serialization.get("flattened")
    key_name, value_name = located_name(shape.key, "key"), located_name(shape.value, "value")

    def read(elements: list[Element]) -> dict[str, Any]:
        read_value = readers.of(shape.value)
        entries = [_by_name(entry) for entry in (elements if flattened else elements[-1].children)]
        if not all(key_name in entry and value_name in entry for entry in entries):
            raise Malformed("A map entry of the XML lacks its key or value.")
        return {entry[key_name][-1].text: read_value(entry[value_name]) for entry in entries}

    return read


def _scalar(shape: Any, _: Readers) -> Read:
    read_text = text_reader(shape, TIMESTAMP_FORMAT)

    def read(elements: list[Element]) -> Any:
        element = elements[-1]
        if element.children:
            raise Malformed(f"The element '{element.name}' must hold text only.")
        return read_text(element.text)

    return read


_SCALARS = ("string", "character", "boolean", "float", "double", "blob", "timestamp", *INTEGER_RANGES)

BUILDERS: Mapping[str, Builder] = {
    **dict.fromkeys(_SCALARS, _scalar),
    "structure": _structure,
    "list": _list,
    "map": _map,
}
