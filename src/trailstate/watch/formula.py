"""A metric math expression, read once: which metrics it looks at, and what it computes from them.

CloudWatch user guide, "Metric math syntax and functions". Logical words bind least, then comparisons, sums, products,
powers (from the right) and signs. A comparison is 1 or 0.
"""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from trailstate.watch.series import FUNCTIONS, Argument, Known, Series, Uncomputable, Value, combined, is_series, mapped

CHARACTERS_MAX = 2048
DEPTH_MAX = 50
FORMULAS_KEPT = 1024

TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?|\.\d+)|(?P<id>[a-z][A-Za-z0-9_]*)|(?P<word>[A-Z][A-Z0-9_]*)"
    r"|\"(?P<text>[^\"]*)\"|'(?P<single>[^']*)'|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^()\[\],<>]))\s*"
)
Compute = Callable[[Known], Any]


class MalformedFormula(ValueError):
    """No expression; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression that was understood."""

    names: frozenset[str]
    """The ids that it names."""
    takes_all: bool
    """Whether it looks at all metrics."""
    words: int
    """How long it is, in names, numbers and signs: each is some work for each period."""
    _compute: Compute = field(repr=False)

    def series(self, known: Known) -> Series:
        """The one series that it gives; Uncomputable when it gives something else."""
        found = self._compute(known)
        if not is_series(found):
            raise Uncomputable("expected an expression that gives one time series; found something else")
        series: Series = found
        return series


def _logical(operation: Callable[[bool, bool], bool]) -> Callable[[float, float], float]:
    return lambda left, right: float(operation(bool(left), bool(right)))


def _compared(operation: Callable[[float, float], bool]) -> Callable[[float, float], float]:
    return lambda left, right: float(operation(left, right))


Operations = dict[str, Callable[[float, float], float]]
LEVELS: Sequence[Operations] = (
    {"OR": _logical(operator.or_), "||": _logical(operator.or_)},
    {"AND": _logical(operator.and_), "&&": _logical(operator.and_)},
    {
        sign: _compared(operation)
        for sign, operation in (
            ("==", operator.eq),
            ("!=", operator.ne),
            ("<=", operator.le),
            (">=", operator.ge),
            ("<", operator.lt),
            (">", operator.gt),
        )
    },
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": operator.truediv},
)
"""Operators from those that bind least; each level groups from the left."""


class _Reading:
    def __init__(self, text: str) -> None:
        if len(text) > CHARACTERS_MAX:
            raise MalformedFormula(f"expected at most {CHARACTERS_MAX} characters; found {len(text)}")
        self.tokens: list[re.Match[str]] = []
        self.place = self.depth = 0
        self.names: set[str] = set()
        self.takes_all = False
        start = 0
        while start < len(text):
            token = TOKEN.match(text, start)
            if token is None:
                raise MalformedFormula(f"expected a name, number or operator; found {text[start : start + 20]!r}")
            self.tokens.append(token)
            start = token.end()

    def next(self) -> str:
        return self.tokens[self.place].group().strip() if self.place < len(self.tokens) else ""

    def taken(self) -> re.Match[str]:
        if self.place >= len(self.tokens):
            raise MalformedFormula("expected more after the end")
        self.place += 1
        return self.tokens[self.place - 1]

    def skips(self, sign: str) -> bool:
        found = self.next() == sign
        self.place += found
        return found

    def wants(self, sign: str) -> None:
        if not self.skips(sign):
            raise self.refusal(f"'{sign}'")

    def refusal(self, expected: str) -> MalformedFormula:
        return MalformedFormula(f"expected {expected}; found {self.next()!r}")


@lru_cache(maxsize=FORMULAS_KEPT)
def read_formula(text: str) -> Formula:
    """The expression; MalformedFormula."""
    reading = _Reading(text)
    compute = _level(reading, 0)
    if reading.place < len(reading.tokens):
        raise reading.refusal("nothing more")
    return Formula(frozenset(reading.names), reading.takes_all, len(reading.tokens), compute)


def _level(reading: _Reading, level: int) -> Compute:
    if level == len(LEVELS):
        return _power(reading)
    left = _level(reading, level + 1)
    while reading.next() in LEVELS[level]:
        operation = LEVELS[level][reading.taken().group().strip()]
        left = _operated(operation, left, _level(reading, level + 1))
    return left


def _operated(operation: Callable[[float, float], float], left: Compute, right: Compute) -> Compute:
    return lambda known: combined(operation, left(known), right(known))


def _power(reading: _Reading) -> Compute:
    base = _signed(reading)
    return _operated(operator.pow, base, _power(reading)) if reading.skips("^") else base


def _signed(reading: _Reading) -> Compute:
    reading.depth += 1
    if reading.depth > DEPTH_MAX:
        raise MalformedFormula(f"expected at most {DEPTH_MAX} expressions within one another")
    if reading.skips("-"):
        inner = _signed(reading)
        found: Compute = lambda known: mapped(operator.neg, inner(known))  # noqa: E731 - a value like the others
    else:
        found = _atom(reading)
    reading.depth -= 1
    return found


def _atom(reading: _Reading) -> Compute:
    if reading.skips("("):
        inner = _level(reading, 0)
        reading.wants(")")
        return inner
    if reading.skips("["):
        return _listed(_arguments(reading, "]"))
    token = reading.taken()
    if token["number"]:
        number = float(token["number"])
        return lambda _: number
    if token["id"]:
        name = token["id"]
        reading.names.add(name)
        return lambda known: known.values[name]
    if token["word"] in FUNCTIONS:
        return _called(reading, token["word"])
    reading.place -= 1
    raise reading.refusal("a metric's id, a number, or a function that is supported by Trailstate")


def _called(reading: _Reading, name: str) -> Compute:
    function = FUNCTIONS[name]
    reading.takes_all |= name == "METRICS"
    reading.wants("(")
    arguments = _arguments(reading, ")")
    return lambda known: function(known, [each(known) for each in arguments])


def _arguments(reading: _Reading, end: str) -> list[Compute]:
    found: list[Compute] = []
    while not reading.skips(end):
        if found:
            reading.wants(",")
        found.append(_argument(reading))
    return found


def _argument(reading: _Reading) -> Compute:
    """An expression, a text, or a word such as REPEAT."""
    token = reading.tokens[reading.place] if reading.place < len(reading.tokens) else None
    text = (
        None if token is None else next((token[name] for name in ("text", "single") if token[name] is not None), None)
    )
    if text is None and token is not None and token["word"] in ("REPEAT", "LINEAR"):
        text = token["word"]
    if text is None:
        return _level(reading, 0)
    reading.place += 1
    return lambda _: text


def _listed(members: Sequence[Compute]) -> Compute:
    def listed(known: Known) -> Value:
        found: list[Argument] = [each(known) for each in members]
        if not all(is_series(each) for each in found):
            raise Uncomputable("expected time series in a list")
        return found  # type: ignore[return-value]

    return listed
