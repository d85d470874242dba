"""One handler, run once in the sandbox: bounded in time, memory, output and answer, and without any way but AWS's out.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from trailstate.functions import child
from trailstate.functions.relay import SOCKET_NAME, Relay
from trailstate.sandbox import interpreter, protection
from trailstate.sandbox.resident import resident_bytes
from trailstate.sandbox.spawn import MIB, Child, Files, Limits, SpawnFailed, spawn
from trailstate.world import World

LENGTH = struct.Struct("!I")
ANSWER_BYTES_MAX = 6 * MIB
LOG_BYTES_MAX = MIB
ROOM_BYTES = 1024 * MIB
"""Address space that an interpreter with boto3 reserves beyond what it uses."""
SCRATCH_BYTES = 512 * MIB
WATCH_SECONDS = 0.05
CHUNK_BYTES = 65_536


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
    resident_bytes: int


class Sandbox:
    """Runs programs. Safe from any thread."""

    def __init__(self, world: World, relay: Relay, *, allows_unsafe: bool) -> None:
        self._world = world
        self._relay = relay
        self._allows_unsafe = allows_unsafe

    def run(self, program: Program) -> Ran:
        """Returns when the program is over and its process gone. Raises Refused, and SpawnFailed."""
        if not (protection.available().isolates or self._allows_unsafe):
            raise Refused(
                "Users' code runs in a sandbox only, and there is none on this machine: install bubblewrap (bwrap), or "
                "allow it unprotected with the setting unsafe_functions."
            )
        began = self._world.monotonic()
        outside = self._relay.open()
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                started = _spawn(program, theirs.fileno(), outside)
            log = _Log(started)
            try:
                answer, peak = _converse(ours, started, _order(program, outside), program)
                if answer == b"":  # it went by itself: its status says how
                    started.wait(1.0)
            finally:
                started.kill()
                started.wait(5.0)
        text = log.finish()
        payload, failed = _told(answer, started, program)
        return Ran(payload, failed, text, self._world.monotonic() - began, peak)


def _spawn(program: Program, descriptor: int, outside: Path) -> Child:
    memory = program.memory_mib * MIB + ROOM_BYTES
    seconds = int(program.seconds) + 2
    limits = Limits(
        memory_bytes=memory,
        cpu_seconds=2 * seconds,
        file_bytes=SCRATCH_BYTES,
        processes=64,
        open_files=256,
        scratch_bytes=SCRATCH_BYTES,
    )
    shown = [outside] if program.code is None else [outside, program.code]
    argv = [interpreter.executable(), "-P", child.__file__, str(descriptor)]
    quiet = {"PYTHONDONTWRITEBYTECODE": "1", "MALLOC_ARENA_MAX": "1"}
    return spawn(argv, sockets=[descriptor], limits=limits, files=Files(readable=shown), environment=quiet)


def _order(program: Program, outside: Path) -> bytes:
    order = {
        "handler": program.handler,
        "event": program.event,
        "environment": dict(program.environment),
        "seconds": program.seconds,
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


def _converse(line: socket.socket, started: Child, order: bytes, program: Program) -> tuple[bytes | _Cut, int]:
    """Send the order and gather the answer, watching time, memory and size; the answer is empty if it just ended."""
    sender = threading.Thread(target=_send, args=(line, order), daemon=True)
    sender.start()
    buffer = bytearray()
    peak, waited = 0, 0.0
    allowed = program.memory_mib * MIB
    while True:
        readable, _, _ = select.select([line], [], [], WATCH_SECONDS)
        peak = max(peak, resident_bytes(started.pid))
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


def _told(answer: bytes | _Cut, started: Child, program: Program) -> tuple[bytes, bool]:
    if isinstance(answer, _Cut):
        return _error(program, answer.kind, answer.message), True
    if not _is_whole(bytearray(answer)):
        status = "unknown" if started.returncode is None else started.returncode
        message = f"Error: Runtime exited with error: exit status {status}"
        return _error(program, "Runtime.ExitError", message), True
    try:
        given = msgspec.json.decode(answer[LENGTH.size :])
        if "value" in given:
            return str(given["value"]).encode(), False
        return msgspec.json.encode(given["error"]), True
    except (msgspec.DecodeError, KeyError, TypeError):
        return _error(program, "Runtime.InvalidResponse", "Error: Runtime gave an answer that is none"), True


def _error(program: Program, kind: str, message: str) -> bytes:
    request = program.context.get("aws_request_id")
    return msgspec.json.encode(
        {"errorType": kind, "errorMessage": f"RequestId: {request} {message}" if request else message}
    )


class _Log:
    """What a child prints, as much as is kept; the rest is read and dropped, so that printing never fills memory."""

    def __init__(self, started: Child) -> None:
        self._kept = bytearray()
        self._dropped = 0
        self._thread = threading.Thread(target=self._read, args=(started,), name="function log", daemon=True)
        self._thread.start()

    def finish(self) -> bytes:
        """Everything kept, once the child's end of the pipe is closed."""
        self._thread.join(5.0)
        if self._dropped:
            self._kept += f"\n[{self._dropped} further bytes of output were dropped]\n".encode()
        return bytes(self._kept)

    def _read(self, started: Child) -> None:
        assert started.stderr is not None
        with contextlib.suppress(OSError, ValueError):
            while chunk := started.stderr.read1(CHUNK_BYTES):  # type: ignore[attr-defined]
                room = LOG_BYTES_MAX - len(self._kept)
                self._kept += chunk[:room]
                self._dropped += max(0, len(chunk) - max(room, 0))
            started.stderr.close()


__all__ = ["Program", "Ran", "Refused", "Sandbox", "SpawnFailed"]
