"""Automation executions: started, read, told something, stopped. Running them is the work of `remediation.execute`.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartAutomationExecution.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.remediation import rate
from trailstate.remediation.action import ACTIONS
from trailstate.remediation.document import BadDocument, automation, read_content
from trailstate.remediation.execution import (
    EXECUTION,
    TOKEN,
    WAITER,
    Execution,
    is_over,
    is_waiting,
    key_of,
    new_execution,
    shown,
    turn_row,
    waiting_row,
    wake_row,
)
from trailstate.remediation.library import Library, NoDocument, NoVersion, version_of
from trailstate.remediation.parameters import BadParameter, typed
from trailstate.services.operation import operation
from trailstate.services.paging import page
from trailstate.services.ssm.automation_filter import EXECUTION_FILTERS, STEP_FILTERS, passes, plain_filters
from trailstate.services.ssm.target import resolved
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call, Door
from trailstate.wire.fault import faults
from trailstate.wire.spelling import NOT_SUPPORTED
from trailstate.world import World

fault = faults("ssm")

PAGE_SIZE = 50


@operation("ssm")
def start_automation_execution(
    call: Call,
    shelf: StagedShelf,
    library: Library,
    world: World,
    door: Door,
    *,
    DocumentName: str,
    DocumentVersion: str | None = None,
    Parameters: Mapping[str, Sequence[str]] | None = None,
    ClientToken: str | None = None,
    Mode: str | None = None,
    TargetParameterName: str | None = None,
    Targets: Sequence[Mapping[str, Any]] | None = None,
    TargetMaps: Sequence[Mapping[str, Any]] | None = None,
    MaxConcurrency: str | None = None,
    MaxErrors: str | None = None,
    TargetLocations: Sequence[Mapping[str, Any]] | None = None,
    Tags: Sequence[Mapping[str, str]] | None = None,
    AlarmConfiguration: Mapping[str, Any] | None = None,
    TargetLocationsURL: str | None = None,
) -> dict[str, Any]:
    """Begin an execution; the same token begins it once. It runs under the document's assumeRole, or as the caller."""
    if TargetLocations or TargetLocationsURL:
        raise fault.InvalidTarget(f"An execution with TargetLocations {NOT_SUPPORTED}.")
    if Mode == "Interactive" or AlarmConfiguration:
        message = f"An execution in the mode Interactive or with AlarmConfiguration {NOT_SUPPORTED}."
        raise fault.InvalidAutomationExecutionParametersException(message)
    token_key = ShelfKey(call.account, call.region, TOKEN, ClientToken or "")
    asked = {"DocumentName": DocumentName, "Parameters": {k: list(v) for k, v in (Parameters or {}).items()}}
    known = shelf.get(token_key) if ClientToken else None
    if known is not None:
        if known["asked"] != asked:
            raise fault.IdempotentParameterMismatch("The token was used for an execution with other parameters.")
        return {"AutomationExecutionId": known["execution"]}
    targets = resolved(call, door, TargetParameterName, Targets or (), TargetMaps or ())
    execution = _begun(call, library, shelf, world.uuid(), DocumentName, DocumentVersion, asked, ClientToken, targets)
    if targets is not None:
        given = {"Targets": Targets, "TargetMaps": TargetMaps, "TargetParameterName": TargetParameterName}
        execution |= {name: value for name, value in given.items() if value}
        _spread(execution, targets, MaxConcurrency or rate.CONCURRENCY, MaxErrors or rate.ERRORS)
    shelf.put(key_of(call.account, call.region, execution["AutomationExecutionId"]), execution)
    shelf.send(turn_row(call.account, call.region, execution))
    if ClientToken:
        shelf.put(token_key, {"asked": asked, "execution": execution["AutomationExecutionId"]})
    return {"AutomationExecutionId": execution["AutomationExecutionId"]}


