"""What the index can rule out before a resource is looked at: a necessary condition in SQL, with bound values.

No word of a query ever becomes SQL: names of columns come from a table of ours, everything else is a bound value. What
passes here is still judged by `match`; so this may let too much through, and never too little.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from trailstate.configuration.query.compare import range_of
from trailstate.configuration.query.hold import BODIES, COLUMNS
from trailstate.configuration.query.tree import And, Between, Compare, Condition, Like, Not, OneOf, Or, Test, Value

_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A condition in SQL; the empty one rules nothing out."""

    sql: str = ""
    values: tuple[Any, ...] = ()
    roots: frozenset[str] = frozenset()
    """The columns and bodies that it looks at."""
    by_type: bool = False
    """Whether only resources of some types pass."""


NOTHING_RULED_OUT = Narrowed()


def narrowed(condition: Condition | None) -> Narrowed:
    """What every resource that passes the condition passes too."""
    if condition is None or isinstance(condition, Not):
        return NOTHING_RULED_OUT
    if isinstance(condition, And):
        return _joined(" AND ", [each for each in map(narrowed, condition.conditions) if each.sql], any)
    if isinstance(condition, Or):
        every = [narrowed(each) for each in condition.conditions]
        return _joined(" OR ", every, all) if all(each.sql for each in every) else NOTHING_RULED_OUT
    root = condition.property.root
    if root in BODIES:
        return _of_body(condition, BODIES[BODIES.index(root)])
    return _of_column(condition, COLUMNS[COLUMNS.index(root)])


def _joined(word: str, found: Sequence[Narrowed], quantifier: Callable[[Iterable[bool]], bool]) -> Narrowed:
    if not found:
        return NOTHING_RULED_OUT
    sql = f"({word.join(each.sql for each in found)})"
    values = tuple(value for each in found for value in each.values)
    roots = frozenset[str]().union(*(each.roots for each in found))
    return Narrowed(sql, values, roots, quantifier(each.by_type for each in found))


# ---- columns ----


def _of_column(test: Test, column: str) -> Narrowed:
    sql, values = _COLUMN_TESTS[type(test)](test)
    if not sql or not all(_is_plain(each) for each in values):
        return NOTHING_RULED_OUT
    return Narrowed(sql.format(column), tuple(values), frozenset((column,)), column == "resourceType")


def _equals(test: Compare) -> tuple[str, Sequence[Value]]:
    return ("{0} = ?", [test.value]) if test.operator == "=" else ("", ())


def _is_in(test: OneOf) -> tuple[str, Sequence[Value]]:
    return f"{{0}} IN ({', '.join('?' * len(test.values))})", test.values


def _begins(test: Like) -> tuple[str, Sequence[Value]]:
    return "({0} >= ? AND {0} < ?)", [test.prefix, test.prefix + _LAST]


def _lies(test: Between) -> tuple[str, Sequence[Value]]:
    return "({0} >= ? AND {0} <= ?)", [test.low, test.high]


_COLUMN_TESTS: dict[type, Callable[[Any], tuple[str, Sequence[Value]]]] = {
    Compare: _equals,
    OneOf: _is_in,
    Like: _begins,
    Between: _lies,
}


def _is_plain(value: Value) -> bool:
    """Whether it compares with a column as SQLite compares texts."""
    return isinstance(value, str)


# ---- bodies ----


def _of_body(test: Test, body: str) -> Narrowed:
    """A body with a value that equals a text holds that text. Names are not looked for: that is no faster than reading
    the body."""
    if not (isinstance(test, Compare) and test.operator == "=" and _is_only_text(test.value)):
        return NOTHING_RULED_OUT
    return Narrowed(f"instr({body}, ?) > 0", (msgspec.json.encode(test.value).decode(),), frozenset((body,)))


def _is_only_text(value: Value) -> bool:
    """Whether nothing but the same text equals it: no number, no truth, no range of addresses."""
    if not isinstance(value, str) or value.lower() in ("true", "false") or range_of(value) is not None:
        return False
    try:
        float(value)
    except ValueError:
        return True
    return False
