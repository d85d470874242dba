"""No rule says COMPLIANT for lack of data: an item that holds nothing, with no facts beside it, is never compliant.

Where AWS's documentation says what an absent part means, and that is good, the rule stands here with the reason.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from tests.rules.cases import ACCOUNT, REGION, whole
from trailstate.catalog.rules import load
from trailstate.compliance.form import RULES
from trailstate.compliance.inventory import ListedInventory
from trailstate.compliance.judge import judge
from trailstate.compliance.parameter import read_all

load()
GOOD_WHEN_ABSENT: dict[str, str] = yaml.safe_load((Path(__file__).parent / "good_when_absent.yaml").read_text())
SAMPLES = {"int": "1", "double": "1", "boolean": "true", "StringMap": "a:b"}
NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


def _parameters(identifier: str) -> dict[str, str]:
    special = {"controlPolicy": '{"Statement": []}', "alarmActionRequired": "true"}
    needed = [each for each in RULES[identifier].managed.parameters if each.required]
    return {each.name: special.get(each.name, SAMPLES.get(each.type, "x")) for each in needed}


@pytest.mark.parametrize("identifier", sorted(RULES))
def test_an_item_that_holds_nothing_is_not_compliant(identifier: str) -> None:
    rule = RULES[identifier]
    for kind in rule.types:
        item = whole({"configurationItemStatus": "OK"}, kind)
        inventory = ListedInventory.of([(item, {})], now=NOW, account=ACCOUNT, region=REGION)
        verdict = judge(rule, item, inventory, read_all(rule.managed, _parameters(identifier)))
        assert (verdict.compliance == "COMPLIANT") is (identifier in GOOD_WHEN_ABSENT), verdict
