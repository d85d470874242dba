"""Where a rest operation's members stand in the request: path labels, query string, headers, the rest in the body.

Follows Smithy's HTTP binding traits as rest-json and rest-xml use them. A plan is made once for each operation.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trailstate.wire import text as text_values
from trailstate.wire.form import pairs
from trailstate.wire.read_json import parse_json
from trailstate.wire.readers import is_event_stream, located_name
from trailstate.wire.text import Malformed, text_reader

QUERY_TIMESTAMP_FORMAT = "iso8601"
HEADER_TIMESTAMP_FORMAT = "rfc822"

Text = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Part:
    """What the request's head offers to the members bound to it."""

    labels: Mapping[str, str]
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    all_headers: tuple[tuple[str, str], ...]


Bind = Callable[[Part], Any]
"""Reads one member from the head; None when it is absent."""


@dataclass(slots=True)
class Plan:
    """Which members stand in the head, and what the body holds."""

    head: dict[str, Bind] = field(default_factory=dict)
    in_body: set[str] = field(default_factory=set)
    payload: str | None = None
    """The one member that is the whole body."""


def plan(shape: Any, request_uri: str) -> Plan:
    """How to read the input shape of an operation."""
    made = Plan(payload=shape.serialization.get("payload"))
    taken = _query_names(shape, request_uri)
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        if location in _BINDERS:
            made.head[name] = _BINDERS[location](member, located_name(member, name), taken)
        elif name != made.payload and not is_event_stream(member):
            made.in_body.add(name)
    return made


def read_head(made: Plan, part: Part) -> dict[str, Any]:
    """The members that stand in the path, the query string and the headers."""
    found = ((name, bind(part)) for name, bind in made.head.items())
    return {name: value for name, value in found if value is not None}


def query_values(query: str) -> dict[str, list[str]]:
    """A query string's values by name."""
    values: dict[str, list[str]] = {}
    for name, value in pairs(query):
        values.setdefault(name, []).append(value)
    return values


def _query_names(shape: Any, request_uri: str) -> frozenset[str]:
    """The query parameters that belong to the template or to a member, so not to a map of all others."""
    literals = {part.partition("=")[0] for part in request_uri.partition("?")[2].split("&")}
    members = {
        located_name(member, name)
        for name, member in shape.members.items()
        if member.serialization.get("location") == "querystring" and member.type_name != "map"
    }
    return frozenset(literals | members)


# ---- binders, by location ----


def _label(member: Any, wire_name: str, _: frozenset[str]) -> Bind:
    read = text_reader(member, QUERY_TIMESTAMP_FORMAT)

    def bind(part: Part) -> Any:
        text = part.labels.get(wire_name)
        return None if text is None else read(text)

    return bind


def _query(member: Any, wire_name: str, taken: frozenset[str]) -> Bind:
    if member.type_name == "map":
        return _query_map(member, taken)
    if member.type_name == "list":
        read_item = text_reader(member.member, QUERY_TIMESTAMP_FORMAT)

        def bind_list(part: Part) -> Any:
            texts = part.query.get(wire_name)
            return None if texts is None else [read_item(text) for text in texts]

        return bind_list
    read, keeps_empty = text_reader(member, QUERY_TIMESTAMP_FORMAT), member.type_name == "string"

    def bind(part: Part) -> Any:
        text = part.query.get(wire_name, (None,))[0]
        return None if text is None or not (text or keeps_empty) else read(text)

    return bind


def _query_map(member: Any, taken: frozenset[str]) -> Bind:
    """All query parameters that nobody else claims, the signature's own excepted: what a client put into the map."""
    several = member.value.type_name == "list"

    def bind(part: Part) -> Any:
        free = {name: texts for name, texts in part.query.items() if name not in taken and not _SIGNING.match(name)}
        if not free:
            return None
        return free if several else {name: texts[0] for name, texts in free.items()}

    return bind


_SIGNING = re.compile(r"X-Amz-(?:Algorithm|Credential|Date|Expires|SignedHeaders|Signature|Security-Token)$|x-id$")


def _header(member: Any, wire_name: str, _: frozenset[str]) -> Bind:
    name, read = wire_name.lower(), _header_reader(member)
    keeps_empty = member.type_name in {"string", "list"}

    def bind(part: Part) -> Any:
        text = part.headers.get(name)
        return None if text is None or not (text or keeps_empty) else read(_decoded(text))

    return bind


def _header_reader(member: Any) -> Text:
    if member.serialization.get("jsonvalue"):
        return _json_value
    if member.type_name == "list":
        return _header_list(member.member)
    return text_reader(member, HEADER_TIMESTAMP_FORMAT)


def _json_value(text: str) -> Any:
    """The object or list that botocore's callers give; any other JSON stays the text it is for other SDKs."""
    written = text_values.blob(text)
    value = parse_json(written)
    return value if isinstance(value, dict | list) else written.decode("utf-8")


_ITEM = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*?))\s*(?:,|$)')
_BETWEEN_DATES = re.compile(r",\s*(?=[A-Za-z]{3},)")


def _header_list(item: Any) -> Text:
    read = text_reader(item, HEADER_TIMESTAMP_FORMAT)
    holds_dates = (
        item.type_name == "timestamp"
        and item.serialization.get("timestampFormat", HEADER_TIMESTAMP_FORMAT).lower() == "rfc822"
    )

    def split(text: str) -> list[Any]:
        texts = _BETWEEN_DATES.split(text) if holds_dates else _items(text)
        return [read(one) for one in texts]

    return split


def _items(text: str) -> list[str]:
    found, at = [], 0
    while at < len(text):
        item = _ITEM.match(text, at)
        if item is None:
            raise Malformed("A header that holds a list cannot be read.")
        quoted = item[1]
        found.append(item[2] if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        at = item.end()
    return found


def _decoded(text: str) -> str:
    """Header text came as latin-1; clients that send more than ASCII send UTF-8."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _prefixed_headers(_member: Any, prefix: str, _taken: frozenset[str]) -> Bind:
    start = prefix.lower()

    def bind(part: Part) -> Any:
        found = {name[len(start) :]: _decoded(text) for name, text in part.all_headers if name.startswith(start)}
        return found or None

    return bind


_BINDERS: Mapping[str, Callable[[Any, str, frozenset[str]], Bind]] = {
    "uri": _label,
    "querystring": _query,
    "header": _header,
    "headers": _prefixed_headers,
}
