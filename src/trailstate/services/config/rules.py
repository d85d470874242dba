"""PutConfigRule, DescribeConfigRules, DeleteConfigRule: the rules of the caller's account in one Region."""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.compliance.definition import (
    RULES_MAX,
    SERVICE_LINKED,
    InvalidRule,
    find,
    fresh_identity,
    hold,
    put,
    remove,
    rules_of,
)
from trailstate.configuration.discover import config_principal
from trailstate.configuration.recorder import RECORDER
from trailstate.services.config.paged import paged
from trailstate.services.config.tags import put_tags, remove_tags
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call, Door
from trailstate.wire.fault import Fault, faults
from trailstate.wire.spelling import access_denied
from trailstate.world import World

fault = faults("config")

RULES_A_PAGE = 25
NOT_INVOCABLE = frozenset({"ResourceNotFoundException", "AccessDeniedException", "ValidationException"})
REMEDIATION_KIND = "config.remediation"


def no_such_rule(name: str) -> Fault:
    return fault.NoSuchConfigRuleException(
        f"The ConfigRule '{name}' provided in the request is invalid. Please check the configRule name."
    )


def existing(shelf: StagedShelf, call: Call, name: str) -> dict[str, Any]:
    """The document of one of the caller's rules; the fault when there is none."""
    found = find(shelf, call.account, call.region, name)
    if found is None:
        raise no_such_rule(name)
    return found


def asked_rules(shelf: StagedShelf, call: Call, names: Sequence[str] | None) -> list[dict[str, Any]]:
    """The documents of the rules with those names, which must all be there; without names of all of the caller's."""
    if names:
        return [existing(shelf, call, name) for name in names]
    return rules_of(shelf, call.account, call.region)


@operation("config")
def put_config_rule(
    call: Call,
    shelf: StagedShelf,
    world: World,
    door: Door,
    *,
    ConfigRule: Mapping[str, Any],
    Tags: Sequence[Mapping[str, str]] | None = None,
) -> dict[str, Any]:
    """The rule is evaluated at once, and from then on when its trigger says so."""
    if not any(True for _ in shelf.documents(call.account, call.region, RECORDER)):
        raise fault.NoAvailableConfigurationRecorderException(
            "Configuration recorder is not available. Put a configuration recorder before you put a rule."
        )
    known = _identified(shelf, call, ConfigRule)
    if known is None and len(rules_of(shelf, call.account, call.region)) >= RULES_MAX:
        raise fault.MaxNumberOfConfigRulesExceededException(
            f"The account already has the maximum number of {RULES_MAX} rules in this Region."
        )
    try:
        hold(ConfigRule)
    except InvalidRule as error:
        raise fault.InvalidParameterValueException(str(error)) from error
    if ConfigRule["Source"]["Owner"] == "CUSTOM_LAMBDA":
        _hold_invocable(call, door, ConfigRule["Source"]["SourceIdentifier"])
    service = made_by(call)
    identity = known or fresh_identity(world, call.account, call.region, service)
    owner = {"CreatedBy": service} if service else {}
    put(shelf, call, world, {**ConfigRule, **identity, **owner}, account=call.account)
    if Tags:
        put_tags(call, shelf, identity["ConfigRuleArn"], Tags)
    return {}


def _hold_invocable(call: Call, door: Door, function: str) -> None:
    """There is such a function, and AWS Config may invoke it."""
    asked = {"FunctionName": function, "InvocationType": "DryRun"}
    principal = config_principal(call.account)
    try:
        door.call("lambda", "Invoke", asked, account=call.account, region=call.region, as_=principal)
    except Fault as refused:
        if refused.code not in NOT_INVOCABLE:
            return  # It is there and busy, or switched off; that shows when it is asked.
        raise fault.InsufficientPermissionsException(
            f"The AWS Lambda function {function} cannot be invoked. Check the specified AWS Lambda function ARN, and"
            f" that the function's policy lets config.amazonaws.com invoke it. {refused.message}"
        ) from refused


def _identified(shelf: StagedShelf, call: Call, given: Mapping[str, Any]) -> dict[str, str] | None:
    """Name, id and ARN of the rule that is meant; None when it is a new one of that name."""
    identity = ("ConfigRuleName", "ConfigRuleId", "ConfigRuleArn")
    asked = {name: given[name] for name in identity if given.get(name)}
    if not asked:
        raise fault.InvalidParameterValueException(
            "One or more identifiers needs to be provided. Provide Name or Id or Arn."
        )
    for found in rules_of(shelf, call.account, call.region):
        rule = found["ConfigRule"]
        if all(rule[name] == value for name, value in asked.items()):
            refuse_service_linked(found, call)
            return {name: rule[name] for name in identity}
    if asked.keys() != {"ConfigRuleName"}:
        raise fault.InvalidParameterValueException(
            "ConfigRule Arn and Id can not be specified when creating a new ConfigRule. Arn and Id are generated by"
            " the service. Please try the request again without specifying ConfigRule Arn or Id."
        )
    return None


def made_by(call: Call) -> str:
    """The service that calls; empty for people and roles."""
    return call.principal.invoked_by or "" if call.principal.type == "AWSService" else ""


def refuse_service_linked(found: Mapping[str, Any], call: Call) -> None:
    """A rule that a service made is that service's to change."""
    arn, owner = found["ConfigRule"]["ConfigRuleArn"], found["ConfigRule"].get("CreatedBy")
    if f":config-rule/{SERVICE_LINKED}" in arn and owner != made_by(call):
        raise access_denied("config", call.protocol, f"An AWS service owns ServiceLinkedConfigRule {arn}.")


@operation("config")
def describe_config_rules(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    ConfigRuleNames: Sequence[str] | None = None,
    NextToken: str | None = None,
    Filters: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The rules of those names, which must all be there, or every rule."""
    documents = asked_rules(shelf, call, ConfigRuleNames)
    mode = (Filters or {}).get("EvaluationMode")
    wanted = [each["ConfigRule"] for each in documents if mode in (None, *_modes(each["ConfigRule"]))]
    return paged(call, tokens, "ConfigRules", wanted, limit=RULES_A_PAGE, token=NextToken)


def _modes(rule: Mapping[str, Any]) -> list[str]:
    return [each["Mode"] for each in rule["EvaluationModes"]]


@operation("config")
def delete_config_rule(call: Call, shelf: StagedShelf, *, ConfigRuleName: str) -> dict[str, Any]:
    """The rule with its results and tags; not while a remediation hangs on it."""
    found = existing(shelf, call, ConfigRuleName)
    refuse_service_linked(found, call)
    if shelf.get(ShelfKey(call.account, call.region, REMEDIATION_KIND, ConfigRuleName)) is not None:
        raise fault.ResourceInUseException(
            f"A remediation action is associated with the rule '{ConfigRuleName}'; delete the remediation action first."
        )
    remove(shelf, call, ConfigRuleName, account=call.account)
    remove_tags(call, shelf, found["ConfigRule"]["ConfigRuleArn"])
    return {}


@operation("config")
def get_custom_rule_policy(call: Call, shelf: StagedShelf, *, ConfigRuleName: str | None = None) -> dict[str, Any]:
    """No rule here is made of policy text, so none has any."""
    name = ConfigRuleName or ""
    existing(shelf, call, name)
    raise no_such_rule(name)
