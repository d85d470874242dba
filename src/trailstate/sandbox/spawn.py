"""Start a child that holds only what it is given: the sockets, files, environment and limits named here.

The child dies with its parent, however the parent dies. The kernel ties that to the *thread* that started the child
(prctl(2), PR_SET_PDEATHSIG), so each child has a thread of its own here that starts it and stays until it ends.
"""

import contextlib
import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from trailstate.sandbox import entry, interpreter, protection

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use at most; None leaves the machine's own limit."""

    memory_bytes: int | None = 2048 * MIB
    """Address space, which is always more than what is resident."""
    cpu_seconds: int | None = None
    file_bytes: int | None = 512 * MIB
    """The largest file it may write."""
    processes: int | None = 64
    """Processes and threads together. Counted per namespace, so it holds under bubblewrap only: elsewhere the kernel
    would count everything the user runs."""
    open_files: int | None = 256
    scratch_bytes: int | None = None
    """What all its temporary files may hold together; with it, nothing else in the sandbox can be written. Holds under
    bubblewrap only."""


@dataclass(frozen=True, slots=True)
class Files:
    """The paths shown to a child, each under its own name. Python's own are always shown."""

    readable: Sequence[Path] = ()
    writable: Sequence[Path] = ()


class SpawnFailed(Exception):
    """The child could not be started; the message says why."""


@dataclass(slots=True)
class Child:
    """A running child. `ended` is set when it is gone and reaped; `returncode` then says how."""

    pid: int = 0
    returncode: int | None = None
    stderr: IO[bytes] | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    _process: "subprocess.Popen[bytes] | None" = None

    def kill(self) -> None:
        """End it at once; returns when the signal is sent."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    def wait(self, timeout_seconds: float) -> bool:
        """Whether it ended within that time."""
        return self.ended.wait(timeout_seconds)


def spawn(
    argv: Sequence[str],
    *,
    sockets: Sequence[int] = (),
    limits: Limits = Limits(),
    files: Files = Files(),
    environment: Mapping[str, str] | None = None,
    on_end: Callable[[int], None] | None = None,
    protected_by: protection.Protection | None = None,
) -> Child:
    """Start `argv` and return once it runs (or SpawnFailed). The child inherits the descriptors in `sockets` under
    their own numbers, standard input and output on /dev/null, and standard error as a pipe (`Child.stderr`, which the
    caller must read). Its working directory is an empty temporary one. `on_end` is called with the return code from the
    child's thread. `protected_by` is for tests; otherwise `protection.available()` decides."""
    child = Child()
    started = threading.Event()
    refusal: list[str] = []
    wall = protected_by or protection.available()

    def keep() -> None:
        with contextlib.ExitStack() as stack:
            scratch = "/tmp"  # noqa: S108 - the sandbox's own, private one
            if wall is not protection.Protection.BUBBLEWRAP:
                scratch = stack.enter_context(
                    tempfile.TemporaryDirectory(prefix="trailstate-", ignore_cleanup_errors=True)
                )
            command, variables = command_line(argv, limits, files, environment or {}, wall, scratch)
            place = "/" if wall is protection.Protection.BUBBLEWRAP else scratch
            try:
                process = _process(command, variables, place, sockets)
            except OSError as error:
                refusal.append(f"'{command[0]}' could not be started: {error}")
                started.set()
                return
            child._process, child.pid, child.stderr = process, process.pid, process.stderr  # noqa: SLF001
            started.set()
            child.returncode = process.wait()
        child.ended.set()
        if on_end is not None:
            on_end(child.returncode)

    threading.Thread(target=keep, name="sandbox", daemon=True).start()
    started.wait()
    if refusal:
        raise SpawnFailed(refusal[0])
    return child


def _process(
    command: Sequence[str], variables: Mapping[str, str], place: str, sockets: Sequence[int]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=tuple(sockets),
        env=dict(variables),
        cwd=place,
        start_new_session=True,
    )


def command_line(
    argv: Sequence[str],
    limits: Limits,
    files: Files,
    environment: Mapping[str, str],
    wall: protection.Protection,
    scratch: str,
) -> tuple[list[str], dict[str, str]]:
    """The command that starts `argv` behind that wall, and the environment to start it with."""
    variables = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "HOME": scratch,
        "TMPDIR": scratch,
        **environment,
    }
    wrapped = wall is protection.Protection.BUBBLEWRAP
    # Inside bubblewrap the parent's id is another one, and bubblewrap itself sees to it that the child dies.
    order = {"parent": 0 if wrapped else os.getpid(), "limits": _resource_limits(limits, counted_alone=wrapped)}
    inner = [interpreter.executable(), "-I", "-S", entry.__file__, json.dumps(order), *argv]
    if not wrapped:
        return inner, variables
    program = protection.bubblewrap()
    assert program is not None
    return [program, *_bubblewrap_options(files, variables, scratch, limits.scratch_bytes), "--", *inner], {}


def _bubblewrap_options(
    files: Files, variables: Mapping[str, str], scratch: str, scratch_bytes: int | None
) -> list[str]:
    options = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    for name, value in variables.items():
        options += ["--setenv", name, value]
    # bwrap covers /proc/sys only where its directory looks writable; on newer kernels it does not, yet its files are.
    options += ["--proc", "/proc", "--ro-bind-try", "/proc/sys", "/proc/sys", "--dev", "/dev"]
    if scratch_bytes is not None:
        options += ["--remount-ro", "/dev", "--size", str(scratch_bytes)]
    options += ["--tmpfs", "/tmp", "--chdir", scratch]  # noqa: S108
    for path in interpreter.without_nested([*interpreter.readable(), *files.readable]):
        options += ["--ro-bind", str(path), str(path)]
    for path in files.writable:
        options += ["--bind", str(path), str(path)]
    return [*options, "--remount-ro", "/"]


def _resource_limits(limits: Limits, *, counted_alone: bool) -> dict[str, int]:
    table = {
        "RLIMIT_AS": limits.memory_bytes,
        "RLIMIT_CPU": limits.cpu_seconds,
        "RLIMIT_FSIZE": limits.file_bytes,
        "RLIMIT_NPROC": limits.processes if counted_alone else None,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_CORE": 0,
    }
    return {name: figure for name, figure in table.items() if figure is not None}
