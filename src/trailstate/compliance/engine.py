"""The engine: new items and the clock go in, verdicts come out; what changed is committed at once with its notices.

One evaluation runs at a time, because a verdict is compared with the one before it. Every commit holds the verdicts,
what must be told of them, the rules' status, and how far the ledger of items was read: after a crash the same items are
judged again and nothing is told twice.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec

from trailstate.compliance.batch import Batch, RuleKey, portions
from trailstate.compliance.configured import RULE_KIND, STATUS_KIND, ConfiguredRule
from trailstate.compliance.inventory import GLOBAL, Cause, CausedInventory, Inventory, Item, key_of
from trailstate.compliance.judge import RuleFailed, is_deleted, judge_many, origin
from trailstate.compliance.line import SCHEDULED, Line
from trailstate.compliance.notice import VerdictListeners
from trailstate.compliance.results import Results
from trailstate.compliance.scope import subjects
from trailstate.compliance.summary import NON_COMPLIANT
from trailstate.compliance.verdict import Verdict
from trailstate.configuration.change import item_diff
from trailstate.configuration.line import read
from trailstate.stores.interface import CONFIGURATION, Commit, Entry, OutboxRow, ShelfChange, ShelfKey, Store
from trailstate.values.timestamp import moment_text
from trailstate.world import World

EVALUATION_QUEUE = "evaluation/"
COMMIT_LINES_MAX = 5000

RULE_ERROR = "RuleEvaluationFailed"


class Inventories(Protocol):
    """Where the engine finds what is recorded now."""

    def of(self, account: str, region: str, now: datetime) -> CausedInventory:
        """Everything that the ledger of items holds by this call."""


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
            batch = self._batch()
            covering = {account: _Covering(self._rules(account)) for account in {entry.account for entry in entries}}
            inventories: dict[tuple[str, str], CausedInventory] = {}
            stirred: dict[RuleKey, Stirred] = {}
            for entry in entries:
                recorded = read(entry)
                item, cause = recorded.item, recorded.cause
                if is_deleted(item):
                    self._drop_everywhere(batch, item, cause)
                for rule in covering[entry.account].over(item["resourceType"]):
                    if entry.region not in (rule.region, GLOBAL):
                        continue
                    place = (rule.account, rule.region)
                    if place not in inventories:
                        inventories[place] = self._inventories.of(*place, batch.now)
                    self._on_item(batch, rule, item, cause, inventories[place])
                    if rule.reads(item):
                        stirred[rule.key] = Stirred(rule, item, cause, inventories[place])
            for each in stirred.values():
                self._on_neighbour(batch, each)
            self._commit(batch, cursors={self.name: entries[-1].position})

    def _batch(self) -> Batch:
        self._results.catch_up()
        return Batch(self._results, self._listeners, self._world.now())

    def _rules(self, account: str) -> list[ConfiguredRule]:
        rules = [ConfiguredRule.of(key, found.value) for key, found in self._store.documents(account, None, RULE_KIND)]
        return [each for each in rules if each.on_change]

    def _on_item(
        self, batch: Batch, rule: ConfiguredRule, item: Item, cause: Cause | None, inventory: CausedInventory
    ) -> None:
        if rule.types and item["resourceType"] not in rule.types:
            return
        covered = rule.covers(item)
        if not rule.is_managed:
            left = not covered and batch.previous(rule, key_of(item)) is not None
            if covered or left:
                diff = item_diff(inventory.before(item), dict(item))
                batch.rows.append(self._invocation(rule, {"item": item, "diff": diff, "left": left}))
        if is_deleted(item):
            return
        if not covered:
            batch.drop(rule, key_of(item), _moment(item, batch), cause)
        elif rule.is_managed:
            self._judge(batch, rule, [item], [cause], inventory)

    def _on_neighbour(self, batch: Batch, stirred: "Stirred") -> None:
        """Something that the rule reads beside what it judges is new or gone, so all that it judges is judged again."""
        time = stirred.item["configurationItemCaptureTime"]
        items = subjects(stirred.rule, stirred.inventory)
        self._judge(batch, stirred.rule, items, [stirred.cause] * len(items), stirred.inventory, time=time)

    def _drop_everywhere(self, batch: Batch, item: Item, cause: Cause | None) -> None:
        """A resource that is gone has no results."""
        account, resource = item["awsAccountId"], key_of(item)
        for region in self._results.regions_of(account, *resource):
            for result in self._results.of_resource(account, region, *resource):
                rule = self._rule(account, region, result.rule)
                if rule is not None:
                    batch.drop(rule, resource, _moment(item, batch), cause)

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
            batch = self._batch()
            if scheduled is not None:
                batch.lines.append(schedule_line(rule, scheduled).append(account, region))
            moment = scheduled or batch.now
            inventory = self._inventories.of(account, region, moment)
            rows = self._ask(batch, rule, inventory, moment, by_clock=scheduled is not None)
            self._commit(batch)
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
        known = batch.know(rule)
        items = subjects(rule, inventory)
        time = "" if rule.on_change and not by_clock else moment_text(moment)
        self._judge(batch, rule, items, [inventory.cause(item) for item in items], inventory, time=time)
        if rule.rule is not None:
            for gone in known.keys() - {key_of(item) for item in items}:
                batch.drop(rule, gone, moment_text(batch.now), None)
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

    # Verdicts.

    def _judge(
        self,
        batch: Batch,
        rule: ConfiguredRule,
        items: Sequence[Item],
        causes: Sequence[Cause | None],
        inventory: CausedInventory,
        *,
        time: str = "",
    ) -> None:
        """Judge live items in the rule's scope. `time` is empty when nothing but the items is asked."""
        if rule.rule is None or rule.unjudged() is not None:
            return
        batch.outcomes.setdefault(rule.key, "")
        outcomes = judge_many(rule.rule, items, inventory, rule.parameters)
        for item, cause, outcome in zip(items, causes, outcomes, strict=True):
            if isinstance(outcome, RuleFailed):
                batch.outcomes[rule.key] = str(outcome)
            elif time or outcome.compliance != NON_COMPLIANT or batch.previous(rule, key_of(item)) is not None:
                batch.say(rule, item, outcome, time=time, cause=cause)
            else:
                self._say_since(batch, rule, (item, cause), outcome, inventory)

    def _say_since(
        self,
        batch: Batch,
        rule: ConfiguredRule,
        judged: tuple[Item, Cause | None],
        verdict: Verdict,
        inventory: CausedInventory,
    ) -> None:
        """The first verdict on a resource that may have been broken for longer."""
        assert rule.rule is not None
        broken, cause = origin(rule.rule, judged, verdict, inventory, rule.parameters)
        batch.say(rule, judged[0], verdict, time="", cause=cause, since=broken["configurationItemCaptureTime"])

    # The commit.

    def _commit(self, batch: Batch, cursors: Mapping[str, int] | None = None) -> None:
        status = [self._status(one, failure, batch.now) for one, failure in batch.outcomes.items()]
        lines = [*batch.lines, *batch.confirmations()]
        if not (lines or batch.rows or status or cursors):
            return
        *first, last = portions(lines, COMMIT_LINES_MAX)
        for each in first:
            self._store.commit(Commit(appends=each))
        self._store.commit(Commit(appends=last, outbox=batch.rows, shelf=status, cursors=cursors or {}))

    def _status(self, one: RuleKey, failure: str, now: datetime) -> ShelfChange:
        account, region, name = one
        key = ShelfKey(account, region, STATUS_KIND, name)
        found = self._store.get(key)
        status = status_after(found.value if found else {}, now, RULE_ERROR if failure else "", failure)
        return ShelfChange(key, status)


class _Covering:
    """The rules of an account by the type that they are to see."""

    def __init__(self, rules: Sequence[ConfiguredRule]) -> None:
        self._rules = rules
        self._by_type: dict[str, list[ConfiguredRule]] = {}

    def over(self, kind: str) -> Sequence[ConfiguredRule]:
        if kind not in self._by_type:
            self._by_type[kind] = [each for each in self._rules if each.sees(kind)]
        return self._by_type[kind]


def _moment(item: Item, batch: Batch) -> str:
    return item.get("configurationItemCaptureTime") or moment_text(batch.now)


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
