"""Automation documents run here, one step a turn; what a turn did and that the next is due commit together.

All state lives in the store (`execution`), every turn is an outbox row, and a row of an earlier turn does nothing. So a
run goes on after a crash with the step whose outcome was not kept: a step may happen twice, never half and never out of
order.
"""

import copy
import json
from dataclasses import replace

from trailstate.follow import Later
from trailstate.remediation import rate
from trailstate.remediation.document import BadDocument, automation
from trailstate.remediation.execution import Execution, caller_of, is_over, is_waiting, key_of, new_execution
from trailstate.remediation.means import Means
from trailstate.remediation.parameters import typed
from trailstate.remediation.turn import Turn, farewell
from trailstate.stores.interface import Commit, OutboxRow, ShelfChange, ShelfKey


class Automations:
    """The shipper of all executions."""

    prefix = "automation/"

    def __init__(self, means: Means) -> None:
        self._means = means

    def ship(self, row: OutboxRow) -> Commit:
        """Take the turn that the row asks for, if it is still to be taken."""
        order = json.loads(row.body)
        key = key_of(order["account"], order["region"], order["execution"])
        document = self._means.store.get(key)
        if document is None or is_over(document.value) or order["turn"] not in (None, document.value["state"]["turn"]):
            return Commit()
        execution = copy.deepcopy(document.value)
        is_wake = order["turn"] is None
        if is_wake and not is_waiting(execution):
            return Commit()
        if "targets" in execution["state"]:
            return self._rate(key, execution, document.version)
        try:
            turn = Turn(self._means, key, execution)
        except BadDocument as error:  # kept by another version, which knew an action that this one does not
            return self._given_up(key, execution, document.version, str(error))
        waiting = turn.take()
        execution["state"]["lane"] += int(is_wake)
        if waiting is None:
            return turn.commit(document.version)
        kept = turn.kept(document.version)
        if is_wake:
            return kept
        raise Later(f"the step '{execution['state']['next']}' waits", waiting.seconds, kept)

    def _given_up(self, key: ShelfKey, execution: Execution, version: int, reason: str) -> Commit:
        ended = {
            "ExecutionEndTime": self._means.now.isoformat(),
            "FailureMessage": f"The document cannot be run: {reason}.",
        }
        execution |= {"AutomationExecutionStatus": "Failed", **ended}
        rows, changes = farewell(self._means, key, execution)
        return Commit(shelf=[ShelfChange(key, execution, version), *changes], outbox=rows)

    def _rate(self, key: ShelfKey, parent: Execution, version: int) -> Commit:
        """Look at a parent's children; the row is done, because each child's end sends another."""
        commit, over = rate.turn(
            parent,
            key,
            version,
            now=self._means.now.isoformat(),
            ended=self._means.ended(key.account, key.region),
            new_child=lambda target, token: self._child(parent, target, token),
            new_id=self._means.new_id,
        )
        if not over:
            return commit
        rows, changes = farewell(self._means, key, parent)
        return replace(commit, shelf=[*commit.shelf, *changes], outbox=[*commit.outbox, *rows])

    def _child(self, parent: Execution, target: rate.Parameters, token: str) -> Execution:
        state = parent["state"]
        given = {**parent["Parameters"], **target}
        made = automation(state["content"], self._means.actions)
        return new_execution(
            self._means.new_id(),
            document={**parent, "Name": parent["DocumentName"], "content": state["content"]},
            given=given,
            values=typed(made.parameters, given),
            caller=caller_of(parent),
            now=self._means.now,
            first_step=next(iter(made.steps)),
            token=token,
        )
