"""One handler, run once in the sandbox: bounded in time, memory, output and answer, and without any way but AWS's out.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

import contextlib
import select
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from trailstate.functions.process import CHUNK_BYTES, LENGTH, Process, room_of
from trailstate.functions.relay import SOCKET_NAME, Relay
from trailstate.functions.spare import Spares, bare
from trailstate.sandbox import protection
from trailstate.sandbox.resident import resident_bytes
from trailstate.sandbox.spawn import MIB, Child, SpawnFailed
from trailstate.world import World

ANSWER_BYTES_MAX = 6 * MIB
WATCH_SECONDS = 0.05


class Refused(Exception):
    """No sandbox isolates on this machine, and the settings do not allow users' code without one."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. Either `code` is a directory and `handler` names module and function, or `script` is the text."""

    handler: str
    event: Any
    environment: Mapping[str, str]
    seconds: float
    memory_mib: int = 512
    code: Path | None = None
    script: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of it. `payload` is the JSON text of the answer, or of the error when `failed`."""

    payload: bytes
    failed: bool
    log: bytes
    seconds: float
    """From the order to the end; starting the process is not counted, as Lambda does not."""
    resident_bytes: int


class Sandbox:
    """Runs programs. Safe from any thread."""

    def __init__(self, world: World, relay: Relay, *, allows_unsafe: bool) -> None:
        self._world = world
        self._relay = relay
        self._spares = Spares()
        self._allows_unsafe = allows_unsafe

    def run(self, program: Program) -> Ran:
        """Returns when the program is over and its own process gone. Raises Refused, SpawnFailed."""
        if not (protection.available().isolates or self._allows_unsafe):
            raise Refused(
                "Users' code runs in a sandbox only, and there is none on this machine: install bubblewrap (bwrap), or "
                "allow it unprotected with the setting unsafe_functions."
            )
        place = room_of(self._relay.open(), program.code, program.memory_mib)
        process = self._spares.take(place) if _may_use_boto3(program) else bare(place)
        began = self._world.monotonic()
        try:
            answer, peak = _converse(process, _order(program, place.outside), program)
            if answer == b"":  # it went by itself: its status says how
                process.started.wait(1.0)
        finally:
            log = process.end()
        told = _told(answer, process.started, program)
        if told.used_boto3:
            self._spares.prepare(place)
        return Ran(told.payload, told.failed, log, self._world.monotonic() - began, peak)

    def close(self) -> None:
        """Prepared processes end, and so does the way out."""
        self._spares.close()
        self._relay.close()


def _may_use_boto3(program: Program) -> bool:
    """Of a function it is known only when it ran: there is a process prepared for it if it did."""
    return program.script is None or "boto" in program.script


def _order(program: Program, outside: Path) -> bytes:
    order = {
        "handler": program.handler,
        "event": program.event,
        "environment": dict(program.environment),
        "seconds": program.seconds,
        "cpu_seconds": 2 * (int(program.seconds) + 2),
        "code": None if program.code is None else str(program.code),
        "script": program.script,
        "context": dict(program.context),
        "outside": str(outside / SOCKET_NAME),
    }
    body = msgspec.json.encode(order)
    return LENGTH.pack(len(body)) + body


@dataclass(frozen=True, slots=True)
class _Cut:
    """Why a program was ended before it answered."""

    kind: str
    message: str


def _converse(process: Process, order: bytes, program: Program) -> tuple[bytes | _Cut, int]:
    """Send the order and gather the answer, watching time, memory and size; the answer is empty if it just ended."""
    line = process.line
    sender = threading.Thread(target=_send, args=(line, order), daemon=True)
    sender.start()
    buffer = bytearray()
    peak, waited = 0, 0.0
    allowed = program.memory_mib * MIB
    while True:
        readable, _, _ = select.select([line], [], [], WATCH_SECONDS)
        peak = max(peak, resident_bytes(process.started.pid))
        if readable:
            try:
                chunk = line.recv(CHUNK_BYTES)
            except OSError:
                chunk = b""
            buffer += chunk
            if len(buffer) > ANSWER_BYTES_MAX + LENGTH.size:
                message = f"Response payload size exceeded maximum allowed payload size ({ANSWER_BYTES_MAX} bytes)."
                return _Cut("Function.ResponseSizeTooLarge", message), peak
            if not chunk or _is_whole(buffer):
                return bytes(buffer), peak
            continue
        waited += WATCH_SECONDS
        if peak > allowed:
            return _Cut("Runtime.OutOfMemory", "Error: Runtime exited with error: signal: killed"), peak
        if waited >= program.seconds:
            return _Cut("Sandbox.Timedout", f"Error: Task timed out after {program.seconds:.2f} seconds"), peak


def _send(line: socket.socket, order: bytes) -> None:
    with contextlib.suppress(OSError):
        line.sendall(order)


def _is_whole(buffer: bytearray) -> bool:
    return len(buffer) >= LENGTH.size and len(buffer) >= LENGTH.size + int(LENGTH.unpack_from(buffer)[0])


@dataclass(frozen=True, slots=True)
class _Told:
    """What an answer says."""

    payload: bytes
    failed: bool = True
    used_boto3: bool = False


def _told(answer: bytes | _Cut, started: Child, program: Program) -> _Told:
    if isinstance(answer, _Cut):
        return _Told(_error(program, answer.kind, answer.message))
    if not _is_whole(bytearray(answer)):
        status = "unknown" if started.returncode is None else started.returncode
        message = f"Error: Runtime exited with error: exit status {status}"
        return _Told(_error(program, "Runtime.ExitError", message))
    try:
        given = msgspec.json.decode(answer[LENGTH.size :])
        used_boto3 = bool(given["boto3"])
        if "value" in given:
            return _Told(str(given["value"]).encode(), failed=False, used_boto3=used_boto3)
        return _Told(msgspec.json.encode(given["error"]), used_boto3=used_boto3)
    except (msgspec.DecodeError, KeyError, TypeError):
        return _Told(_error(program, "Runtime.InvalidResponse", "Error: Runtime gave an answer that is none"))


def _error(program: Program, kind: str, message: str) -> bytes:
    request = program.context.get("aws_request_id")
    return msgspec.json.encode(
        {"errorType": kind, "errorMessage": f"RequestId: {request} {message}" if request else message}
    )


__all__ = ["Program", "Ran", "Refused", "Sandbox", "SpawnFailed"]
