"""Output values as XML, for query, ec2 and rest-xml; whatever the values hold, the document is well-formed.

Follows the Smithy specification, "XML bindings", and XML 1.0 §2.2 (which characters exist) and §2.11 (line ends).
"""

import base64
import re
from collections.abc import Mapping
from typing import Any

from trailstate.wire.scalar import MILLISECOND_SERVICES, boolean_text, number_text, timestamp_text

XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE_ESCAPES = _ESCAPES | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})
_ELSEWHERE = frozenset({"header", "headers", "statusCode"})
_REPLACEMENT = "\ufffd"


def escape(text: str) -> str:
    """Text between tags. A character XML does not have becomes U+FFFD."""
    return _UNWRITABLE.sub(_REPLACEMENT, text).translate(_ESCAPES)


def escape_attribute(text: str) -> str:
    return _UNWRITABLE.sub(_REPLACEMENT, text).translate(_ATTRIBUTE_ESCAPES)


def element(name: str, text: str) -> str:
    """An element that holds text only."""
    return f"<{name}>{escape(text)}</{name}>"


def namespace(declared: Any) -> str:
    """The xmlns attribute for a model's xmlNamespace (a URI, or a URI and a prefix), with its leading blank."""
    if not declared:
        return ""
    uri, prefix = (declared, "") if isinstance(declared, str) else (declared.get("uri", ""), declared.get("prefix", ""))
    return f' xmlns{":" if prefix else ""}{prefix}="{escape_attribute(uri)}"'


class XmlWriter:
    """Writes the values of one service; `members` is where one starts."""

    def __init__(self, service: str | None) -> None:
        self._milliseconds = service in MILLISECOND_SERVICES
        self._writers = {
            "structure": self._structure,
            "list": self._list,
            "map": self._map,
        }

    def members(self, shape: Any, value: Mapping[str, Any]) -> str:
        """The content of a structure: one element a member, in the model's order. Members that travel in headers or in
        the status line are left out. TypeError for a value the model does not have."""
        unknown = value.keys() - shape.members.keys()
        if unknown:
            raise TypeError(f"{shape.name} has no member {', '.join(sorted(map(repr, unknown)))}")
        parts = []
        for name, member in shape.members.items():
            item = value.get(name)
            if item is None or _is_elsewhere(member):
                continue
            parts.append(self.write(member, item, element_name(member, name)))
        return "".join(parts)

    def write(self, shape: Any, value: Any, name: str) -> str:
        """The element (several for a flattened collection) of one value."""
        write = self._writers.get(shape.type_name)
        if write is not None:
            return write(shape, value, name)
        return f"<{name}{namespace(shape.serialization.get('xmlNamespace'))}>{escape(self.text(shape, value))}</{name}>"

    def attributes(self, shape: Any, value: Mapping[str, Any]) -> str:
        """The namespace declaration and attributes of a structure's start tag."""
        written = [namespace(shape.serialization.get("xmlNamespace"))]
        for name, member in shape.members.items():
            if member.serialization.get("xmlAttribute") and value.get(name) is not None:
                text = escape_attribute(self.text(member, value[name]))
                written.append(f' {member.serialization.get("name", name)}="{text}"')
        return "".join(written)

    def text(self, shape: Any, value: Any) -> str:
        """One scalar as text."""
        kind = shape.type_name
        if kind == "timestamp":
            form = shape.serialization.get("timestampFormat", "iso8601")
            return timestamp_text(value, form, milliseconds=self._milliseconds)
        if kind == "blob":
            return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()
        if kind == "boolean":
            return boolean_text(value)
        return value if isinstance(value, str) else number_text(value)

    def _structure(self, shape: Any, value: Any, name: str) -> str:
        return f"<{name}{self.attributes(shape, value)}>{self.members(shape, value)}</{name}>"

    def _list(self, shape: Any, value: Any, name: str) -> str:
        member = shape.member
        if shape.serialization.get("flattened"):
            return "".join(self.write(member, item, name) for item in value if item is not None)
        inner = member.serialization.get("name", "member")
        items = "".join(self.write(member, item, inner) for item in value if item is not None)
        return f"<{name}{namespace(shape.serialization.get('xmlNamespace'))}>{items}</{name}>"

    def _map(self, shape: Any, value: Any, name: str) -> str:
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        entries = [
            self.write(shape.key, key, key_name) + self.write(shape.value, item, value_name)
            for key, item in value.items()
            if item is not None
        ]
        if shape.serialization.get("flattened"):
            return "".join(f"<{name}>{entry}</{name}>" for entry in entries)
        declared = namespace(shape.serialization.get("xmlNamespace"))
        return f"<{name}{declared}>{''.join(f'<entry>{entry}</entry>' for entry in entries)}</{name}>"


def element_name(shape: Any, member: str) -> str:
    """The tag of a structure's member. In a flattened list the item's own name wins."""
    if shape.type_name == "list" and shape.serialization.get("flattened"):
        item_name = shape.member.serialization.get("name")
        if item_name:
            return str(item_name)
    return str(shape.serialization.get("name", member))


def _is_elsewhere(shape: Any) -> bool:
    return shape.serialization.get("location") in _ELSEWHERE or bool(shape.serialization.get("xmlAttribute"))
