"""`trailstate clock` and `settle` against a server that answers these endpoints as a `--testing` server does."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from trailstate.cli.clock import step_of
from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.main import app

START = datetime.fromisoformat("2027-01-15T09:30:00+00:00")


class Lab(ThreadingHTTPServer):
    """The two endpoints, as the protocol between command and server."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Endpoints)
        self.now = START
        self.settled = 0


class Endpoints(BaseHTTPRequestHandler):
    server: Lab

    def do_GET(self) -> None:
        self.answer({"now": self.server.now.isoformat()})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path == "/_trailstate/settle":
            self.server.settled += 1
            return self.answer({})
        self.server.now += timedelta(seconds=json.loads(body)["advance"])
        return self.answer({"now": self.server.now.isoformat()})

    def answer(self, body: dict[str, str]) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Lab]:
    with Lab() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        note(tmp_path, server.server_address[1])
        yield server
        server.shutdown()


def note(data: Path, port: int, *, testing: bool = True) -> None:
    (data / "server.json").write_text(
        json.dumps({"endpoint": f"http://127.0.0.1:{port}", "pid": 1, "accounts": ["123456789012"], "testing": testing})
    )


def run(data: Path, verb: str, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, [verb, "--data", str(data), *arguments], env=environment)


def test_the_clock_is_read_and_moved(tmp_path: Path, server: Lab) -> None:
    assert run(tmp_path, "clock").stdout == "2027-01-15T09:30:00Z\n"
    assert run(tmp_path, "clock", "advance", "1d2h").stdout == "2027-01-16T11:30:00Z\n"
    assert run(tmp_path, "clock", "set", "2027-01-16T14:00:00+02:00").stdout == "2027-01-16T12:00:00Z\n"
    assert server.now == START + timedelta(days=1, hours=2, minutes=30)


def test_the_data_directory_may_be_named_after_the_verb(tmp_path: Path, server: Lab) -> None:
    result = CliRunner().invoke(app, ["clock", "advance", "1h", "--data", str(tmp_path)])

    assert result.stdout == "2027-01-15T10:30:00Z\n"


def test_the_clock_never_goes_back(tmp_path: Path, server: Lab) -> None:
    result = run(tmp_path, "clock", "set", "2027-01-15T09:29:59Z")

    assert result.exit_code == ExitCode.USAGE
    assert "only goes forward: it shows 2027-01-15T09:30:00Z" in result.stderr
    assert server.now == START


def test_settle_asks_the_server_and_prints_no_data(tmp_path: Path, server: Lab) -> None:
    result = run(tmp_path, "settle")

    assert (result.exit_code, result.stdout, server.settled) == (ExitCode.OK, "", 1)


def test_a_proxy_of_the_environment_is_passed_by(tmp_path: Path, server: Lab) -> None:
    assert run(tmp_path, "clock", http_proxy="http://127.0.0.1:9").exit_code == ExitCode.OK


def test_without_a_server_it_says_how_to_start_one(tmp_path: Path) -> None:
    result = run(tmp_path, "clock")

    assert result.exit_code == ExitCode.NO_SERVER
    assert "Start one with: trailstate up --testing" in result.stderr


def test_a_server_without_testing_keeps_its_clock(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        note(tmp_path, listener.getsockname()[1], testing=False)
        result = run(tmp_path, "clock", "advance", "2h")

    assert result.exit_code == ExitCode.NO_SERVER
    assert "was not started with --testing" in result.stderr


def test_a_server_that_died_is_said_to_be_gone(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        note(tmp_path, listener.getsockname()[1])

    result = run(tmp_path, "settle")

    assert result.exit_code == ExitCode.NO_SERVER
    assert "is gone" in result.stderr


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("2h", 7200), ("1d12h", 129_600), ("2w", 1_209_600), ("1h 5m", 3900)],
)
def test_steps_are_written_as_people_say_them(text: str, seconds: int) -> None:
    assert step_of(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "2", "h", "-2h", "2 hours", "0s", "2h!", "9999w", "2027-01-01"])
def test_other_words_are_no_step(text: str) -> None:
    with pytest.raises(Stop, match="must be a span such as") as stop:
        step_of(text)

    assert stop.value.code is ExitCode.USAGE
