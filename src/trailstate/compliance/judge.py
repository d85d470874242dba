"""One rule over one item: the verdict, or that the rule itself failed. A failure never becomes a verdict."""

from collections.abc import Mapping
from typing import Any

from trailstate.compliance.form import NOT_APPLICABLE, Rule
from trailstate.compliance.inventory import Inventory, Item
from trailstate.compliance.verdict import Verdict

DELETED = frozenset({"ResourceDeleted", "ResourceDeletedNotRecorded"})


class RuleFailed(Exception):
    """The rule met something it was not written for. It is said at the rule; the resource keeps its last verdict."""


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
