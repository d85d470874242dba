"""What metric math computes with: numbers, series of periods, and several series at once.

CloudWatch user guide, "Using math expressions with CloudWatch metrics". Two series meet where both have a value; a
number meets every value of a series; what is no finite number is no value. `FILL` gives the periods without one.
"""

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

Series: TypeAlias = Mapping[int, float]
"""Begin of a period -> value."""
Value: TypeAlias = float | Series | Sequence[Series]
Argument: TypeAlias = Value | str


class Uncomputable(ValueError):
    """The message says what was expected and found."""


@dataclass(frozen=True, slots=True)
class Known:
    """What an expression may look at."""

    values: Mapping[str, Value]
    """By the id of a metric or expression."""
    metrics: Sequence[str]
    """The ids of metrics, for METRICS()."""
    grid: range
    """The begins of all periods."""


def is_series(value: Any) -> bool:
    return isinstance(value, Mapping)


def is_many(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def kind(value: Any) -> str:
    """What something is called in refusals."""
    if isinstance(value, str):
        return f"'{value}'"
    return "a time series" if is_series(value) else "several time series" if is_many(value) else "a number"


def _finite(points: Iterable[tuple[int, float]]) -> dict[int, float]:
    return {begin: value for begin, value in points if math.isfinite(value)}


# ---- value by value ----


def mapped(operation: Callable[[float], float], value: Any) -> Value:
    """The operation over each value."""
    if is_series(value):
        return _finite((begin, _tried(operation, each)) for begin, each in value.items())
    if is_many(value):
        return [mapped(operation, each) for each in value]  # type: ignore[misc]
    return _tried(operation, value)


def combined(operation: Callable[[float, float], float], left: Any, right: Any) -> Value:
    """The operation over each pair of values of the same period."""
    if is_many(left) and is_many(right):
        raise Uncomputable("expected one time series or number beside several time series; found several twice")
    if is_many(left):
        return [combined(operation, each, right) for each in left]  # type: ignore[misc]
    if is_many(right):
        return [combined(operation, left, each) for each in right]  # type: ignore[misc]
    if is_series(left) and is_series(right):
        both = [begin for begin in left if begin in right]
        return _finite((begin, _tried(operation, left[begin], right[begin])) for begin in both)
    if is_series(left):
        return mapped(lambda value: operation(value, right), left)
    return mapped(lambda value: operation(left, value), right)


def _tried(operation: Callable[..., float], *values: float) -> float:
    """Not a number where it has no answer: division by zero, a root of what is negative."""
    try:
        found = operation(*values)
    except (ArithmeticError, ValueError):
        return math.nan
    return float(found) if isinstance(found, int | float) else math.nan


# ---- functions ----


def _one(name: str, given: Sequence[Argument], count: int = 1) -> Any:
    if len(given) != count or isinstance(given[0], str):
        raise Uncomputable(f"{name} takes {count} argument{'' if count == 1 else 's'}; found {len(given)}")
    return given[0]


def _gathering(name: str, gather: Callable[[Sequence[float]], float]) -> Callable[[Known, Sequence[Argument]], Value]:
    """Of one series a number; of several a series."""

    def gathered(_: Known, given: Sequence[Argument]) -> Value:
        value = _one(name, given)
        if is_series(value):
            return gather(list(value.values())) if value else math.nan
        if not is_many(value):
            raise Uncomputable(f"{name} takes time series; found {kind(value)}")
        begins = sorted({begin for each in value for begin in each})
        return {begin: gather([each[begin] for each in value if begin in each]) for begin in begins}

    return gathered


def _each(name: str, operation: Callable[[float], float]) -> Callable[[Known, Sequence[Argument]], Value]:
    return lambda _, given: mapped(operation, _one(name, given))


def _stepping(name: str, step: Callable[[float, int], float]) -> Callable[[Known, Sequence[Argument]], Value]:
    """From each value to the next one, and the seconds between."""

    def of(series: Series) -> Series:
        begins = sorted(series)
        pairs = pairwise(begins)
        return {after: step(series[after] - series[before], after - before) for before, after in pairs}

    def stepped(_: Known, given: Sequence[Argument]) -> Value:
        value = _one(name, given)
        if is_series(value):
            return of(value)
        if is_many(value):
            return [of(each) for each in value]
        raise Uncomputable(f"{name} takes time series; found {kind(value)}")

    return stepped


def _period(known: Known, given: Sequence[Argument]) -> Value:
    value = _one("PERIOD", given)
    if not is_series(value):
        raise Uncomputable(f"PERIOD takes a time series; found {kind(value)}")
    return float(known.grid.step)


def _metrics(known: Known, given: Sequence[Argument]) -> Value:
    wanted = given[0] if given else ""
    if len(given) > 1 or not isinstance(wanted, str):
        raise Uncomputable("METRICS takes no argument, or text that the ids hold")
    found = [known.values[each] for each in known.metrics if wanted in each]
    return [each for each in found if isinstance(each, Mapping)]


def _condition(_: Known, given: Sequence[Argument]) -> Value:
    """Where the condition is not zero the second argument, else the third or nothing."""
    if not 2 <= len(given) <= 3 or any(isinstance(each, str) or is_many(each) for each in given):
        raise Uncomputable("IF takes a condition, and what stands where it is true and, if so wished, where it is not")
    condition, *ways = given
    if not isinstance(condition, Mapping):
        chosen = ways[0] if condition else ways[1] if len(ways) > 1 else math.nan
        return chosen if not isinstance(chosen, str) else math.nan
    found = {}
    for begin, truth in condition.items():
        way: Any = ways[0] if truth else ways[1] if len(ways) > 1 else {}
        value = way.get(begin) if is_series(way) else way
        if value is not None:
            found[begin] = value
    return _finite(found.items())


# ---- FILL ----


def _fill(known: Known, given: Sequence[Argument]) -> Value:
    value = _one("FILL", given, 2)
    if is_series(value):
        return _filled(value, given[1], known.grid)
    if is_many(value):
        return [_filled(each, given[1], known.grid) for each in value]
    raise Uncomputable(f"FILL takes time series; found {kind(value)}")


def _filled(series: Series, by: Any, grid: range) -> Series:
    if by in ("REPEAT", "LINEAR") and isinstance(by, str):
        return (_repeated if by == "REPEAT" else _interpolated)(series, grid)
    if isinstance(by, str) or is_many(by):
        raise Uncomputable(f"FILL fills with a number, a time series, REPEAT or LINEAR; found {kind(by)}")
    filler: Series = by if is_series(by) else dict.fromkeys(grid, by)
    return {**{begin: filler[begin] for begin in grid if begin in filler}, **series}


def _repeated(series: Series, grid: range) -> Series:
    found: dict[int, float] = {}
    last: float | None = None
    for begin in grid:
        last = series.get(begin, last)
        if last is not None:
            found[begin] = last
    return found


def _interpolated(series: Series, grid: range) -> Series:
    """Between two values on the line that joins them; before the first and after the last nothing."""
    found = dict(series)
    begins = sorted(series)
    for before, after in pairwise(begins):
        rise = (series[after] - series[before]) / (after - before)
        for begin in range(before + grid.step, after, grid.step):
            found[begin] = series[before] + rise * (begin - before)
    return found


FUNCTIONS: Mapping[str, Callable[[Known, Sequence[Argument]], Value]] = {
    "ABS": _each("ABS", abs),
    "AVG": _gathering("AVG", statistics.fmean),
    "CEIL": _each("CEIL", math.ceil),
    "DIFF": _stepping("DIFF", lambda change, _: change),
    "FILL": _fill,
    "FLOOR": _each("FLOOR", math.floor),
    "IF": _condition,
    "LOG": _each("LOG", math.log),
    "LOG10": _each("LOG10", math.log10),
    "MAX": _gathering("MAX", max),
    "METRICS": _metrics,
    "MIN": _gathering("MIN", min),
    "PERIOD": _period,
    "RATE": _stepping("RATE", lambda change, seconds: change / seconds),
    "STDDEV": _gathering("STDDEV", statistics.pstdev),
    "SUM": _gathering("SUM", math.fsum),
}
