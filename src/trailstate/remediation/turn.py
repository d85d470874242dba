"""One turn of an execution: the step that is due is run, and what follows from its outcome is kept in one commit.

https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-common-properties
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trailstate.remediation.action import Done, Outcome, StepFailed, StepRun, Waiting
from trailstate.remediation.document import Step, substituted_inputs
from trailstate.remediation.execution import WAITER, Execution, is_over, texts, turn_row
from trailstate.remediation.means import Means
from trailstate.remediation.parameters import TYPES
from trailstate.remediation.substitute import Unresolved, substitute
from trailstate.stores.interface import Commit, OutboxRow, ShelfChange, ShelfKey
from trailstate.values.jsonpath import Absent, BadPath, find
from trailstate.wire.fault import Fault

STEPS_RUN_MAX = 500
"""How many steps one execution may run: a branch may lead back, and must not do so for ever."""
SHOWN_CHARACTERS_MAX = 4096
BAD_INPUT = (TypeError, ValueError, LookupError, AttributeError)
"""What an action raises over inputs of another shape than it expects: a document may give it anything."""


class Turn:
    """One turn of one execution: the changes to its document, and the rows that follow."""

    def __init__(self, means: Means, key: ShelfKey, execution: Execution) -> None:
        self._means = means
        self._key = key
        self._execution = execution
        self._state: dict[str, Any] = execution["state"]
        self._changes: list[ShelfChange] = []
        self._is_changed = False
        self._automation = means.compiled(execution)

    def take(self) -> Waiting | None:
        """Run the step that is due, or call a waiting one again; what it waits for, if it does."""
        step = self._automation.steps[self._state["next"]]
        shown = self._shown(step)
        try:
            self._check_time(step, shown)
            outcome = self._run(step, shown)
            if isinstance(outcome, Done):
                self._succeed(step, shown, outcome)
                return None
        except Fault as fault:
            self._fail(step, shown, StepFailed(f"{fault.code}: {fault.message}", fault.code))
            return None
        except StepFailed as failed:
            self._fail(step, shown, failed)
            return None
        self._wait(shown, outcome)
        return outcome

    def commit(self, version: int) -> Commit:
        """What the turn leaves behind: the document, and the row of the next turn or of whoever waits for the end."""
        if is_over(self._execution):
            rows, changes = self._farewell()
        else:
            self._state["turn"] += 1
            rows, changes = [turn_row(self._key.account, self._key.region, self._execution)], []
        kept = ShelfChange(self._key, self._execution, version)
        return Commit(shelf=[kept, *self._changes, *changes], outbox=rows)

    def kept(self, version: int) -> Commit:
        """What a step that waits leaves behind: nothing, if nothing has changed since it was called before."""
        return (
            Commit(shelf=[ShelfChange(self._key, self._execution, version), *self._changes])
            if self._is_changed
            else Commit()
        )

    def _shown(self, step: Step) -> dict[str, Any]:
        """The step's entry in the execution: the open one, or a new one."""
        steps: list[dict[str, Any]] = self._execution["StepExecutions"]
        if steps and steps[-1]["StepName"] == step.name and "ExecutionEndTime" not in steps[-1]:
            return steps[-1]
        if self._state["attempt"] > 1 and steps and steps[-1]["StepName"] == step.name:
            steps.pop()
        self._is_changed = True
        steps.append(
            {
                "StepName": step.name,
                "Action": step.action,
                "TimeoutSeconds": int(step.timeout_seconds),
                "OnFailure": step.on_failure,
                "MaxAttempts": step.max_attempts,
                "ExecutionStartTime": self._means.now.isoformat(),
                "StepStatus": "InProgress",
                "Inputs": {},
                "StepExecutionId": self._means.new_id(),
                "IsEnd": step.is_end,
                "IsCritical": step.is_critical,
            }
        )
        if step.next_step:
            steps[-1]["NextStep"] = step.next_step
        self._execution |= {"CurrentStepName": step.name, "CurrentAction": step.action}
        return steps[-1]

    def _check_time(self, step: Step, shown: Mapping[str, Any]) -> None:
        passed = (self._means.now - datetime.fromisoformat(shown["ExecutionStartTime"])).total_seconds()
        if passed > step.timeout_seconds:
            raise StepFailed(f"the step did not end within {step.timeout_seconds:g} seconds", "TimedOut")
        if self._state["count"] >= STEPS_RUN_MAX:
            raise StepFailed(f"the execution has run {STEPS_RUN_MAX} steps, and may run no more", "LoopProtection")

    def _run(self, step: Step, shown: dict[str, Any]) -> Outcome:
        action = self._means.action(step.action)
        inputs = {**step.inputs, **self._resolved(substituted_inputs(step))}
        shown["Inputs"] = {
            name: json.dumps(value)[:SHOWN_CHARACTERS_MAX] for name, value in inputs.items() if name != "Script"
        }
        role = self._resolved(self._automation.assume_role) if self._automation.assume_role else ""
        run = StepRun(
            account=self._key.account,
            region=self._key.region,
            execution=self._key.name,
            key=f"{shown['StepExecutionId']}",
            now=self._means.now,
            started=datetime.fromisoformat(shown["ExecutionStartTime"]),
            timeout_seconds=step.timeout_seconds,
            memory=self._state["memory"],
            signals=self._state["signals"],
            hands=self._means.hands(self._key, self._execution, str(role)),
            ended=self._means.ended(self._key.account, self._key.region),
        )
        try:
            return action.function(run, **inputs)
        except BAD_INPUT as error:
            message = f"the inputs do not fit {step.action}: {type(error).__name__}: {error}"
            raise StepFailed(message, "InvalidInput") from error

    def _resolved(self, value: Any) -> Any:
        try:
            return substitute(value, self._look_up)
        except Unresolved as error:
            raise StepFailed(str(error.args[0]), "Unresolved") from error

    def _look_up(self, name: str) -> Any:
        now = self._means.now
        fixed = {
            "automation:EXECUTION_ID": self._key.name,
            "global:DATE": f"{now:%Y-%m-%d}",
            "global:DATE_TIME": f"{now:%Y-%m-%d_%H.%M.%S}",
            "global:REGION": self._key.region,
            "global:ACCOUNT_ID": self._key.account,
        }
        if name in fixed:
            return fixed[name]
        head, *rest = name.removeprefix("variable:").split(".")
        known: Mapping[str, Any] = {
            **self._automation.variables,
            **self._state["outputs"],
            **self._state["values"],
        }
        value: Any = known
        for part in (head, *rest):
            if not isinstance(value, Mapping) or part not in value:
                raise Unresolved(f"'{{{{ {name} }}}}' has no value: '{part}' is not there")
            value = value[part]
        return value

    def _succeed(self, step: Step, shown: dict[str, Any], outcome: Done) -> None:
        source = outcome.outputs if outcome.source is None else outcome.source
        outputs = {**outcome.outputs, **{each["Name"]: _selected(each, source) for each in step.outputs}}
        self._state["outputs"][step.name] = outputs
        shown |= {"StepStatus": "Success", "Outputs": {name: texts(value) for name, value in outputs.items()}}
        self._close(shown)
        follows = outcome.next_step or step.next_step or self._automation.after(step.name)
        self._go(None if step.is_end and outcome.next_step is None else follows)

    def _fail(self, step: Step, shown: dict[str, Any], failed: StepFailed) -> None:
        shown |= {
            "StepStatus": "TimedOut" if failed.kind == "TimedOut" else "Failed",
            "FailureMessage": str(failed)[:SHOWN_CHARACTERS_MAX],
            "FailureDetails": {"FailureStage": "Invocation", "FailureType": failed.kind},
        }
        if failed.outputs:
            shown["Outputs"] = {name: texts(value) for name, value in failed.outputs.items()}
        self._close(shown)
        if self._state["attempt"] < step.max_attempts and failed.kind != "LoopProtection":
            self._state["attempt"] += 1
            return
        if step.is_critical:
            self._state["failure"] = f"Step '{step.name}' failed: {failed}"[:SHOWN_CHARACTERS_MAX]
        if step.on_failure == "Abort" or failed.kind == "LoopProtection":
            self._state["failure"] = f"Step '{step.name}' failed: {failed}"[:SHOWN_CHARACTERS_MAX]
            self._end(shown["StepStatus"])
        elif step.on_failure == "Continue":
            self._go(None if step.is_end else step.next_step or self._automation.after(step.name))
        else:
            self._go(step.on_failure.removeprefix("step:"))

    def _close(self, shown: dict[str, Any]) -> None:
        shown["ExecutionEndTime"] = self._means.now.isoformat()
        self._state |= {"memory": {}, "signals": []}
        self._state["count"] += 1

    def _wait(self, shown: dict[str, Any], waiting: Waiting) -> None:
        memory = dict(waiting.memory)
        self._is_changed = self._is_changed or memory != self._state["memory"] or bool(waiting.changes)
        shown["StepStatus"] = self._execution["AutomationExecutionStatus"] = waiting.status
        self._state["memory"] = memory
        self._changes += waiting.changes

    def _go(self, name: str | None) -> None:
        self._state["attempt"] = 1
        self._execution["AutomationExecutionStatus"] = "InProgress"
        if name is None:
            self._end("Success" if self._state["failure"] is None else "Failed")
        else:
            self._state["next"] = name

    def _end(self, status: str) -> None:
        self._execution |= {"AutomationExecutionStatus": status, "ExecutionEndTime": self._means.now.isoformat()}
        if self._state["failure"] is not None:
            self._execution["FailureMessage"] = self._state["failure"]
        self._execution["Outputs"] = self._outputs()
        self._state["next"] = None
        for name in ("CurrentStepName", "CurrentAction"):
            self._execution.pop(name, None)

    def _outputs(self) -> dict[str, list[str]]:
        outputs = {}
        for name in self._automation.outputs:
            step, _, member = str(name).partition(".")
            value = self._state["outputs"].get(step, {}).get(member)
            if value is not None:
                outputs[str(name)] = texts(value)
        return outputs

    def _farewell(self) -> tuple[Sequence[OutboxRow], Sequence[ShelfChange]]:
        return farewell(self._means, self._key, self._execution)


def farewell(means: Means, key: ShelfKey, execution: Execution) -> tuple[Sequence[OutboxRow], Sequence[ShelfChange]]:
    """What follows from the end of an execution: whoever waits for it is told."""
    token = execution["state"]["token"]
    if token is None:
        return [], []
    waiter = ShelfKey(key.account, key.region, WAITER, token)
    row = means.waiter(waiter)
    return ([], []) if row is None else ([row], [ShelfChange(waiter, None)])


def _selected(output: Mapping[str, str], source: Any) -> Any:
    try:
        value = find(output["Selector"], source)
        return TYPES[output["Type"]](value)
    except (Absent, BadPath) as error:
        raise StepFailed(f"the output '{output['Name']}' cannot be read: {error}", "InvalidOutput") from error
    except (ValueError, TypeError) as error:
        raise StepFailed(f"the output '{output['Name']}' is not a {output['Type']}", "InvalidOutput") from error
