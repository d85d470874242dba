"""The running server, as the command line sees it: the note it leaves in its data directory, and its own endpoints."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from trailstate.cli.exit import ExitCode, Stop

RUN_FILE = "server.json"
CLOCK_PATH = "/_trailstate/clock"
CONNECT_TIMEOUT_SECONDS = 0.5
ANSWER_TIMEOUT_SECONDS = 120.0
ANSWER_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Server:
    """What `server.json` says of the server that holds a data directory."""

    endpoint: str
    pid: int
    accounts: tuple[str, ...]
    testing: bool


def noted_server(data: Path) -> Server | None:
    """The server that last wrote its note there and took it not away; whether it still answers is another question."""
    try:
        note = json.loads((data / RUN_FILE).read_bytes())
        return Server(note["endpoint"], note["pid"], tuple(note["accounts"]), note["testing"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        raise Stop(
            ExitCode.REFUSED,
            f"{data / RUN_FILE} belongs to another user; run the command as the one who runs the server.",
        ) from None
    except (ValueError, KeyError, TypeError):
        raise Stop(
            ExitCode.NO, f"{data / RUN_FILE} is not what a server writes there; stop the server and start it again."
        ) from None


def running_server(data: Path) -> Server | None:
    """The server that holds the directory, if it accepts connections."""
    server = noted_server(data)
    return server if server is not None and accepts(server.endpoint) else None


def accepts(endpoint: str) -> bool:
    """Does anything accept a connection there?"""
    try:
        socket.create_connection(_address(endpoint), CONNECT_TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True


def ask(
    data: Path,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    testing: bool = True,
    bytes_max: int = ANSWER_BYTES_MAX,
) -> dict[str, Any]:
    """The answer of one of the running server's own endpoints; ends the command when there is none, or when the
    endpoint is one of those under `--testing` and the server is not.

    Proxies of the environment are passed by: the server is on this machine.
    """
    from http.client import HTTPConnection, HTTPException

    server = _running(data, testing=testing)
    host, port = _address(server.endpoint)
    connection = HTTPConnection(host, port, timeout=ANSWER_TIMEOUT_SECONDS)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json"} if text else {})
        answer = connection.getresponse()
        return _understood(server, path, answer.status, answer.read(bytes_max))
    except (OSError, HTTPException) as error:
        raise Stop(
            ExitCode.NO_SERVER,
            f"The server at {server.endpoint} does not answer ({error}). Start it again with: {_start(testing)}",
        ) from None
    finally:
        connection.close()


def _start(testing: bool) -> str:
    return "trailstate up --testing" if testing else "trailstate up"


def _running(data: Path, *, testing: bool) -> Server:
    """The server of the directory, and one for tests if such a one is needed; ends the command otherwise."""
    server = noted_server(data)
    if server is None:
        raise Stop(ExitCode.NO_SERVER, f"No server runs on {data}. Start one with: {_start(testing)}")
    if not accepts(server.endpoint):
        raise Stop(
            ExitCode.NO_SERVER,
            f"The server that was at {server.endpoint} is gone. Start one with: {_start(testing)}",
        )
    if testing and not server.testing:
        raise Stop(
            ExitCode.NO_SERVER,
            f"The server at {server.endpoint} was not started with --testing, and only then can its clock be moved. "
            "Stop it and run: trailstate up --testing",
        )
    return server


def _understood(server: Server, path: str, status: int, body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if status == 200 and isinstance(answer, dict):
        return answer
    message = answer.get("error", "") if isinstance(answer, dict) else ""
    if message and status in _SAID:
        raise Stop(_SAID[status], f"{message[0].upper()}{message[1:].rstrip('.')}.")
    raise Stop(ExitCode.NO, f"The server at {server.endpoint} answered {path} with status {status}. {message}".rstrip())


_SAID = {400: ExitCode.USAGE, 404: ExitCode.NO}
"""Refusals that are about what the user asked, not about the server."""


def _address(endpoint: str) -> tuple[str, int]:
    parts = urlsplit(endpoint)
    return parts.hostname or "127.0.0.1", parts.port or 80


def server_time(data: Path) -> datetime | None:
    """What time it is on a running server whose clock may have been moved; None where this machine's time holds."""
    server = running_server(data)
    if server is None or not server.testing:
        return None
    return datetime.fromisoformat(ask(data, "GET", CLOCK_PATH)["now"])
