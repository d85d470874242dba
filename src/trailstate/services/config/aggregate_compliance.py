"""What an aggregator sees of compliance: by rule, by pack, in detail, in sum."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from trailstate.compliance.definition import find, rules_of
from trailstate.compliance.pack import pack_compliance, packs_of, rule_compliances
from trailstate.compliance.resources import rule_counts
from trailstate.compliance.results import Results
from trailstate.compliance.summary import COMPLIANT, NON_COMPLIANT, by_rule, compliance
from trailstate.configuration.aggregate import Aggregation
from trailstate.configuration.recorder import Home
from trailstate.services.config.aggregators import held_limit, readable
from trailstate.services.config.compliance import evaluation_result, summed
from trailstate.services.config.paged import paged
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call
from trailstate.wire.fault import faults

fault = faults("config")

RULES_MAX = 1000
PACKS_MAX = 100
DETAILS_LIMIT = 50
OF_RULES = ("COMPLIANT", "NON_COMPLIANT")
OF_RESOURCES = ("COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE")
GROUPS: Mapping[str, Callable[[Home], str]] = {
    "ACCOUNT_ID": lambda home: home.account,
    "AWS_REGION": lambda home: home.region,
}


@operation("config", judges=("Limit",))
def describe_aggregate_compliance_by_config_rules(
    call: Call,
    shelf: StagedShelf,
    aggregation: Aggregation,
    results: Results,
    tokens: PageTokens,
    *,
    ConfigurationAggregatorName: str,
    Filters: Mapping[str, str] | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """Every rule of every source with what it says."""
    filters, limit = Filters or {}, held_limit(Limit, RULES_MAX, RULES_MAX)
    wanted = _held_type(filters.get("ComplianceType"), OF_RULES)
    homes = readable(call, shelf, aggregation, ConfigurationAggregatorName, filters)
    told: list[dict[str, Any]] = [
        {"ConfigRuleName": name, "Compliance": found, "AccountId": home.account, "AwsRegion": home.region}
        for home in homes
        for name, found in _rules(shelf, results, home)
        if filters.get("ConfigRuleName") in (None, name) and wanted in (None, found["ComplianceType"])
    ]
    return paged(call, tokens, "AggregateComplianceByConfigRules", told, limit=limit, token=NextToken)


def _rules(shelf: StagedShelf, results: Results, home: Home) -> Iterator[tuple[str, dict[str, Any]]]:
    found = by_rule(results.everything(home.account, home.region))
    for each in rules_of(shelf, home.account, home.region):
        name = each["ConfigRule"]["ConfigRuleName"]
        yield name, compliance(found.get(name, ()))


@operation("config", judges=("Limit",))
def describe_aggregate_compliance_by_conformance_packs(
    call: Call,
    shelf: StagedShelf,
    aggregation: Aggregation,
    results: Results,
    tokens: PageTokens,
    *,
    ConfigurationAggregatorName: str,
    Filters: Mapping[str, str] | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """Every pack of every source with its word, and how many of its rules have which."""
    filters, limit = Filters or {}, held_limit(Limit, PACKS_MAX)
    homes = readable(call, shelf, aggregation, ConfigurationAggregatorName, filters)
    told = [
        {"ConformancePackName": name, "Compliance": found, "AccountId": home.account, "AwsRegion": home.region}
        for home in homes
        for name, found in _packs(shelf, results, home)
        if filters.get("ConformancePackName") in (None, name)
        and filters.get("ComplianceType") in (None, found["ComplianceType"])
    ]
    return paged(call, tokens, "AggregateComplianceByConformancePacks", told, limit=limit, token=NextToken)


def _packs(shelf: StagedShelf, results: Results, home: Home) -> Iterator[tuple[str, dict[str, Any]]]:
    packs = packs_of(shelf, home.account, home.region)
    found = by_rule(results.everything(home.account, home.region)) if packs else {}
    for each in packs:
        words = rule_compliances(each, found)
        counts = {name[0].upper() + name[1:]: count for name, count in rule_counts(words).items()}
        yield each["ConformancePackName"], {"ComplianceType": pack_compliance(words.values()), **counts}


@operation("config", judges=("Limit",))
def get_aggregate_compliance_details_by_config_rule(
    call: Call,
    shelf: StagedShelf,
    aggregation: Aggregation,
    results: Results,
    tokens: PageTokens,
    *,
    ConfigurationAggregatorName: str,
    ConfigRuleName: str,
    AccountId: str,
    AwsRegion: str,
    ComplianceType: str | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """What a rule of one source says of each resource. A source that may not be read is as unknown as a rule."""
    limit = held_limit(Limit, DETAILS_LIMIT)
    wanted = _held_type(ComplianceType, OF_RESOURCES)
    home = {"AccountId": AccountId, "AwsRegion": AwsRegion}
    homes = readable(call, shelf, aggregation, ConfigurationAggregatorName, home)
    if not homes or find(shelf, AccountId, AwsRegion, ConfigRuleName) is None:
        raise fault.ValidationException(
            f"The aggregator '{ConfigurationAggregatorName}' knows no rule '{ConfigRuleName}' of the account"
            f" {AccountId} in {AwsRegion}."
        )
    told = [
        evaluation_result(each) | home
        for each in results.of_rule(AccountId, AwsRegion, ConfigRuleName)
        if wanted in (None, each.compliance)
    ]
    return paged(call, tokens, "AggregateEvaluationResults", told, limit=limit, token=NextToken)


@operation("config", judges=("Limit",))
def get_aggregate_config_rule_compliance_summary(
    call: Call,
    shelf: StagedShelf,
    aggregation: Aggregation,
    results: Results,
    tokens: PageTokens,
    *,
    ConfigurationAggregatorName: str,
    Filters: Mapping[str, str] | None = None,
    GroupByKey: str | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """How many rules are compliant and how many are not: in all, or by account or region."""
    limit = held_limit(Limit, RULES_MAX, RULES_MAX)
    homes = readable(call, shelf, aggregation, ConfigurationAggregatorName, Filters)
    words = _grouped(GroupByKey, homes, lambda home: _words(_rules(shelf, results, home)))
    told = [group | {"ComplianceSummary": summed(Counter(found), call.now)} for group, found in words]
    answer = paged(call, tokens, "AggregateComplianceCounts", told, limit=limit, token=NextToken)
    return answer | _by(GroupByKey)


@operation("config", judges=("Limit",))
def get_aggregate_conformance_pack_compliance_summary(
    call: Call,
    shelf: StagedShelf,
    aggregation: Aggregation,
    results: Results,
    tokens: PageTokens,
    *,
    ConfigurationAggregatorName: str,
    Filters: Mapping[str, str] | None = None,
    GroupByKey: str | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """How many packs are compliant and how many are not: in all, or by account or region."""
    limit = held_limit(Limit, PACKS_MAX)
    homes = readable(call, shelf, aggregation, ConfigurationAggregatorName, Filters)
    words = _grouped(GroupByKey, homes, lambda home: _words(_packs(shelf, results, home)))
    told = [group | {"ComplianceSummary": _pack_summary(found)} for group, found in words]
    answer = paged(call, tokens, "AggregateConformancePackComplianceSummaries", told, limit=limit, token=NextToken)
    return answer | _by(GroupByKey)


def _pack_summary(words: Sequence[str]) -> dict[str, int]:
    return {
        "CompliantConformancePackCount": words.count(COMPLIANT),
        "NonCompliantConformancePackCount": words.count(NON_COMPLIANT),
    }


# ---- what they share ----


def _words(told: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    return [each["ComplianceType"] for _, each in told]


def _by(key: str | None) -> dict[str, str]:
    return {"GroupByKey": key} if key else {}


def _grouped(
    key: str | None, homes: Sequence[Home], words_of: Callable[[Home], list[str]]
) -> list[tuple[dict[str, str], list[str]]]:
    """The words of all homes together, or by the key, under the name of their group."""
    if key is None:
        return [({}, [word for home in homes for word in words_of(home)])]
    grouped: dict[str, list[str]] = {}
    for home in homes:
        grouped.setdefault(GROUPS[key](home), []).extend(words_of(home))
    return [({"GroupName": name}, found) for name, found in sorted(grouped.items())]


def _held_type(asked: str | None, allowed: Sequence[str]) -> str | None:
    if asked is not None and asked not in allowed:
        raise fault.ValidationException(
            f"The compliance type '{asked}' cannot be used as a filter here. Use {', '.join(allowed)}."
        )
    return asked
