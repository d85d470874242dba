"""One run of an automation document as it stands on the Shelf: AWS's members in AWS's spelling, times as ISO 8601 text,
and under `state` what the runner needs to go on from there after any interruption.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AutomationExecution.html
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from trailstate.remediation.substitute import as_text
from trailstate.stores.interface import OutboxRow, ShelfKey
from trailstate.wire.call import Principal

EXECUTION = "ssm.execution"
TOKEN = "ssm.token"  # noqa: S105 - a kind of document
WAITER = "ssm.waiter"
QUEUE = "automation/"

OVER = frozenset({"Success", "TimedOut", "Cancelled", "Failed"})
TIMES = ("ExecutionStartTime", "ExecutionEndTime")

Execution = dict[str, Any]


def key_of(account: str, region: str, execution: str) -> ShelfKey:
    return ShelfKey(account, region, EXECUTION, execution)


def is_over(execution: Mapping[str, Any]) -> bool:
    return execution["AutomationExecutionStatus"] in OVER


def is_waiting(execution: Mapping[str, Any]) -> bool:
    """Whether its step has been called and is to be called again: only a waiting step is kept without an end. What has
    targets waits for them from the beginning."""
    steps = execution["StepExecutions"]
    return "targets" in execution["state"] or (bool(steps) and "ExecutionEndTime" not in steps[-1])


def new_execution(
    execution: str,
    *,
    document: Mapping[str, Any],
    given: Mapping[str, Sequence[str]],
    values: Mapping[str, Any],
    caller: Principal,
    now: datetime,
    first_step: str,
    token: str | None = None,
) -> Execution:
    """An execution that is about to begin. `document` has Name, DocumentVersion and content, and is kept whole: later
    versions of it do not change what runs."""
    return {
        "AutomationExecutionId": execution,
        "DocumentName": document["Name"],
        "DocumentVersion": document["DocumentVersion"],
        "ExecutionStartTime": now.isoformat(),
        "AutomationExecutionStatus": "InProgress",
        "StepExecutions": [],
        "Parameters": {name: list(each) for name, each in given.items()},
        "Mode": "Auto",
        "ExecutedBy": caller.arn or caller.invoked_by or caller.principal_id,
        "state": {
            "content": document["content"],
            "values": dict(values),
            "caller": msgspec.to_builtins(caller),
            "token": token,
            "turn": 1,
            "lane": 0,
            "next": first_step,
            "attempt": 1,
            "count": 0,
            "memory": {},
            "signals": [],
            "outputs": {},
            "failure": None,
        },
    }


def caller_of(execution: Mapping[str, Any]) -> Principal:
    return msgspec.convert(execution["state"]["caller"], Principal)


def queue_of(account: str, region: str, execution: str) -> str:
    return f"{QUEUE}{account}/{region}/{execution}"


def turn_row(account: str, region: str, execution: Mapping[str, Any]) -> OutboxRow:
    """What makes the runner take the execution's next turn. A row of an earlier turn does nothing.

    A waiting step holds its queue back; once something else has ended the wait, turns go on in another lane.
    """
    name, state = execution["AutomationExecutionId"], execution["state"]
    body = {"account": account, "region": region, "execution": name, "turn": state["turn"]}
    queue = f"{queue_of(account, region, name)}/{state['lane']}"
    return OutboxRow(queue, f"{name}/{state['turn']}", json.dumps(body).encode())


def wake_row(account: str, region: str, execution: str, because: str) -> OutboxRow:
    """What makes the runner look at a waiting execution at once; `because` makes the row unique."""
    body = {"account": account, "region": region, "execution": execution, "turn": None}
    queue = f"{queue_of(account, region, execution)}/{because}"
    return OutboxRow(queue, f"{execution}/{because}", json.dumps(body).encode())


def waiter_of(row: OutboxRow) -> dict[str, Any]:
    """A row as it is left to be sent when an execution is over."""
    return {"queue": row.queue, "id": row.id, "body": json.loads(row.body)}


def waiting_row(waiter: Mapping[str, Any]) -> OutboxRow:
    """The row that somebody left to be sent when an execution is over."""
    return OutboxRow(waiter["queue"], waiter["id"], json.dumps(waiter["body"]).encode())


def texts(value: Any) -> list[str]:
    """A value as the API shows outputs and parameters: a list of texts."""
    return [as_text(each) for each in value] if isinstance(value, list) else [as_text(value)]


def shown(execution: Mapping[str, Any]) -> dict[str, Any]:
    """The execution as GetAutomationExecution answers it."""
    answer = {name: value for name, value in execution.items() if name not in {"state", "StepExecutions"}}
    steps = [_step_shown(each) for each in execution["StepExecutions"]]
    answer |= {name: datetime.fromisoformat(answer[name]) for name in TIMES if name in answer}
    return answer | {"StepExecutions": steps, "StepExecutionsTruncated": False}


def _step_shown(step: Mapping[str, Any]) -> dict[str, Any]:
    return dict(step) | {name: datetime.fromisoformat(step[name]) for name in TIMES if name in step}
