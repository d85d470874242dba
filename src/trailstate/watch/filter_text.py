"""What the three pattern languages share: the message they look at, comparisons of text and numbers, and refusals.

CloudWatch Logs user guide, "Supported regular expressions (regex) syntax": `%…%` holds a small part of the syntax, and
groups are none of it; what remains runs on re2, in time linear in the message.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

REGEX_CHARACTERS = re.compile(r"""[A-Za-z0-9 _#=@/;,:'"<>&~`\-^$?\[\]{}|\\*+.]*""")
"""What may stand between the percent signs; a letter behind a backslash is an operator such as `\\d`."""

NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")

_decode = msgspec.json.Decoder().decode

Test = Callable[[Any], bool]


class MalformedPattern(ValueError):
    """No pattern; the message says what was expected and what was found."""


class _Missing:
    """What a selector finds where nothing stands."""


MISSING = _Missing()


class Message:
    """One log event's text, decoded and split at most once however many patterns look at it."""

    __slots__ = ("_fields", "_json", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._json: Any = MISSING
        self._fields: Sequence[str] | None = None

    @property
    def json(self) -> Any:
        """The JSON value; None when the text is none."""
        if self._json is MISSING:
            self._json = decoded(self.text)
        return self._json

    def fields(self, split: Callable[[str], Sequence[str]]) -> Sequence[str]:
        if self._fields is None:
            self._fields = split(self.text)
        return self._fields


def decoded(text: str) -> Any:
    try:
        return _decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None


def text_of(value: Any) -> str | None:
    """A scalar as the text it has in JSON; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None


COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def regex(source: str) -> Callable[[str], bool]:
    """A test for text in which the expression is found."""
    import re2

    if not REGEX_CHARACTERS.fullmatch(source):
        raise MalformedPattern(f"an expression between % may not hold parentheses or other symbols; found %{source}%")
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(source, options)
    except re2.error as error:
        raise MalformedPattern(f"%{source}% is not a regular expression: {error}") from None
    search = compiled.search
    return lambda text: search(text) is not None


def wildcard(text: str) -> Callable[[str], bool]:
    """A test for text that equals `text`, in which each `*` stands for any run of characters."""
    first, *rest = text.split("*")
    if not rest:
        return lambda value: value == text
    last = rest.pop()

    def matches(value: str) -> bool:
        if not value.startswith(first):
            return False
        place = len(first)
        for part in rest:
            found = value.find(part, place)
            if found < 0:
                return False
            place = found + len(part)
        return len(value) - len(last) >= place and value.endswith(last)

    return matches


def number(text: str) -> float | None:
    return float(text) if NUMBER.fullmatch(text) else None


def unescaped(text: str) -> str:
    """The text between two quotation marks, in which a backslash takes away a character's meaning."""
    return re.sub(r"\\(.)", r"\1", text)
