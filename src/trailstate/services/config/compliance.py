"""The reads of compliance: by rule, by resource, in detail, in sum."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from trailstate.compliance.definition import rules_of
from trailstate.compliance.results import Result, Results
from trailstate.compliance.summary import by_resource, by_rule, capped, compliance, counts, joint
from trailstate.services.config.paged import paged
from trailstate.services.config.rules import asked_rules, existing
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.values.timestamp import moment_of
from trailstate.wire.call import Call
from trailstate.wire.fault import faults

fault = faults("config")

DETAILS_LIMIT = 100
RULES_A_PAGE = 25
RESOURCES_LIMIT = 10
RESOURCE_DETAILS_A_PAGE = 100

OF_RULES = ("COMPLIANT", "NON_COMPLIANT", "INSUFFICIENT_DATA")
OF_RESOURCES = ("COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE")


def held_types(given: Sequence[str] | None, allowed: Sequence[str]) -> Sequence[str]:
    """The compliance types to answer with; none given means all of them."""
    for each in given or ():
        if each not in allowed:
            raise fault.InvalidParameterValueException(
                f"The compliance type '{each}' cannot be used as a filter here. Use {', '.join(allowed)}."
            )
    return given or ()


@operation("config")
def describe_compliance_by_config_rule(
    call: Call,
    shelf: StagedShelf,
    results: Results,
    tokens: PageTokens,
    *,
    ConfigRuleNames: Sequence[str] | None = None,
    ComplianceTypes: Sequence[str] | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """One word for each rule over everything in its scope."""
    wanted = held_types(ComplianceTypes, OF_RULES)
    documents = asked_rules(shelf, call, ConfigRuleNames)
    names = [each["ConfigRule"]["ConfigRuleName"] for each in documents]
    found = by_rule(results.everything(call.account, call.region))
    told: list[dict[str, Any]] = [
        {"ConfigRuleName": name, "Compliance": compliance(found.get(name, ()))} for name in names
    ]
    chosen = [each for each in told if not wanted or each["Compliance"]["ComplianceType"] in wanted]
    return paged(call, tokens, "ComplianceByConfigRules", chosen, limit=RULES_A_PAGE, token=NextToken)


@operation("config")
def describe_compliance_by_resource(
    call: Call,
    results: Results,
    tokens: PageTokens,
    *,
    ResourceType: str | None = None,
    ResourceId: str | None = None,
    ComplianceTypes: Sequence[str] | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """One word for each resource over all rules that apply to it."""
    if ResourceId is not None and ResourceType is None:
        raise fault.InvalidParameterValueException("Give the ResourceType together with the ResourceId.")
    wanted = held_types(ComplianceTypes, OF_RULES)
    found = results.everything(call.account, call.region, ResourceType)
    told: list[dict[str, Any]] = [
        {"ResourceType": kind, "ResourceId": name, "Compliance": compliance(each)}
        for (kind, name), each in by_resource(found).items()
        if ResourceId in (None, name) and any(one.compliance != "NOT_APPLICABLE" for one in each)
    ]
    chosen = [each for each in told if not wanted or each["Compliance"]["ComplianceType"] in wanted]
    limit = Limit or RESOURCES_LIMIT
    return paged(call, tokens, "ComplianceByResources", chosen, limit=limit, token=NextToken)


@operation("config")
def get_compliance_details_by_config_rule(
    call: Call,
    shelf: StagedShelf,
    results: Results,
    tokens: PageTokens,
    *,
    ConfigRuleName: str,
    ComplianceTypes: Sequence[str] | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """What one rule says of each resource."""
    existing(shelf, call, ConfigRuleName)
    wanted = held_types(ComplianceTypes, OF_RESOURCES)
    found = results.of_rule(call.account, call.region, ConfigRuleName)
    return _details(call, tokens, found, wanted, Limit or DETAILS_LIMIT, NextToken)


@operation("config")
def get_compliance_details_by_resource(
    call: Call,
    results: Results,
    tokens: PageTokens,
    *,
    ResourceType: str | None = None,
    ResourceId: str | None = None,
    ComplianceTypes: Sequence[str] | None = None,
    NextToken: str | None = None,
    ResourceEvaluationId: str | None = None,
) -> dict[str, Any]:
    """What each rule says of one resource."""
    if ResourceEvaluationId is not None:
        raise fault.InvalidParameterValueException("Proactive evaluations are not supported by Trailstate yet.")
    if ResourceType is None or ResourceId is None:
        raise fault.InvalidParameterValueException("Give both the ResourceType and the ResourceId.")
    wanted = held_types(ComplianceTypes, OF_RESOURCES)
    found = results.of_resource(call.account, call.region, ResourceType, ResourceId)
    return _details(call, tokens, found, wanted, RESOURCE_DETAILS_A_PAGE, NextToken)


def _details(
    call: Call,
    tokens: PageTokens,
    found: Iterable[Result],
    wanted: Sequence[str],
    limit: int,
    token: str | None,
) -> dict[str, Any]:
    chosen = [each for each in found if not wanted or each.compliance in wanted]
    return paged(call, tokens, "EvaluationResults", chosen, limit=limit, token=token, shape=evaluation_result)


def evaluation_result(result: Result) -> dict[str, Any]:
    """AWS's EvaluationResult."""
    told: dict[str, Any] = {
        "EvaluationResultIdentifier": {
            "EvaluationResultQualifier": {
                "ConfigRuleName": result.rule,
                "ResourceType": result.type,
                "ResourceId": result.id,
                "EvaluationMode": "DETECTIVE",
            },
            "OrderingTimestamp": moment_of(result.time),
        },
        "ComplianceType": result.compliance,
        "ResultRecordedTime": moment_of(result.recorded),
        "ConfigRuleInvokedTime": moment_of(result.invoked),
    }
    return told | ({"Annotation": result.annotation} if result.annotation else {})


@operation("config")
def get_compliance_summary_by_config_rule(call: Call, shelf: StagedShelf, results: Results) -> dict[str, Any]:
    """How many rules are compliant and how many are not."""
    names = [each["ConfigRule"]["ConfigRuleName"] for each in rules_of(shelf, call.account, call.region)]
    found = by_rule(results.everything(call.account, call.region))
    words = counts(joint(each.compliance for each in found.get(name, ())) for name in names)
    return {"ComplianceSummary": summed(words, call.now)}


@operation("config")
def get_compliance_summary_by_resource_type(
    call: Call, results: Results, *, ResourceTypes: Sequence[str] | None = None
) -> dict[str, Any]:
    """How many resources are compliant and how many are not; by type only for the types that are named."""
    grouped = by_resource(results.everything(call.account, call.region))
    judged = {key: joint(each.compliance for each in found) for key, found in grouped.items()}
    if not ResourceTypes:
        return {"ComplianceSummariesByResourceType": [{"ComplianceSummary": summed(counts(judged.values()), call.now)}]}
    return {
        "ComplianceSummariesByResourceType": [
            {
                "ResourceType": wanted,
                "ComplianceSummary": summed(
                    counts(word for (kind, _), word in judged.items() if kind == wanted), call.now
                ),
            }
            for wanted in ResourceTypes
        ]
    }


def summed(words: Mapping[str, int], now: datetime) -> dict[str, Any]:
    return {
        "CompliantResourceCount": capped(words.get("COMPLIANT", 0)),
        "NonCompliantResourceCount": capped(words.get("NON_COMPLIANT", 0)),
        "ComplianceSummaryTimestamp": now,
    }
