"""What the clock and the operations ask for: periodic rules when they are due, and evaluations on demand."""

from datetime import datetime, timedelta

import msgspec

from trailstate.compliance.custom import Invoker
from trailstate.compliance.engine import EVALUATION_QUEUE, Engine
from trailstate.compliance.results import Due, Results
from trailstate.stores.interface import Commit, OutboxRow, Store
from trailstate.values.timestamp import from_epoch

MISSED_RUNS_MAX = 48
"""A clock set far forward is not made up for in every hour of it: only the last runs are."""


class PeriodicTimer:
    """Runs each periodic rule when it is due, and as often as it was missed."""

    name = "compliance schedule"

    def __init__(self, store: Store, engine: Engine, results: Results) -> None:
        self._store = store
        self._engine = engine
        self._results = results

    def due(self) -> datetime | None:
        seconds = self._results.next_due()
        return None if seconds is None else from_epoch(seconds)

    def run(self, now: datetime) -> None:
        for due in self._results.due(int(now.timestamp())):
            for moment in missed(due, now):
                rows = self._engine.evaluate(due.account, due.region, due.rule, scheduled=moment)
                if rows:
                    self._store.commit(Commit(outbox=rows))


def missed(due: Due, now: datetime) -> list[datetime]:
    """When the rule should have run since it last did, oldest first."""
    first = from_epoch(due.last)
    period = timedelta(seconds=due.seconds)
    count = (now - first) // period
    return [first + period * number for number in range(max(1, count - MISSED_RUNS_MAX + 1), count + 1)]


class EvaluationShipper:
    """Does the evaluations that operations asked for: of everything in a rule's scope, or one call of a function."""

    prefix = EVALUATION_QUEUE

    def __init__(self, engine: Engine, invoker: Invoker) -> None:
        self._engine = engine
        self._invoker = invoker

    def ship(self, row: OutboxRow) -> Commit:
        asked = msgspec.json.decode(row.body)
        if "item" in asked or "scheduled" in asked:
            return self._invoker.invoke(asked)
        return Commit(outbox=self._engine.evaluate(asked["account"], asked["region"], asked["rule"]))
