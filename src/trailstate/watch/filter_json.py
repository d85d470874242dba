"""Selectors of JSON: `{ $.eventName = "ConsoleLogin" && $.responseElements.ConsoleLogin != "Success" }`.

CloudWatch Logs user guide, "Match terms in JSON log events". `&&` binds before `||`. A comparison of either sign holds
only where the selector finds text, a number or a truth value: nothing can be said of what is not there, but by
NOT EXISTS. Text behind a selector may hold `*`; bare digits compare with numbers by value and with text by spelling.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from trailstate.watch.filter_text import (
    COMPARISONS,
    MISSING,
    MalformedPattern,
    number,
    regex,
    text_of,
    unescaped,
    wildcard,
)

DEPTH_MAX = 50
REGEXES_MAX = 2
EACH = "*"

TOKEN = re.compile(
    r"""\s*(?:(?P<mark>&&|\|\||!=|<=|>=|[=<>(){}])|"(?P<quoted>(?:[^"\\]|\\.)*)"|%(?P<regex>(?:[^%\\]|\\.)*)%"""
    r"""|(?P<selector>\$(?:\.?\[(?:[0-9]+|\*|"[^"]*"|'[^']*')\]|\.[^\s.\[\]=!<>(){}&|"%]+)*)"""
    r"""|(?P<word>(?:[^\s=<>(){}&|"%!]|!(?!=)|&(?!&)|\|(?!\|))+))\s*"""
)
STEP = re.compile(
    r"""\.?\[(?:(?P<index>[0-9]+)|(?P<each>\*)|"(?P<double>[^"]*)"|'(?P<single>[^']*)')\]|\.(?P<name>.+?)(?=\.|\[|$)"""
)

Condition = Callable[[Any], bool]
Step = str | int


@dataclass(frozen=True, slots=True)
class Selector:
    """A path; `EACH` among the steps (as `None`) stands for every element."""

    text: str
    steps: Sequence[Step | None]


@dataclass(slots=True)
class _Reading:
    """The tokens, the place among them, and what was met."""

    tokens: Sequence["re.Match[str]"]
    place: int = 0
    regexes: int = 0
    selectors: dict[str, Selector] = field(default_factory=dict)

    def peek(self) -> str:
        return "" if self.place >= len(self.tokens) else self.tokens[self.place].group().strip()

    def take(self, expected: str) -> "re.Match[str]":
        if self.place >= len(self.tokens):
            raise MalformedPattern(f"expected {expected}; found the end")
        self.place += 1
        return self.tokens[self.place - 1]

    def mark(self, wanted: str) -> None:
        found = self.take(wanted)
        if found["mark"] != wanted:
            raise MalformedPattern(f"expected {wanted}; found {found.group().strip()!r}")


def read_condition(text: str) -> tuple[Condition, Sequence[Selector]]:
    """The condition between the braces, and the selectors it names."""
    reading = _Reading(_tokens(text))
    reading.mark("{")
    condition = _either(reading, 0)
    reading.mark("}")
    if reading.place < len(reading.tokens):
        raise MalformedPattern(f"expected nothing behind the last brace; found {reading.peek()!r}")
    if reading.regexes > REGEXES_MAX:
        raise MalformedPattern(f"expected at most {REGEXES_MAX} expressions between %; found {reading.regexes}")
    return condition, list(reading.selectors.values())


def read_selector(text: str) -> Selector:
    """A selector alone; MalformedPattern when the text is none."""
    found = TOKEN.fullmatch(text)
    if found is None or found["selector"] is None:
        raise MalformedPattern(f"expected a selector such as $.eventName; found {text!r}")
    return _selector(found["selector"])


def first_value(selector: Selector, document: Any) -> Any:
    """The first value that the selector finds, or MISSING."""
    return next(iter(_found(document, selector.steps)), MISSING)


def _tokens(text: str) -> Sequence["re.Match[str]"]:
    tokens: list[re.Match[str]] = []
    place = 0
    while place < len(text):
        token = TOKEN.match(text, place)
        if token is None:
            raise MalformedPattern(f"expected a condition; found {text[place:]!r}")
        tokens.append(token)
        place = token.end()
    return tokens


def _either(reading: _Reading, depth: int) -> Condition:
    parts = [_both(reading, depth)]
    while reading.peek() == "||":
        reading.place += 1
        parts.append(_both(reading, depth))
    return _any(parts)


def _both(reading: _Reading, depth: int) -> Condition:
    parts = [_single(reading, depth)]
    while reading.peek() == "&&":
        reading.place += 1
        parts.append(_single(reading, depth))
    if len(parts) == 1:
        return parts[0]
    return lambda document: all(part(document) for part in parts)


def _single(reading: _Reading, depth: int) -> Condition:
    if depth > DEPTH_MAX:
        raise MalformedPattern(f"expected at most {DEPTH_MAX} parentheses within one another")
    if reading.peek() == "(":
        reading.place += 1
        inner = _either(reading, depth + 1)
        reading.mark(")")
        return inner
    token = reading.take("a selector such as $.eventName")
    if token["selector"] is None:
        raise MalformedPattern(f"expected a selector such as $.eventName; found {token.group().strip()!r}")
    selector = reading.selectors.setdefault(token["selector"], _selector(token["selector"]))
    return _about(selector, reading)


