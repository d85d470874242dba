"""How a rule is written: one row when it is one test of one field, otherwise one function.

    require("REDSHIFT_ENHANCED_VPC_ROUTING_ENABLED", CLUSTER, "configuration.enhancedVpcRouting", is_true)

    @rule("ENCRYPTED_VOLUMES", "AWS::EC2::Volume")
    def encrypted_volumes(item: Item, inventory: Inventory, *, kmsId: str | None = None) -> Verdict:
        ...
        return non_compliant(f"The volume is encrypted with '{found}', not with '{kmsId}'.")

A rule sees the item, the inventory (other items, facts, the time) and its parameters. It calls nothing and asks no
clock. The signature is the parameter schema and is held against AWS's catalogue at import: names, types, what is
required, defaults. So are the identifier and the resource types; a rule may judge fewer types than AWS's, never others.
A rule to which the catalogue gives no type judges the account: its item has the type `AWS::::Account`.

A rule whose verdict follows from a few plain fields of the item alone, as long as it is given no parameter, says which
(`looks_at`; a row's is its field): items that are alike in them are judged once.

What a rule looks at and does not find is not compliance: a row says INSUFFICIENT_DATA then, unless `absent` says what
AWS's documentation says of it.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, get_args, get_type_hints

from trailstate.compliance.catalogue import ManagedRule, managed_rules
from trailstate.compliance.inventory import ACCOUNT_TYPE, Inventory, Item
from trailstate.compliance.parameter import ANNOTATIONS, read
from trailstate.compliance.verdict import (
    COMPLIANT,
    NOT_APPLICABLE,
    Verdict,
    insufficient_data,
    non_compliant,
)

__all__ = (
    "COMPLIANT",
    "MISSING",
    "NOT_APPLICABLE",
    "RULES",
    "Inventory",
    "Item",
    "Rule",
    "Test",
    "Verdict",
    "any_of",
    "at_least",
    "equals",
    "field_at",
    "insufficient_data",
    "is_false",
    "is_given",
    "is_true",
    "non_compliant",
    "require",
    "rule",
)

Judge = Callable[..., Verdict]
"""`(item, inventory, **parameters) -> Verdict`"""
Function = TypeVar("Function", bound=Judge)


class MisdeclaredRule(TypeError):
    """The rule does not fit AWS's catalogue; raised at import, so it never reaches a user."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A managed rule that is implemented."""

    managed: ManagedRule
    types: tuple[str, ...]
    judge: Judge
    also_on: tuple[str, ...] = ()
    """Types that it reads beside what it judges: when one of them changes, everything is judged again."""
    looks_at: tuple[str, ...] = ()
    """Dotted paths of the fields that alone decide its verdict while no parameter is given; empty: it looks further."""

    @property
    def id(self) -> str:
        return self.managed.id


RULES: dict[str, Rule] = {}
"""Every rule whose module has been imported, by identifier."""


def rule(
    identifier: str, types: str | Sequence[str], *, also_on: Sequence[str] = (), looks_at: Sequence[str] = ()
) -> Callable[[Function], Function]:
    """Register the decorated function as that managed rule over these types; MisdeclaredRule when AWS's differs.

    A rule on change that asks the inventory for items names their types in `also_on`, or its verdicts go stale.
    """

    def register(function: Function) -> Function:
        _add(identifier, types, function, also_on=also_on, looks_at=looks_at)
        return function

    return register


def _add(
    identifier: str,
    types: str | Sequence[str],
    judge: Judge,
    *,
    also_on: Sequence[str] = (),
    looks_at: Sequence[str] = (),
) -> None:
    managed = managed_rules().get(identifier)
    if managed is None:
        raise MisdeclaredRule(f"AWS has no managed rule '{identifier}'")
    if identifier in RULES:
        raise MisdeclaredRule(f"'{identifier}' is declared twice")
    judged = (types,) if isinstance(types, str) else tuple(types)
    foreign = set(judged) - set(managed.types or (ACCOUNT_TYPE,))
    if foreign or not judged:
        raise MisdeclaredRule(f"'{identifier}' judges {managed.types or ACCOUNT_TYPE}, not {sorted(foreign)}")
    _hold_signature(managed, judge)
    if also_on and not managed.on_change:
        raise MisdeclaredRule(f"'{identifier}' is asked by the clock alone, so no change makes it judge again")
    RULES[identifier] = Rule(managed, judged, judge, tuple(also_on), tuple(looks_at))


