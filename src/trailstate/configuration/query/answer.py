"""Answers: resources cut down to what was selected, groups of them with their numbers, and their order."""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import total_ordering
from itertools import product
from typing import Any

from trailstate.configuration.query.hold import EVERYTHING
from trailstate.configuration.query.match import Resource, values
from trailstate.configuration.query.tree import Aggregate, Order, Property, Query, Term

Answer = dict[str, Any]
Tree = dict[str, Any]
"""The selected paths: below each name what is selected there, or True for all of it."""

GROUPS_MAX = 100_000
"""A query with more groups is refused: they are kept in memory."""


class TooManyGroups(Exception):
    """The query has more groups than are kept."""


# ---- resources ----


def selected(query: Query) -> Sequence[Term]:
    """What the query selects, with `*` spelled out."""
    return query.select or [Property((name,)) for name in EVERYTHING]


def projection(terms: Iterable[Term]) -> Callable[[Resource], Answer]:
    """Cuts a resource down to these properties; what it lacks is left out."""
    tree: Tree = {}
    for each in terms:
        if isinstance(each, Property):
            _plant(tree, each.path)
    return lambda resource: _cut(resource, tree)


def _plant(tree: Tree, path: Sequence[str]) -> None:
    name, *rest = path
    if not rest:
        tree[name] = True
    elif tree.get(name) is not True:
        _plant(tree.setdefault(name, {}), rest)


def _cut(value: Mapping[str, Any], tree: Tree) -> Answer:
    found = {}
    for name, below in tree.items():
        inner = value.get(name)
        if inner is not None:
            inner = inner if below is True else _cut_below(inner, below)
        if inner is not None:
            found[name] = inner
    return found


def _cut_below(value: Any, tree: Tree) -> Any:
    if isinstance(value, list):
        cut = [_cut_below(each, tree) for each in value]
        return [each for each in cut if each is not None]
    return _cut(value, tree) or None if isinstance(value, dict) else None


# ---- order ----


@total_ordering
@dataclass(frozen=True, slots=True)
class _Descending:
    value: Any

    def __lt__(self, other: "_Descending") -> bool:
        return bool(other.value < self.value)


def ordered(
    things: Iterable[Any], order: Sequence[Order], value_of: Callable[[Any, Term], Any], count: int
) -> list[Any]:
    """The first so many in order; those without a value stand last, equals as they came."""
    return heapq.nsmallest(count, things, key=lambda thing: [_key(value_of(thing, each.term), each) for each in order])


def _key(value: Any, order: Order) -> tuple[bool, Any]:
    if value is None:
        return True, 0
    ranked = (isinstance(value, str), value if isinstance(value, str | int | float) else str(value))
    return False, _Descending(ranked) if order.descends else ranked


def first_value(resource: Resource, term: Term) -> Any:
    """By what a resource is ordered."""
    assert isinstance(term, Property), "resources are ordered by properties; only groups have numbers"
    found = values(resource, term)
    return found[0] if found else None


# ---- groups ----


@dataclass(slots=True)
class _Number:
    """What is known of one aggregate of one group so far."""

    count: int = 0
    sum: int | float = 0
    numbers: int = 0
    low: Any = None
    high: Any = None

    def take(self, found: Sequence[Any]) -> None:
        self.count += 1
        for value in found:
            if isinstance(value, int | float) and not isinstance(value, bool):
                self.sum += value
                self.numbers += 1
            if isinstance(value, str | int | float):
                self.low = value if self.low is None or _rank(value) < _rank(self.low) else self.low
                self.high = value if self.high is None or _rank(value) > _rank(self.high) else self.high


def _rank(value: Any) -> tuple[bool, Any]:
    return isinstance(value, str), value


_RESULTS: Mapping[str, Callable[[_Number], Any]] = {
    "COUNT": lambda number: number.count,
    "SUM": lambda number: number.sum if number.numbers else None,
    "AVG": lambda number: number.sum / number.numbers if number.numbers else None,
    "MIN": lambda number: number.low,
    "MAX": lambda number: number.high,
}


@dataclass(slots=True)
class Group:
    """Resources with the same values of the properties in GROUP BY."""

    values: Mapping[Term, Any]
    numbers: dict[Aggregate, _Number] = field(default_factory=dict)

    def value(self, term: Term) -> Any:
        """What stands in the group's answer for the term; None for nothing."""
        return _RESULTS[term.function](self.numbers[term]) if isinstance(term, Aggregate) else self.values[term]


def groups(query: Query, resources: Iterable[Resource]) -> list[Group]:
    """The groups, in the order in which their first resources came. Without GROUP BY there is always one."""
    aggregates = list(dict.fromkeys(each for each in query.terms() if isinstance(each, Aggregate)))
    found: dict[tuple[Any, ...], Group] = {}
    if not query.group:
        found[()] = _fresh(query, (), aggregates)
    for resource in resources:
        taken = [(each, _taken(resource, each)) for each in aggregates]
        for key in product(*(_group_values(resource, each) for each in query.group)):
            group = found.get(key)
            if group is None:
                if len(found) >= GROUPS_MAX:
                    raise TooManyGroups
                group = found[key] = _fresh(query, key, aggregates)
            for aggregate, values_found in taken:
                if values_found is not None:
                    group.numbers[aggregate].take(values_found)
    return list(found.values())


def _fresh(query: Query, key: Sequence[Any], aggregates: Iterable[Aggregate]) -> Group:
    return Group(dict(zip(query.group, key, strict=True)), {each: _Number() for each in aggregates})


def _taken(resource: Resource, aggregate: Aggregate) -> Sequence[Any] | None:
    """The values that count; None when the resource does not count at all."""
    return () if aggregate.argument is None else values(resource, aggregate.argument) or None


def _group_values(resource: Resource, named: Property) -> Iterable[Any]:
    found = dict.fromkeys(each for each in values(resource, named) if isinstance(each, str | int | float))
    return found or (None,)


def group_answer(query: Query, group: Group) -> Answer:
    """A group as an answer: properties in their places, numbers under the text of their function."""
    answer: Answer = {}
    for term in query.select:
        value = group.value(term)
        if value is None:
            continue
        place = answer
        path = term.path if isinstance(term, Property) else (term.text,)
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = value
    return answer
