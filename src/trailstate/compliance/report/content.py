"""A report's content: which rules, what they say of which resource, since when, by whose doing, and what is not judged.

Plain values, so that it can cross a socket and be kept beside what is made of it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trailstate.compliance.configured import ConfiguredRule
from trailstate.compliance.pack import pack_compliance, score
from trailstate.compliance.results import Result
from trailstate.compliance.summary import joint
from trailstate.values.timestamp import moment_text

Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reported:
    """One rule of a report and what is known of it."""

    label: str
    rule: ConfiguredRule
    results: Sequence[Result]
    controls: Sequence[str] = ()
    error: str = ""
    """Why it failed when it was last asked."""


def content(title: str, account: str, region: str, now: datetime, reported: Iterable[Reported]) -> dict[str, Any]:
    """The whole report as plain values."""
    rules = [_rule(each) for each in reported]
    results = [result for each in rules for result in each["resources"]]
    words = [each["compliance"] for each in rules]
    return {
        "title": title,
        "account": account,
        "region": region,
        "generated": moment_text(now),
        "compliance": pack_compliance(words),
        "score": score_of(results),
        "rulesJudged": sum(each["judged"] for each in rules),
        "rulesTotal": len(rules),
        "notJudged": [each["name"] for each in rules if not each["judged"]],
        "resources": len({(each["resourceType"], each["resourceId"]) for each in results}),
        "rules": rules,
    }


def score_of(resources: Sequence[Mapping[str, Any]]) -> str:
    return score(each["compliance"] for each in resources)


def _rule(reported: Reported) -> dict[str, Any]:
    rule, managed = reported.rule, reported.rule.managed
    reason = rule.unjudged()
    return {
        "name": reported.label,
        "configRuleName": rule.name,
        "identifier": rule.source.get("SourceIdentifier"),
        "severity": managed.severity if managed else None,
        "sets": list(managed.sets) if managed else [],
        "controls": list(reported.controls),
        "fails": managed.fails if managed else "",
        "compliance": joint(each.compliance for each in reported.results),
        "judged": reason is None,
        "reason": reason or reported.error,
        "resources": [_resource(each) for each in sorted(reported.results, key=lambda each: (each.type, each.id))],
    }


def _resource(result: Result) -> dict[str, Any]:
    return {
        "resourceType": result.type,
        "resourceId": result.id,
        "compliance": result.compliance,
        "annotation": result.annotation,
        "since": result.since,
        "by": by_whom(result.cause),
        "cause": dict(result.cause) if result.cause else None,
    }


def by_whom(cause: Mapping[str, Any] | None, named: Callable[[str], str] = str) -> str:
    """Who made it so, and by which call; empty when that is not known. `named` says how a principal is told."""
    if not cause:
        return ""
    who = named(cause.get("principal") or "somebody")
    return f"{who} by {cause['eventName']}" if cause.get("eventName") else str(who)
