"""Paths into plain values (`Reservations[].Instances[].InstanceId`), and templates filled from them (`{VolumeId}`)."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][\w.]*(?:\[\][\w.]*)*)\}")
_CACHED = 4096
_LISTS = (list, tuple)


def pick(value: Any, path: str) -> list[Any]:
    """Every value at the path, in order, without None; `[]` goes into each element of a list. The empty path is it."""
    found = [value]
    for name, goes_in in _steps(path):
        if name:
            found = [each[name] for each in found if isinstance(each, dict) and name in each]
        if goes_in:
            found = [element for each in found if isinstance(each, _LISTS) for element in each]
    return [each for each in found if each is not None]


def first(value: Any, path: str) -> Any:
    """The first value at the path; None when there is none."""
    if isinstance(value, dict) and path in value:  # most paths are one name
        return value[path]
    return next(iter(pick(value, path)), None)


@lru_cache(maxsize=_CACHED)
def _steps(path: str) -> Sequence[tuple[str, bool]]:
    parts = path.split(".") if path else ()
    return [(part.removesuffix("[]"), part.endswith("[]")) for part in parts]


def fill(template: Any, value_of: Callable[[str], Any]) -> Any:
    """The template with its placeholders filled, at any depth of lists and maps; other values stay as they are.

    Text that is one placeholder becomes its value, of whatever type; text with a placeholder that has no value is None.
    """
    if isinstance(template, str):
        return _filled(template, value_of)
    if isinstance(template, Mapping):
        return {name: fill(each, value_of) for name, each in template.items()}
    if isinstance(template, list | tuple):
        return [fill(each, value_of) for each in template]
    return template


def _filled(template: str, value_of: Callable[[str], Any]) -> Any:
    names = _names(template)
    if not names:
        return template
    values = [value_of(name) for name in names]
    if f"{{{names[0]}}}" == template:
        return values[0]
    if any(value is None for value in values):
        return None
    rest = iter(values)
    return _PLACEHOLDER.sub(lambda _: str(next(rest)), template)


@lru_cache(maxsize=_CACHED)
def _names(template: str) -> Sequence[str]:
    return _PLACEHOLDER.findall(template)
