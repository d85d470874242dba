"""Rules of an organization: put once, deployed to every member account that is not excluded."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from trailstate.compliance.definition import InvalidRule, hold
from trailstate.compliance.organization import RULES
from trailstate.services.config.organization import (
    PAGE,
    Thing,
    administered,
    deploy,
    identified,
    identity_of,
    members_of,
    named,
    one,
    status_of,
    targets,
    withdraw,
)
from trailstate.services.config.paged import paged
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call, Door
from trailstate.wire.fault import faults
from trailstate.world import World

fault = faults("config")

DESCRIBED = ("OrganizationManagedRuleMetadata", "OrganizationCustomRuleMetadata", "ExcludedAccounts")
RULE = Thing(
    deployment=RULES,
    name="OrganizationConfigRule",
    called="organization config rule",
    absent=fault.NoSuchOrganizationConfigRuleException,
    status="OrganizationRuleStatus",
    member_status="MemberAccountRuleStatus",
    prefix="OrgConfigRule",
)


@operation("config")
def put_organization_config_rule(
    call: Call,
    shelf: StagedShelf,
    door: Door,
    world: World,
    *,
    OrganizationConfigRuleName: str,
    OrganizationManagedRuleMetadata: Mapping[str, Any] | None = None,
    OrganizationCustomRuleMetadata: Mapping[str, Any] | None = None,
    ExcludedAccounts: Sequence[str] | None = None,
    OrganizationCustomPolicyRuleMetadata: Mapping[str, Any] | None = None,
    Tags: Sequence[Mapping[str, str]] | None = None,
) -> dict[str, Any]:
    """The rule is brought to the members one after the other; the detailed status shows how that goes."""
    if OrganizationCustomPolicyRuleMetadata is not None:
        raise fault.InvalidParameterValueException("Rules of Guard policies are not supported by Trailstate yet.")
    if (OrganizationManagedRuleMetadata is None) == (OrganizationCustomRuleMetadata is None):
        raise fault.InvalidParameterValueException(
            "Give either OrganizationManagedRuleMetadata or OrganizationCustomRuleMetadata."
        )
    found = administered(call, door, world)
    identity = identity_of(call, shelf, world, RULE, OrganizationConfigRuleName)
    rule = _rule(identity.deployed, OrganizationManagedRuleMetadata or OrganizationCustomRuleMetadata or {})
    try:
        hold(rule)
    except InvalidRule as error:
        raise fault.InvalidParameterValueException(str(error)) from error
    asked = {
        "OrganizationManagedRuleMetadata": OrganizationManagedRuleMetadata,
        "OrganizationCustomRuleMetadata": OrganizationCustomRuleMetadata,
        "ExcludedAccounts": list(ExcludedAccounts or ()),
    }
    document = {
        "parameters": {"ConfigRule": rule},
        "accounts": targets(found, ExcludedAccounts),
        **{name: value for name, value in asked.items() if value is not None},
    }
    deploy(call, shelf, world, RULE, identity, document, Tags)
    return {"OrganizationConfigRuleArn": identity.arn}


def _rule(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The rule as a member account gets it."""
    scope = {
        "ComplianceResourceTypes": given.get("ResourceTypesScope"),
        "ComplianceResourceId": given.get("ResourceIdScope"),
        "TagKey": given.get("TagKeyScope"),
        "TagValue": given.get("TagValueScope"),
    }
    kept = {key: value for key, value in scope.items() if value}
    rule: dict[str, Any] = {"ConfigRuleName": name, "Source": _source(given)}
    for member in ("Description", "InputParameters", "MaximumExecutionFrequency"):
        if given.get(member):
            rule[member] = given[member]
    return rule | ({"Scope": kept} if kept else {})


def _source(given: Mapping[str, Any]) -> dict[str, Any]:
    if "RuleIdentifier" in given:
        return {"Owner": "AWS", "SourceIdentifier": given["RuleIdentifier"]}
    details = [
        {"EventSource": "aws.config", "MessageType": each} for each in given["OrganizationConfigRuleTriggerTypes"]
    ]
    return {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": given["LambdaFunctionArn"], "SourceDetails": details}


@operation("config")
def delete_organization_config_rule(
    call: Call, shelf: StagedShelf, door: Door, world: World, *, OrganizationConfigRuleName: str
) -> dict[str, Any]:
    withdraw(call, shelf, door, world, RULE, OrganizationConfigRuleName)
    return {}


@operation("config")
def describe_organization_config_rules(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    OrganizationConfigRuleNames: Sequence[str] | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The rules of those names, which must all be there, or every one."""
    found = named(shelf, call, RULE, OrganizationConfigRuleNames)
    limit, member = Limit or PAGE, "OrganizationConfigRules"
    return paged(call, tokens, member, found, limit=limit, token=NextToken, shape=_described)


def _described(document: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: document[name] for name in DESCRIBED if document.get(name)}
    return identified(RULE, document) | told


@operation("config")
def describe_organization_config_rule_statuses(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    OrganizationConfigRuleNames: Sequence[str] | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """How far each rule is, taken over all accounts."""
    found = named(shelf, call, RULE, OrganizationConfigRuleNames)
    limit, member = Limit or PAGE, "OrganizationConfigRuleStatuses"
    shape = partial(status_of, RULE)
    return paged(call, tokens, member, found, limit=limit, token=NextToken, shape=shape)


@operation("config")
def get_organization_config_rule_detailed_status(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    OrganizationConfigRuleName: str,
    Filters: Mapping[str, str] | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """How far one rule is in each account."""
    members = members_of(RULE, one(shelf, call, RULE, OrganizationConfigRuleName), Filters)
    return paged(call, tokens, "OrganizationConfigRuleDetailedStatus", members, limit=Limit or PAGE, token=NextToken)
