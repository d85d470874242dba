"""What is wrong with a parameter, in the words of AWS's own front end: a broken constraint, or a wrong type.

A path is a chain of pairs (parent, name), put into words only when something is wrong.
"""

from itertools import islice
from typing import Any

FINDINGS_MAX = 20
SHOWN_CHARACTERS_MAX = 1024
NUMBER_BOUNDS = {"integer": 2**31, "long": 2**63, "float": 2**1023, "double": 2**1023}
"""By the name of a number's type: the first number that is too large for it."""

Path = tuple[Any, str] | None


class WrongType(Exception):
    """A value whose type the model does not allow; the message is AWS's."""


def spoken_path(path: Path) -> str:
    """`tagsList.1.member.key`: AWS begins each member's name with a small letter."""
    names = []
    while path is not None:
        path, name = path
        names.append(name)
    return ".".join(reversed(names))


def small(name: str) -> str:
    return name[:1].lower() + name[1:]


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    text = value if isinstance(value, str) else _listed(value)
    cut = text if len(text) <= SHOWN_CHARACTERS_MAX else text[:SHOWN_CHARACTERS_MAX] + "..."
    return f"'{cut}'"


def _listed(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_brief(item) for item in value[:FINDINGS_MAX]) + "]"
    if isinstance(value, dict):
        pairs = islice(value.items(), FINDINGS_MAX)
        return "{" + ", ".join(f"{_brief(key)}={_brief(item)}" for key, item in pairs) + "}"
    return _brief(value)


def _brief(value: Any) -> str:
    """An item of a list in a message. What it holds in turn is left out: nobody has looked at it yet."""
    if isinstance(value, str):
        return value[:SHOWN_CHARACTERS_MAX]
    if isinstance(value, int | float) and (not isinstance(value, int) or abs(value) < NUMBER_BOUNDS["double"]):
        return str(value)
    return "null" if value is None else type(value).__name__


def violation(value: Any, path: Path, constraint: str, *, secret: bool) -> str:
    value_words = "Value" if secret else f"Value {_shown(value)}"
    return f"{value_words} at '{spoken_path(path)}' failed to satisfy constraint: Member must {constraint}"


def null(path: Path) -> str:
    return violation(None, path, "not be null", secret=False)


_JAVA_KINDS = {str: "STRING_VALUE", bool: "TRUE_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE"}
_JAVA_TYPES = {
    "string": "String",
    "character": "String",
    "integer": "Integer",
    "long": "Long",
    "float": "Float",
    "double": "Double",
    "boolean": "Boolean",
    "timestamp": "Date",
    "blob": "Blob",
}


def wrong_type(kind: str, value: Any) -> WrongType:
    """The refusal of a value that is not of that type, as Java would put it."""
    if isinstance(value, dict):
        return WrongType("Start of structure or map found where not expected.")
    if isinstance(value, list | tuple):
        return WrongType("Start of list found where not expected")
    if kind not in _JAVA_TYPES:
        return WrongType("Unexpected field type")
    found = "FALSE_VALUE" if value is False else _JAVA_KINDS.get(type(value), "VALUE")
    return WrongType(f"{found} can not be converted to {_JAVA_TYPES[kind]}")
