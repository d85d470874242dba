"""What PutConfigRule accepts: AWS's ConfigRule, whole and consistent, before it becomes a rule of the account.

Follows the API reference of PutConfigRule and ConfigRule. Packs and organizations make their rules through here too, so
that a rule is the same however it came to be.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from trailstate.compliance.catalogue import managed_rules
from trailstate.compliance.configured import RULE_KIND, STATUS_KIND, ConfiguredRule
from trailstate.compliance.engine import evaluation_row, schedule_line
from trailstate.compliance.line import FORGOTTEN, SCHEDULED, Line
from trailstate.compliance.parameter import InvalidParameter, read_all
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.values.timestamp import moment_text
from trailstate.wire.call import Call
from trailstate.world import World

RULES_MAX = 1000
NOT_IMPLEMENTED = "NotImplemented"
ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
SERVICE_LINKED = "aws-service-rule/"


class InvalidRule(ValueError):
    """A rule that AWS would not take; the sentence says why."""


def hold(rule: Mapping[str, Any], *, in_pack: bool = False) -> None:
    """Raises InvalidRule for what PutConfigRule refuses in the rule itself."""
    if rule.get("ConfigRuleState", "ACTIVE") != "ACTIVE":
        state = rule["ConfigRuleState"]
        raise InvalidRule(f"The ConfigRuleState {state} is invalid. Only the following values are permitted: ACTIVE.")
    if rule.get("CreatedBy"):
        raise InvalidRule(
            "AWS Config populates the CreatedBy field for ServiceLinkedConfigRule."
            " Try again without populating the CreatedBy field."
        )
    given = _input_parameters(rule.get("InputParameters"))
    _hold_scope(rule.get("Scope") or {})
    _OWNERS[rule["Source"]["Owner"]](rule, given, in_pack)


def _input_parameters(text: str | None) -> dict[str, Any]:
    try:
        given = msgspec.json.decode(text or "{}")
    except msgspec.DecodeError:
        raise InvalidRule(f"Invalid json {text} passed in the InputParameters field.") from None
    if not isinstance(given, dict):
        raise InvalidRule(f"The InputParameters must be a JSON object of names and values; got {text}.")
    return given


def _hold_scope(scope: Mapping[str, Any]) -> None:
    types = scope.get("ComplianceResourceTypes") or ()
    if scope.get("TagValue") is not None and not scope.get("TagKey"):
        raise InvalidRule("Tag key should not be empty when tag value is provided in scope.")
    if scope.get("TagKey") and (types or scope.get("ComplianceResourceId")):
        raise InvalidRule("Scope cannot be applied to both resource and tag.")
    if scope.get("ComplianceResourceId") and len(types) != 1:
        raise InvalidRule("A single resourceType should be provided when resourceId is provided in scope.")


def _hold_managed(rule: Mapping[str, Any], given: Mapping[str, Any], in_pack: bool) -> None:
    source = rule["Source"]
    identifier = source.get("SourceIdentifier")
    managed = managed_rules().get(identifier or "")
    if managed is None or (managed.trigger == "external" and not in_pack):
        raise InvalidRule(
            f"The sourceIdentifier {identifier} is invalid. Please refer to the documentation for a list of valid"
            " sourceIdentifiers that can be used when AWS is the Owner."
        )
    if source.get("SourceDetails"):
        raise InvalidRule("SourceDetails should be null/empty if the owner is AWS.")
    if source.get("CustomPolicyDetails"):
        raise InvalidRule("CustomPolicyDetails should be null/empty if the owner is AWS.")
    try:
        read_all(managed, given)
    except InvalidParameter as error:
        raise InvalidRule(str(error)) from error


def _hold_function(rule: Mapping[str, Any], _given: Mapping[str, Any], _in_pack: bool) -> None:
    source = rule["Source"]
    identifier = source.get("SourceIdentifier") or ""
    if not identifier.startswith("arn:") or ":lambda:" not in identifier:
        raise InvalidRule(
            f"The sourceIdentifier must be the ARN of a Lambda function when CUSTOM_LAMBDA is the Owner; got"
            f" '{identifier}'."
        )
    details = source.get("SourceDetails") or ()
    if not details:
        raise InvalidRule("SourceDetails should not be null/empty if the owner is CUSTOM_LAMBDA.")
    for each in details:
        if not each.get("MessageType"):
            raise InvalidRule("The MessageType of a source detail must not be empty.")
        if each.get("MaximumExecutionFrequency") and each["MessageType"] != "ScheduledNotification":
            raise InvalidRule(
                "A maximum execution frequency is only allowed if the MessageType is ScheduledNotification;"
                f" got '{each['MessageType']}'."
            )


def _hold_policy(_rule: Mapping[str, Any], _given: Mapping[str, Any], _in_pack: bool) -> None:
    raise InvalidRule("A rule whose Owner is CUSTOM_POLICY (Guard) is not supported by Trailstate yet.")


_OWNERS = {"AWS": _hold_managed, "CUSTOM_LAMBDA": _hold_function, "CUSTOM_POLICY": _hold_policy}


# ---- the rules of an account ----


def find(shelf: StagedShelf, account: str, region: str, name: str) -> dict[str, Any] | None:
    """The document of a rule: `ConfigRule`, and `pack` if a pack made it."""
    return shelf.get(ShelfKey(account, region, RULE_KIND, name))


def rules_of(shelf: StagedShelf, account: str, region: str) -> list[dict[str, Any]]:
    """The documents of all rules of an account and Region, by name."""
    return [value for _, value in shelf.documents(account, region, RULE_KIND)]


def fresh_identity(world: World, account: str, region: str, service: str = "") -> dict[str, str]:
    """Id and ARN of a new rule; one that a service makes is marked as that service's."""
    identifier = f"config-rule-{world.token(6, ID_ALPHABET)}"
    made_by = f"{SERVICE_LINKED}{service}/" if service else ""
    arn = f"arn:aws:config:{region}:{account}:config-rule/{made_by}{identifier}"
    return {"ConfigRuleId": identifier, "ConfigRuleArn": arn}


