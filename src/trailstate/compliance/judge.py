"""One rule over one item: the verdict, or that the rule itself failed. A failure never becomes a verdict."""

from collections.abc import Mapping
from typing import Any

from trailstate.compliance.form import NOT_APPLICABLE, Rule
from trailstate.compliance.inventory import Cause, CausedInventory, Inventory, Item
from trailstate.compliance.verdict import Verdict

DELETED = frozenset({"ResourceDeleted", "ResourceDeletedNotRecorded"})


class RuleFailed(Exception):
    """The rule met something it was not written for. It is said at the rule; the resource keeps its last verdict."""


def origin(
    rule: Rule,
    judged: tuple[Item, Cause | None],
    verdict: Verdict,
    inventory: CausedInventory,
    parameters: Mapping[str, Any],
) -> tuple[Item, Cause | None]:
    """The item with which the resource came to the verdict it has now, and the call that made it: for a rule that is
    asked for the first time, which is often later than the change that broke it. What rules read beside an item is as
    it is now."""
    found = judged
    for older, cause in inventory.earlier(judged[0]):
        try:
            if judge(rule, older, inventory, parameters).compliance != verdict.compliance:
                break
        except RuleFailed:
            break
        found = older, cause
    return found


def is_deleted(item: Item) -> bool:
    return item["configurationItemStatus"] in DELETED


def judge(rule: Rule, item: Item, inventory: Inventory, parameters: Mapping[str, Any]) -> Verdict:
    """The rule's verdict on a live item of one of its types; NOT_APPLICABLE for any other. Raises RuleFailed."""
    if is_deleted(item) or item["resourceType"] not in rule.types:
        return NOT_APPLICABLE
    try:
        return rule.judge(item, inventory, **parameters)
    except Exception as error:
        kind, name = item["resourceType"], item["resourceId"]
        raise RuleFailed(f"{rule.id} failed on {kind} '{name}': {type(error).__name__}: {error}") from error
