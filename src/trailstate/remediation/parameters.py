"""Parameters of automation documents: what a document declares, and what a caller gives as lists of texts.

https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-syntax-data-elements-parameters.html
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import re2

RESOURCE_TYPE = re.compile(r"(List<)?AWS::[A-Za-z0-9]+::[A-Za-z0-9:]+(>)?")
"""Types such as `AWS::IAM::Role::Arn` are texts that the console offers a choice for."""


class BadParameter(ValueError):
    """A parameter that the document does not allow; the message says which and why."""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in {"true", "false"}:
        return str(value).lower() == "true"
    raise ValueError


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise ValueError
    return int(value)


def _list(value: Any) -> list[str]:
    return [_text(each) for each in _of_type(value, list)]


def _maps(value: Any) -> list[Any]:
    return [_of_type(each, dict) for each in _of_type(value, list)]


def _map(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = _of_type(value, dict)
    return found


def _of_type(value: Any, wanted: type) -> Any:
    if isinstance(value, str):
        value = json.loads(value)
    if not isinstance(value, wanted):
        raise ValueError
    return value


TYPES: Mapping[str, Callable[[Any], Any]] = {
    "String": _text,
    "Boolean": _boolean,
    "Integer": _integer,
    "StringList": _list,
    "MapList": _maps,
    "StringMap": _map,
}
LISTS = {"StringList"}


def reader(type_name: str) -> Callable[[Any], Any] | None:
    """What reads a value as the declared type; None for a type that does not exist."""
    if RESOURCE_TYPE.fullmatch(type_name):
        return _list if type_name.startswith("List<") else _text
    return TYPES.get(type_name)


def typed(declared: Mapping[str, Any], given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Every declared parameter with a value of its type; BadParameter when the caller's do not fit the document."""
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise BadParameter(f"the document has no parameter named {', '.join(unknown)}")
    return {name: _value(name, declaration, given.get(name)) for name, declaration in declared.items()}


def _value(name: str, declaration: Mapping[str, Any], given: Sequence[str] | None) -> Any:
    if given is None:
        if "default" not in declaration:
            raise BadParameter(f"the parameter '{name}' is required and has no default")
        return read(name, declaration, declaration["default"])
    return read(name, declaration, _unpacked(name, declaration, given))


def _unpacked(name: str, declaration: Mapping[str, Any], given: Sequence[str]) -> Any:
    """The wire carries a list of texts for every type: the items of a list, or one text for anything else."""
    type_name = str(declaration.get("type"))
    if type_name in LISTS or type_name.startswith("List<"):
        return list(given) if len(given) != 1 or not given[0].startswith("[") else given[0]
    if type_name == "MapList" and len(given) > 1:
        return [json.loads(each) for each in given]
    if len(given) != 1:
        raise BadParameter(f"the parameter '{name}' takes one value; got {len(given)}")
    return given[0]


def read(name: str, declaration: Mapping[str, Any], value: Any) -> Any:
    """The value as the declared type and within the declared bounds."""
    read_as = reader(str(declaration.get("type")))
    assert read_as is not None, "a checked document has known types"
    try:
        value = read_as(value)
    except (ValueError, TypeError) as error:
        raise BadParameter(f"the parameter '{name}' must be a {declaration['type']}; got {value!r}") from error
    for bound, keeps in _BOUNDS.items():
        if (
            bound in declaration
            and not (value == "" and "default" in declaration)
            and not keeps(value, declaration[bound])
        ):
            raise BadParameter(f"the parameter '{name}' breaks its {bound} {declaration[bound]!r}; got {value!r}")
    return value


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _matches(value: Any, pattern: str) -> bool:
    compiled = re2.compile(pattern)
    return all(compiled.search(str(each)) is not None for each in _items(value))


_BOUNDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "allowedValues": lambda value, allowed: all(
        each in allowed or str(each).lower() in [str(one).lower() for one in allowed if not isinstance(one, str)]
        for each in _items(value)
    ),
    "allowedPattern": _matches,
    "minItems": lambda value, least: not isinstance(value, list) or len(value) >= least,
    "maxItems": lambda value, most: not isinstance(value, list) or len(value) <= most,
    "minChars": lambda value, least: not isinstance(value, str) or len(value) >= least,
    "maxChars": lambda value, most: not isinstance(value, str) or len(value) <= most,
}
