"""What rules read beside plain fields: facts of a resource, ages, keys by any of their names, tags.

A fact that nobody has collected is MISSING, and the verdict then is INSUFFICIENT_DATA; a fact that is null was
collected and says that there is none.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    NOT_APPLICABLE,
    Inventory,
    Item,
    Verdict,
    field_at,
    insufficient_data,
    non_compliant,
)
from trailstate.compliance.inventory import ACCOUNT_TYPE


def fact(inventory: Inventory, item: Item, name: str) -> Any:
    """What was collected under that name beside the item, null included; MISSING when nothing was."""
    return inventory.facts(item).get(name, MISSING)


def account_fact(inventory: Inventory, name: str) -> Any:
    """A fact of the account the inventory is of."""
    account = inventory.item(ACCOUNT_TYPE, inventory.account)
    return MISSING if account is None else fact(inventory, account, name)


def not_known(what: str) -> Verdict:
    return insufficient_data(f"Nothing is known of {what}.")


def not_held(path: str) -> Verdict:
    return insufficient_data(f"The configuration item does not hold '{path}'.")


def is_on(item: Item, path: str, sentence: str) -> Verdict:
    """COMPLIANT when the flag at the path is true; the sentence says what is wrong when it is false."""
    found = field_at(item, path)
    if found is MISSING:
        return not_held(path)
    return COMPLIANT if found is True else non_compliant(sentence)


def every(things: Any, path: str, holds: Callable[[Any], bool], sentence: str) -> Verdict:
    """COMPLIANT when it holds of each thing in the list at the path, NOT_APPLICABLE when the list is empty."""
    if things is MISSING:
        return not_held(path)
    if not things:
        return NOT_APPLICABLE
    return COMPLIANT if all(map(holds, things)) else non_compliant(sentence)


def days_since(inventory: Inventory, moment: str) -> float:
    """Days from an ISO 8601 moment to the inventory's now."""
    return (inventory.now - datetime.fromisoformat(moment.replace("Z", "+00:00"))).total_seconds() / 86400


def is_key(found: str | None, wanted: Iterable[str]) -> bool:
    """Whether a KMS key is one of those wanted; either side may be an ARN or the id alone."""
    return bool(found) and any(_key_id(found or "") == _key_id(one) for one in wanted)


def tag_map(tags: Any) -> dict[str, str]:
    """The tags of an item or a part of one, from a map or from a list of keys and values."""
    if isinstance(tags, dict):
        return tags
    return {one.get("key", one.get("Key")): one.get("value", one.get("Value", "")) for one in tags or ()}


def listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _key_id(key: str) -> str:
    return key.rpartition("key/")[2]