def _spread(execution: Execution, targets: Sequence[rate.Parameters], concurrency: str, errors: str) -> None:
    """Make the execution the parent of one for each target."""
    try:
        execution["state"]["targets"] = rate.plan(targets, concurrency, errors)
    except rate.BadRate as error:
        raise fault.InvalidAutomationExecutionParametersException(f"{error}.") from error
    values = [value for target in targets for each in target.values() for value in each]
    shown = {"ParameterValues": values[: rate.TARGETS_MAX], "Truncated": False}
    execution |= {"MaxConcurrency": concurrency, "MaxErrors": errors, "ResolvedTargets": shown}


def _begun(
    call: Call,
    library: Library,
    shelf: StagedShelf,
    name: str,
    document_name: str,
    version: str | None,
    asked: Mapping[str, Any],
    token: str | None,
    targets: Sequence[rate.Parameters] | None,
) -> Execution:
    document = _document(call, shelf, library, document_name, version)
    try:
        made = automation(document["content"], ACTIONS)
        every = [typed(made.parameters, {**asked["Parameters"], **target}) for target in targets or ({},)]
    except (BadDocument, BadParameter) as error:
        raise fault.InvalidAutomationExecutionParametersException(f"{document_name}: {error}.") from error
    return new_execution(
        name,
        document=document,
        given=asked["Parameters"],
        values=every[0],
        caller=call.principal,
        now=call.now,
        first_step=next(iter(made.steps)),
        token=token,
    )


def _document(call: Call, shelf: StagedShelf, library: Library, name: str, version: str | None) -> dict[str, Any]:
    try:
        document = library.find(shelf.get, call.account, call.region, name)
        number = version_of(document, version)
    except NoDocument as error:
        raise fault.AutomationDefinitionNotFoundException(f"Automation document {name} does not exist.") from error
    except NoVersion as error:
        raise fault.AutomationDefinitionVersionNotFoundException(str(error.args[0])) from error
    if document["DocumentType"] != "Automation":
        raise fault.AutomationDefinitionNotFoundException(f"The document {name} is not an Automation document.")
    content = read_content(document["versions"][number]["Content"])
    return {"Name": name, "DocumentVersion": number, "content": content}


@operation("ssm")
def get_automation_execution(call: Call, shelf: StagedShelf, *, AutomationExecutionId: str) -> dict[str, Any]:
    return {"AutomationExecution": shown(_execution(call, shelf, AutomationExecutionId))}


@operation("ssm")
def describe_automation_step_executions(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    AutomationExecutionId: str,
    Filters: Sequence[Mapping[str, Any]] | None = None,
    NextToken: str | None = None,
    MaxResults: int | None = None,
    ReverseOrder: bool | None = None,
) -> dict[str, Any]:
    """The steps so far, oldest first unless asked otherwise."""
    steps: list[dict[str, Any]] = shown(_execution(call, shelf, AutomationExecutionId))["StepExecutions"]
    chosen = [each for each in steps if passes(each, Filters or (), STEP_FILTERS)]
    if ReverseOrder:
        chosen.reverse()
    question = ["steps", call.account, call.region, AutomationExecutionId, plain_filters(Filters), ReverseOrder]
    limit = MaxResults or PAGE_SIZE
    found, token = page(tokens, question, chosen, limit=limit, token=NextToken, refuse=fault.InvalidNextToken)
    return {"StepExecutions": found} | ({"NextToken": token} if token else {})


