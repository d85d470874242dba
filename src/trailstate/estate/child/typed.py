"""A template's properties become an operation's parameters, in the types and the spelling of the operation's model."""

import json
from collections.abc import Callable
from typing import Any

from trailstate.estate.stacks import Properties, StackType, Step
from trailstate.wire import model

TRUTHS = {"true": True, "false": False}


def parameters_of(kind: StackType, step: Step, properties: Properties) -> dict[str, Any]:
    """The members of the operation that the template fills, in the operation's types and spelling."""
    found: dict[str, Any] = {}
    for path, source in step.members.items():
        value = source(properties) if callable(source) else properties.get(source)
        if value is None:
            continue
        *above, last = path.split(".")
        place = found
        for each in above:
            place = place.setdefault(each, {})
        place[last] = value
    shape = model.operation_model(kind.service, step.operation).input_shape
    typed: dict[str, Any] = as_typed(shape, found)
    return typed


def as_typed(shape: Any, value: Any) -> Any:
    """A template's value as the model wants it: templates write numbers and truths as words, documents as objects,
    and members with a capital. A modelled error for what cannot be meant."""
    kind = shape.type_name
    if kind in COMPOUND:
        if not isinstance(value, list if kind == "list" else dict):
            raise validation(
                f"Expected {COMPOUND[kind]} for {shape.name}; found {json.dumps(value, default=str)[:200]}"
            )
        return _compound(shape, value)
    return _scalar(kind, value)


COMPOUND = {"structure": "an object", "map": "an object", "list": "a list"}


def _compound(shape: Any, value: Any) -> Any:
    if shape.type_name == "list":
        return [as_typed(shape.member, each) for each in value]
    if shape.type_name == "map":
        return {name: as_typed(shape.value, each) for name, each in value.items()}
    members = {name.lower(): name for name in shape.members}
    named = {members.get(name.lower(), name): each for name, each in value.items() if each is not None}
    for name in named:
        if name not in shape.members:
            raise validation(f"Encountered unsupported property {name[:128]}")
    return {name: as_typed(shape.members[name], each) for name, each in named.items()}


NUMBERS = {"integer": int, "long": int, "float": float, "double": float}


def _scalar(kind: str, value: Any) -> Any:
    if kind == "boolean":
        return _meant(lambda word: TRUTHS[word.lower()], value, bool, "true or false")
    if kind in NUMBERS:
        return _meant(NUMBERS[kind], value, int | float, "a number")
    if kind == "string":
        return _text(value)
    return value


def _meant(read: Callable[[str], Any], value: Any, kind: Any, expected: str) -> Any:
    """A value of the kind, or what its word means."""
    try:
        found = read(value) if isinstance(value, str) else value
    except (KeyError, ValueError):
        found = None
    if not isinstance(found, kind):
        raise validation(f"Expected {expected}; found {json.dumps(value, default=str)[:200]}")
    return found


def _text(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def validation(message: str) -> Exception:
    """CloudFormation's own error; imported late, because CloudFormation is only loaded when somebody uses it."""
    from moto.cloudformation.exceptions import ValidationError

    error: Exception = ValidationError(message=message)
    return error
