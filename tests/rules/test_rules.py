"""Every implemented rule answers its cases, and has enough of them."""

from collections import defaultdict

import pytest

from tests.rules.cases import Case, every_case
from trailstate.catalog.rules import load
from trailstate.compliance.form import RULES

load()
ALL = list(every_case())


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.rule}-{case.name}")
def test_case(case: Case) -> None:
    verdict = case.verdict(RULES[case.rule])
    assert verdict.compliance == case.expect, verdict
    assert case.says in verdict.annotation


def test_every_rule_has_a_case_for_each_side() -> None:
    """Compliant, non-compliant, and one where it does not apply or its field is not there."""
    seen: dict[str, set[str]] = defaultdict(set)
    count: dict[str, int] = defaultdict(int)
    for case in ALL:
        seen[case.rule].add(case.expect)
        count[case.rule] += 1
    bare = [each for each in RULES if not {"COMPLIANT", "NON_COMPLIANT"} <= seen[each] or count[each] < 3]
    assert bare == []
