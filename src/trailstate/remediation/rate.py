"""One document for many targets: so many at a time, and no further once too many have failed.

The parent execution runs no steps of its own; its children are executions like any other, and each child's end wakes
it. What it knows of them (`state.targets`) and the children it starts commit together.

https://docs.aws.amazon.com/systems-manager/latest/userguide/running-automations-scale-controls.html
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trailstate.remediation.execution import (
    WAITER,
    Execution,
    key_of,
    turn_row,
    waiter_of,
    wake_row,
)
from trailstate.stores.interface import Commit, OutboxRow, ShelfChange, ShelfKey

CONCURRENCY = "10"
ERRORS = "0"
TARGETS_MAX = 500
FIGURE = re.compile(r"([1-9]\d{0,6}|0)(%?)")

Parameters = Mapping[str, Sequence[str]]
NewChild = Callable[[Parameters, str], Execution]
"""Makes the execution of one target; the text is the token under which its end is told."""


class BadRate(ValueError):
    """A figure that is neither a number nor a percentage."""


def figure(text: str, count: int, *, least: int) -> int:
    """What `10` or `10%` means for so many targets, but at least `least`."""
    matched = FIGURE.fullmatch(text)
    if matched is None:
        raise BadRate(f"a rate is a number or a percentage, such as 10 or 10%; found '{text}'")
    number = int(matched.group(1))
    return max(least, math.floor(count * number / 100) if matched.group(2) else number)


def plan(targets: Sequence[Parameters], concurrency: str, errors: str) -> dict[str, Any]:
    """The state of a parent that has started nothing yet."""
    return {
        "pending": [{name: list(values) for name, values in each.items()} for each in targets],
        "running": [],
        "ended": [],
        "failed": 0,
        "at_once": figure(concurrency, len(targets), least=1),
        "errors_max": figure(errors, len(targets), least=0),
    }


def turn(
    parent: Execution,
    key: ShelfKey,
    version: int,
    *,
    now: str,
    ended: Callable[[str], Mapping[str, Any] | None],
    new_child: NewChild,
    new_id: Callable[[], str],
) -> tuple[Commit, bool]:
    """What the parent commits after a look at its children, and whether it is over."""
    targets: dict[str, Any] = parent["state"]["targets"]
    _count(parent, targets, ended, now)
    rows: list[OutboxRow] = []
    changes: list[ShelfChange] = []
    has_failed = targets["failed"] > targets["errors_max"]
    while targets["pending"] and len(targets["running"]) < targets["at_once"] and not has_failed:
        child, more = _begin(parent, key, targets["pending"].pop(0), new_child, new_id())
        targets["running"].append(child["AutomationExecutionId"])
        changes += more
        rows.append(turn_row(key.account, key.region, child))
    over = not targets["running"] and (has_failed or not targets["pending"])
    if over:
        parent |= {"AutomationExecutionStatus": "Failed" if has_failed else "Success", "ExecutionEndTime": now}
        if has_failed:
            parent["FailureMessage"] = f"{targets['failed']} targets failed; at most {targets['errors_max']} may."
    return Commit(shelf=[ShelfChange(key, parent, version), *changes], outbox=rows), over


def _count(
    parent: Execution, targets: dict[str, Any], ended: Callable[[str], Mapping[str, Any] | None], now: str
) -> None:
    for name in list(targets["running"]):
        child = ended(name)
        if child is None:
            continue
        targets["running"].remove(name)
        targets["ended"].append(name)
        status = child["AutomationExecutionStatus"]
        targets["failed"] += int(status != "Success")
        parent["StepExecutions"].append(_step(child, status, now))


def _step(child: Mapping[str, Any], status: str, now: str) -> dict[str, Any]:
    """How a child stands among its parent's steps."""
    step = {
        "StepName": child["AutomationExecutionId"],
        "Action": "aws:executeAutomation",
        "StepStatus": status,
        "ExecutionStartTime": child["ExecutionStartTime"],
        "ExecutionEndTime": child.get("ExecutionEndTime", now),
        "StepExecutionId": child["AutomationExecutionId"],
        "Inputs": {"Target": child.get("Target", "")},
        "Outputs": {"ExecutionId": [child["AutomationExecutionId"]]},
    }
    return step | ({"FailureMessage": child["FailureMessage"]} if "FailureMessage" in child else {})


def _begin(
    parent: Execution, key: ShelfKey, target: Parameters, new_child: NewChild, token: str
) -> tuple[Execution, list[ShelfChange]]:
    child = new_child(target, token)
    child["ParentAutomationExecutionId"] = parent["AutomationExecutionId"]
    child["Target"] = ", ".join(value for values in target.values() for value in values)
    waiter = waiter_of(wake_row(key.account, key.region, parent["AutomationExecutionId"], f"child-{token}"))
    kept = [
        ShelfChange(key_of(key.account, key.region, child["AutomationExecutionId"]), child),
        ShelfChange(ShelfKey(key.account, key.region, WAITER, token), waiter),
    ]
    return child, kept
