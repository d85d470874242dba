"""Packs written from the catalogue: every managed rule that a framework's published mapping names, as one template.

A parameter that a rule requires becomes a parameter of the template, with the default that AWS's documentation gives.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from trailstate.compliance.catalogue import ManagedRule, Parameter, managed_rules
from trailstate.compliance.inventory import ACCOUNT_TYPE

CHOSEN: Mapping[str, str] = MappingProxyType(
    {"IamPolicyInUsePolicyARN": "arn:aws:iam::aws:policy/AWSSupportAccess"}  # CIS 1.17: a role to manage incidents
)
"""Values for required parameters that have no documented default."""


class UnknownSet(KeyError):
    """No managed rule is in a set of that name."""


def sets() -> list[str]:
    """The names of the frameworks, as the catalogue knows them."""
    return sorted({name for rule in managed_rules().values() for name in rule.sets})


def resource_types(set_name: str) -> list[str]:
    """Every resource type that the rules of a framework judge and that a recorder can be told to record."""
    rules = [rule for rule in managed_rules().values() if set_name in rule.sets]
    return sorted({kind for rule in rules for kind in rule.types} - {ACCOUNT_TYPE})


def template_of(set_name: str) -> str:
    """The template of a pack with every rule of a framework, as YAML text. Raises UnknownSet."""
    import yaml

    rules = sorted((rule for rule in managed_rules().values() if set_name in rule.sets), key=lambda rule: rule.name)
    if not rules:
        raise UnknownSet(set_name)
    parameters = {
        _logical(rule.id, parameter.name): {"Type": "String", "Default": _default(rule, parameter)}
        for rule in rules
        for parameter in rule.parameters
        if parameter.required
    }
    document = {"Parameters": parameters} if parameters else {}
    document["Resources"] = {_logical(rule.id): _resource(rule) for rule in rules}
    return str(yaml.safe_dump(document, sort_keys=False))


def _resource(rule: ManagedRule) -> dict[str, Any]:
    given = {each.name: {"Ref": _logical(rule.id, each.name)} for each in rule.parameters if each.required}
    properties: dict[str, Any] = {"ConfigRuleName": rule.name}
    if given:
        properties["InputParameters"] = given
    if rule.types and rule.on_change:
        properties["Scope"] = {"ComplianceResourceTypes": list(rule.types)}
    properties["Source"] = {"Owner": "AWS", "SourceIdentifier": rule.id}
    return {"Type": "AWS::Config::ConfigRule", "Properties": properties}


def _default(rule: ManagedRule, parameter: Parameter) -> str:
    return parameter.default or CHOSEN.get(_logical(rule.id, parameter.name), "")


def _logical(identifier: str, parameter: str = "") -> str:
    """A name for the template: IAM_POLICY_IN_USE and policyARN make IamPolicyInUsePolicyARN."""
    words = "".join(word.capitalize() for word in identifier.split("_"))
    return words + parameter[:1].upper() + parameter[1:]
