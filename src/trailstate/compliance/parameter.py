"""Input parameters of a rule: from the JSON text of `InputParameters` to the values a rule function takes.

The wire carries every value as text (`{"maxAccessKeyAge": "90"}`); a number or a boolean in its place is taken too.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from trailstate.compliance.catalogue import ManagedRule, Parameter


class InvalidParameter(ValueError):
    """A parameter that the rule does not have, lacks, or cannot read; the sentence says which."""


def _text(given: object) -> str:
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, (str, int, float)):
        return str(given)
    raise ValueError(given)


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.strip().lower()]


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in (each.strip() for each in text.split(",")) if part)


def _mapped(text: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in _listed(text))
    return {name.strip(): value.strip() for name, _, value in pairs}


READ: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "String": str,
        "CSV": _listed,
        "int": int,
        "double": float,
        "boolean": _boolean,
        "StringMap": _mapped,
    }
)
"""How each type of the documentation is read from its text."""

ANNOTATIONS: Mapping[str, Any] = MappingProxyType(
    {
        "String": str,
        "CSV": tuple[str, ...],
        "int": int,
        "double": float,
        "boolean": bool,
        "StringMap": Mapping[str, str],
    }
)
"""What a rule function annotates for each type."""


def read(parameter: Parameter, given: object) -> Any:
    """The value of one parameter; InvalidParameter when it is not of its type."""
    try:
        return READ[parameter.type](_text(given))
    except (ValueError, KeyError) as error:
        raise InvalidParameter(
            f"The parameter '{parameter.name}' must be of type {parameter.type}; got {given!r}."
        ) from error


def read_all(managed: ManagedRule, given: Mapping[str, object]) -> dict[str, Any]:
    """Every parameter that was given, by name, as values; empty texts count as not given.

    Raises InvalidParameter for the first one that is unknown, missing though required, or not of its type.
    """
    known = {each.name: each for each in managed.parameters}
    unknown = [name for name in given if name not in known]
    if unknown:
        raise InvalidParameter(
            f"Unknown parameters provided in the inputParameters: '{unknown[0]}'."
            f" The rule {managed.id} takes {', '.join(sorted(known)) or 'none'}."
        )
    present = {name: value for name, value in given.items() if value not in ("", None)}
    missing = [each.name for each in managed.parameters if each.required and each.name not in present]
    if missing:
        raise InvalidParameter(f"Required parameter '{missing[0]}' is not present in the inputParameters.")
    return {name: read(known[name], value) for name, value in present.items()}