def put(
    shelf: StagedShelf,
    call: Call,
    world: World,
    rule: Mapping[str, Any],
    *,
    account: str,
    pack: str | None = None,
    pack_scope: Mapping[str, Any] | None = None,
) -> None:
    """Make or replace a rule that `hold` let pass, with its schedule and its first evaluation."""
    name = rule["ConfigRuleName"]
    key = ShelfKey(account, call.region, RULE_KIND, name)
    whole = {"ConfigRuleState": "ACTIVE", "EvaluationModes": [{"Mode": "DETECTIVE"}]} | dict(rule)
    owner = {"pack": pack, "packScope": pack_scope} if pack else {}
    value = {"ConfigRule": whole, **owner}
    is_new = shelf.get(key) is None
    shelf.put(key, value)
    configured = ConfiguredRule.of(key, value)
    reason = configured.unjudged()
    status: dict[str, Any] = {"FirstActivatedTime": call.now.timestamp(), "FirstEvaluationStarted": False}
    if reason:
        status |= {"LastErrorCode": NOT_IMPLEMENTED, "LastErrorMessage": reason}
    shelf.put(ShelfKey(account, call.region, STATUS_KIND, name), status)
    if configured.period_seconds or not is_new:
        shelf.append(schedule_line(configured, call.now).append(account, call.region))
    if not reason:
        shelf.send(evaluation_row(world, account, call.region, name, {}))


def remove(shelf: StagedShelf, call: Call, name: str, *, account: str) -> None:
    """A rule goes with its results, its status and its schedule."""
    for kind in (RULE_KIND, STATUS_KIND):
        shelf.delete(ShelfKey(account, call.region, kind, name))
    forget(shelf, call, name, account=account)
    shelf.append(Line(SCHEDULED, name, moment_text(call.now)).append(account, call.region))


def forget(shelf: StagedShelf, call: Call, name: str, *, account: str) -> None:
    """Drop the results of a rule."""
    shelf.append(Line(FORGOTTEN, name, moment_text(call.now)).append(account, call.region))
