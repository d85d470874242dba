"""JSON bodies → parameters (AWS JSON 1.0 and 1.1, rest-json), strictly: RFC 8259, with no key twice and no deep nests.

What two parsers could understand differently is refused, because the record must show what was done: a key given
twice, NaN, half of a surrogate pair, a byte order mark.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from trailstate.wire.readers import Builder, Members, Read, Readers, located_name
from trailstate.wire.text import (
    INTEGER_RANGES,
    SPECIAL_FLOATS,
    Malformed,
    blob,
    epoch_seconds,
    finite,
    in_range,
    timestamp,
)

DEPTH_MAX = 64


def parse_json(body: bytes) -> Any:
    """The value of a JSON text. Raises Malformed."""
    _check_depth(body)
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise Malformed(f"The body is not valid JSON: {error}") from None
    _refuse_doubles(body)
    return value


def parse_object(body: bytes) -> dict[str, Any]:
    """The object that a JSON text is; no text at all is an empty one."""
    if not body:
        return {}
    value = parse_json(body)
    if not isinstance(value, dict):
        raise Malformed("The body must be a JSON object.")
    return value


def _check_depth(body: bytes) -> None:
    if body.count(b"{") + body.count(b"[") <= DEPTH_MAX:
        return
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", body)):
        depth += 1 if bracket in b"{[" else -1
        if depth > DEPTH_MAX:
            raise Malformed(f"The body is nested more than {DEPTH_MAX} deep.")


_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A string; one that never ends reaches to the end, so that scanning stays linear."""
_BRACKET = re.compile(rb"[\[\]{}]")


def _refuse_doubles(body: bytes) -> None:
    """The fast parser keeps the last of two equal keys and says nothing; the standard one shows them all."""
    json.loads(body, object_pairs_hook=_no_doubles, parse_int=str, parse_float=str)


def _no_doubles(members: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in members}) != len(members):
        raise Malformed("The body has an object with the same key twice.")


# ---- readers ----

_KINDS = {bool: "BOOLEAN_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE", str: "STRING_VALUE"}


def unexpected(value: Any, wanted: str) -> Malformed:
    """AWS's wording for a value of another type."""
    if isinstance(value, dict | list):
        return Malformed("Start of structure or map found where not expected.")
    return Malformed(f"{_KINDS.get(type(value), 'NULL_VALUE')} can not be converted to {wanted}")


def structure(shape: Any, readers: Readers) -> Read:
    if shape.is_document_type:
        return _as_it_is
    members = Members(shape, readers, _wire_names)

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise Malformed("Unexpected field type: expected a structure.")
        known = members.by_wire_name()
        result = {}
        for wire_name, item in value.items():
            if item is not None and wire_name in known:  # null means absent; AWS ignores members it does not know
                name, read_member = known[wire_name]
                result[name] = read_member(item)
        return result

    return read


def _wire_names(member: Any, name: str) -> tuple[str]:
    return (located_name(member, name),)


def listing(shape: Any, readers: Readers) -> Read:
    member = readers_of_items(shape.member, readers)

    def read(value: Any) -> list[Any]:
        if type(value) is not list:
            raise Malformed("Expected list or null")
        read_item = member()
        return [None if item is None else read_item(item) for item in value]

    return read


def mapping(shape: Any, readers: Readers) -> Read:
    member = readers_of_items(shape.value, readers)

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise Malformed("Unexpected field type: expected a map.")
        read_item = member()
        return {str(key): None if item is None else read_item(item) for key, item in value.items()}

    return read


def readers_of_items(shape: Any, readers: Readers) -> Any:
    """The reader of a list's or map's items, found when needed: a list may hold the structure that holds it."""
    return lambda: readers.of(shape)


def _as_it_is(value: Any) -> Any:
    return value


def string(value: Any) -> str:
    if type(value) is not str:
        raise unexpected(value, "String")
    return value


def boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise unexpected(value, "Boolean")
    return value


def floating(value: Any) -> float:
    if type(value) in (int, float):
        try:
            return float(value)
        except OverflowError:
            raise Malformed("The number is too large.") from None
    if type(value) is str and value in SPECIAL_FLOATS:
        return SPECIAL_FLOATS[value]
    raise unexpected(value, "Double")


def integer(shape: Any, _: Readers) -> Read:
    kind = shape.type_name

    def read(value: Any) -> int:
        if type(value) is float and finite(value) == int(value):
            value = int(value)
        if type(value) is not int:
            raise unexpected(value, kind.capitalize())
        return in_range(value, kind)

    return read


def _blob(value: Any) -> bytes:
    return blob(string(value))


def _timestamp(shape: Any, _: Readers) -> Read:
    preferred = shape.serialization.get("timestampFormat", "unixTimestamp").lower()

    def read(value: Any) -> datetime:
        if type(value) in (int, float):
            return epoch_seconds(value)
        return timestamp(string(value), preferred)

    return read


def always(read: Read) -> Builder:
    """A builder for types whose reader is the same for every shape."""
    return lambda _shape, _readers: read


BUILDERS: Mapping[str, Builder] = {
    "structure": structure,
    "list": listing,
    "map": mapping,
    "string": always(string),
    "character": always(string),
    "boolean": always(boolean),
    "float": always(floating),
    "double": always(floating),
    "blob": always(_blob),
    "timestamp": _timestamp,
    **dict.fromkeys(INTEGER_RANGES, integer),
}