def _selector(text: str) -> Selector:
    steps: list[Step | None] = []
    for found in STEP.finditer(text[1:]):
        if found["index"] is not None:
            steps.append(int(found["index"]))
        elif found["each"] is not None or found["name"] == EACH:
            steps.append(None)
        else:
            steps.append(next(found[each] for each in ("name", "double", "single") if found[each] is not None))
    return Selector(text, steps)


def _about(selector: Selector, reading: _Reading) -> Condition:
    token = reading.take("an operator")
    if token["word"] is not None:
        return _state(selector, token["word"].upper(), reading)
    sign = token["mark"]
    if sign not in COMPARISONS:
        raise MalformedPattern(f"expected an operator behind {selector.text}; found {token.group().strip()!r}")
    value = reading.take("a value")
    if value["mark"] is not None or value["selector"] is not None:
        raise MalformedPattern(f"expected a value behind {selector.text} {sign}; found {value.group().strip()!r}")
    reading.regexes += value["regex"] is not None
    return _compared(selector, sign, value)


STATES: dict[tuple[str, str], Callable[[Any], bool]] = {
    ("IS", "NULL"): lambda value: value is None,
    ("IS", "TRUE"): lambda value: value is True,
    ("IS", "FALSE"): lambda value: value is False,
}


def _state(selector: Selector, first: str, reading: _Reading) -> Condition:
    second = (reading.take("NULL, TRUE, FALSE or EXISTS")["word"] or "").upper()
    if (first, second) == ("NOT", "EXISTS"):
        return lambda document: first_value(selector, document) is MISSING
    test = STATES.get((first, second))
    if test is None:
        raise MalformedPattern(f"expected IS NULL, IS TRUE, IS FALSE or NOT EXISTS; found '{first} {second}'")
    return _holding(selector, test)


@dataclass(frozen=True, slots=True)
class _IsOneOf:
    """The commonest condition, kept open so that alternatives become one look-up."""

    get: Callable[[Any], Any]
    steps: tuple[Step | None, ...]
    texts: frozenset[str]

    def __call__(self, document: Any) -> bool:
        value = self.get(document)
        return value.__class__ is str and value in self.texts


def _any(parts: Sequence[Condition]) -> Condition:
    """Alternatives; those that compare one selector with plain texts are one."""
    merged: dict[tuple[Step | None, ...], _IsOneOf] = {}
    others: list[Condition] = []
    for part in parts:
        if isinstance(part, _IsOneOf):
            known = merged.get(part.steps)
            texts = part.texts if known is None else part.texts | known.texts
            merged[part.steps] = _IsOneOf(part.get, part.steps, texts)
        else:
            others.append(part)
    tests: Sequence[Condition] = [*merged.values(), *others]
    return tests[0] if len(tests) == 1 else lambda document: any(test(document) for test in tests)


def _compared(selector: Selector, sign: str, value: "re.Match[str]") -> Condition:
    plain = value["word"] if value["quoted"] is None else unescaped(value["quoted"])
    is_plain = value["regex"] is None and "*" not in plain and (value["quoted"] is not None or number(plain) is None)
    if sign == "=" and is_plain and None not in selector.steps and plain not in ("true", "false"):
        return _IsOneOf(_getter(selector.steps), tuple(selector.steps), frozenset((plain,)))
    if sign in ("=", "!="):
        same = _same(value, plain)
        return _holding(selector, same if sign == "=" else _differs(same))
    wanted = number(plain or "")
    if wanted is None or value["quoted"] is not None:
        raise MalformedPattern(f"expected a number behind {selector.text} {sign}; found {value.group().strip()!r}")
    compare = COMPARISONS[sign]
    return _holding(selector, lambda found: _is_number(found) and compare(found, wanted))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _differs(same: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda found: isinstance(found, str | int | float) and not same(found)


def _same(value: "re.Match[str]", plain: str) -> Callable[[Any], bool]:
    if value["regex"] is not None:
        search = regex(value["regex"])
        return lambda found: (text := text_of(found)) is not None and search(text)
    matches = wildcard(plain)
    if value["quoted"] is not None:
        return lambda found: isinstance(found, str) and matches(found)
    wanted = number(plain)

    def same(found: Any) -> bool:
        if wanted is not None and _is_number(found):
            return bool(found == wanted)
        text = text_of(found)
        return text is not None and matches(text)

    return same


def _holding(selector: Selector, test: Callable[[Any], bool]) -> Condition:
    """Whether any value of the selector passes."""
    if None in selector.steps:
        return lambda document: any(test(value) for value in _found(document, selector.steps))
    get = _getter(selector.steps)
    return lambda document: (value := get(document)) is not MISSING and test(value)


def _getter(steps: Sequence[Step | None]) -> Callable[[Any], Any]:
    """The value at a path without `*`, or MISSING."""
    if len(steps) == 1 and isinstance(steps[0], str):
        only = steps[0]
        return lambda document: document.get(only, MISSING) if document.__class__ is dict else MISSING

    def get(document: Any) -> Any:
        for step in steps:
            if document.__class__ is dict and step.__class__ is str:
                document = document.get(step, MISSING)
            elif document.__class__ is list and step.__class__ is int and step < len(document):
                document = document[step]
            else:
                return MISSING
        return document

    return get


def _found(document: Any, steps: Sequence[Step | None]) -> Iterator[Any]:
    if not steps:
        yield document
        return
    step, rest = steps[0], steps[1:]
    if step is None:
        inside = document if isinstance(document, list) else ()
        for each in inside:
            yield from _found(each, rest)
        return
    value = _getter((step,))(document)
    if value is not MISSING:
        yield from _found(value, rest)
