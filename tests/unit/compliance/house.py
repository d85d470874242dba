"""A house for compliance alone: memory stores, a clock that stands, and items put straight into the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from tests.rules.cases import whole
from trailstate.catalog.rules import load
from trailstate.compliance.configured import RULE_KIND, ConfiguredRule
from trailstate.compliance.custom import Invoker, ResultTokens
from trailstate.compliance.engine import Engine, evaluation_row, schedule_line
from trailstate.compliance.inventory import CausedInventory, Item, ListedInventory, key_of
from trailstate.compliance.judge import is_deleted
from trailstate.compliance.notice import NoticeShipper, VerdictListeners
from trailstate.compliance.results import Result, Results
from trailstate.compliance.schedule import EvaluationShipper, PeriodicTimer
from trailstate.configuration.line import Recorded, line
from trailstate.configuration.notice import Messenger
from trailstate.follow import Runner
from trailstate.stores.derived import Derived
from trailstate.stores.interface import CONFIGURATION, Commit, ShelfChange, ShelfKey
from trailstate.stores.memory import MemoryStore
from trailstate.values.timestamp import moment_text
from trailstate.wire.call import Principal
from trailstate.wire.fault import Fault
from trailstate.world import SimulatedWorld

ACCOUNT, REGION = "111122223333", "us-east-1"
VOLUME = "AWS::EC2::Volume"


class LedgerInventories:
    """What is recorded now, read from the ledger each time."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def of(self, account: str, region: str, now: datetime) -> CausedInventory:
        causes: dict[tuple[str, str], Mapping[str, Any] | None] = {}
        found: dict[tuple[str, str], tuple[Item, Mapping[str, Any]]] = {}
        for entry in self._store.read(CONFIGURATION, 0, 1_000_000):
            line = msgspec.json.decode(entry.body)
            if (entry.account, entry.region) != (account, region):
                continue
            causes[key_of(line["item"])] = line["cause"]
            found[key_of(line["item"])] = (line["item"], line["facts"])
        live = [pair for pair in found.values() if not is_deleted(pair[0])]
        listed = ListedInventory.of(live, now=now, account=account, region=region)
        return replace(listed, _causes=causes)


class ListeningDoor:
    """A door behind which nothing is but a pair of ears; `answers` are what operations return, faults included."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.answers: dict[str, Mapping[str, Any] | Fault] = {}

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        account: str,
        region: str,
        as_: Principal,
    ) -> Mapping[str, Any]:
        self.calls.append((f"{service}:{operation}", parameters))
        answer = self.answers.get(f"{service}:{operation}", {})
        if isinstance(answer, Fault):
            raise answer
        return answer

    def heard(self, call: str) -> list[Mapping[str, Any]]:
        return [parameters for name, parameters in self.calls if name == call]


class House:
    """Everything that judges, driven by hand."""

    def __init__(self) -> None:
        load()
        self.world = SimulatedWorld(seed=7)
        self.store = MemoryStore(self.world)
        self.derived = Derived(None)
        self.runner = Runner(self.store, self.world)
        self.door = ListeningDoor()
        self.tokens = ResultTokens(b"k" * 32)
        self.listeners = VerdictListeners(self.world)
        self.results = Results(self.store, self.derived, self.runner)
        self.engine = Engine(self.store, self.world, self.results, LedgerInventories(self.store), self.listeners)
        self.runner.add(self.engine)
        self.runner.add(self.results.follower)
        self.runner.add_timer(PeriodicTimer(self.store, self.engine, self.results))
        invoker = Invoker(self.store, self.world, self.door, self.tokens)
        self.runner.add_shipper(EvaluationShipper(self.engine, invoker))
        self.runner.add_shipper(NoticeShipper(self.store, self.world, Messenger(self.door)))

    def settle(self) -> None:
        self.runner.run_until_idle()

    def pass_time(self, **span: float) -> None:
        self.world.advance(timedelta(**span))
        self.settle()

    def rule(self, identifier: str, name: str = "", **document: Any) -> str:
        """Configure a managed rule and have it evaluated once."""
        source = {"Owner": "AWS", "SourceIdentifier": identifier}
        return self.configure({"ConfigRuleName": name or identifier.lower(), "Source": source, **document})

    def configure(self, document: Mapping[str, Any]) -> str:
        name = document["ConfigRuleName"]
        identity = {"ConfigRuleId": f"config-rule-{name}", "ConfigRuleArn": f"arn:aws:config:::config-rule/{name}"}
        key = ShelfKey(ACCOUNT, REGION, RULE_KIND, name)
        value = {"ConfigRule": {**document, **identity}}
        rule = ConfiguredRule.of(key, value)
        schedule = schedule_line(rule, self.world.now()).append(ACCOUNT, REGION)
        first = evaluation_row(self.world, ACCOUNT, REGION, name, {})
        self.store.commit(Commit(appends=[schedule], shelf=[ShelfChange(key, value)], outbox=[first]))
        self.settle()
        return str(name)

    def item(
        self,
        part: Mapping[str, Any],
        *,
        kind: str = VOLUME,
        facts: Mapping[str, Any] | None = None,
        cause: Mapping[str, Any] | None = None,
    ) -> None:
        """Record an item a second later, and let everything follow."""
        self.world.advance(timedelta(seconds=1))
        item = whole({"configurationItemCaptureTime": moment_text(self.world.now())} | dict(part), kind)
        recorded = Recorded(item, facts or {}, cause, key=item["resourceId"])
        self.store.commit(Commit(appends=[line(ACCOUNT, REGION, recorded)]))
        self.settle()

    def volume(self, name: str, *, encrypted: bool, attached: bool = True, **part: Any) -> None:
        attachments = [{"instanceId": "i-1"}] if attached else []
        configuration = {"attachments": attachments, "encrypted": encrypted}
        self.item({"resourceId": name, "configuration": configuration, **part})

    def deleted(self, name: str, kind: str = VOLUME) -> None:
        self.item({"resourceId": name, "configurationItemStatus": "ResourceDeleted", "configuration": None}, kind=kind)

    def verdicts(self, rule: str) -> dict[str, str]:
        return {each.id: each.compliance for each in self.of(rule)}

    def of(self, rule: str) -> Sequence[Result]:
        return self.results.of_rule(ACCOUNT, REGION, rule)

    def close(self) -> None:
        self.derived.close()
