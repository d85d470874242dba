"""Recorded parameters become API values again: the inverse of `trailstate.trail`, for measuring it.

A recorded key belongs to the member whose name, wire name or recorded name it is. What belongs to no member is
private to AWS or unknown to us; it is left out and so counts against us.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from trailstate.trail import shape_ec2

DEPTH_MAX = 12
JAVA = re.compile(r"^([A-Z][a-z]{2}) (\d+),? (\d{4}),? (\d+):(\d+):(\d+)[\s\u202f]?(AM|PM)$")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def moment(value: Any) -> Any:
    """A recorded time as an aware datetime; what is no time stays what it is."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return value
    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
    match = JAVA.match(value.replace("\u202f", " "))
    if match:
        month, day, year, hour, minute, second, half = match.groups()
        hours = int(hour) % 12 + (12 if half == "PM" else 0)
        return datetime(int(year), MONTHS.index(month) + 1, int(day), hours, int(minute), int(second), tzinfo=UTC)
    with suppress(ValueError):
        return datetime.fromisoformat(value.replace("Z", "+00:00"))
    return value


def members(shape: Any, names: dict[str, str]) -> dict[str, tuple[str, Any]]:
    """Every spelling of a structure's members, in lower case -> (member, its shape)."""
    spellings: dict[str, tuple[str, Any]] = {}
    for member, member_shape in shape.members.items():
        wire = str(member_shape.serialization.get("name", member))
        query = str(member_shape.serialization.get("queryName", wire))
        for spelling in (query, wire, member, names.get(member, member)):
            spellings[spelling.lower()] = (member, member_shape)
    return spellings


def value_of(shape: Any, recorded: Any, names: dict[str, str] | None = None) -> Any:
    """A recorded value as the API's: rule L inverted."""
    kind = shape.type_name
    if kind == "structure" and isinstance(recorded, dict):
        if shape.is_document_type:
            return recorded
        known = members(shape, names or {})
        found = {key: known[key.lower()] for key in recorded if key.lower() in known}
        return {member: value_of(inner, recorded[key]) for key, (member, inner) in found.items()}
    if kind == "list" and isinstance(recorded, list):
        return [value_of(shape.member, item) for item in recorded]
    if kind == "map" and isinstance(recorded, dict):
        return {key: value_of(shape.value, item) for key, item in recorded.items()}
    if kind == "timestamp":
        return moment(recorded)
    if kind == "string" and isinstance(recorded, (dict, list)):
        return json.dumps(recorded)
    return recorded


