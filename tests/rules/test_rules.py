"""Every implemented rule answers its cases, and has enough of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.rules.cases import ACCOUNT, REGION, Case, every_case, whole
from trailstate.catalog.rules import load
from trailstate.compliance.form import RULES, Verdict
from trailstate.compliance.inventory import ListedInventory
from trailstate.compliance.judge import RuleFailed, is_deleted, judge_many

load()
ALL = list(every_case())


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.rule}-{case.name}")
def test_case(case: Case) -> None:
    verdict = case.verdict(RULES[case.rule])
    assert verdict.compliance == case.expect, verdict
    assert case.says in verdict.annotation


@pytest.mark.parametrize(
    "case",
    [case for case in ALL if RULES[case.rule].looks_at and not case.parameters],
    ids=lambda case: f"{case.rule}-{case.name}",
)
def test_a_rule_looks_at_nothing_but_what_it_says(case: Case) -> None:
    bare: dict[str, Any] = {name: case.item[name] for name in ("resourceType", "resourceId") if name in case.item}
    whole = {"configuration": {}, "supplementaryConfiguration": {}} | dict(case.item)
    for path in RULES[case.rule].looks_at:
        _copy(whole, bare, path.split("."))
    reduced = replace(case, item=bare, facts={}, inventory=())
    assert reduced.verdict(RULES[case.rule]) == case.verdict(RULES[case.rule])


def _copy(source: Mapping[str, Any], target: dict[str, Any], names: Sequence[str]) -> None:
    first, *rest = names
    if first not in source:
        return
    if rest and isinstance(source[first], dict):
        _copy(source[first], target.setdefault(first, {}), rest)
    else:
        target[first] = source[first]


def test_items_judged_together_are_judged_as_each_alone() -> None:
    """Every case's item among all items of the other cases of its rule, with no parameters and nothing beside it."""
    items = defaultdict(list)
    for case in ALL:
        item = whole(case.item, RULES[case.rule].types[0])
        if item["resourceType"] in RULES[case.rule].types and not is_deleted(item):
            items[case.rule].append(item)
    inventory = ListedInventory(datetime(2026, 1, 15, 9, 30, tzinfo=UTC), ACCOUNT, REGION)
    for name, listed in items.items():
        rule, mixed = RULES[name], listed * 2
        together = judge_many(rule, mixed, inventory, {})
        alone = [judge_many(rule, [each], inventory, {})[0] for each in mixed]
        assert [_told(each) for each in together] == [_told(each) for each in alone], name


def _told(outcome: Verdict | RuleFailed) -> Verdict | str:
    return outcome if isinstance(outcome, Verdict) else "failed"


def test_every_rule_has_a_case_for_each_side() -> None:
    """Compliant, non-compliant, and one where it does not apply or its field is not there."""
    seen: dict[str, set[str]] = defaultdict(set)
    count: dict[str, int] = defaultdict(int)
    for case in ALL:
        seen[case.rule].add(case.expect)
        count[case.rule] += 1
    bare = [each for each in RULES if not {"COMPLIANT", "NON_COMPLIANT"} <= seen[each] or count[each] < 3]
    assert bare == []
