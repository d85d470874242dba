"""Rules tried without being put: a template, or one rule, judged over what is recorded now, leaving no trace."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trailstate.compliance.configured import ConfiguredRule
from trailstate.compliance.inventory import CausedInventory, Item
from trailstate.compliance.judge import RuleFailed, judge_many, origin
from trailstate.compliance.report.content import Reported
from trailstate.compliance.results import Result
from trailstate.compliance.scope import subjects
from trailstate.compliance.summary import NON_COMPLIANT
from trailstate.compliance.template import Template
from trailstate.compliance.verdict import Verdict
from trailstate.values.timestamp import moment_text


def try_template(template: Template, inventory: CausedInventory) -> list[Reported]:
    """Every rule of the template, as if the pack were deployed."""
    return [_tried(each.rule, each.controls, inventory, None) for each in template.rules]


def try_rule(rule: Mapping[str, Any], inventory: CausedInventory, resource: str | None) -> Reported:
    """One rule, over everything in its scope or over one resource (by id, name or ARN)."""
    return _tried(rule, (), inventory, resource)


def _tried(
    rule: Mapping[str, Any], controls: Sequence[str], inventory: CausedInventory, resource: str | None
) -> Reported:
    configured = ConfiguredRule(inventory.account, inventory.region, _identified(rule))
    label = configured.name
    if configured.rule is None or configured.unjudged() is not None:
        return Reported(label, configured, (), controls, _elsewhere(configured))
    items = [each for each in subjects(configured, inventory) if resource is None or is_called(each, resource)]
    outcomes = judge_many(configured.rule, items, inventory, configured.parameters)
    failures = [str(each) for each in outcomes if isinstance(each, RuleFailed)]
    if failures:
        return Reported(label, configured, (), controls, failures[0])
    verdicts = [each for each in outcomes if isinstance(each, Verdict)]
    results = [_result(configured, *pair, inventory) for pair in zip(items, verdicts, strict=True)]
    return Reported(label, configured, results, controls)


def _identified(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {"ConfigRuleArn": "", "ConfigRuleId": "", **rule}


def _elsewhere(rule: ConfiguredRule) -> str:
    return "" if rule.is_managed else "A function of yours judges it; only a rule that is put invokes functions."


def is_called(item: Item, word: str) -> bool:
    """Whether people mean this item by the word."""
    return word in (item["resourceId"], item.get("resourceName"), item.get("ARN"))


def _result(rule: ConfiguredRule, item: Item, verdict: Verdict, inventory: CausedInventory) -> Result:
    assert rule.rule is not None
    captured = item.get("configurationItemCaptureTime") or _now(inventory.now)
    broken, cause = item, inventory.cause(item)
    if verdict.compliance == NON_COMPLIANT:
        broken, cause = origin(rule.rule, (item, cause), verdict, inventory, rule.parameters)
    return Result(
        rule=rule.name,
        type=item["resourceType"],
        id=item["resourceId"],
        compliance=verdict.compliance,
        annotation=verdict.annotation,
        time=captured,
        captured=captured,
        invoked=_now(inventory.now),
        recorded=_now(inventory.now),
        since=broken.get("configurationItemCaptureTime") or captured,
        cause=cause,
    )


def _now(moment: datetime) -> str:
    return moment_text(moment)
