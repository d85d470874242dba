"""The structural difference of two JSON values, and its laws."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from trailstate.values.diff import Change, Kind, apply, diff, text_of_path

scalars = some.none() | some.booleans() | some.integers(-3, 3) | some.sampled_from(["a", "b", ""])
names = some.sampled_from(["id", "port", "tags", "x"])
values = some.recursive(
    scalars, lambda inner: some.lists(inner, max_size=4) | some.dictionaries(names, inner, max_size=3), max_leaves=12
)


@given(values)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert diff(value, value) == []


@given(values, values)
def test_the_changes_lead_from_the_old_to_the_new(before: Any, after: Any) -> None:
    changed = apply(before, diff(before, after))
    assert changed == after
    assert diff(changed, after) == []


@given(values, values)
def test_where_there_is_a_difference_there_is_a_change(before: Any, after: Any) -> None:
    if before != after:
        assert diff(before, after)


def test_an_opened_port_is_one_addition() -> None:
    before = {"groupId": "sg-1", "ipPermissions": [{"port": 443}]}
    after = {"groupId": "sg-1", "ipPermissions": [{"port": 443}, {"port": 22}]}
    (change,) = diff(before, after)
    assert change == Change(("ipPermissions", 1), Kind.ADDED, after={"port": 22})
    assert text_of_path(change.path) == "ipPermissions[1]"


def test_an_element_that_changed_within_is_told_by_what_changed() -> None:
    (change,) = diff({"rules": [{"port": 22, "cidr": "10.0.0.0/8"}]}, {"rules": [{"port": 22, "cidr": "0.0.0.0/0"}]})
    assert text_of_path(change.path) == "rules[0].cidr"
    assert (change.before, change.after) == ("10.0.0.0/8", "0.0.0.0/0")


def test_true_is_not_one() -> None:
    assert diff({"enabled": True}, {"enabled": 1}) == [Change(("enabled",), Kind.CHANGED, True, 1)]