@operation("ssm")
def describe_automation_executions(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    Filters: Sequence[Mapping[str, Any]] | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The executions of the account and region that pass every filter, newest first."""
    every = [shown(each) for _, each in shelf.documents(call.account, call.region, EXECUTION)]
    chosen = [each for each in every if passes(each, Filters or (), EXECUTION_FILTERS)]
    chosen.sort(key=lambda each: (each["ExecutionStartTime"], each["AutomationExecutionId"]), reverse=True)
    question = ["executions", call.account, call.region, plain_filters(Filters)]
    limit = MaxResults or PAGE_SIZE
    found, token = page(tokens, question, chosen, limit=limit, token=NextToken, refuse=fault.InvalidNextToken)
    listed = [{name: value for name, value in each.items() if name in METADATA} for each in found]
    listed = [each | {"AutomationType": "Local"} for each in listed]
    return {"AutomationExecutionMetadataList": listed} | ({"NextToken": token} if token else {})


METADATA = frozenset(
    {
        "AutomationExecutionId", "DocumentName", "DocumentVersion", "AutomationExecutionStatus", "ExecutionStartTime",
        "ExecutionEndTime", "ExecutedBy", "Outputs", "Mode", "ParentAutomationExecutionId", "CurrentStepName",
        "CurrentAction", "FailureMessage", "TargetParameterName", "Targets", "ResolvedTargets", "MaxConcurrency",
        "MaxErrors", "Target",
    }
)  # fmt: skip


@operation("ssm")
def stop_automation_execution(
    call: Call, shelf: StagedShelf, *, AutomationExecutionId: str, Type: str = "Complete"
) -> dict[str, Any]:
    """No further step runs. A step that is running is not interrupted; what it does is not kept."""
    execution = _execution(call, shelf, AutomationExecutionId)
    if is_over(execution):
        status = execution["AutomationExecutionStatus"]
        raise fault.InvalidAutomationStatusUpdateException(f"The execution is over; its status is {status}.")
    _cancel(call, shelf, execution)
    return {}


def _cancel(call: Call, shelf: StagedShelf, execution: Execution) -> None:
    """End the execution where it stands, and those of its targets."""
    now = call.now.isoformat()
    execution |= {"AutomationExecutionStatus": "Cancelled", "ExecutionEndTime": now}
    execution["FailureMessage"] = f"Execution was cancelled by {call.principal.arn}"
    steps = [dict(each) for each in execution["StepExecutions"]]
    if steps and is_waiting(execution):
        steps[-1] |= {"StepStatus": "Cancelled", "ExecutionEndTime": now}
    _keep(call, shelf, execution | {"StepExecutions": steps})
    _tell_waiter(call, shelf, execution["state"]["token"])
    for child in execution["state"].get("targets", {}).get("running", ()):
        found = shelf.get(key_of(call.account, call.region, child))
        if found is not None and not is_over(found):
            _cancel(call, shelf, dict(found))


def _tell_waiter(call: Call, shelf: StagedShelf, token: str | None) -> None:
    key = ShelfKey(call.account, call.region, WAITER, token or "")
    waiter = shelf.get(key) if token else None
    if waiter is not None:
        shelf.send(waiting_row(waiter))
        shelf.delete(key)


SIGNALS = {"aws:approve": ("Approve", "Reject"), "aws:pause": ("Resume",)}


@operation("ssm")
def send_automation_signal(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    AutomationExecutionId: str,
    SignalType: str,
    Payload: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Approve, reject or resume the step that waits for it."""
    execution = _execution(call, shelf, AutomationExecutionId)
    current = execution.get("CurrentAction")
    if not is_waiting(execution) or SignalType not in SIGNALS.get(str(current), ()):
        raise fault.InvalidAutomationSignalException(
            f"The signal {SignalType} means nothing to the execution, whose current action is {current}."
        )
    signal = {"SignalType": SignalType, "By": call.principal.arn, "Payload": dict(Payload or {})}
    execution["state"] = execution["state"] | {"signals": [*execution["state"]["signals"], signal]}
    _keep(call, shelf, execution)
    shelf.send(wake_row(call.account, call.region, AutomationExecutionId, f"signal-{world.uuid()}"))
    return {}


def _execution(call: Call, shelf: StagedShelf, name: str) -> Execution:
    execution = shelf.get(key_of(call.account, call.region, name))
    if execution is None:
        raise fault.AutomationExecutionNotFoundException(f"Automation execution with ID {name} does not exist.")
    return dict(execution)


def _keep(call: Call, shelf: StagedShelf, execution: Execution) -> None:
    shelf.put(key_of(call.account, call.region, execution["AutomationExecutionId"]), execution)
