"""Runs admitted queries: each in a process of its own behind the sandbox, with bounds of time and memory.

A process is started ahead of time, so that a question does not wait for one. It sees the directories named in the
order, read-only, and ends with its query: nothing that one query does can reach the next.
"""

import contextlib
import logging
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from trailstate.lake import dialect
from trailstate.lake.session import Order, Told, read_frame, write_frame
from trailstate.sandbox.spawn import MIB, Child, Files, Limits, SpawnFailed, spawn

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

MEMORY_MIB = 1024
SECONDS_MAX = 30.0
START_SECONDS_MAX = 20.0
LIMITED_ROWS = 1000
"""Up to this LIMIT the rows of an answer are chosen first, and their wide columns read then."""

LIMITS = Limits(memory_bytes=4096 * MIB, file_bytes=256 * MIB, processes=64, open_files=4096)


class QueryFailed(Exception):
    """The engine refused the query or could not finish it; the message says why, `kind` is the engine's word for it."""

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one query may use."""

    seconds: float = SECONDS_MAX
    memory_mib: int = MEMORY_MIB
    threads: int = 2


class Engine:
    """Safe from any thread: each query has a process of its own."""

    def __init__(self, directories: Sequence[Path], bounds: Bounds = Bounds()) -> None:
        """`directories` are what queries may read from."""
        self._directories = tuple(directories)
        self._bounds = bounds
        self._lock = threading.Lock()
        self._spare: _Process | None = None
        self._closed = False

    def warm(self) -> None:
        """Have a process ready for the next query."""
        with self._lock:
            if self._spare is None and not self._closed:
                self._spare = _Process(self._directories)

    @contextlib.contextmanager
    def run(
        self, query: str, views: Sequence[str] = (), bounds: Bounds | None = None
    ) -> Iterator["pa.RecordBatchReader"]:
        """The answer as a stream of batches, to be read inside the block; QueryFailed. `query` has passed the gate."""
        bounds = bounds or self._bounds
        process = self._taken()
        alarm = threading.Timer(bounds.seconds, process.overdue)
        alarm.daemon = True
        alarm.start()
        try:
            yield process.ask(self._order(query, views, bounds))
        except (OSError, ValueError) as error:
            raise QueryFailed(process.ending(bounds) or f"the engine's answer broke off: {error}") from error
        finally:
            alarm.cancel()
            process.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._spare is not None:
                self._spare.close()
                self._spare = None

    def _taken(self) -> "_Process":
        with self._lock:
            process, self._spare = self._spare, None
        process = process or _Process(self._directories)
        threading.Thread(target=self.warm, name="engine-warm", daemon=True).start()
        return process

    def _order(self, query: str, views: Sequence[str], bounds: Bounds) -> Order:
        allowed = ", ".join(_quoted(str(each)) for each in self._directories)
        settings = [
            f"SET memory_limit = '{bounds.memory_mib}MiB'",
            f"SET threads = {bounds.threads}",
            "SET TimeZone = 'UTC'",
            "SET preserve_insertion_order = false",
            f"SET late_materialization_max_rows = {LIMITED_ROWS}",
            "SET temp_directory = ''",
            "SET autoinstall_known_extensions = false",
            "SET autoload_known_extensions = false",
            f"SET allowed_directories = [{allowed}]",
        ]
        return Order(settings, [*dialect.session_macros(), *views], query)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class _Process:
    """One engine process, good for one query."""

    def __init__(self, directories: Sequence[Path]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        argv = [sys.executable, "-P", "-m", "trailstate.lake.child", str(theirs.fileno())]
        try:
            self._child: Child = spawn(
                argv, sockets=[theirs.fileno()], limits=LIMITS, files=Files(readable=list(directories))
            )
        except SpawnFailed as error:
            ours.close()
            raise QueryFailed(str(error)) from error
        finally:
            theirs.close()
        ours.settimeout(START_SECONDS_MAX)
        self._socket = ours
        self._stream: Any = ours.makefile("rwb")
        self._is_overdue = False
        self._said = b""
        self._listener = threading.Thread(target=self._listen, args=(self._child.stderr,), daemon=True)
        self._listener.start()

    def ask(self, order: Order) -> "pa.RecordBatchReader":
        """Hand the order over; the stream of its answer."""
        import pyarrow as pa

        self._told()
        self._socket.settimeout(None)
        write_frame(self._stream, msgspec.json.encode(order))
        told = self._told()
        if told.error:
            raise QueryFailed(told.error, told.kind)
        return pa.ipc.open_stream(self._stream)

    def overdue(self) -> None:
        self._is_overdue = True
        self._child.kill()

    def ending(self, bounds: Bounds) -> str:
        """Why the process went away over a query; empty when it did not."""
        if self._is_overdue:
            return f"the query took longer than {bounds.seconds:g} seconds and was ended"
        if self._child.wait(1.0):
            return f"the query was ended: it used more than its {bounds.memory_mib} MiB of memory, or broke the engine"
        return ""

    def close(self) -> None:
        self._child.kill()
        with contextlib.suppress(OSError, ValueError):
            self._stream.close()
        self._socket.close()
        self._child.wait(5.0)
        self._listener.join(5.0)

    def _told(self) -> Told:
        frame = read_frame(self._stream)
        if frame is None:
            raise OSError(f"it said: {self._said[-500:].decode('utf-8', 'replace').strip()}")
        return msgspec.json.decode(frame, type=Told)

    def _listen(self, stream: IO[bytes] | None) -> None:
        assert stream is not None
        with stream:
            for line in iter(lambda: stream.readline(8192), b""):
                self._said = (self._said + line)[-4000:]
