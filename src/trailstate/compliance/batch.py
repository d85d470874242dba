"""What one evaluation found, until it is committed: new verdicts with their notices, and what is as it was before.

A verdict is compared with the one before it, be it committed or said earlier in the same batch.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from trailstate.compliance.configured import ConfiguredRule
from trailstate.compliance.inventory import Item, ResourceKey, key_of
from trailstate.compliance.line import DROPPED, Confirmed, Line, confirmed, judged
from trailstate.compliance.notice import Change, VerdictListeners, evaluation_result
from trailstate.compliance.results import Result, Results
from trailstate.compliance.verdict import NOT_APPLICABLE, Verdict
from trailstate.stores.interface import Append, OutboxRow
from trailstate.values.timestamp import moment_text

RuleKey = tuple[str, str, str]
"""(account, Region, rule)"""


@dataclass
class Batch:
    """Gathered by one evaluation. Every verdict goes through `say`, every result that is to go through `drop`."""

    results: Results
    listeners: VerdictListeners
    now: datetime
    """When the evaluation was made."""
    lines: list[Append] = field(default_factory=list)
    rows: list[OutboxRow] = field(default_factory=list)
    outcomes: dict[RuleKey, str] = field(default_factory=dict)
    """Per rule that was asked: its failure, or an empty text."""
    _known: dict[RuleKey, Mapping[ResourceKey, Result]] = field(default_factory=dict)
    _said: dict[tuple[RuleKey, ResourceKey], Result | None] = field(default_factory=dict)
    _confirmed: dict[tuple[RuleKey, str], list[Confirmed]] = field(default_factory=dict)

    def know(self, rule: ConfiguredRule) -> Mapping[ResourceKey, Result]:
        """All results of a rule, read at once because most of them will be asked for."""
        found = self.results.of_rule(rule.account, rule.region, rule.name)
        self._known[rule.key] = known = {(each.type, each.id): each for each in found}
        return known

    def previous(self, rule: ConfiguredRule, resource: ResourceKey) -> Result | None:
        """What the rule says of the resource until now."""
        if (rule.key, resource) in self._said:
            return self._said[rule.key, resource]
        if rule.key in self._known:
            return self._known[rule.key].get(resource)
        return self.results.seen(*rule.key, *resource)

    def say(
        self,
        rule: ConfiguredRule,
        item: Item,
        verdict: Verdict,
        *,
        time: str,
        cause: Mapping[str, Any] | None,
        since: str = "",
    ) -> None:
        """`time` is empty when the verdict is about the item alone. Of an item older than the one judged before,
        nothing is said."""
        captured = item.get("configurationItemCaptureTime") or ""
        previous = self.previous(rule, key_of(item))
        if previous is not None and captured < previous.captured:
            return
        if previous is not None and previous.says(verdict):
            self._confirmed.setdefault((rule.key, time), []).append((*key_of(item), captured))
            return
        line = judged(
            rule.name,
            item,
            verdict,
            time=time or captured,
            invoked=moment_text(self.now),
            previous=previous.compliance if previous else "",
            cause=cause,
            since=since,
        )
        self._keep(rule, line, previous)

    def drop(self, rule: ConfiguredRule, resource: ResourceKey, time: str, cause: Mapping[str, Any] | None) -> None:
        """The rule says nothing of the resource any more."""
        previous = self.previous(rule, resource)
        if previous is not None:
            line = Line(DROPPED, rule.name, time, *resource, previous=previous.compliance, invoked=time, cause=cause)
            self._keep(rule, line, previous)

    def _keep(self, rule: ConfiguredRule, line: Line, previous: Result | None) -> None:
        self.lines.append(line.append(rule.account, rule.region))
        result = result_of(line) if line.kind != DROPPED else None
        self._said[rule.key, (line.resource_type, line.resource_id)] = result
        change = change_of(rule, line, previous)
        if change is not None:
            self.rows += self.listeners.rows(change)

    def confirmations(self) -> Iterator[Append]:
        """The lines for what was found to be as before."""
        for ((account, region, name), time), resources in self._confirmed.items():
            for line in confirmed(name, resources, time=time, invoked=moment_text(self.now)):
                yield line.append(account, region)


def result_of(line: Line) -> Result:
    """What the line will be in the tables."""
    return Result(
        line.rule,
        line.resource_type,
        line.resource_id,
        line.compliance,
        line.annotation,
        line.time,
        line.captured,
        line.invoked,
        line.time,
        line.since or line.time,
        line.cause,
    )


def change_of(rule: ConfiguredRule, line: Line, previous: Result | None) -> Change | None:
    """What is to be told; None when the verdict is the same or there never was one worth telling."""
    verdict = line.compliance or NOT_APPLICABLE.compliance
    before = previous.compliance if previous else ""
    if verdict == (before or NOT_APPLICABLE.compliance):
        return None
    named = {"rule": rule.name, "resourceType": line.resource_type, "resourceId": line.resource_id}
    return Change(
        account=rule.account,
        region=rule.region,
        rule_arn=rule.arn,
        verdict=verdict,
        annotation=line.annotation,
        previous=before,
        previous_result=None if previous is None else _as_message(previous, named),
        time=line.time,
        invoked=line.invoked,
        rule=rule.name,
        resource_type=line.resource_type,
        resource_id=line.resource_id,
    )


def _as_message(result: Result, named: Mapping[str, str]) -> dict[str, Any]:
    about = dict(named) | {"time": result.time, "invoked": result.invoked}
    return evaluation_result(
        about, compliance=result.compliance, annotation=result.annotation, recorded=result.recorded
    )


def portions(lines: Sequence[Append], most: int) -> list[Sequence[Append]]:
    """The lines in commits of a bounded size; at least one, if an empty one."""
    return [lines[at : at + most] for at in range(0, len(lines), most)] or [()]
