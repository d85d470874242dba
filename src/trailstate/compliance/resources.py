"""Compliance as resources that advanced queries see: one for each judged resource, one for each conformance pack.

Members of `configuration` as AWS's published resource schema has them for AWS::Config::ResourceCompliance and
AWS::Config::ConformancePackCompliance.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from trailstate.compliance.configured import RULE_KIND
from trailstate.compliance.pack import PACK_KIND, pack_compliance, rule_compliances
from trailstate.compliance.results import Result, Results
from trailstate.compliance.summary import COMPLIANT, NON_COMPLIANT, by_rule, joint
from trailstate.configuration.item import OK, VERSION
from trailstate.configuration.query.match import Resource
from trailstate.configuration.recorder import Home
from trailstate.stores.interface import Store
from trailstate.values.timestamp import moment_text
from trailstate.world import World

NOT_APPLICABLE = "NOT_APPLICABLE"


class ResourceCompliances:
    """What all rules say of each resource. A resource to which no rule applies is not among them."""

    type = "AWS::Config::ResourceCompliance"

    def __init__(self, store: Store, results: Results) -> None:
        self._store = store
        self._results = results

    def resources(self, homes: Sequence[Home]) -> Iterator[Resource]:
        for home in homes:
            rules = _rules(self._store, home)
            found = self._results.everything(home.account, home.region)
            for (kind, name), results in groupby(found, key=lambda each: (each.type, each.id)):
                judged = [each for each in results if each.compliance != NOT_APPLICABLE and each.rule in rules]
                if judged:
                    yield _judged_resource(self.type, home, kind, name, judged, rules)


def _rules(store: Store, home: Home) -> dict[str, Mapping[str, Any]]:
    found = store.documents(home.account, home.region, RULE_KIND)
    return {key.name: document.value["ConfigRule"] for key, document in found}


def _judged_resource(
    type_name: str, home: Home, kind: str, name: str, judged: Sequence[Result], rules: Mapping[str, Mapping[str, Any]]
) -> Resource:
    configuration = {
        "targetResourceType": kind,
        "targetResourceId": name,
        "complianceType": joint(each.compliance for each in judged),
        "configRuleList": [
            {
                "configRuleName": each.rule,
                "configRuleArn": rules[each.rule]["ConfigRuleArn"],
                "configRuleId": rules[each.rule]["ConfigRuleId"],
                "complianceType": each.compliance,
            }
            for each in judged
        ],
    }
    target = {"resourceType": kind, "resourceId": name, "relationshipName": "Is associated with "}
    newest = max(each.recorded for each in judged)
    return _resource(home, type_name, f"{kind}/{name}", newest, configuration) | {"relationships": [target]}


class PackCompliances:
    """How compliant each conformance pack is."""

    type = "AWS::Config::ConformancePackCompliance"

    def __init__(self, store: Store, world: World, results: Results) -> None:
        self._store = store
        self._world = world
        self._results = results

    def resources(self, homes: Sequence[Home]) -> Iterator[Resource]:
        for home in homes:
            packs = [document.value for _, document in self._store.documents(home.account, home.region, PACK_KIND)]
            found = by_rule(self._results.everything(home.account, home.region)) if packs else {}
            arns = {name: rule["ConfigRuleArn"] for name, rule in _rules(self._store, home).items()} if packs else {}
            for pack in packs:
                yield self._pack(home, pack, rule_compliances(pack, found), arns)

    def _pack(self, home: Home, pack: Mapping[str, Any], words: Mapping[str, str], arns: Mapping[str, str]) -> Resource:
        rules = [
            {
                "configRuleName": each["name"],
                "configRuleArn": arns.get(each["name"]),
                "complianceType": words[each["name"]],
                "controls": each["controls"],
            }
            for each in pack["rules"]
        ]
        configuration = {
            "complianceType": pack_compliance(words.values()),
            "configRuleList": rules,
            **rule_counts(words),
        }
        resource = _resource(
            home, self.type, pack["ConformancePackName"], moment_text(self._world.now()), configuration
        )
        return resource | {"resourceName": pack["ConformancePackName"], "arn": pack["ConformancePackArn"]}


def rule_counts(words: Mapping[str, str]) -> dict[str, int]:
    """How many rules of a pack there are, and how many of each kind."""
    found = list(words.values())
    return {
        "compliantRuleCount": found.count(COMPLIANT),
        "nonCompliantRuleCount": found.count(NON_COMPLIANT),
        "totalRuleCount": len(found),
    }


def _resource(home: Home, kind: str, name: str, captured: str, configuration: Mapping[str, Any]) -> Resource:
    return {
        "accountId": home.account,
        "arn": None,
        "availabilityZone": None,
        "awsRegion": home.region,
        "configurationItemCaptureTime": captured,
        "configurationItemStatus": OK,
        "configurationStateId": None,
        "resourceCreationTime": None,
        "resourceId": name,
        "resourceName": None,
        "resourceType": kind,
        "version": VERSION,
        "configuration": dict(configuration),
        "relationships": [],
        "supplementaryConfiguration": {},
        "tags": [],
    }
