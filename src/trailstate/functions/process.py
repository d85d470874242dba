"""One process in the sandbox that waits for its order: started bare, or prepared with boto3 before anybody needs it.

A prepared process knows nothing of what it will run: no event, no credentials, no environment of the program. It is
shown the files and given the memory of one kind of program only, because neither can be changed from outside later.
"""

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass
from pathlib import Path

from trailstate.functions import child
from trailstate.sandbox import interpreter
from trailstate.sandbox.spawn import MIB, Child, Files, Limits, spawn

LENGTH = struct.Struct("!I")
LOG_BYTES_MAX = MIB
ROOM_BYTES = 1024 * MIB
"""Address space that an interpreter with boto3 reserves beyond what it uses."""
SCRATCH_BYTES = 512 * MIB
CHUNK_BYTES = 65_536
START_SECONDS_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Room:
    """What must be known of a program before its process starts; programs with equal rooms may take the same one."""

    outside: Path
    code: Path | None
    code_inode: int | None
    """A directory that was deleted and made again is another one: the process would still see the first."""
    memory_mib: int


def room_of(outside: Path, code: Path | None, memory_mib: int) -> Room:
    return Room(outside, code, None if code is None else code.stat().st_ino, memory_mib)


class Process:
    """A started process. Its clock begins to run when it is `ready` and sent its order, not before."""

    def __init__(self, place: Room, *, is_prepared: bool) -> None:
        """Raises SpawnFailed."""
        self.line, theirs = socket.socketpair()
        try:
            with theirs:
                self.started = _spawn(place, theirs.fileno(), is_prepared=is_prepared)
        except BaseException:
            self.line.close()
            raise
        self._log = _Log(self.started)

    def ready(self) -> bool:
        """Wait until it can take its order; False when it ended instead."""
        self.line.settimeout(START_SECONDS_MAX)
        try:
            told = self.line.recv(len(child.READY))
        except OSError:
            return False
        self.line.settimeout(None)
        return told == child.READY

    def end(self) -> bytes:
        """Everything it printed; it is gone when this returns."""
        self.started.kill()
        self.started.wait(5.0)
        self.line.close()
        return self._log.finish()


def _spawn(place: Room, descriptor: int, *, is_prepared: bool) -> Child:
    limits = Limits(
        memory_bytes=place.memory_mib * MIB + ROOM_BYTES,
        # Processor time is limited by the order: what waiting costs is not known before.
        cpu_seconds=None,
        file_bytes=SCRATCH_BYTES,
        processes=64,
        open_files=256,
        scratch_bytes=SCRATCH_BYTES,
    )
    shown = [place.outside] if place.code is None else [place.outside, place.code]
    argv = [interpreter.executable(), "-P", child.__file__, str(descriptor)]
    if is_prepared:
        argv.append(str(place.code or ""))
    quiet = {"PYTHONDONTWRITEBYTECODE": "1", "MALLOC_ARENA_MAX": "1"}
    return spawn(argv, sockets=[descriptor], limits=limits, files=Files(readable=shown), environment=quiet)


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
                left = LOG_BYTES_MAX - len(self._kept)
                self._kept += chunk[:left]
                self._dropped += max(0, len(chunk) - max(left, 0))
            started.stderr.close()
