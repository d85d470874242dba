"""From single results to one answer: a rule's, a resource's, a pack's. Nothing is COMPLIANT for lack of data."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from trailstate.compliance.results import Result

COUNT_MAX = 100
"""AWS counts no further and says that there are more. Resources: 25 at a rule, 100 in summaries."""
CONTRIBUTORS_MAX = 25

COMPLIANT, NON_COMPLIANT, INSUFFICIENT_DATA = "COMPLIANT", "NON_COMPLIANT", "INSUFFICIENT_DATA"


def joint(compliances: Iterable[str]) -> str:
    """One word for many: NON_COMPLIANT if any is, COMPLIANT only if something is and nothing is unknown."""
    found = set(compliances)
    if NON_COMPLIANT in found:
        return NON_COMPLIANT
    return COMPLIANT if COMPLIANT in found and INSUFFICIENT_DATA not in found else INSUFFICIENT_DATA


def compliance(results: Iterable[Result]) -> dict[str, Any]:
    """AWS's Compliance: the joint word, and how many contribute to it when something breaks the rule."""
    counts = Counter(each.compliance for each in results)
    word = joint(counts)
    contributors = counts[word] if word == NON_COMPLIANT else 0
    return {"ComplianceType": word} | (
        {"ComplianceContributorCount": capped(contributors, CONTRIBUTORS_MAX)} if contributors else {}
    )


def capped(count: int, most: int = COUNT_MAX) -> dict[str, Any]:
    return {"CappedCount": min(count, most), "CapExceeded": count > most}


def by_resource(results: Iterable[Result]) -> dict[tuple[str, str], list[Result]]:
    grouped: dict[tuple[str, str], list[Result]] = {}
    for each in results:
        grouped.setdefault((each.type, each.id), []).append(each)
    return grouped


def by_rule(results: Iterable[Result]) -> dict[str, list[Result]]:
    grouped: dict[str, list[Result]] = {}
    for each in results:
        grouped.setdefault(each.rule, []).append(each)
    return grouped


def counts(words: Iterable[str]) -> Mapping[str, int]:
    """How many there are of each joint word."""
    return Counter(words)
