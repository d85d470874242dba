"""One invocation of a Lambda function: its role taken on, its handler run in the sandbox, its log lines delivered.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
"""

import math
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from trailstate.functions.archive import BadArchive, Codes
from trailstate.functions.log import Logs
from trailstate.functions.program import Program, Ran, Refused, Sandbox, SpawnFailed
from trailstate.functions.role import Roles, RoleSession
from trailstate.functions.surroundings import surroundings
from trailstate.wire.fault import Fault, faults
from trailstate.wire.spelling import NOT_SUPPORTED
from trailstate.world import World

fault = faults("lambda")

SERVICE = "lambda.amazonaws.com"
PYTHON = re.compile(r"python3\.\d+")
TAIL_BYTES = 4096
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Invocation:
    """What an invocation gave: the answer or the error as JSON text, and the end of its log."""

    payload: bytes
    failed: bool
    log_tail: bytes
    version: str


class Invoker:
    """Runs functions. Safe from any thread."""

    def __init__(
        self, world: World, sandbox: Sandbox, roles: Roles, codes: Codes, logs: Logs, at_once_max: int
    ) -> None:
        """`at_once_max` functions may run at the same time: each of them may itself need somebody to answer it."""
        self._world = world
        self._sandbox = sandbox
        self._roles = roles
        self._codes = codes
        self._logs = logs
        self._slots = threading.BoundedSemaphore(at_once_max)

    def invoke(
        self,
        config: Mapping[str, Any],
        code: str | None,
        event: Any,
        *,
        account: str,
        region: str,
        request_id: str,
        arn: str,
        client_context: Any = None,
    ) -> Invocation:
        """Returns when the handler has ended and its log is delivered; raises Lambda's faults when it cannot run."""
        _refuse_unknown(config, code)
        session = self._session(config, account, region)
        stream = self._logs.stream(config, session.principal, account=account, region=region)
        facts = _context(config, request_id, arn, stream.group, stream.name, client_context)
        with self._slot():
            ran = self._run(config, str(code), event, session, facts, region)
        lines = _lines(config, request_id, ran)
        self._logs.write(stream, lines)
        tail = "".join(f"{line}\n" for line in lines).encode()[-TAIL_BYTES:]
        return Invocation(ran.payload, ran.failed, tail, str(config["Version"]))

    def _session(self, config: Mapping[str, Any], account: str, region: str) -> RoleSession:
        try:
            return self._roles.session(SERVICE, config["Role"], config["FunctionName"], account=account, region=region)
        except Fault as error:
            raise fault.InvalidParameterValueException(
                f"The role defined for the function cannot be assumed by Lambda: {error.message}"
            ) from error

    def _run(
        self,
        config: Mapping[str, Any],
        code: str,
        event: Any,
        session: RoleSession,
        facts: Mapping[str, Any],
        region: str,
    ) -> Ran:
        try:
            directory = self._codes.unpacked(code)
            variables = dict(config.get("Environment", {}).get("Variables", {}))
            own = _variables(config, facts, str(directory))
            program = Program(
                handler=config["Handler"],
                event=event,
                environment=variables | surroundings(session.credentials, region) | own,
                seconds=float(config["Timeout"]),
                memory_mib=int(config["MemorySize"]),
                code=directory,
                context=facts,
            )
            return self._sandbox.run(program)
        except (Refused, SpawnFailed) as error:
            raise fault.ServiceException(str(error)) from error
        except BadArchive as error:
            raise fault.InvalidZipFileException(str(error)) from error

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(blocking=False):
            raise fault.TooManyRequestsException("Rate Exceeded.", Reason="ConcurrentInvocationLimitExceeded")
        try:
            yield
        finally:
            self._slots.release()


def _refuse_unknown(config: Mapping[str, Any], code: str | None) -> None:
    runtime = str(config.get("Runtime") or "a container image")
    if code is None or PYTHON.fullmatch(runtime) is None:
        raise fault.InvalidRuntimeException(f"The runtime {runtime} {NOT_SUPPORTED}; python3.x is.")
    if config.get("Layers"):
        raise fault.InvalidRuntimeException(f"A function with layers {NOT_SUPPORTED}.")


def _context(
    config: Mapping[str, Any], request_id: str, arn: str, group: str, stream: str, client_context: Any
) -> dict[str, Any]:
    return {
        "aws_request_id": request_id,
        "function_name": config["FunctionName"],
        "function_version": config["Version"],
        "invoked_function_arn": arn,
        "memory_limit_in_mb": str(config["MemorySize"]),
        "log_group_name": group,
        "log_stream_name": stream,
        "client_context": client_context,
    }


def _variables(config: Mapping[str, Any], facts: Mapping[str, Any], root: str) -> dict[str, str]:
    return {
        "_HANDLER": config["Handler"],
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
        "AWS_LAMBDA_FUNCTION_NAME": config["FunctionName"],
        "AWS_LAMBDA_FUNCTION_VERSION": config["Version"],
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config["MemorySize"]),
        "AWS_LAMBDA_LOG_GROUP_NAME": facts["log_group_name"],
        "AWS_LAMBDA_LOG_STREAM_NAME": facts["log_stream_name"],
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "LAMBDA_TASK_ROOT": root,
    }


def _lines(config: Mapping[str, Any], request_id: str, ran: Ran) -> list[str]:
    """What Lambda writes around what the handler printed."""
    milliseconds = ran.seconds * 1000
    report = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {milliseconds:.2f} ms",
        f"Billed Duration: {math.ceil(milliseconds)} ms",
        f"Memory Size: {config['MemorySize']} MB",
        f"Max Memory Used: {ran.resident_bytes // MIB} MB",
    ]
    printed = ran.log.decode("utf-8", "replace").splitlines()
    return [
        f"START RequestId: {request_id} Version: {config['Version']}",
        *printed,
        *_told(ran),
        f"END RequestId: {request_id}",
        "\t".join(report),
    ]


def _told(ran: Ran) -> list[str]:
    """The error of a program that could not say it itself."""
    failed = msgspec.json.decode(ran.payload) if ran.failed else {}
    own = str(failed.get("errorType", "")) in {"Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory"}
    return [str(failed["errorMessage"])] if own else []