def _hold_signature(managed: ManagedRule, judge: Judge) -> None:
    given = [each for each in inspect.signature(judge).parameters.values() if each.kind is each.KEYWORD_ONLY]
    hints = get_type_hints(judge)
    known = {each.name: each for each in managed.parameters}
    if {each.name for each in given} != set(known):
        raise MisdeclaredRule(
            f"'{managed.id}' takes {sorted(known)}, but the function takes {sorted(each.name for each in given)}"
        )
    for each in given:
        parameter = known[each.name]
        wanted = ANNOTATIONS[parameter.type]
        if hints[each.name] not in (wanted, wanted | None):
            raise MisdeclaredRule(f"'{managed.id}': '{each.name}' must be annotated {wanted}, or that or None")
        if parameter.required != (each.default is each.empty):
            must = "take no default" if parameter.required else "have a default"
            raise MisdeclaredRule(f"'{managed.id}': '{each.name}' must {must}")
        if parameter.default is not None and not parameter.required and each.default != _default(managed, each.name):
            raise MisdeclaredRule(f"'{managed.id}': the default of '{each.name}' is {_default(managed, each.name)!r}")
        if each.default is None and type(None) not in get_args(hints[each.name]):
            raise MisdeclaredRule(f"'{managed.id}': '{each.name}' may be None, so say so")


def _default(managed: ManagedRule, name: str) -> Any:
    parameter = next(each for each in managed.parameters if each.name == name)
    return read(parameter, parameter.default)


# ---- rows ----

MISSING: Any = type("Missing", (), {"__repr__": lambda _: "nothing"})()
"""What `field_at` gives for a field that is not there; a field that is null counts as not there."""


def field_at(item: Item, path: str) -> Any:
    """The value at a dotted path of an item (`configuration.image.id`), or MISSING."""
    return _walk(item, _names(path))


@cache
def _names(path: str) -> Sequence[str]:
    return path.split(".")


def _walk(value: Any, names: Sequence[str]) -> Any:
    for name in names:
        if not isinstance(value, dict):
            return MISSING
        value = value.get(name)
        if value is None:
            return MISSING
    return value


@dataclass(frozen=True, slots=True)
class Test:
    """What a row asks of a value, and how to say it."""

    holds: Callable[[Any], bool]
    words: str


is_true = Test(lambda value: value is True or value == "true", "true")
is_false = Test(lambda value: value is False or value == "false", "false")
is_given = Test(bool, "given")


def equals(wanted: object) -> Test:
    return Test(lambda value: bool(value == wanted), f"'{wanted}'")


def any_of(*wanted: object) -> Test:
    return Test(lambda value: value in wanted, "one of " + ", ".join(f"'{each}'" for each in wanted))


def at_least(least: float) -> Test:
    return Test(lambda value: value >= least, f"at least {least}")


def require(
    identifier: str,
    types: str | Sequence[str],
    path: str,
    test: Test,
    *,
    absent: Verdict | None = None,
    says: str = "",
) -> None:
    """Register a managed rule that is one test of one field and takes no parameters.

    `absent` is the verdict for an item without the field. `says` is the sentence for a value that fails; by default it
    names the field, what was expected and what was found.
    """
    names = _names(path)
    unknown = absent or insufficient_data(f"The configuration item does not hold '{path}'.")

    def judge(item: Item, _inventory: Inventory) -> Verdict:
        value = _walk(item, names)
        if value is MISSING:
            return unknown
        if test.holds(value):
            return COMPLIANT
        return non_compliant(says or f"'{path}' must be {test.words}; it is {_shown(value)}.")

    judge.__name__ = identifier.lower()
    _add(identifier, types, judge, looks_at=(path,))


def _shown(value: Any) -> str:
    return "empty" if value in ("", [], {}) else f"'{str(value).lower() if isinstance(value, bool) else value}'"
