"""Answers: resources cut down to what was selected, groups of them with their numbers, and their order."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias, TypeVar

from trailstate.configuration.query.hold import EVERYTHING
from trailstate.configuration.query.match import Resource, values_at
from trailstate.configuration.query.shape import Tree, shape
from trailstate.configuration.query.tree import Aggregate, Order, Property, Query, Term

Answer = dict[str, Any]
GROUPS_MAX = 100_000
"""A query with more groups is refused: they are kept in memory."""


SPARE = 2000
"""How many answers beyond those that are needed wait to be sorted."""

Thing = TypeVar("Thing")
ValueOf: TypeAlias = Callable[[Term], Callable[[Thing], Any]]
_ITSELF = (None,)
"""For `*`: the resource counts, and has no value."""


class TooManyGroups(Exception):
    """The query has more groups than are kept."""


# ---- resources ----


def selected(query: Query) -> Sequence[Term]:
    """What the query selects, with `*` spelled out."""
    return query.select or [Property((name,)) for name in EVERYTHING]


def projection(terms: Iterable[Term]) -> Callable[[Resource], Answer]:
    """Cuts a resource down to these properties; what it lacks is left out."""
    tree = shape(each for each in terms if isinstance(each, Property))
    return lambda resource: _cut(resource, tree)


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


def ordered(things: Iterable[Thing], order: Sequence[Order], value_of: ValueOf[Thing], count: int) -> list[Thing]:
    """The first so many in order; those without a value stand last, equals as they came. Few more are ever kept."""
    keys = [(value_of(each.term), each.descends) for each in order]
    kept: list[tuple[list[Any], Thing]] = []
    most = 2 * count + SPARE
    for thing in things:
        kept.append(([_key(value(thing), descends) for value, descends in keys], thing))
        if len(kept) > most:
            kept = _first(kept, order, count)
    return [thing for _, thing in _first(kept, order, count)]


def _first(kept: list[tuple[list[Any], Thing]], order: Sequence[Order], count: int) -> list[tuple[list[Any], Thing]]:
    """Sorted by the last key first: sorting keeps equals as they are."""
    for place in reversed(range(len(order))):
        kept.sort(key=lambda each: each[0][place], reverse=order[place].descends)
    return kept[:count]


def _key(value: Any, descends: bool) -> tuple[bool, bool, Any]:
    """Numbers before texts; nothing last, whichever way it is sorted."""
    if value is None:
        return not descends, False, 0
    return descends, isinstance(value, str), value if isinstance(value, str | int | float) else 0


def first_value(term: Term) -> Callable[[Resource], Any]:
    """By what resources are ordered."""
    assert isinstance(term, Property), "resources are ordered by properties; only groups have numbers"
    found = values_at(term.path)
    return lambda resource: next(iter(found(resource)), None)


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


@dataclass(frozen=True, slots=True)
class Group:
    """Resources with the same values of the properties in GROUP BY."""

    values: Mapping[Property, Any]
    aggregates: Sequence[Aggregate]
    numbers: Sequence[_Number]
    """One for each aggregate."""

    def value(self, term: Term) -> Any:
        """What stands in the group's answer for the term; None for nothing."""
        if isinstance(term, Property):
            return self.values[term]
        return _RESULTS[term.function](self.numbers[self.aggregates.index(term)])


def group_value(term: Term) -> Callable[[Group], Any]:
    """By what groups are ordered."""
    return lambda group: group.value(term)


def groups(query: Query, resources: Iterable[Resource]) -> list[Group]:
    """The groups, in the order in which their first resources came. Without GROUP BY there is always one."""
    aggregates = list(dict.fromkeys(each for each in query.terms() if isinstance(each, Aggregate)))
    arguments = [None if each.argument is None else values_at(each.argument.path) for each in aggregates]
    properties = [values_at(each.path) for each in query.group]
    found: dict[tuple[Any, ...], Group] = {}
    if not query.group:
        found[()] = _fresh(query, (), aggregates)
    for resource in resources:
        taken = [_ITSELF if each is None else each(resource) for each in arguments]
        for key in product(*[_distinct(each(resource)) for each in properties]):
            group = found.get(key)
            if group is None:
                if len(found) >= GROUPS_MAX:
                    raise TooManyGroups
                group = found[key] = _fresh(query, key, aggregates)
            for number, values in zip(group.numbers, taken, strict=True):
                if values:
                    number.take(values)
    return list(found.values())


def _fresh(query: Query, key: Sequence[Any], aggregates: Sequence[Aggregate]) -> Group:
    return Group(dict(zip(query.group, key, strict=True)), aggregates, [_Number() for _ in aggregates])


def _distinct(found: Sequence[Any]) -> Sequence[Any]:
    """The values that make groups; a resource without any makes one of its own."""
    if len(found) == 1 and isinstance(found[0], str | int | float):
        return found
    return list(dict.fromkeys(each for each in found if isinstance(each, str | int | float))) or (None,)


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
