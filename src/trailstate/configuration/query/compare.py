"""How the value of a property compares with a value of a query: as numbers, truths, texts, or ranges of addresses.

CIDR notation stands for a range (developer guide, "CIDR notation/IP range behavior for advanced queries"): a range
equals an address that lies in it, is less than an address when part of it lies below, and greater when part lies above.
"""

import ipaddress
import operator
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

from trailstate.configuration.query.tree import Between, Like, OneOf, Test, Value
from trailstate.configuration.schema import Node, published_types, schema_of

Matches = Callable[[Any], bool]
"""Whether one value of a property passes."""
Range = tuple[int, int, int]
"""IP version, first and last address."""

_RANGES_KEPT = 1 << 14
_CIDR_LEAF = "c"

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_TRUTHS = {"true": True, "false": False}


def matcher(test: Test) -> Matches:
    """The test of one value as it stands."""
    if isinstance(test, Like):
        return _like(test)
    if isinstance(test, Between):
        low, high = _compare(">=", test.low), _compare("<=", test.high)
        return lambda value: low(value) and high(value)
    if isinstance(test, OneOf):
        return _one_of(test)
    return _compare(test.operator, test.value)


def _compare(sign: str, wanted: Value) -> Matches:
    holds = _OPERATORS[sign]
    as_text, as_number, as_truth = _text(wanted), _number(wanted), _truth(wanted)

    def matches(value: Any) -> bool:
        if isinstance(value, bool):
            return as_truth is not None and holds(value, as_truth)
        if isinstance(value, int | float):
            return as_number is not None and holds(value, as_number)
        if isinstance(value, str):
            if as_text is not None:
                return holds(value, as_text)
            found = _number(value) if as_truth is None else _truth(value)
            return found is not None and holds(found, wanted)
        return False

    return matches


def _one_of(test: OneOf) -> Matches:
    texts = frozenset(each for each in test.values if isinstance(each, str))
    single = [_compare("=", each) for each in test.values]
    return lambda value: value in texts if isinstance(value, str) and len(texts) == len(single) else _any(single, value)


def _any(single: list[Matches], value: Any) -> bool:
    return any(each(value) for each in single)


def _like(test: Like) -> Matches:
    size = None if test.more is None else len(test.prefix) + test.more

    def matches(value: Any) -> bool:
        return isinstance(value, str) and value.startswith(test.prefix) and size in (None, len(value))

    return matches


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> int | float | None:
    if isinstance(value, bool):
        return None
    if not isinstance(value, str):
        return value if isinstance(value, int | float) else None
    try:
        return float(value)
    except ValueError:
        return None


def _truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else _TRUTHS.get(value.lower()) if isinstance(value, str) else None


# ---- ranges of addresses ----


def range_matcher(test: Test) -> Matches | None:
    """The test of one range of addresses; None when the query compares with no address."""
    if isinstance(test, Like):
        return None
    if isinstance(test, OneOf):
        found = [_range_compare("=", each) for each in test.values]
        return None if None in found else lambda value: any(each(value) for each in found if each)
    if isinstance(test, Between):
        low, high = range_of(test.low), range_of(test.high)
        return None if low is None or high is None else _overlaps(low[0], low[1], high[2])
    return _range_compare(test.operator, test.value)


def _range_compare(sign: str, wanted: Value) -> Matches | None:
    found = range_of(wanted)
    if found is None:
        return None
    version, first, last = found
    tests: Mapping[str, Matches] = {
        "=": _overlaps(version, first, last),
        "<": _in_family(version, lambda low, _high: low < first),
        ">": _in_family(version, lambda _low, high: high > last),
        "<=": _in_family(version, lambda low, _high: low <= last),
        ">=": _in_family(version, lambda _low, high: high >= first),
    }
    return tests[sign]


def _overlaps(version: int, first: int, last: int) -> Matches:
    return _in_family(version, lambda low, high: low <= last and high >= first)


def _in_family(version: int, holds: Callable[[int, int], bool]) -> Matches:
    def matches(value: Any) -> bool:
        found = range_of(value)
        return found is not None and found[0] == version and holds(found[1], found[2])

    return matches


def range_of(value: Any) -> Range | None:
    """The addresses that a text stands for; None when it is neither an address nor a CIDR block."""
    return _range(value) if isinstance(value, str) and ("." in value or ":" in value) else None


@lru_cache(maxsize=_RANGES_KEPT)
def _range(text: str) -> Range | None:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    return network.version, int(network.network_address), int(network.broadcast_address)


@cache
def range_types(root: str, path: tuple[str, ...]) -> frozenset[str]:
    """The resource types whose published schema says that the property holds CIDR blocks."""
    return frozenset(name for name in published_types() if _leaf(name, root, path) == _CIDR_LEAF)


def _leaf(type_name: str, root: str, path: tuple[str, ...]) -> str:
    schema = schema_of(type_name)
    if schema is None or root not in ("configuration", "supplementaryConfiguration"):
        return ""
    node: Node | None = schema.configuration if root == "configuration" else schema.supplementary
    for name in path:
        below = node.below.get(name.lower()) if node else None
        node = below[1] if below else None
    return node.leaf if node else ""
