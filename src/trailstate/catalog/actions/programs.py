"""aws:executeScript and aws:invokeLambdaFunction: a program of the document's own, and one that stands in Lambda.

https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-executeScript.html
https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-lamb.html
"""

import base64
import json
import re
from typing import Any

from trailstate.remediation.action import Done, Outcome, Script, StepFailed, StepRun, action

SCRIPT_TIMEOUT_SECONDS = 600
PYTHON = re.compile(r"python3(\.\d+)?")


@action("aws:executeScript", outputs=("Payload", "OutputPayload"), timeout_seconds=SCRIPT_TIMEOUT_SECONDS)
def execute_script(
    step: StepRun, *, Runtime: str, Handler: str | None = None, Script: str | None = None, InputPayload: Any = None
) -> Outcome:
    """Run the script's handler on the payload, in the sandbox, under the execution's role."""
    if PYTHON.fullmatch(Runtime) is None:
        raise StepFailed(f"the runtime '{Runtime}' is not supported by Trailstate yet; python3.x is", "InvalidInput")
    if not Script or not Handler:
        raise StepFailed("a Python script has a Script and names its Handler", "InvalidInput")
    seconds = min(step.seconds_left, SCRIPT_TIMEOUT_SECONDS)
    result = step.hands.run(_script(Script, Handler, InputPayload, seconds))
    payload = {"Payload": result.value}
    return Done({**payload, "OutputPayload": payload}, source=payload)


def _script(text: str, handler: str, payload: Any, seconds: float) -> Script:
    return Script(text, handler, {} if payload is None else payload, seconds)


@action("aws:invokeLambdaFunction", outputs=("StatusCode", "FunctionError", "LogResult", "Payload"))
def invoke_lambda_function(
    step: StepRun,
    *,
    FunctionName: str,
    InvocationType: str = "RequestResponse",
    LogType: str = "None",
    ClientContext: str | None = None,
    Qualifier: str | None = None,
    Payload: str | None = None,
    InputPayload: Any = None,
) -> Outcome:
    """Call the function, and fail if it does."""
    payload = json.dumps(InputPayload) if InputPayload is not None else Payload or "{}"
    optional = {"ClientContext": ClientContext, "Qualifier": Qualifier}
    parameters = {
        "FunctionName": FunctionName,
        "InvocationType": InvocationType,
        "LogType": LogType,
        "Payload": payload.encode(),
        **{name: value for name, value in optional.items() if value is not None},
    }
    answer = step.hands.call("lambda", "Invoke", parameters)
    outputs = {
        "StatusCode": answer.get("StatusCode", 0),
        "Payload": bytes(answer.get("Payload") or b"").decode("utf-8", "replace"),
        "LogResult": base64.b64decode(answer.get("LogResult") or "").decode("utf-8", "replace"),
    }
    if answer.get("FunctionError"):
        failure = {**outputs, "FunctionError": answer["FunctionError"]}
        raise StepFailed(f"the function answered with an error: {outputs['Payload'][:1000]}", "FunctionError", failure)
    return Done(outputs)
