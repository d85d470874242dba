"""A child holds what it was given and dies with its parent, behind either wall."""

import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from trailstate.sandbox import protection
from trailstate.sandbox.protection import Protection
from trailstate.sandbox.spawn import MIB, Child, Limits, SpawnFailed, spawn

WALLS = [
    pytest.param(
        Protection.BUBBLEWRAP,
        marks=pytest.mark.skipif(protection.bubblewrap() is None, reason="bubblewrap does not work on this machine"),
    ),
    Protection.LIMITS,
]
walls = pytest.mark.parametrize("wall", WALLS)
behind_bubblewrap = pytest.mark.skipif(protection.bubblewrap() is None, reason="needs bubblewrap")


def running(program: str, wall: Protection, limits: Limits = Limits(), sockets: tuple[int, ...] = ()) -> Child:  # noqa: B008
    arguments = [str(number) for number in sockets]
    return spawn([sys.executable, "-c", program, *arguments], limits=limits, sockets=sockets, protected_by=wall)


def said(program: str, wall: Protection, limits: Limits = Limits()) -> str:  # noqa: B008
    """What a program wrote on standard error before it ended."""
    child = running(program, wall, limits)
    assert child.stderr is not None
    with child.stderr as stream:
        text = stream.read().decode()
    assert child.wait(10)
    return text


@walls
def test_runs_this_interpreter_with_its_packages(wall: Protection) -> None:
    assert said("import sys, msgspec, trailstate; sys.stderr.write(sys.prefix)", wall) == sys.prefix


@walls
def test_speaks_over_the_socket_it_was_given(wall: Protection) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        program = "import socket, sys; socket.socket(fileno=int(sys.argv[1])).sendall(b'here')"
        running(program, wall, sockets=(theirs.fileno(),))
        ours.settimeout(10)
        assert ours.recv(4) == b"here"


@walls
def test_sees_no_environment_but_its_own(wall: Protection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    assert "canary" not in said("import os, sys; sys.stderr.write(repr(dict(os.environ)))", wall)


@behind_bubblewrap
@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/passwd')",
        f"open({__file__!r})",
        "import pathlib; next(pathlib.Path('/home').iterdir())",
        "open('/usr/lib/written', 'w')",
        "open('/written', 'w')",
        "import socket; socket.create_connection(('127.0.0.1', 22), 2)",
        "import os; os.kill(PARENT, 0)",
    ],
)
def test_cannot_reach(attempt: str) -> None:
    report = said(attempt.replace("PARENT", str(os.getpid())), Protection.BUBBLEWRAP)
    assert "Error" in report


@walls
def test_cannot_take_more_memory_than_allowed(wall: Protection) -> None:
    assert "MemoryError" in said("bytearray(300_000_000)", wall, Limits(memory_bytes=200 * MIB))


@walls
def test_cannot_write_a_larger_file_than_allowed(wall: Protection) -> None:
    program = (
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); open('large', 'wb').write(bytes(2_000_000))"
    )
    assert "File too large" in said(program, wall, Limits(file_bytes=MIB))


@walls
def test_cannot_compute_for_ever(wall: Protection) -> None:
    child = running("while True: pass", wall, Limits(cpu_seconds=1))
    assert child.wait(20)
    assert child.returncode != 0


@walls
def test_tells_how_it_ended(wall: Protection) -> None:
    statuses: list[int] = []
    child = spawn([sys.executable, "-c", "raise SystemExit(7)"], on_end=statuses.append, protected_by=wall)
    assert child.wait(10)
    assert child.returncode == 7


@walls
def test_can_be_killed(wall: Protection) -> None:
    child = running("import signal; signal.pause()", wall)
    child.kill()
    assert child.wait(10)


@walls
def test_dies_when_its_parent_is_killed(wall: Protection) -> None:
    """The child holds one end of a pair; the other reads end-of-file the moment it is gone."""
    ours, theirs = socket.socketpair()
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, wall.name, str(theirs.fileno())], pass_fds=[theirs.fileno()]
    )
    theirs.close()
    with ours:
        ours.settimeout(20)
        assert ours.recv(5) == b"alive"
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        assert ours.recv(1) == b""


PARENT = """
import os, signal, sys
from trailstate.sandbox.protection import Protection
from trailstate.sandbox.spawn import spawn

end = int(sys.argv[2])
program = "import os, signal, sys; os.write(int(sys.argv[1]), b'alive'); signal.pause()"
spawn([sys.executable, "-c", program, sys.argv[2]], sockets=[end], protected_by=Protection[sys.argv[1]])
os.close(end)
signal.pause()
"""


def test_outlives_the_thread_that_asked_for_it() -> None:
    """The kernel's tie is to a thread; a handler's thread may end long before the child does."""
    children: list[Child] = []
    ours, theirs = socket.socketpair()
    with ours, theirs:
        program = "import os, sys; os.read(int(sys.argv[1]), 1); os.write(int(sys.argv[1]), b'still here')"
        asking = threading.Thread(
            target=lambda: children.append(running(program, Protection.LIMITS, sockets=(theirs.fileno(),)))
        )
        asking.start()
        asking.join()
        ours.settimeout(10)
        ours.sendall(b"?")
        assert ours.recv(10) == b"still here"


def test_says_what_could_not_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(SpawnFailed, match="'/no/such/python' could not be started"):
        spawn(["x"], protected_by=Protection.LIMITS)


def test_says_what_protects() -> None:
    assert protection.available() in Protection
    assert protection.explained().endswith(".")
    assert [wall.isolates for wall in Protection] == [True, False, False]
