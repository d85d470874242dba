"""The inventory of a running house: what the configuration history holds of one account and Region now.

What stands in other Regions of the account is read only for the rules that ask for it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from trailstate.compliance.inventory import GLOBAL, NO_FACTS, Cause, Facts, Item, ResourceKey, key_of
from trailstate.configuration.history import ConfigurationHistory
from trailstate.configuration.line import Recorded
from trailstate.values.timestamp import moment_of

EARLIER_ITEMS_MAX = 50
"""How far back in a resource's history it is looked for the change that broke a rule."""


class RecordedInventory:
    """Reads a type when it is first asked for, and stays as it is then."""

    def __init__(self, history: ConfigurationHistory, account: str, region: str, now: datetime) -> None:
        self.now = now
        self.account = account
        self.region = region
        self._history = history
        self._types: dict[str, dict[str, Recorded]] = {}
        self._single: dict[ResourceKey, Recorded | None] = {}

    def items(self, resource_type: str) -> Sequence[Item]:
        return [each.item for each in self._of_type(resource_type).values()]

    def everywhere(self, resource_type: str) -> Sequence[Item]:
        inventories = (self, *self._others.values())
        return [item for inventory in inventories for item in inventory.items(resource_type)]

    def item(self, resource_type: str, resource_id: str) -> Item | None:
        found = self.recorded((resource_type, resource_id))
        return None if found is None else found.item

    def facts(self, item: Item) -> Facts:
        region = item["awsRegion"]
        home = self if region in (self.region, GLOBAL) else self._others.get(region, self)
        found = home.recorded(key_of(item))
        return NO_FACTS if found is None else found.facts

    def cause(self, item: Item) -> Cause | None:
        found = self.recorded(key_of(item))
        return None if found is None else found.cause

    def before(self, item: Item) -> dict[str, Any] | None:
        return next((each.item for each in self._earlier(item, 1)), None)

    def earlier(self, item: Item) -> Iterable[tuple[Item, Cause | None]]:
        return [(each.item, each.cause) for each in self._earlier(item, EARLIER_ITEMS_MAX)]

    def _earlier(self, item: Item, count: int) -> list[Recorded]:
        kind, name = key_of(item)
        until = moment_of(item["configurationItemCaptureTime"])
        return self._history.history(self.account, self.region, kind, name, until=until, limit=count + 1)[1:]

    def recorded(self, key: ResourceKey) -> Recorded | None:
        """The item with what stands beside it, if the resource is there."""
        kind, name = key
        if kind in self._types:
            return self._types[kind].get(name)
        if key not in self._single:
            found = self._history.latest(self.account, self.region, kind, name)
            self._single[key] = None if found is None or found.is_gone else found
        return self._single[key]

    @cached_property
    def _others(self) -> dict[str, "RecordedInventory"]:
        """The inventories of the account's other Regions."""
        regions = {region for account, region in self._history.homes() if account == self.account}
        return {
            region: RecordedInventory(self._history, self.account, region, self.now)
            for region in sorted(regions - {self.region})
        }

    def _of_type(self, kind: str) -> dict[str, Recorded]:
        if kind not in self._types:
            found = self._history.current(self.account, self.region, kind)
            self._types[kind] = {each.item["resourceId"]: each for each in found}
        return self._types[kind]


class RecordedInventories:
    """Inventories of the configuration history."""

    def __init__(self, history: ConfigurationHistory) -> None:
        self._history = history

    def of(self, account: str, region: str, now: datetime) -> RecordedInventory:
        self._history.catch_up()
        return RecordedInventory(self._history, account, region, now)
