"""How EC2 writes its records: two styles, told apart by the age of the operation (EC2 guide, recorded events).

The *items* style belongs to the operations of EC2's old SOAP interface: members carry its element names, and a list
is `{"nameSet": {"items": [...]}}`, an empty one `{}`. The *wrapped* style belongs to the younger ones: the query
string folded into `{"<Operation>Request": {...}}` with its capitals, the answer's XML into
`{"<Operation>Response": {...}}`; a list of one is the element itself, each element carries its index as `tag`,
and text that looks like a number or a boolean becomes one.

The model tells the two apart: the old operations spell their request members in lower case on the wire (`dryRun`).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from trailstate.trail.mask import DROP, SHOW, hidden, masks
from trailstate.trail.names import lowered
from trailstate.trail.shape import Convert, plain, sensitivity
from trailstate.trail.tables import table
from trailstate.values.timestamp import moment_text

XMLNS = "http://ec2.amazonaws.com/doc/2016-11-15/"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_items_style(operation_model: Any) -> bool:
    """Whether an operation is recorded in the items style."""
    shape = operation_model.input_shape
    if shape is None:
        return False
    return any(member.serialization.get("name", "A")[:1].islower() for member in shape.members.values())


@cache
def request_converter(operation_model: Any) -> Convert:
    """From the API's input members to `requestParameters`."""
    shape = operation_model.input_shape
    if shape is None:
        return _wrapped_empty(f"{operation_model.name}Request")
    if is_items_style(operation_model):
        return _items_request(operation_model)
    fold = _fold_request(shape, masks("ec2", operation_model.name, "request"), "")
    return _wrapper(f"{operation_model.name}Request", fold)


@cache
def response_converter(operation_model: Any) -> Callable[[Any, str], Any]:
    """From the API's output members and the request id to `responseElements`."""
    shape = operation_model.output_shape
    hides = masks("ec2", operation_model.name, "response")
    if is_items_style(operation_model):
        convert = _items(shape, hides, "", "response") if shape is not None else None

        def items_response(value: Any, request_id: str) -> Any:
            body = convert(value) if convert is not None else {}
            truth = body.pop("return", True if not body else None)
            done = {} if truth is None else {"_return": truth}
            return {"requestId": request_id, **done, **body}

        return items_response
    fold = _fold_response(shape, hides, "") if shape is not None else None

    def wrapped_response(value: Any, request_id: str) -> Any:
        body = fold(value) if fold is not None else {}
        truth = {} if body else {"return": True}
        return {f"{operation_model.name}Response": {"xmlns": XMLNS, **body, **truth, "requestId": request_id}}

    return wrapped_response


def set_name(operation: str, member: str, shape: Any) -> str:
    """What a request's list is called in the items style: the SOAP element, by default `<wire name>Set`."""
    rows = table("ec2")["request_lists"]
    written: str | None = rows.get(f"{operation}.{member}") or rows.get(member)
    if written is not None:
        return written
    wire = lowered(str(shape.serialization.get("name", member)))
    return wire if wire.endswith(("Set", "Permissions", "Mapping")) else wire + "Set"


def _items_request(operation_model: Any) -> Convert:
    shape = operation_model.input_shape
    operation = operation_model.name
    hides = masks("ec2", operation, "request")
    always = table("ec2")["always_written"]
    groups = table("ec2")["request_groups"].get(operation, {})
    plan: dict[str, tuple[str, Convert]] = {}
    defaults: dict[str, Any] = dict(always["members"].get(operation, {}))
    for member, member_shape in shape.members.items():
        is_list = member_shape.type_name == "list"
        name = set_name(operation, member, member_shape) if is_list else soap_name(operation, member, member_shape)
        convert = _masked(member_shape, hides, name, lambda s, h, p: _items(s, h, p, "request"))
        if convert is None:
            continue
        plan[member] = (name, convert)
        if is_list and operation.startswith(tuple(always["lists_of_operations"])):
            defaults[name] = {}

    def convert_request(value: Any) -> Any:
        record = {plan[member][0]: plan[member][1](item) for member, item in value.items() if member in plan}
        return regrouped({**record, **{name: value for name, value in defaults.items() if name not in record}}, groups)

    return convert_request


def regrouped(record: dict[str, Any], groups: Any) -> dict[str, Any]:
    """A request whose members a table gathers into an items list, or lifts out of the structure they stand in."""
    for name, members in groups.get("grouped", {}).items():
        gathered = {member: record.pop(member) for member in members if member in record}
        record = {name: {"items": [gathered]}, **record} if gathered else record
    for name in groups.get("flattened", ()):
        record |= record.pop(name, {})
    return record


def soap_name(operation: str, member: str, shape: Any) -> str:
    """What a request's other members are called in the items style."""
    rows = table("ec2")["request_members"]
    written: str | None = rows.get(f"{operation}.{member}") or rows.get(member)
    return written or lowered(str(shape.serialization.get("name", member)))


def _items(shape: Any, hides: Any, path: str, side: str) -> Convert:
    if shape.type_name == "structure":
        return _items_structure(shape, hides, path, side)
    if shape.type_name == "list":
        return _items_list(shape, hides, path, side)
    if shape.type_name == "timestamp":
        return _milliseconds
    return plain


