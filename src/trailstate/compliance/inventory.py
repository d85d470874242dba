"""What a rule may see beside the item it judges: the other items of that account and region, facts, and the time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

Item = Mapping[str, Any]
"""A configuration item in the spelling of AWS's events and files (`ARN`, `awsAccountId`, `configuration` an object)."""
Facts = Mapping[str, Any]
Cause = Mapping[str, Any]
"""eventID, eventName, eventSource, eventTime, principal (an ARN), sourceIPAddress."""
ResourceKey = tuple[str, str]
"""(resourceType, resourceId)"""

ACCOUNT_TYPE = "AWS::::Account"
GLOBAL = "global"
"""The Region of items that belong to none; each recorder that records such types has them."""
NO_FACTS: Facts = {}


class Inventory(Protocol):
    """Rules ask it and nothing else: it calls nothing and never changes under them."""

    now: datetime
    account: str
    region: str

    def items(self, resource_type: str) -> Sequence[Item]:
        """The live items of that type in this account and region, IAM's and other global ones included."""

    def everywhere(self, resource_type: str) -> Sequence[Item]:
        """The live items of that type in every Region of this account."""

    def item(self, resource_type: str, resource_id: str) -> Item | None:
        """One live item, or None."""

    def facts(self, item: Item) -> Facts:
        """What is known of the item's resource beyond the item itself, by the name of the fact."""


class CausedInventory(Inventory, Protocol):
    """What the engine sees beyond what rules see: whose doing an item is."""

    def cause(self, item: Item) -> Cause | None:
        """The recorded call that made the item what it is, where it is known."""

    def before(self, item: Item) -> dict[str, Any] | None:
        """The item of the same resource before this one."""

    def earlier(self, item: Item) -> Iterable[tuple[Item, Cause | None]]:
        """The items of the same resource before this one, newest first, each with its cause; not beyond a bound."""


def key_of(item: Item) -> ResourceKey:
    return item["resourceType"], item["resourceId"]


@dataclass(frozen=True, slots=True)
class ListedInventory:
    """An inventory of items given one by one: for cases, and for files of items judged without a house."""

    now: datetime
    account: str
    region: str
    _items: Mapping[ResourceKey, Item] = field(default_factory=dict)
    _facts: Mapping[ResourceKey, Facts] = field(default_factory=dict)
    _causes: Mapping[ResourceKey, Cause | None] = field(default_factory=dict)

    @classmethod
    def of(cls, listed: Iterable[tuple[Item, Facts]], *, now: datetime, account: str, region: str) -> "ListedInventory":
        pairs = [(key_of(item), item, facts) for item, facts in listed]
        items, facts = {key: item for key, item, _ in pairs}, {key: each for key, _, each in pairs}
        return cls(now, account, region, items, facts)

    def items(self, resource_type: str) -> Sequence[Item]:
        return [item for (kind, _), item in self._items.items() if kind == resource_type]

    def everywhere(self, resource_type: str) -> Sequence[Item]:
        return self.items(resource_type)

    def item(self, resource_type: str, resource_id: str) -> Item | None:
        return self._items.get((resource_type, resource_id))

    def facts(self, item: Item) -> Facts:
        return self._facts.get(key_of(item), NO_FACTS)

    def cause(self, item: Item) -> Cause | None:
        return self._causes.get(key_of(item))

    def earlier(self, item: Item) -> Iterable[tuple[Item, Cause | None]]:  # noqa: ARG002
        return ()

    def before(self, item: Item) -> dict[str, Any] | None:  # noqa: ARG002 - each resource has one item here
        return None
