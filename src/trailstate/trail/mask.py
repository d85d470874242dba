"""What a record must not show: every member the API model marks sensitive, and those a table names beside it.

AWS hides in four ways: it leaves the member out, writes one of two fixed texts, or stars. Which one, for which
member, is data (`data/masks.json`); a sensitive member without a row is left out in the older protocols and hidden
in the younger JSON ones. Blobs never appear.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from trailstate.trail.tables import table
from trailstate.wire import model

Convert = Callable[[Any], Any]

DROP = "drop"
SHOW = "show"
NAMES = "names"
LITERALS = "literals"
REDACTED = "***(Redacted)"
_LITERAL = re.compile(r"'(?:[^']|'')*'(\s*:)?|(?<![\w.'\"])-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.'\"])")
"""A text or a number of a PartiQL statement; with the colon that makes a text the name of an attribute."""


@cache
def masks(service: str, operation: str, side: str) -> dict[str, str]:
    """Record path -> how it is hidden, for one side (`request` or `response`) of an operation; `*` rows first."""
    rows: dict[str, Any] = table("masks")["paths"]
    merged: dict[str, str] = {}
    for key in (f"{service}.*", f"{service}.{operation}"):
        merged |= rows.get(key, {}).get(side, {})
    return merged


def hidden(how: str) -> Convert:
    """A converter that gives the text AWS writes instead of a value, keeping the shape of lists and maps."""
    if how == LITERALS:
        return without_literals
    if how == NAMES:
        return list
    text: str = table("masks")["texts"].get(how, how)

    def conceal(value: Any) -> Any:
        if isinstance(value, dict):
            return {}
        if isinstance(value, (list, tuple)):
            return [conceal(item) for item in value]
        return text

    return conceal


def without_literals(statement: Any) -> Any:
    """A PartiQL statement without the values in it."""
    if not isinstance(statement, str):
        return statement
    return _LITERAL.sub(lambda found: found[0] if found[1] else REDACTED, statement)


def default_for_sensitive(protocol: str, type_name: str) -> str:
    """How a sensitive member without a row is hidden."""
    if type_name != "string":
        return DROP
    how: str = table("masks")["sensitive_strings"].get(protocol, DROP)
    return how


def is_secret(name: str, shape: Any) -> bool:
    """Whether the model marks a member sensitive, or its name says what the model forgot (`AuthToken`, `Password`)."""
    if shape.metadata.get("sensitive"):
        return True
    return shape.type_name == "string" and name.lower().endswith(tuple(table("masks")["secret_names"]))


def without_secrets(text: str, service: str, operation: str, parameters: Mapping[str, Any]) -> str:
    """A message that may repeat what the caller sent, with every sensitive value in it hidden."""
    try:
        shape = model.operation_model(service, operation).input_shape
    except LookupError:
        return text
    for secret in sorted(_secrets(shape, parameters, False), key=len, reverse=True) if shape is not None else ():
        text = text.replace(secret, table("masks")["texts"]["hidden"])
    return text


def _secrets(shape: Any, value: Any, secret: bool) -> Iterator[str]:
    """The texts within a value that its shape, or one it stands in, marks sensitive."""
    secret = secret or bool(shape.metadata.get("sensitive"))
    if isinstance(value, Mapping) and shape.type_name in ("structure", "map"):
        for name, item in value.items():
            inner = shape.value if shape.type_name == "map" else shape.members.get(name)
            if shape.type_name == "map":
                yield from _secrets(shape.key, name, secret)
            if inner is not None:
                yield from _secrets(inner, item, secret or is_secret(str(name), inner))
    elif isinstance(value, list) and shape.type_name == "list":
        for item in value:
            yield from _secrets(shape.member, item, secret)
    elif secret and value and isinstance(value, str):
        yield value
    elif secret and value and isinstance(value, bytes):
        yield b64encode(value).decode()
        yield value.decode("utf-8", "replace")
