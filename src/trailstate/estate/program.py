"""The simulator's process as its parent sees it: started in the sandbox, asked one thing at a time, ended for good.

A `Program` serves one process; when that dies the owner makes another.
"""

import os
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from trailstate.estate.frames import Answer, BadFrame, Done, Line, LineClosed, Question
from trailstate.estate.turns import Place, Turns
from trailstate.estate.upcalls import Settle, Upcalls
from trailstate.sandbox.spawn import MIB, Child, Limits, SpawnFailed, spawn

START_SECONDS_MAX = 60.0
CLOSE_SECONDS = 5.0
LOG_BYTES_MAX = MIB
LINES_KEPT = 20
LIMITS = Limits(memory_bytes=4096 * MIB, file_bytes=1024 * MIB, processes=256, open_files=1024)
ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
    "PYTHONWARNINGS": "ignore",
    "MOTO_DISABLE_GLOBAL_CORS": "true",
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    # glibc gives each thread an arena of its own; one is enough for a process that serves one request at a time.
    "MALLOC_ARENA_MAX": "1",
}


class Ended(Exception):
    """The process is gone, or had to be ended; the message says how."""


class Program:
    """One process. Questions are sent by one thread at a time and answered one by one, in that order; each asker waits
    for its own answer, so that the next question lies ready when one is answered."""

    def __init__(self, epoch_microseconds: int, log: "Log", ours: Sequence[str], settle: Settle) -> None:
        """`ours` marks the resource types that the simulator leaves to `settle` (see `estate.stacks`)."""
        self._log = log
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(3)]
        sockets = [theirs.fileno() for _, theirs in pairs]
        arguments = [*map(str, sockets), str(epoch_microseconds), *ours]
        argv = [sys.executable, "-P", "-m", "trailstate.estate.child", *arguments]
        try:
            self._child: Child = spawn(argv, sockets=sockets, limits=LIMITS, environment=ENVIRONMENT)
        except SpawnFailed as error:
            for end, _ in pairs:
                end.close()
            raise Ended(str(error)) from error
        finally:
            for _, theirs in pairs:
                theirs.close()
        questions, answers, upward = (end for end, _ in pairs)
        assert self._child.stderr is not None
        self._listener = threading.Thread(target=log.follow, args=(self._child.stderr,), name="estate-log", daemon=True)
        self._listener.start()
        self._line: Line[Answer] = Line(answers, Answer, questions)
        self.upcalls = Upcalls(upward, settle)
        self._answers = Turns()
        self._seconds = 0.0
        self._ready = False
        self._lost = False

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return not self._lost and not self._child.ended.is_set()

    def await_ready(self) -> None:
        """Return once it can serve."""
        if not self._ready:
            answer, _ = self._receive(START_SECONDS_MAX)
            assert isinstance(answer, Done)
            self._ready = True

    @property
    def busy(self) -> bool:
        """Whether it owes somebody an answer."""
        return self._answers.busy

    def send(self, question: Question, attachment: int | None, timeout_seconds: float) -> Place:
        """Hand a question over; what to give `receive`. Ended when it cannot be taken."""
        try:
            self._wait_at_most(timeout_seconds)
            self._line.send(question, attachment)
        except (LineClosed, TimeoutError) as error:
            raise self._end_it(f"it did not take the request: {error}") from error
        return self._answers.queue_up()

    def receive(self, awaited: Place, timeout_seconds: float) -> tuple[Answer, int | None]:
        """The answer, and the descriptor that came with it. Ended when there is none to be had; the process is gone
        then, whatever it was."""
        self._answers.await_turn(awaited)
        try:
            if self._lost:
                raise Ended("it went away over an earlier request")
            return self._receive(timeout_seconds)
        finally:
            self._answers.leave()

    def kill(self) -> None:
        """End it at once; whoever waits for an answer is told so."""
        self._child.kill()

    def close(self) -> None:
        """Hang up, which is how it is told to end; then make sure."""
        self._line.hang_up()
        self.upcalls.close()
        with self._answers:  # whoever waits there meets the end of the line, and must not meet a closed descriptor
            self._line.close()
        if not self._child.wait(CLOSE_SECONDS):
            self._child.kill()
            self._child.wait(CLOSE_SECONDS)
        self._listener.join(CLOSE_SECONDS)

    def _receive(self, timeout_seconds: float) -> tuple[Answer, int | None]:
        try:
            self._wait_at_most(timeout_seconds)
            return self._line.receive()
        except TimeoutError as error:
            raise self._end_it(f"no answer within {timeout_seconds:g} seconds") from error
        except (LineClosed, BadFrame) as error:
            raise self._end_it(str(error)) from error

    def _wait_at_most(self, seconds: float) -> None:
        if seconds != self._seconds:
            self._line.give_up_after(seconds)
            self._seconds = seconds

    def _end_it(self, reason: str) -> Ended:
        self._lost = True
        died_alone = self._child.wait(0.2)
        self._child.kill()
        self._child.wait(CLOSE_SECONDS)  # the line stays open: others may be about to use it, and meet nobody there
        self._listener.join(CLOSE_SECONDS)
        status = f"it ended by itself with status {self._child.returncode}" if died_alone else reason
        said = self._log.last_line()
        return Ended(f"{status}; it last said: {said}" if said else status)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class Log:
    """What the process writes on standard error: the last lines in memory, a bounded file when there is a path."""

    def __init__(self, path: Path | None, tell: Callable[[str], None] | None = None) -> None:
        self._path = path
        self._tell = tell
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)

    def last_line(self) -> str:
        return self._lines[-1] if self._lines else ""

    def follow(self, stream: IO[bytes]) -> None:
        """Read until the process is gone. A file that is full starts again from nothing."""
        with stream, open(self._path or os.devnull, "ab", opener=_private) as file:
            for line in iter(lambda: stream.readline(8192), b""):
                if file.tell() + len(line) > LOG_BYTES_MAX:
                    file.truncate(0)
                file.write(line)
                file.flush()
                text = line.decode("utf-8", "replace").rstrip()
                if text:
                    self._lines.append(text)
                if self._tell is not None:
                    self._tell(text)
