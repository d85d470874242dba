"""aws:executeAutomation: an automation inside an automation, begun through the front door as the execution's role.

https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-executeAutomation.html
"""

from collections.abc import Mapping
from typing import Any

from trailstate.remediation.action import Done, Outcome, StepFailed, StepRun, Waiting, action
from trailstate.remediation.execution import WAITER, texts, waiter_of, wake_row
from trailstate.stores.interface import ShelfChange, ShelfKey

LOOK_AGAIN_SECONDS = 60.0
"""The child's end wakes its parent at once; this is for a child whose end was never told."""


@action("aws:executeAutomation", outputs=("ExecutionId", "Status", "Output"))
def execute_automation(
    step: StepRun,
    *,
    DocumentName: str,
    DocumentVersion: str | None = None,
    RuntimeParameters: Mapping[str, Any] | None = None,
) -> Outcome:
    """Start the document and wait for its end; the step fails if the child does.

    First the waiter is kept, then the child is started: its end can then never come too early to be told. The token
    makes a start that is repeated after a crash the same start.
    """
    token = step.key
    if "token" not in step.memory:
        return Waiting(0.0, {"token": token}, changes=[_waiter(step, token)])
    parameters: dict[str, Any] = {"DocumentName": DocumentName, "ClientToken": token}
    if DocumentVersion is not None:
        parameters["DocumentVersion"] = DocumentVersion
    if RuntimeParameters:
        parameters["Parameters"] = {name: texts(value) for name, value in RuntimeParameters.items()}
    child = (
        step.memory.get("child")
        or step.hands.call("ssm", "StartAutomationExecution", parameters)["AutomationExecutionId"]
    )
    ended = step.ended(str(child))
    if ended is None:
        return Waiting(LOOK_AGAIN_SECONDS, {"token": token, "child": child})
    status = ended["AutomationExecutionStatus"]
    output = [each for values in ended.get("Outputs", {}).values() for each in values]
    outputs = {"ExecutionId": child, "Status": status, "Output": output}
    if status != "Success":
        raise StepFailed(
            f"the automation {child} ended as {status}: {ended.get('FailureMessage', '')}", "Child", outputs
        )
    return Done(outputs)


def _waiter(step: StepRun, token: str) -> ShelfChange:
    row = wake_row(step.account, step.region, step.execution, f"child-{token}")
    return ShelfChange(ShelfKey(step.account, step.region, WAITER, token), waiter_of(row))
