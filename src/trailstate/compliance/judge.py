"""A rule over items: the verdict on each, or that the rule itself failed. A failure never becomes a verdict.

Of items that are alike in all that a rule looks at, one is judged: most rules ask a field with a handful of values.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from operator import itemgetter
from typing import Any

from trailstate.compliance.form import NOT_APPLICABLE, Rule
from trailstate.compliance.inventory import Cause, CausedInventory, Inventory, Item
from trailstate.compliance.verdict import Verdict

DELETED = frozenset({"ResourceDeleted", "ResourceDeletedNotRecorded"})

KINDS_MAX = 100
"""Beyond so many different items nothing is won by looking for those that are alike."""


class RuleFailed(Exception):
    """The rule met something it was not written for. It is said at the rule; the resource keeps its last verdict."""


def origin(
    rule: Rule,
    judged: tuple[Item, Cause | None],
    verdict: Verdict,
    inventory: CausedInventory,
    parameters: Mapping[str, Any],
) -> tuple[Item, Cause | None]:
    """The item with which the resource came to the verdict it has now, and the call that made it: for a rule that is
    asked for the first time, which is often later than the change that broke it. What rules read beside an item is as
    it is now."""
    found = judged
    for older, cause in inventory.earlier(judged[0]):
        try:
            if judge(rule, older, inventory, parameters).compliance != verdict.compliance:
                break
        except RuleFailed:
            break
        found = older, cause
    return found


def is_deleted(item: Item) -> bool:
    return item["configurationItemStatus"] in DELETED


def judge(rule: Rule, item: Item, inventory: Inventory, parameters: Mapping[str, Any]) -> Verdict:
    """The rule's verdict on a live item of one of its types; NOT_APPLICABLE for any other. Raises RuleFailed."""
    if is_deleted(item) or item["resourceType"] not in rule.types:
        return NOT_APPLICABLE
    (verdict,) = _judged(rule, [item], inventory, parameters)
    return verdict


def judge_many(
    rule: Rule, items: Sequence[Item], inventory: Inventory, parameters: Mapping[str, Any]
) -> Sequence[Verdict | RuleFailed]:
    """What comes of the rule on each of these items, which are live and of its types, in their order."""
    if rule.looks_at and not parameters and len(items) > 1:
        try:
            seen = _seen(items, rule.looks_at)
            kinds = set(seen)
        except TypeError:  # A list stands where a plain value was expected, or nothing where a branch was.
            kinds = set()
        if 0 < len(kinds) <= KINDS_MAX:
            one_of_each = [items[seen.index(kind)] for kind in kinds]
            outcomes = _one_by_one(rule, one_of_each, inventory, parameters)
            return itemgetter(*seen)(dict(zip(kinds, outcomes, strict=True)))  # type: ignore[no-any-return]
    return _one_by_one(rule, items, inventory, parameters)


def _seen(items: Sequence[Item], paths: Iterable[str]) -> Sequence[Any]:
    """What the rule sees of each item. Taken a name at a time over all items, which is several times as fast."""
    branches: dict[str, Sequence[Any]] = {"": items}

    def column(path: str) -> Sequence[Any]:
        if path not in branches:
            branch, _, name = path.rpartition(".")
            branches[path] = list(map(dict.get, column(branch), repeat(name)))
        return branches[path]

    first, *rest = map(column, paths)
    return list(zip(first, *rest, strict=True)) if rest else first


def _one_by_one(
    rule: Rule, items: Sequence[Item], inventory: Inventory, parameters: Mapping[str, Any]
) -> Sequence[Verdict | RuleFailed]:
    try:
        return _judged(rule, items, inventory, parameters)
    except RuleFailed as failed:
        if len(items) == 1:
            return [failed]
        return [outcome for item in items for outcome in _one_by_one(rule, [item], inventory, parameters)]


def _judged(
    rule: Rule, items: Sequence[Item], inventory: Inventory, parameters: Mapping[str, Any]
) -> Sequence[Verdict]:
    """The verdicts; RuleFailed at the first item on which the rule fails."""
    verdicts, decide = [], rule.judge
    for item in items:
        try:
            verdicts.append(decide(item, inventory, **parameters))
        except Exception as error:
            kind, name = item["resourceType"], item["resourceId"]
            raise RuleFailed(f"{rule.id} failed on {kind} '{name}': {type(error).__name__}: {error}") from error
    return verdicts
