"""Scripts of automation documents, run in the sandbox that Lambda functions run in."""

import msgspec

from trailstate.functions.program import Program, Refused, Sandbox, SpawnFailed
from trailstate.functions.role import Credentials
from trailstate.functions.surroundings import surroundings
from trailstate.remediation.action import Script, ScriptResult, StepFailed

MEMORY_MIB = 512


class SandboxedScripts:
    """Runs each in a fresh process that knows its own inputs and the credentials of its role (`means.Scripts`)."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def run(self, script: Script, credentials: Credentials, region: str) -> ScriptResult:
        program = Program(
            handler=script.handler,
            event=script.payload,
            environment=surroundings(credentials, region),
            seconds=script.timeout_seconds,
            memory_mib=MEMORY_MIB,
            script=script.text,
        )
        try:
            ran = self._sandbox.run(program)
        except (Refused, SpawnFailed) as error:
            raise StepFailed(str(error), "SandboxUnavailable") from error
        log = ran.log.decode("utf-8", "replace")
        value = msgspec.json.decode(ran.payload)
        if ran.failed:
            kind = str(value.get("errorType") or "Unknown")
            message = f"the script failed with {kind}: {value.get('errorMessage', '')}"
            raise StepFailed(message, "TimedOut" if kind == "Sandbox.Timedout" else kind, {"Log": log[-4096:]})
        return ScriptResult(value, log)
