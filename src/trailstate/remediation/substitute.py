"""`{{ name }}` in automation documents: a text that is one reference becomes the value itself, of whatever type.

Inside a longer text a value is written as text, and what is no text as JSON. Values are put in, never read again, so
nothing that came in as a value can refer to anything.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Lookup = Callable[[str], Any]

REFERENCE = re.compile(r"\{\{\s*([A-Za-z0-9_.:\-]+)\s*\}\}")


class Unresolved(LookupError):
    """A reference to something that is not there; the message names it."""


def substitute(value: Any, look_up: Lookup) -> Any:
    """The value with every reference in its texts replaced, keys of maps included."""
    if isinstance(value, str):
        return _in_text(value, look_up)
    if isinstance(value, Mapping):
        return {as_text(_in_text(str(key), look_up)): substitute(each, look_up) for key, each in value.items()}
    if isinstance(value, list):
        return [substitute(each, look_up) for each in value]
    return value


def references(value: Any) -> Iterator[str]:
    """Every name that the value refers to."""
    if isinstance(value, str):
        yield from REFERENCE.findall(value)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from references(key)
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def _in_text(text: str, look_up: Lookup) -> Any:
    whole = REFERENCE.fullmatch(text.strip())
    if whole is not None:
        return look_up(whole.group(1))
    return REFERENCE.sub(lambda found: as_text(look_up(found.group(1))), text)


def as_text(value: Any) -> str:
    """A value inside a text: JSON, without the quotes of a text."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
