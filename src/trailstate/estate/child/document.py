"""Answers become XML without a SAX handler between: the same text as xmltodict's, for a fraction of the time.

What stands in an answer is text, numbers, truth values, and mappings and lists of them. Whatever else there may be, and
a name that is not plainly one, is left to xmltodict itself.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape, quoteattr

DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
TEXT = "#text"
ATTRIBUTE = "@"
NAMES_KEPT = 8192
NAME = re.compile(r"[A-Za-z_][\w.:-]*", re.ASCII)
NUMBERS = (int, float)


class OddError(Exception):
    """Something for xmltodict to see to."""


def writer(unparse: Callable[..., str]) -> Callable[..., str]:
    """What may stand in the place of `unparse`, and asks it where something is odd."""

    def write(
        body: dict[str, Any], *rest: Any, full_document: bool = True, short_empty_elements: bool = False, **named: Any
    ) -> str:
        try:
            if rest or any(named.values()):  # an output, an indentation, another encoding
                raise OddError
            return _document(DECLARATION if full_document else "", body, short_empty_elements)
        except OddError:
            options = {"full_document": full_document, "short_empty_elements": short_empty_elements}
            return unparse(body, *rest, **options, **named)

    return write


def _document(start: str, body: dict[str, Any], short: bool) -> str:
    if len(body) != 1:
        raise OddError
    ((name, value),) = body.items()
    return start + _element(name, value, short)


def _element(name: str, value: Any, short: bool) -> str:
    if not _is_name(name):
        raise OddError
    attributes = ""
    if isinstance(value, dict):
        attributes, content = _inside(value, short)
    else:
        content = "" if value is None else escape(_text(value))
    return f"<{name}{attributes}/>" if short and not content else f"<{name}{attributes}>{content}</{name}>"


def _inside(members: dict[str, Any], short: bool) -> tuple[str, str]:
    """The attributes of an element, and the elements in it with its own text last."""
    attributes, text, parts = "", None, []
    for name, value in members.items():
        if name == TEXT:
            text = value
        elif name[:1] == ATTRIBUTE:
            attributes += _attribute(name, value)
        elif type(value) is list:
            parts.extend([_element(name, each, short) for each in value])
        else:
            parts.append(_element(name, value, short))
    if text is not None:
        parts.append(escape(_text(text)))
    return attributes, "".join(parts)


def _attribute(name: str, value: Any) -> str:
    if not _is_name(name[1:]):
        raise OddError
    return f" {name[1:]}={quoteattr('' if value is None else _text(value))}"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) in NUMBERS:
        return str(value)
    raise OddError


@lru_cache(maxsize=NAMES_KEPT)
def _is_name(name: object) -> bool:
    return isinstance(name, str) and NAME.fullmatch(name) is not None
