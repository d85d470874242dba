"""Conditions of aws:branch: every operator, both ways."""

from typing import Any

import pytest

from trailstate.catalog.actions.flow import OPERATORS, holds
from trailstate.remediation.action import StepFailed

CASES: list[tuple[str, Any, Any, Any]] = [
    ("StringEquals", "a", "a", "b"),
    ("EqualsIgnoreCase", "A", "a", "b"),
    ("StartsWith", "abc", "ab", "bc"),
    ("EndsWith", "abc", "bc", "ab"),
    ("Contains", "abc", "b", "x"),
    ("Contains", ["a", "b"], "b", "x"),
    ("NumericEquals", "5", 5, 6),
    ("NumericGreater", 5, 4, 5),
    ("NumericLesser", 5, "6", 5),
    ("NumericGreaterOrEquals", 5, 5, 6),
    ("NumericLesserOrEquals", 5, 5, 4),
    ("BooleanEquals", True, "true", False),
]


@pytest.mark.parametrize(("operator", "variable", "holding", "failing"), CASES)
def test_an_operator_holds_and_fails(operator: str, variable: Any, holding: Any, failing: Any) -> None:
    assert holds({"Variable": variable, operator: holding})
    assert not holds({"Variable": variable, operator: failing})


def test_every_operator_has_a_case() -> None:
    assert {case[0] for case in CASES} == set(OPERATORS)


def test_conditions_nest() -> None:
    yes, no = {"Variable": "a", "StringEquals": "a"}, {"Variable": "a", "StringEquals": "b"}
    assert holds({"And": [yes, {"Or": [no, yes]}, {"Not": no}]})
    assert not holds({"And": [yes, no]})


@pytest.mark.parametrize("condition", [{}, {"Variable": "a"}, {"Variable": "a", "NumericEquals": "x"}])
def test_what_is_no_condition_fails_the_step(condition: dict[str, Any]) -> None:
    with pytest.raises(StepFailed):
        holds(condition)
