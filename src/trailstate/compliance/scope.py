"""Whom a rule is to judge, of what is recorded now."""

from trailstate.compliance.configured import ConfiguredRule
from trailstate.compliance.inventory import ACCOUNT_TYPE, Inventory, Item
from trailstate.values.timestamp import moment_text


def subjects(rule: ConfiguredRule, inventory: Inventory) -> list[Item]:
    """Every item that the rule is to judge; for a rule about the account itself, that one."""
    if ACCOUNT_TYPE in rule.types and rule.is_managed:
        return [inventory.item(ACCOUNT_TYPE, inventory.account) or bare_account(inventory)]
    return [item for kind in rule.types for item in inventory.items(kind) if rule.covers(item)]


def bare_account(inventory: Inventory) -> Item:
    """The account as a resource when no item of it is recorded: there is one all the same."""
    return {
        "configurationItemStatus": "OK",
        "configurationItemCaptureTime": moment_text(inventory.now),
        "awsAccountId": inventory.account,
        "awsRegion": inventory.region,
        "resourceType": ACCOUNT_TYPE,
        "resourceId": inventory.account,
        "tags": {},
        "relationships": [],
        "configuration": {},
        "supplementaryConfiguration": {},
    }
