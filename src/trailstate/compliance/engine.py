"""The engine: new items and the clock go in, verdicts come out; what changed is committed at once with its notices.

One evaluation runs at a time, because a verdict is compared with the one before it. Every commit holds the verdicts,
what must be told of them, the rules' status, and how far the ledger of items was read: after a crash the same items are
judged again and nothing is told twice.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import msgspec

from trailstate.compliance.configured import RULE_KIND, STATUS_KIND, ConfiguredRule
from trailstate.compliance.inventory import ACCOUNT_TYPE, GLOBAL, CausedInventory, Inventory, Item, ResourceKey, key_of
from trailstate.compliance.judge import RuleFailed, is_deleted, judge, origin
from trailstate.compliance.line import DROPPED, SCHEDULED, Line, judged, moment_text
from trailstate.compliance.notice import Change, VerdictListeners, evaluation_result
from trailstate.compliance.results import Result, Results
from trailstate.compliance.summary import NON_COMPLIANT
from trailstate.compliance.verdict import NOT_APPLICABLE, Verdict
from trailstate.configuration.change import item_diff
from trailstate.stores.interface import CONFIGURATION, Append, Commit, Entry, OutboxRow, ShelfChange, ShelfKey, Store
from trailstate.world import World

EVALUATION_QUEUE = "evaluation/"
COMMIT_LINES_MAX = 5000

RULE_ERROR = "RuleEvaluationFailed"


class Inventories(Protocol):
    """Where the engine finds what is recorded now."""

    def of(self, account: str, region: str, now: datetime) -> CausedInventory:
        """Everything that the ledger of items holds by this call."""


@dataclass
class Batch:
    """What one evaluation found, still to be committed."""

    invoked: str
    """When it was made."""
    lines: list[Append] = field(default_factory=list)
    rows: list[OutboxRow] = field(default_factory=list)
    said: dict[tuple[str, str, str, str, str], Result | None] = field(default_factory=dict)
    """What this batch itself already said, by rule and resource: the ledger does not show it yet."""
    outcomes: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """Per rule that was asked: its failure, or an empty text."""


@dataclass(frozen=True, slots=True)
class Stirred:
    """A rule whose verdicts may be others now, and the last item for which that is so."""

    rule: ConfiguredRule
    item: Item
    cause: Mapping[str, Any] | None
    inventory: CausedInventory


class Engine:
    """Judges. A follower of the ledger of items, and what timers and operations call."""

    name = "compliance"
    ledger = CONFIGURATION
    linger_seconds = 0.0

    def __init__(
        self, store: Store, world: World, results: Results, inventories: Inventories, listeners: VerdictListeners
    ) -> None:
        self._store = store
        self._world = world
        self._results = results
        self._inventories = inventories
        self._listeners = listeners
        self._lock = threading.Lock()

    # On change.

    def cursor(self) -> int:
        return self._store.cursor(self.name)

    def apply(self, entries: Sequence[Entry]) -> None:
        """Judge each new item by every rule that covers it."""
        with self._lock:
            self._results.catch_up()
            now = self._world.now()
            batch = Batch(moment_text(now))
            rules = {account: self._rules(account) for account in {entry.account for entry in entries}}
            inventories: dict[tuple[str, str], CausedInventory] = {}
            stirred: dict[tuple[str, str, str], Stirred] = {}
            for entry in entries:
                line = msgspec.json.decode(entry.body)
                item, cause = line["item"], line.get("cause")
                if is_deleted(item):
                    self._drop(batch, item, cause)
                for rule in rules[entry.account]:
                    if entry.region in (rule.region, GLOBAL):
                        place = (rule.account, rule.region)
                        if place not in inventories:
                            inventories[place] = self._inventories.of(*place, now)
                        self._on_item(batch, rule, item, cause, inventories[place])
                        if rule.reads(item):
                            stirred[*place, rule.name] = Stirred(rule, item, cause, inventories[place])
            for each in stirred.values():
                self._on_neighbour(batch, each)
            self._commit(batch, now, cursors={self.name: entries[-1].position})

    def _rules(self, account: str) -> list[ConfiguredRule]:
        rules = [ConfiguredRule.of(key, found.value) for key, found in self._store.documents(account, None, RULE_KIND)]
        return [each for each in rules if each.on_change]

    def _on_item(
        self,
        batch: Batch,
        rule: ConfiguredRule,
        item: Item,
        cause: Mapping[str, Any] | None,
        inventory: CausedInventory,
    ) -> None:
        if rule.types and item["resourceType"] not in rule.types:
            return
        covered = rule.covers(item)
        if not rule.is_managed:
            left = not covered and self._previous(batch, rule, key_of(item)) is not None
            if covered or left:
                diff = item_diff(inventory.before(item), dict(item))
                batch.rows.append(self._invocation(rule, {"item": item, "diff": diff, "left": left}))
        if is_deleted(item):
            return
        if not covered:
            self._drop_one(batch, rule, item, cause)
        elif rule.is_managed:
            self._judge(batch, rule, item, cause, inventory)

    def _on_neighbour(self, batch: Batch, stirred: "Stirred") -> None:
        """Something that the rule reads beside what it judges is new or gone, so all that it judges is judged again."""
        time = stirred.item["configurationItemCaptureTime"]
        for item in subjects(stirred.rule, stirred.inventory):
            self._judge(batch, stirred.rule, item, stirred.cause, stirred.inventory, time=time)

    def _invocation(self, rule: ConfiguredRule, body: Mapping[str, Any]) -> OutboxRow:
        return evaluation_row(self._world, rule.account, rule.region, rule.name, body)

    # On demand and by the clock.

    def evaluate(self, account: str, region: str, name: str, *, scheduled: datetime | None = None) -> list[OutboxRow]:
        """Ask a rule of everything in its scope. `scheduled` is when the clock wanted it.

        What a function of the user's must be invoked for is returned, to be committed by the caller.
        """
        with self._lock:
            rule = self._rule(account, region, name)
            if rule is None:
                return []
            self._results.catch_up()
            now = self._world.now()
            batch = Batch(moment_text(now))
            if scheduled is not None:
                batch.lines.append(schedule_line(rule, scheduled).append(account, region))
            inventory = self._inventories.of(account, region, scheduled or now)
            rows = self._ask(batch, rule, inventory, scheduled or now, by_clock=scheduled is not None)
            self._commit(batch, now)
            return rows

    def _rule(self, account: str, region: str, name: str) -> ConfiguredRule | None:
        key = ShelfKey(account, region, RULE_KIND, name)
        found = self._store.get(key)
        return None if found is None else ConfiguredRule.of(key, found.value)

    def _ask(
        self, batch: Batch, rule: ConfiguredRule, inventory: CausedInventory, moment: datetime, *, by_clock: bool
    ) -> list[OutboxRow]:
        if not rule.is_managed:
            return self._invocations(rule, inventory, moment, by_clock=by_clock)
        items = subjects(rule, inventory)
        time = "" if rule.on_change and not by_clock else moment_text(moment)
        for item in items:
            self._judge(batch, rule, item, inventory.cause(item), inventory, time=time)
        present = {key_of(item) for item in items}
        for result in self._results.of_rule(rule.account, rule.region, rule.name):
            if (result.type, result.id) not in present and rule.rule is not None:
                gone = {"resourceType": result.type, "resourceId": result.id}
                self._drop_one(batch, rule, gone, None)
        return []

    def _invocations(
        self, rule: ConfiguredRule, inventory: Inventory, moment: datetime, *, by_clock: bool
    ) -> list[OutboxRow]:
        rows = []
        if rule.period_seconds:
            rows.append(self._invocation(rule, {"scheduled": moment_text(moment)}))
        if rule.on_change and not by_clock:
            rows += [self._invocation(rule, {"item": item, "left": False}) for item in subjects(rule, inventory)]
        return rows

    # One verdict.

    def _judge(
        self,
        batch: Batch,
        rule: ConfiguredRule,
        item: Item,
        cause: Mapping[str, Any] | None,
        inventory: CausedInventory,
        *,
        time: str = "",
    ) -> None:
        if rule.rule is None or rule.unjudged() is not None:
            return
        one = (rule.account, rule.region, rule.name)
        batch.outcomes.setdefault(one, "")
        try:
            verdict = judge(rule.rule, item, inventory, rule.parameters)
        except RuleFailed as failed:
            batch.outcomes[one] = str(failed)
            return
        about, since = time or item["configurationItemCaptureTime"], ""
        if not time and verdict.compliance == NON_COMPLIANT and self._previous(batch, rule, key_of(item)) is None:
            broken, cause = origin(rule.rule, (item, cause), verdict, inventory, rule.parameters)
            since = broken["configurationItemCaptureTime"]
        self._say(batch, rule, item, verdict, about, cause, since)

    def _say(
        self,
        batch: Batch,
        rule: ConfiguredRule,
        item: Item,
        verdict: Verdict,
        time: str,
        cause: Mapping[str, Any] | None,
        since: str,
    ) -> None:
        previous = self._previous(batch, rule, key_of(item))
        if previous is not None and (item.get("configurationItemCaptureTime") or "") < previous.captured:
            return  # A newer item of this resource has been judged already.
        if previous is not None and (previous.compliance, previous.annotation) == (
            verdict.compliance,
            verdict.annotation,
        ):
            return
        before = previous.compliance if previous else ""
        line = judged(
            rule.name, item, verdict, time=time, invoked=batch.invoked, previous=before, cause=cause, since=since
        )
        self._keep(batch, rule, line, previous)

    def _keep(self, batch: Batch, rule: ConfiguredRule, line: Line, previous: Result | None) -> None:
        batch.lines.append(line.append(rule.account, rule.region))
        one = (rule.account, rule.region, rule.name, line.resource_type, line.resource_id)
        batch.said[one] = result_of(line) if line.kind != DROPPED else None
        change = change_of(rule, line, previous)
        if change is not None:
            batch.rows += self._listeners.rows(change)

    def _drop(self, batch: Batch, item: Item, cause: Mapping[str, Any] | None) -> None:
        """A resource that is gone has no results."""
        account, (kind, name) = item["awsAccountId"], key_of(item)
        for region in self._results.regions_of(account, kind, name):
            for result in self._results.of_resource(account, region, kind, name):
                rule = self._rule(account, region, result.rule)
                if rule is not None:
                    self._drop_one(batch, rule, item, cause)

    def _drop_one(self, batch: Batch, rule: ConfiguredRule, item: Item, cause: Mapping[str, Any] | None) -> None:
        previous = self._previous(batch, rule, key_of(item))
        if previous is None:
            return
        time = item.get("configurationItemCaptureTime") or moment_text(self._world.now())
        kind, name = key_of(item)
        line = Line(DROPPED, rule.name, time, kind, name, previous=previous.compliance, invoked=time, cause=cause)
        self._keep(batch, rule, line, previous)

    def _previous(self, batch: Batch, rule: ConfiguredRule, key: ResourceKey) -> Result | None:
        one = (rule.account, rule.region, rule.name, *key)
        return batch.said[one] if one in batch.said else self._results.seen(*one)

    # The commit.

    def _commit(self, batch: Batch, now: datetime, cursors: Mapping[str, int] | None = None) -> None:
        status = [self._status(one, failure, now) for one, failure in batch.outcomes.items()]
        if not (batch.lines or batch.rows or status or cursors):
            return
        *first, last = _portions(batch.lines, COMMIT_LINES_MAX)
        for lines in first:
            self._store.commit(Commit(appends=lines))
        self._store.commit(Commit(appends=last, outbox=batch.rows, shelf=status, cursors=cursors or {}))

    def _status(self, one: tuple[str, str, str], failure: str, now: datetime) -> ShelfChange:
        account, region, name = one
        key = ShelfKey(account, region, STATUS_KIND, name)
        found = self._store.get(key)
        status = status_after(found.value if found else {}, now, RULE_ERROR if failure else "", failure)
        return ShelfChange(key, status)


def subjects(rule: ConfiguredRule, inventory: Inventory) -> list[Item]:
    """Every item that the rule is to judge; for a rule about the account itself, that one."""
    if ACCOUNT_TYPE in rule.types and rule.is_managed:
        return [inventory.item(ACCOUNT_TYPE, inventory.account) or bare_account(inventory)]
    return [item for kind in rule.types for item in inventory.items(kind) if rule.covers(item)]


def bare_account(inventory: Inventory) -> Item:
    """The account as a resource when no item of it is recorded: there is one all the same."""
    return {
        "configurationItemStatus": "OK",
        "configurationItemCaptureTime": moment_text(inventory.now),
        "awsAccountId": inventory.account,
        "awsRegion": inventory.region,
        "resourceType": ACCOUNT_TYPE,
        "resourceId": inventory.account,
        "tags": {},
        "relationships": [],
        "configuration": {},
        "supplementaryConfiguration": {},
    }


def evaluation_row(world: World, account: str, region: str, rule: str, body: Mapping[str, Any]) -> OutboxRow:
    """Ask for an evaluation: of everything (an empty body), or one invocation of a function."""
    asked = {"account": account, "region": region, "rule": rule} | dict(body)
    queue = f"{EVALUATION_QUEUE}{account}/{region}/{rule}"
    return OutboxRow(queue, f"{EVALUATION_QUEUE}{world.uuid()}", msgspec.json.encode(asked))


def schedule_line(rule: ConfiguredRule, moment: datetime) -> Line:
    """The rule was asked at that moment, so the clock asks it next a period later."""
    return Line(SCHEDULED, rule.name, moment_text(moment), seconds=rule.period_seconds)


def status_after(status: Mapping[str, Any], now: datetime, code: str, message: str) -> dict[str, Any]:
    """A rule's status (AWS's ConfigRuleEvaluationStatus, times as numbers) once it was asked."""
    outcome = "Failed" if code else "Successful"
    moment = now.timestamp()
    kept = {name: value for name, value in status.items() if name not in ("LastErrorCode", "LastErrorMessage")}
    told = {"LastErrorCode": code, "LastErrorMessage": message} if code else {}
    return (
        kept
        | told
        | {
            f"Last{outcome}InvocationTime": moment,
            f"Last{outcome}EvaluationTime": moment,
            "FirstEvaluationStarted": True,
        }
    )


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


def _portions(lines: Sequence[Append], most: int) -> Iterable[Sequence[Append]]:
    return [lines[at : at + most] for at in range(0, len(lines), most)] or [()]
