"""What AWS publishes of its managed rules: identifiers, triggers, types, parameters, frameworks. Facts, no judgement.

Follows "List of AWS Config Managed Rules" in the AWS Config developer guide. A rule stands here whether or not it is
implemented; `form.RULES` holds those that are.
"""

from functools import cache
from importlib import resources
from typing import Literal

import msgspec

Trigger = Literal["change", "periodic", "both", "external"]
ParameterType = Literal["String", "CSV", "int", "boolean", "double", "StringMap"]


class Parameter(msgspec.Struct, frozen=True):
    """One input parameter of a managed rule. `default` is its text, as the documentation gives it."""

    name: str
    type: ParameterType
    required: bool = False
    default: str | None = None


class ManagedRule(msgspec.Struct, frozen=True):
    """One managed rule as AWS documents it."""

    id: str
    name: str
    """Its name in the documentation, e.g. `restricted-ssh`; the default name of the rule in packs and in reports."""
    fails: str
    """When a resource is NON_COMPLIANT, in our own words."""
    trigger: Trigger
    types: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    severity: str | None = None
    packs: int = 0
    """How many of AWS's published conformance packs use it."""
    sets: tuple[str, ...] = ()
    """The frameworks whose published mapping names it, e.g. `CIS-1.4`."""
    estate: Literal["ok", "partial", "no"] = "no"
    """Whether the simulated estate answers every call that its resources need."""
    region: str | None = None
    """Where AWS offers it, when that is not everywhere."""
    proactive: bool = False

    @property
    def on_change(self) -> bool:
        return self.trigger in ("change", "both")

    @property
    def periodic(self) -> bool:
        return self.trigger in ("periodic", "both")


@cache
def flipped_rules() -> frozenset[str]:
    """The rules whose verdict was seen to flip both ways in the simulated account, by identifier."""
    text = resources.files("trailstate.compliance").joinpath("data", "flipped_rules.txt").read_text()
    return frozenset(text.split())


@cache
def managed_rules() -> dict[str, ManagedRule]:
    """Every managed rule by identifier; a shared object, to be read only."""
    lines = resources.files("trailstate.compliance").joinpath("data", "managed_rules.jsonl").read_bytes().splitlines()
    decode = msgspec.json.Decoder(ManagedRule).decode
    return {each.id: each for each in map(decode, lines)}
