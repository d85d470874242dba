"""A condition as a function of a resource. Every test looks at all elements of an array, each test on its own.

Follows "Multiple properties within an array behavior for advanced queries" of the developer guide.
"""

from collections.abc import Callable, Sequence
from typing import Any

from trailstate.configuration.query.compare import Matches, matcher, range_matcher, range_types
from trailstate.configuration.query.tree import And, Condition, Not, Or, Test

Resource = dict[str, Any]
"""A resource as a query sees it: the columns and the bodies that it needs, in the API's spelling."""
Predicate = Callable[[Resource], bool]


def predicate(condition: Condition | None) -> Predicate:
    """Whether a resource passes."""
    if condition is None:
        return lambda _resource: True
    if isinstance(condition, Not):
        inner = predicate(condition.condition)
        return lambda resource: not inner(resource)
    if isinstance(condition, And):
        every = [predicate(each) for each in condition.conditions]
        return lambda resource: all(each(resource) for each in every)
    if isinstance(condition, Or):
        some = [predicate(each) for each in condition.conditions]
        return lambda resource: any(each(resource) for each in some)
    return _test(condition)


def _test(test: Test) -> Predicate:
    matches, in_range = matcher(test), range_matcher(test)
    path = test.property.path
    plain = _any_at(path, matches)
    if in_range is None:
        return plain
    types = range_types(path[0], path[1:])
    ranged = _any_at(path, in_range)
    return lambda resource: ranged(resource) if resource["resourceType"] in types else plain(resource)


def _any_at(path: tuple[str, ...], matches: Matches) -> Predicate:
    if len(path) == 1:
        (name,) = path
        return lambda resource: matches(resource[name])
    found = values_at(path)

    def passes(resource: Resource) -> bool:
        for each in found(resource):  # noqa: SIM110 - a third faster than any() of a generator, for every resource
            if matches(each):
                return True
        return False

    return passes


def values_at(path: tuple[str, ...]) -> Callable[[Resource], Sequence[Any]]:
    """Finds every value of a property: of each element where the path goes through arrays."""

    def found(resource: Resource) -> Sequence[Any]:
        value: Any = resource
        for place, name in enumerate(path):
            if type(value) is not dict:
                return _collected(value, path, place)
            value = value.get(name)
        if type(value) is list:
            return _collected(value, path, len(path))
        return () if value is None else (value,)

    return found


def _collected(value: Any, path: tuple[str, ...], start: int) -> list[Any]:
    found: list[Any] = []
    _collect(value, path, start, found)
    return found


def _collect(value: Any, path: tuple[str, ...], start: int, found: list[Any]) -> None:
    if isinstance(value, list):
        for each in value:
            _collect(each, path, start, found)
    elif start == len(path):
        if value is not None:
            found.append(value)
    elif isinstance(value, dict):
        _collect(value.get(path[start]), path, start + 1, found)


def type_may_match(condition: Condition | None, type_name: str) -> bool:
    """False when no resource of the type can pass."""
    if isinstance(condition, And):
        return all(type_may_match(each, type_name) for each in condition.conditions)
    if isinstance(condition, Or):
        return any(type_may_match(each, type_name) for each in condition.conditions)
    inner = condition.condition if isinstance(condition, Not) else condition
    if inner is None or isinstance(inner, Not | And | Or) or inner.property.path != ("resourceType",):
        return True
    return predicate(condition)({"resourceType": type_name})
