"""Periodic rules are asked again when a recorder that starts has looked at everything: until then they see half of it.

A rule that is put just after its recorder was started would say INSUFFICIENT_DATA of what is not known yet, for a day.
"""

from trailstate.compliance.configured import RULE_KIND, ConfiguredRule
from trailstate.compliance.engine import Engine
from trailstate.configuration.recorder import Home
from trailstate.configuration.trigger import EVERYTHING
from trailstate.follow import Runner
from trailstate.stores.interface import Commit, OutboxRow, Store

PREFIX = "discovered/"


def discovered_row(home: Home, reason: str) -> OutboxRow:
    """Ask the periodic rules once what is to be looked at now was looked at; `reason` makes the row unique."""
    queue = f"{PREFIX}{home.account}/{home.region}"
    return OutboxRow(queue, f"{queue}/{reason}", b"")


class Discovered:
    """Waits for the looks, and asks (`follow.Shipper`)."""

    prefix = PREFIX

    def __init__(self, store: Store, runner: Runner, engine: Engine) -> None:
        self._store = store
        self._runner = runner
        self._engine = engine

    def ship(self, row: OutboxRow) -> Commit:
        account, region = row.queue.removeprefix(PREFIX).split("/")
        for queue in self._store.queues(f"{EVERYTHING}{account}/{region}/"):
            self._runner.drain(EVERYTHING, queue)
        rows: list[OutboxRow] = []
        for key, found in self._store.documents(account, region, RULE_KIND):
            if ConfiguredRule.of(key, found.value).period_seconds:
                rows += self._engine.evaluate(account, region, key.name)
        return Commit(outbox=rows)