def _items_structure(shape: Any, hides: Any, path: str, side: str) -> Convert:
    plan: dict[str, tuple[str, Convert]] = {}
    for member, member_shape in shape.members.items():
        wire = nested_name(member, member_shape, side)
        convert = _masked(member_shape, hides, _join(path, wire), lambda s, h, p: _items(s, h, p, side))
        if convert is not None:
            plan[member] = (wire, convert)
    return lambda value: {plan[member][0]: plan[member][1](item) for member, item in value.items() if member in plan}


def nested_name(member: str, shape: Any, side: str = "request") -> str:
    """What a member below the top is called in the items style; a request's inner lists have SOAP names too."""
    wire = lowered(str(shape.serialization.get("name", member)))
    if side != "request" or shape.type_name != "list":
        return wire
    written: str = table("ec2")["nested_lists"].get(wire, wire)
    return written


def _items_list(shape: Any, hides: Any, path: str, side: str) -> Convert:
    member = shape.member
    last = path.rpartition(".")[2]
    if last in table("ec2")["bare_lists"]:
        bare = _items(member, hides, f"{path}[]", side)
        return lambda value: [bare(item) for item in value]
    convert = _items(member, hides, f"{path}.items[]", side)
    always = table("ec2")["always_written"]["elements"].get(last) if side == "request" else None
    if always is not None:
        return lambda value: (
            {"items": [{name: {} for name in always} | convert(item) for item in value]} if value else {}
        )
    if member.type_name != "structure":
        key = _element_name(last, member)
        scalar = convert
        convert = lambda item: {key: scalar(item)}  # noqa: E731 - the two kinds of element share what follows
    style = "item" if last in table("ec2")["item_lists"] and side == "response" else "items"
    return lambda value: {style: [convert(item) for item in value]} if value else {}


def _element_name(list_name: str, member: Any) -> str:
    written: str | None = table("ec2")["elements"].get(list_name)
    if written is not None:
        return written
    wire = str(member.serialization.get("name", "item"))
    return lowered(wire) if wire not in ("item", "member") else list_name.removesuffix("Set").removesuffix("s")


def _masked(shape: Any, hides: Any, path: str, convert: Callable[[Any, Any, str], Convert]) -> Convert | None:
    how = hides.get(path) or sensitivity(shape, "ec2")
    if how == DROP:
        return None
    return convert(shape, hides, path) if how == SHOW else hidden(how)


def _milliseconds(value: Any) -> Any:
    return int((value - _EPOCH).total_seconds() * 1000) if isinstance(value, datetime) else plain(value)


def _wrapper(name: str, fold: Convert) -> Convert:
    # An empty request has no members to fold: AWS then writes the empty text.
    return lambda value: {name: fold(value) or ""}


def _wrapped_empty(name: str) -> Convert:
    return lambda _value: {name: ""}


def _fold_request(shape: Any, hides: Any, path: str) -> Convert:
    if shape.type_name == "structure":
        plan: dict[str, tuple[str, Convert]] = {}
        for member, member_shape in shape.members.items():
            wire = str(member_shape.serialization.get("queryName") or member_shape.serialization.get("name", member))
            wire = wire[:1].upper() + wire[1:]
            convert = _masked(member_shape, hides, _join(path, lowered(wire)), _fold_request)
            if convert is not None:
                plan[member] = (wire, convert)
        return lambda value: {
            plan[member][0]: plan[member][1](item) for member, item in value.items() if member in plan
        }
    if shape.type_name == "list":
        convert = _fold_request(shape.member, hides, f"{path}[]")
        return lambda value: _alone([_indexed(convert(item), index) for index, item in enumerate(value, 1)])
    return _guessed


def _indexed(element: Any, index: int) -> dict[str, Any]:
    return {**element, "tag": index} if isinstance(element, dict) else {"tag": index, "content": element}


def _fold_response(shape: Any, hides: Any, path: str) -> Convert:
    if shape.type_name == "structure":
        plan: dict[str, tuple[str, Convert]] = {}
        for member, member_shape in shape.members.items():
            wire = str(member_shape.serialization.get("name", member))
            convert = _masked(member_shape, hides, _join(path, wire), _fold_response)
            if convert is not None:
                plan[member] = (wire, convert)
        return lambda value: {
            plan[member][0]: plan[member][1](item) for member, item in value.items() if member in plan
        }
    if shape.type_name == "list":
        convert = _fold_response(shape.member, hides, f"{path}[]")
        name = str(shape.member.serialization.get("name", "item"))
        return lambda value: {name: _alone([convert(item) for item in value])} if value else ""
    if shape.type_name == "timestamp":
        return _iso_milliseconds
    return _guessed


def _iso_milliseconds(value: Any) -> Any:
    if not isinstance(value, datetime):
        return plain(value)
    return moment_text(value)


def _alone(elements: list[Any]) -> Any:
    return elements[0] if len(elements) == 1 else elements


def _guessed(value: Any) -> Any:
    """Text that reads as a number or a boolean is recorded as one, as an XML-to-JSON folding does."""
    if not isinstance(value, str):
        return plain(value)
    if value in ("true", "false"):
        return value == "true"
    if value.lstrip("-").isascii() and value.lstrip("-").isdigit() and (value == "0" or value.lstrip("-")[0] != "0"):
        return int(value) if len(value) < _DIGITS_MAX else value
    return value


_DIGITS_MAX = 16


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
