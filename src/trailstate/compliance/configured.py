"""A rule as an account has configured it: when it is asked, whom it judges, and with what parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import msgspec

from trailstate.compliance.catalogue import ManagedRule, managed_rules
from trailstate.compliance.form import RULES, Rule
from trailstate.compliance.inventory import ACCOUNT_TYPE, Item
from trailstate.compliance.parameter import InvalidParameter, read_all
from trailstate.stores.interface import ShelfKey

RULE_KIND = "config.rule"
STATUS_KIND = "config.rule-status"

FREQUENCY_SECONDS: Mapping[str, int] = MappingProxyType(
    {
        "One_Hour": 3600,
        "Three_Hours": 3 * 3600,
        "Six_Hours": 6 * 3600,
        "Twelve_Hours": 12 * 3600,
        "TwentyFour_Hours": 24 * 3600,
    }
)
DEFAULT_FREQUENCY = "TwentyFour_Hours"
CHANGE_MESSAGES = frozenset({"ConfigurationItemChangeNotification", "OversizedConfigurationItemChangeNotification"})
SCHEDULED_MESSAGE = "ScheduledNotification"


@dataclass(frozen=True)
class ConfiguredRule:
    """One rule of one account and Region. `document` is AWS's ConfigRule."""

    account: str
    region: str
    document: Mapping[str, Any]
    pack: str | None = None
    scope_tag: Mapping[str, str] = field(default_factory=dict)
    """The tag that a whole pack is confined to."""

    @classmethod
    def of(cls, key: ShelfKey, value: Mapping[str, Any]) -> "ConfiguredRule":
        return cls(key.account, key.region, value["ConfigRule"], value.get("pack"), value.get("packScope") or {})

    @property
    def name(self) -> str:
        return str(self.document["ConfigRuleName"])

    @cached_property
    def key(self) -> tuple[str, str, str]:
        """By which its results and its status are kept: account, Region, name."""
        return self.account, self.region, self.name

    @property
    def arn(self) -> str:
        return str(self.document["ConfigRuleArn"])

    @property
    def id(self) -> str:
        return str(self.document["ConfigRuleId"])

    @property
    def source(self) -> Mapping[str, Any]:
        source: Mapping[str, Any] = self.document["Source"]
        return source

    @property
    def is_managed(self) -> bool:
        return bool(self.source["Owner"] == "AWS")

    @cached_property
    def managed(self) -> ManagedRule | None:
        return managed_rules().get(self.source["SourceIdentifier"]) if self.is_managed else None

    @cached_property
    def rule(self) -> Rule | None:
        """What judges it; None for a function of the user's and for what is not implemented."""
        return RULES.get(self.managed.id) if self.managed else None

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The values for the rule function; InvalidParameter for what PutConfigRule would refuse today."""
        given = self.input_parameters
        return read_all(self.managed, given) if self.managed else given

    @property
    def input_parameters(self) -> dict[str, Any]:
        given: dict[str, Any] = msgspec.json.decode(self.document.get("InputParameters") or "{}")
        return given

    @cached_property
    def on_change(self) -> bool:
        if self.managed:
            return self.managed.on_change
        return any(each["MessageType"] in CHANGE_MESSAGES for each in self._details if "MessageType" in each)

    @cached_property
    def period_seconds(self) -> int:
        """How often the clock asks it; 0: never."""
        if self.managed:
            chosen = self.document.get("MaximumExecutionFrequency") or DEFAULT_FREQUENCY
            return FREQUENCY_SECONDS[chosen] if self.managed.periodic else 0
        periodic = [each for each in self._details if each.get("MessageType") == SCHEDULED_MESSAGE]
        if not periodic:
            return 0
        chosen = periodic[0].get("MaximumExecutionFrequency") or self.document.get("MaximumExecutionFrequency")
        return FREQUENCY_SECONDS[chosen or DEFAULT_FREQUENCY]

    @property
    def _details(self) -> list[Mapping[str, Any]]:
        details: list[Mapping[str, Any]] = self.source.get("SourceDetails") or []
        return details

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The resource types it judges; empty: whatever comes (a function without a scope)."""
        named = tuple(self._scope.get("ComplianceResourceTypes") or ())
        if self.managed is None:
            return named
        own = self.rule.types if self.rule else self.managed.types
        chosen = tuple(each for each in own if each in named) if named else own
        return own if ACCOUNT_TYPE in own else chosen

    def reads(self, item: Item) -> bool:
        """Whether its verdicts on others may depend on the item."""
        return self.rule is not None and item["resourceType"] in self.rule.also_on

    def sees(self, kind: str) -> bool:
        """Whether items of the type concern it: as what it judges, or as what it reads beside that."""
        return not self.types or kind in self.types or (self.rule is not None and kind in self.rule.also_on)

    @property
    def _scope(self) -> Mapping[str, Any]:
        return self.document.get("Scope") or {}

    def covers(self, item: Item) -> bool:
        """Whether the item is in the rule's scope: type, resource, tag."""
        kind = item["resourceType"]
        if self.types and kind not in self.types:
            return False
        if kind == ACCOUNT_TYPE and self.is_managed:
            return True
        wanted = self._scope.get("ComplianceResourceId")
        if wanted is not None and item["resourceId"] != wanted:
            return False
        return has_tag(item, self._scope) and has_tag(item, self.scope_tag)

    def unjudged(self) -> str | None:
        """Why it gives no verdict of its own, in one sentence; None when it does."""
        if not self.is_managed:
            return None
        identifier = self.source["SourceIdentifier"]
        if self.managed is not None and self.managed.trigger == "external":
            return f"{identifier} is a manual control: somebody gives its result with PutExternalEvaluation."
        if self.rule is None:
            return f"The managed rule {identifier} is known but not implemented by Trailstate yet."
        try:
            _ = self.parameters
        except InvalidParameter as error:
            return str(error)
        return None


def has_tag(item: Item, wanted: Mapping[str, Any]) -> bool:
    """Whether the item carries the tag that a scope names (`TagKey`, and `TagValue` if one is given)."""
    key = wanted.get("TagKey")
    if key is None:
        return True
    tags: Mapping[str, Any] = item.get("tags") or {}
    value = wanted.get("TagValue")
    return key in tags and value in (None, tags[key])
