"""Event patterns: whether an event, or a message's attributes, have what a pattern asks for (EventBridge and SNS).

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html

A pattern is an object shaped like the event. Its fields must all be met, `$or` by any of its alternatives; a field is
met when any value of the event's there fits any of the pattern's alternatives. Where the event has a list of objects,
all that a pattern says of it must be met by one and the same of them. This module reads one pattern and holds one event
against it, plainly; `pattern_index` answers for all patterns of a bus at once.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from trailstate.values.comparison import OPERATORS, BadPattern, Comparison, read_comparison

__all__ = ["BadPattern", "Branch", "Comparison", "Node", "Pattern", "filter_policy", "read_pattern"]

PATTERN_CHARACTERS_MAX = 4096
OR = "$or"
OR_RESERVED = frozenset(OPERATORS) | {"regex", "not-wildcard", "not-equals-ignore-case"}
"""Names that an alternative of `$or` cannot ask for, since they mean something else in a list."""
ABSENT: Any = object()
DEPTH_MAX = 100


@dataclass(frozen=True, slots=True)
class Branch:
    """An object of a pattern."""

    fields: tuple[tuple[str, "Node"], ...]
    alternatives: tuple[tuple["Branch", ...], ...] = ()
    """One group for each `$or`."""


Node: TypeAlias = Branch | Comparison


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that was understood."""

    root: Branch

    def matches(self, event: Any) -> bool:
        return holds(self.root, event)


def read_pattern(text: str) -> Pattern:
    """The pattern in a JSON text; BadPattern."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise BadPattern("The pattern is not JSON text") from None
    if not isinstance(given, dict):
        raise BadPattern("Filter is not an object")
    return Pattern(_branch(given, 0))


def filter_policy(text: str) -> Pattern:
    """SNS's use of patterns: the same words, about a message. An empty object asks for nothing."""
    return Pattern(Branch(())) if text.strip() == "{}" else read_pattern(text)


def _branch(given: Mapping[str, Any], depth: int, *, in_or: bool = False) -> Branch:
    if not given:
        raise BadPattern("Empty objects are not allowed")
    if depth > DEPTH_MAX:
        raise BadPattern(f"Objects may be nested {DEPTH_MAX} deep")
    fields: list[tuple[str, Node]] = []
    groups: list[tuple[Branch, ...]] = []
    for name, value in given.items():
        if in_or and name in OR_RESERVED:
            raise BadPattern(f"{name} is Ruler reserved fieldName which cannot be used inside {OR}.")
        if name == OR and _is_or(value):
            groups.append(tuple(_branch(each, depth + 1, in_or=True) for each in value))
        else:
            fields.append((name, _node(name, value, depth)))
    return Branch(tuple(fields), tuple(groups))


def _is_or(value: Any) -> bool:
    """Whether `$or` stands for alternatives; otherwise it is a field of that name."""
    if not isinstance(value, list) or len(value) < 2 or not all(isinstance(each, dict) for each in value):
        return False
    return not any(OR_RESERVED & each.keys() for each in value)


def _node(name: str, value: Any, depth: int) -> Node:
    if isinstance(value, dict):
        return _branch(value, depth + 1)
    if isinstance(value, list):
        return read_comparison(value, repr(value))
    raise BadPattern(f'"{name}" must be an object or an array')


# ---- one event, plainly ----


def holds(node: Node, value: Any) -> bool:
    """Whether what the event has at a place is what the pattern asks for there; ABSENT when it has nothing."""
    return _leaf_holds(node, value) if isinstance(node, Comparison) else _branch_holds(node, value)


def _branch_holds(branch: Branch, value: Any) -> bool:
    if isinstance(value, list):
        objects = [each for each in flat(value) if isinstance(each, dict)]
        return any(_branch_holds(branch, each) for each in objects or (ABSENT,))
    held: Mapping[str, Any] = value if isinstance(value, dict) else {}
    return all(holds(node, held.get(name, ABSENT)) for name, node in branch.fields) and all(
        any(_branch_holds(each, value) for each in group) for group in branch.alternatives
    )


def _leaf_holds(comparison: Comparison, value: Any) -> bool:
    values = leaves(value)
    return any(map(comparison.takes, values)) if values else comparison.takes_absent


def leaves(value: Any) -> Sequence[Any]:
    """The values at a place: itself, or those of a list; an object is none."""
    if isinstance(value, list):
        return [each for each in flat(value) if not isinstance(each, dict)]
    return () if value is ABSENT or isinstance(value, dict) else (value,)


def flat(values: Sequence[Any]) -> Iterator[Any]:
    """What lists hold, however deep they lie within one another."""
    waiting = [iter(values)]
    while waiting:
        for each in waiting[-1]:
            if isinstance(each, list):
                waiting.append(iter(each))
                break
            yield each
        else:
            waiting.pop()