def call(
    service: str, model: Any, asked: dict[str, Any], answered: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The API's input and output members behind what an event recorded of them."""
    if service == "s3":
        return s3_request(model, asked), s3_response(model, answered)
    if service == "ec2":
        return ec2_request(model, asked), ec2_response(model, answered)
    parameters = value_of(model.input_shape, asked) if model.input_shape is not None else {}
    return parameters, response(model, answered)


def response(model: Any, answered: dict[str, Any]) -> dict[str, Any]:
    """An answer, its single structure put back where the record dropped it."""
    shape = model.output_shape
    if shape is None:
        return {}
    single = list(shape.members.items())
    if (
        len(single) == 1
        and single[0][0].lower() not in {key.lower() for key in answered}
        and single[0][1].type_name == "structure"
    ):
        return {single[0][0]: value_of(single[0][1], answered)}
    value: dict[str, Any] = value_of(shape, answered)
    return value


def ec2_request(model: Any, recorded: dict[str, Any]) -> dict[str, Any]:
    """EC2's request, from either style."""
    shape = model.input_shape
    if shape is None:
        return {}
    wrapper = recorded.get(f"{model.name}Request")
    if wrapper is not None:
        return _unfolded(shape, wrapper, listed=False) if isinstance(wrapper, dict) else {}
    if model.name == "RunInstances" and "instancesSet" in recorded:
        recorded = recorded | recorded["instancesSet"]["items"][0]
        recorded["placement"] = {key: recorded[key] for key in ("availabilityZone", "tenancy") if key in recorded}
    return _from_items(shape, recorded, _ec2_names(model))


def ec2_response(model: Any, recorded: dict[str, Any]) -> dict[str, Any]:
    """EC2's answer, from either style."""
    shape = model.output_shape
    if shape is None:
        return {}
    wrapper = recorded.get(f"{model.name}Response")
    if isinstance(wrapper, dict):
        return _unfolded(shape, wrapper, listed=True)
    if "_return" in recorded:
        recorded = recorded | {"return": recorded["_return"]}
    return _from_items(shape, recorded, {})


def _ec2_names(model: Any) -> dict[str, str]:
    """What we call an old operation's members in its records."""
    plan: dict[str, str] = {}
    for member, shape in model.input_shape.members.items():
        if shape.type_name == "list":
            plan[member] = shape_ec2.set_name(model.name, member, shape)
        else:
            plan[member] = shape_ec2.soap_name(model.name, member, shape)
    return plan


def _from_items(shape: Any, recorded: Any, names: dict[str, str]) -> Any:
    if shape.type_name == "structure" and isinstance(recorded, dict):
        known = members(shape, {m: names.get(m, shape_ec2.nested_name(m, s)) for m, s in shape.members.items()})
        found = {key: known[key.lower()] for key in recorded if key.lower() in known}
        return {member: _from_items(inner, recorded[key], {}) for key, (member, inner) in found.items()}
    if shape.type_name == "list":
        elements = recorded.get("items", recorded.get("item", [])) if isinstance(recorded, dict) else recorded
        elements = elements if isinstance(elements, list) else [elements]
        if shape.member.type_name == "structure":
            return [_from_items(shape.member, item, {}) for item in elements]
        return [
            moment_or(shape.member, next(iter(item.values()), None) if isinstance(item, dict) else item)
            for item in elements
        ]
    return moment_or(shape, recorded)


def moment_or(shape: Any, recorded: Any) -> Any:
    return moment(recorded) if shape.type_name == "timestamp" else recorded


def _unfolded(shape: Any, recorded: Any, *, listed: bool) -> Any:
    if shape.type_name == "structure" and isinstance(recorded, dict):
        known = members(shape, {})
        found = {key: known[key.lower()] for key in recorded if key.lower() in known}
        return {member: _unfolded(inner, recorded[key], listed=listed) for key, (member, inner) in found.items()}
    if shape.type_name == "list":
        inner = recorded
        if listed and isinstance(recorded, dict):
            inner = recorded.get(str(shape.member.serialization.get("name", "item")), [])
        elements = inner if isinstance(inner, list) else [inner] if inner != "" else []
        return [_unfolded(shape.member, item, listed=listed) for item in elements]
    if isinstance(recorded, dict) and "content" in recorded:
        return recorded["content"]
    if shape.type_name == "string" and isinstance(recorded, (bool, int)):
        return json.dumps(recorded)
    return moment_or(shape, recorded)


def s3_request(model: Any, recorded: dict[str, Any]) -> dict[str, Any]:
    """S3's request members, from its query string, headers and folded body."""
    shape = model.input_shape
    rebuilt: dict[str, Any] = {}
    if shape is None:
        return rebuilt
    aliases = {"bucketname": "Bucket", "bucket": "Bucket", "key": "Key"}
    by_wire = {str(s.serialization.get("name", m)).lower(): (m, s) for m, s in shape.members.items()}
    for key, value in recorded.items():
        if key.lower() in aliases and aliases[key.lower()] in shape.members:
            rebuilt[aliases[key.lower()]] = value
        elif key == "bucketPolicy":
            rebuilt["Policy"] = json.dumps(value)
        elif key.lower() in by_wire:
            member, inner = by_wire[key.lower()]
            if inner.type_name == "structure" and not isinstance(value, dict):
                continue  # the sub-resource of the query string (`tagging`), not the body (`Tagging`)
            rebuilt[member] = xml_value(inner, value) if isinstance(value, dict) else typed(inner, value)
    return rebuilt


def s3_response(model: Any, recorded: dict[str, Any]) -> dict[str, Any]:
    """The members that travel in the headers of S3's answer."""
    if model.output_shape is None:
        return {}
    by_wire = {str(s.serialization.get("name", m)).lower(): (m, s) for m, s in model.output_shape.members.items()}
    known = {key: by_wire[key.lower()] for key in recorded if key.lower() in by_wire}
    return {member: typed(shape, recorded[key]) for key, (member, shape) in known.items()}


def typed(shape: Any, text: Any) -> Any:
    """Text of a header or a query string as the model's type."""
    if shape.type_name in ("integer", "long") and isinstance(text, str) and text.isdigit():
        return int(text)
    if shape.type_name == "boolean":
        return str(text).lower() == "true"
    return moment(text) if shape.type_name == "timestamp" else text


def xml_value(shape: Any, folded: Any) -> Any:
    """A folded XML element as the API's value."""
    if shape.type_name == "structure":
        if not isinstance(folded, dict):
            return {}
        known = members(shape, {})
        found = {key: known[key.lower()] for key in folded if key.lower() in known}
        return {member: xml_value(inner, folded[key]) for key, (member, inner) in found.items()}
    if shape.type_name == "list":
        inner = folded
        if not shape.serialization.get("flattened") and isinstance(folded, dict):
            inner = folded.get(str(shape.member.serialization.get("name", "member")), [])
        return [xml_value(shape.member, item) for item in (inner if isinstance(inner, list) else [inner])]
    if shape.type_name == "string" and isinstance(folded, (bool, int)):
        return json.dumps(folded)
    return typed(shape, folded)


def maximal(shape: Any, length: int, pick: int = 0, stack: tuple[str, ...] = ()) -> Any:
    """A value with every member of a shape, lists of a length, recursion once; a union has one member, by `pick`."""
    kind = shape.type_name
    deeper = (*stack, shape.name)
    if kind == "structure":
        if stack.count(shape.name) > 1 or len(stack) > DEPTH_MAX:
            return {}
        members = list(shape.members.items())
        chosen = [members[pick % len(members)]] if shape.is_tagged_union else members
        return {member: maximal(inner, length, pick, deeper) for member, inner in chosen}
    if kind == "list":
        return (
            [maximal(shape.member, length, pick, deeper) for _ in range(length)]
            if stack.count(shape.name) <= 2 and len(stack) <= DEPTH_MAX
            else []
        )
    if kind == "map":
        return {KEY: maximal(shape.value, length, pick, deeper)}
    return SCALARS.get(kind, lambda: "text")()


KEY = "{key}"
SCALARS = {
    "timestamp": lambda: datetime(2026, 1, 15, tzinfo=UTC),
    "blob": lambda: b"blob",
    "boolean": lambda: True,
    "integer": lambda: 7,
    "long": lambda: 7,
    "float": lambda: 0.5,
    "double": lambda: 0.5,
}


def paths(value: Any, path: str = "") -> Iterator[str]:
    """Every key path of a value: members by name, elements as `[]`."""
    if isinstance(value, dict):
        for key, item in value.items():
            inner = f"{path}.{key}" if path else key
            yield inner
            yield from paths(item, inner)
    elif isinstance(value, list):
        for item in value:
            yield f"{path}[]"
            yield from paths(item, f"{path}[]")
