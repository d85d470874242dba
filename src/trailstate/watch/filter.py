"""A filter pattern says which log events match, and which of their values it names.

CloudWatch Logs user guide, "Filter pattern syntax". Three languages share one name: terms (`ERROR -DEBUG`), selectors
of JSON (`{ $.eventName = "ConsoleLogin" }`) and fields between spaces (`[ip, ..., status = 4*]`). A pattern is read
once into closures; a message that several patterns look at is split and decoded once (`Message`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from trailstate.watch.filter_fields import read_fields, split
from trailstate.watch.filter_json import Selector, first_value, read_condition, read_selector
from trailstate.watch.filter_terms import read_terms
from trailstate.watch.filter_text import (
    MalformedPattern,
    Message,
    text_of,
)

PATTERN_CHARACTERS_MAX = 1024
PATTERNS_KEPT = 1024

Values = Mapping[str, str]

__all__ = ["MalformedPattern", "Message", "Pattern", "pattern"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, read."""

    text: str
    matches: Callable[[Message], bool]
    named: Callable[[Message], Values]
    """The values of a matching message that the pattern names: `$.eventName`, `$ip`."""
    value: Callable[[Message, str], str | None]
    """The value of a selector or field of the message; None where it has none, or an object or list."""


@lru_cache(PATTERNS_KEPT)
def pattern(text: str) -> Pattern:
    """Read a pattern; MalformedPattern says what was expected and where."""
    if len(text) > PATTERN_CHARACTERS_MAX:
        raise MalformedPattern(
            f"a filter pattern has at most {PATTERN_CHARACTERS_MAX} characters; this one has {len(text)}"
        )
    wanted = text.strip()
    if wanted.startswith("{"):
        return _of_json(text, wanted)
    if wanted.startswith("["):
        return _of_fields(text, wanted)
    return Pattern(text, read_terms(wanted), lambda _: {}, lambda _message, _name: None)


def _of_json(text: str, wanted: str) -> Pattern:
    condition, selectors = read_condition(wanted)

    def named(message: Message) -> Values:
        found = ((selector.text, first_value(selector, message.json)) for selector in selectors)
        return {name: said for name, value in found if (said := text_of(value)) is not None}

    def matches(message: Message) -> bool:
        document = message.json
        return isinstance(document, dict | list) and condition(document)

    return Pattern(text, matches, named, _json_value)


def _json_value(message: Message, name: str) -> str | None:
    return text_of(first_value(_selector(name), message.json))


@lru_cache(PATTERNS_KEPT)
def _selector(name: str) -> Selector:
    return read_selector(name)


def _of_fields(text: str, wanted: str) -> Pattern:
    fields = read_fields(wanted)

    def named(message: Message) -> Values:
        return {f"${name}": value for name, value in fields.named(message.fields(split)).items()}

    def value(message: Message, name: str) -> str | None:
        return named(message).get(name)

    return Pattern(text, lambda message: fields.match(message.fields(split)), named, value)


def names_value(text: str) -> bool:
    """Whether a metric's value or dimension is taken from the event."""
    return text.startswith("$")


def check_value(of: Pattern, text: str) -> None:
    """MalformedPattern when what is to be taken from events is no selector or field of the pattern's language."""
    if of.text.strip().startswith("{"):
        read_selector(text)
    elif not of.text.strip().startswith("["):
        raise MalformedPattern(f"a pattern of terms names no values; found {text!r}")


def number_of(text: str | None) -> float | None:
    """The number that a text is, if it is a finite one."""
    try:
        found = float(text or "")
    except ValueError:
        return None
    return found if math.isfinite(found) else None
