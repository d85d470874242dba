"""How compliant a conformance pack is: by rule, by resource, as one word, as a score."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trailstate.compliance.pack import pack_compliance, packs_of, rule_compliances, score
from trailstate.compliance.results import Result, Results
from trailstate.compliance.summary import by_rule
from trailstate.services.config.compliance import evaluation_result
from trailstate.services.config.packs import existing_pack
from trailstate.services.config.paged import paged
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.values.timestamp import moment_of
from trailstate.wire.call import Call
from trailstate.wire.fault import faults

fault = faults("config")

RULES_LIMIT = 1000
DETAILS_LIMIT = 100
PACKS_LIMIT = 20
TOLD = ("COMPLIANT", "NON_COMPLIANT", "INSUFFICIENT_DATA")


def _hold_rules(pack: Mapping[str, Any], names: Iterable[str]) -> None:
    known = {each["name"] for each in pack["rules"]}
    for name in names:
        if name not in known:
            raise fault.NoSuchConfigRuleInConformancePackException(
                f"The rule '{name}' is not in the conformance pack '{pack['ConformancePackName']}'."
            )


def _found(results: Results, call: Call) -> dict[str, list[Result]]:
    return by_rule(results.everything(call.account, call.region))


@operation("config")
def describe_conformance_pack_compliance(
    call: Call,
    shelf: StagedShelf,
    results: Results,
    tokens: PageTokens,
    *,
    ConformancePackName: str,
    Filters: Mapping[str, Any] | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """One word for each rule of a pack."""
    pack, filters = existing_pack(shelf, call, ConformancePackName), Filters or {}
    names = filters.get("ConfigRuleNames") or ()
    _hold_rules(pack, names)
    words = rule_compliances(pack, _found(results, call))
    controls = {each["name"]: each["controls"] for each in pack["rules"]}
    told = [
        {"ConfigRuleName": name, "ComplianceType": word, "Controls": controls[name]}
        for name, word in words.items()
        if (not names or name in names) and filters.get("ComplianceType") in (None, word)
    ]
    limit, member = Limit or RULES_LIMIT, "ConformancePackRuleComplianceList"
    shown = paged(call, tokens, member, told, limit=limit, token=NextToken)
    return {"ConformancePackName": ConformancePackName} | shown


@operation("config")
def get_conformance_pack_compliance_details(
    call: Call,
    shelf: StagedShelf,
    results: Results,
    tokens: PageTokens,
    *,
    ConformancePackName: str,
    Filters: Mapping[str, Any] | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """What the rules of a pack say of each resource."""
    pack, filters = existing_pack(shelf, call, ConformancePackName), Filters or {}
    names = filters.get("ConfigRuleNames") or [each["name"] for each in pack["rules"]]
    _hold_rules(pack, names)
    if filters.get("ResourceIds") and not filters.get("ResourceType"):
        raise fault.InvalidParameterValueException("Give the ResourceType together with the ResourceIds.")
    found = _found(results, call)
    chosen = [each for name in names for each in found.get(name, ()) if _passes(each, filters)]
    limit, member = Limit or DETAILS_LIMIT, "ConformancePackRuleEvaluationResults"
    shown = paged(call, tokens, member, chosen, limit=limit, token=NextToken, shape=evaluation_result)
    return {"ConformancePackName": ConformancePackName} | shown


def _passes(result: Result, filters: Mapping[str, Any]) -> bool:
    return (
        result.compliance in TOLD
        and filters.get("ComplianceType") in (None, result.compliance)
        and filters.get("ResourceType") in (None, result.type)
        and (not filters.get("ResourceIds") or result.id in filters["ResourceIds"])
    )


@operation("config")
def get_conformance_pack_compliance_summary(
    call: Call,
    shelf: StagedShelf,
    results: Results,
    tokens: PageTokens,
    *,
    ConformancePackNames: Sequence[str],
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """One word for each of the packs."""
    packs = [existing_pack(shelf, call, name) for name in ConformancePackNames]
    found = _found(results, call)
    told = [
        {
            "ConformancePackName": each["ConformancePackName"],
            "ConformancePackComplianceStatus": pack_compliance(rule_compliances(each, found).values()),
        }
        for each in packs
    ]
    limit = Limit or PACKS_LIMIT
    return paged(call, tokens, "ConformancePackComplianceSummaryList", told, limit=limit, token=NextToken)


@operation("config")
def list_conformance_pack_compliance_scores(
    call: Call,
    shelf: StagedShelf,
    results: Results,
    tokens: PageTokens,
    *,
    Filters: Mapping[str, Sequence[str]] | None = None,
    SortOrder: str | None = None,
    SortBy: str | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """By score if asked so, else by name; packs without data stand last, whatever the order."""
    names = (Filters or {}).get("ConformancePackNames")
    packs = [each for each in packs_of(shelf, call.account, call.region) if _is_named(each, names)]
    found = _found(results, call)
    told = [_score(each, found) for each in packs]
    told.sort(key=lambda each: each["ConformancePackName"])
    if SortBy or SortOrder:
        sign = -1 if SortOrder == "DESCENDING" else 1
        told.sort(key=lambda each: _rank(each["Score"], sign))
    limit = Limit or PACKS_LIMIT
    return paged(call, tokens, "ConformancePackComplianceScores", told, limit=limit, token=NextToken)


def _is_named(pack: Mapping[str, Any], names: Sequence[str] | None) -> bool:
    return not names or pack["ConformancePackName"] in names


def _rank(text: str, sign: int) -> tuple[bool, float]:
    known = text != "INSUFFICIENT_DATA"
    return (not known, sign * float(text) if known else 0.0)


def _score(pack: Mapping[str, Any], found: Mapping[str, Sequence[Result]]) -> dict[str, Any]:
    results = [result for rule in pack["rules"] for result in found.get(rule["name"], ())]
    newest = max((each.recorded for each in results), default=pack["LastUpdateRequestedTime"])
    return {
        "Score": score(each.compliance for each in results),
        "ConformancePackName": pack["ConformancePackName"],
        "LastUpdatedTime": moment_of(newest),
    }
