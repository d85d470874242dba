"""`trailstate env`: a newcomer pastes one line, and every AWS client talks to the server."""

import json
import os
import shlex
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from trailstate.cli.env import Shell, client_variables, endpoint_of, exports
from trailstate.cli.exit import ExitCode
from trailstate.cli.main import app


def run(data: Path, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, ["env", "--data", str(data), *arguments], env=environment)


@pytest.fixture
def endpoint() -> Iterator[str]:
    """Something that accepts connections, as a server does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def note(data: Path, endpoint: str, *accounts: str) -> None:
    (data / "server.json").write_text(
        json.dumps({"endpoint": endpoint, "pid": os.getpid(), "accounts": accounts, "testing": False})
    )


def test_without_a_server_the_configured_port_is_printed_and_said_so(tmp_path: Path) -> None:
    result = run(tmp_path, TRAILSTATE_PORT="5001", TRAILSTATE_REGION="eu-central-1")

    assert result.exit_code == ExitCode.OK
    assert result.stdout.splitlines() == [
        "export AWS_ENDPOINT_URL=http://127.0.0.1:5001",
        "export AWS_ACCESS_KEY_ID=123456789012",
        "export AWS_SECRET_ACCESS_KEY=test",
        "export AWS_DEFAULT_REGION=eu-central-1",
        "export AWS_REGION=eu-central-1",
    ]
    assert "No server runs" in result.stderr


def test_a_running_server_is_found_by_its_note(tmp_path: Path, endpoint: str) -> None:
    note(tmp_path, endpoint, "111111111111", "222222222222")

    result = run(tmp_path, "--account", "222222222222")

    assert f"export AWS_ENDPOINT_URL={endpoint}\n" in result.stdout
    assert "export AWS_ACCESS_KEY_ID=222222222222\n" in result.stdout
    assert result.stderr == ""


def test_a_note_of_a_server_that_died_is_not_believed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gone = f"http://127.0.0.1:{listener.getsockname()[1]}"
    note(tmp_path, gone, "111111111111")

    result = run(tmp_path)

    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:4566\n" in result.stdout
    assert "No server runs" in result.stderr


def test_the_root_key_comes_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "root-123456789012.json").write_text(
        '{"AccessKeyId": "AKIAROOT", "SecretAccessKey": "a/b+c$(d)"}'
    )

    result = run(tmp_path, "--root")

    assert "export AWS_ACCESS_KEY_ID=AKIAROOT\n" in result.stdout
    assert "export AWS_SECRET_ACCESS_KEY='a/b+c$(d)'\n" in result.stdout


def test_without_a_root_key_it_says_how_to_get_one(tmp_path: Path) -> None:
    result = run(tmp_path, "--root")

    assert result.exit_code == ExitCode.NO
    assert result.stdout == ""
    assert "run trailstate up once" in result.stderr


def test_a_damaged_root_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "root-123456789012.json").write_text("not JSON")

    assert "root-123456789012.json is not a root key" in run(tmp_path, "--root").stderr


def test_an_unknown_account_is_refused(tmp_path: Path) -> None:
    result = run(tmp_path, "--account", "999999999999")

    assert result.exit_code == ExitCode.USAGE
    assert "There is no account 999999999999; the accounts are 123456789012." in result.stderr


def test_a_session_token_left_over_is_removed(tmp_path: Path) -> None:
    assert run(tmp_path, AWS_SESSION_TOKEN="old").stdout.splitlines()[0] == "unset AWS_SESSION_TOKEN"


def test_a_shell_that_evaluates_the_lines_gets_the_values() -> None:
    awkward = {"A": "it's", "B": '$(date) `id` \\ "', "C": "a b"}
    script = exports(Shell.BASH, awkward) + 'printf \'%s\\n\' "$A" "$B" "$C"'

    answer = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)

    assert answer.stdout.splitlines() == list(awkward.values())


def test_each_shell_has_its_own_words() -> None:
    variables = {"AWS_REGION": "it's \\"}

    assert exports(Shell.FISH, variables) == "set -gx AWS_REGION 'it\\'s \\\\'\n"
    assert exports(Shell.POWERSHELL, variables) == "$env:AWS_REGION = 'it''s \\'\n"
    assert exports(Shell.FISH, {}, clear=True) == "set -e AWS_SESSION_TOKEN\n"
    assert exports(Shell.POWERSHELL, {}, clear=True) == "Remove-Item Env:AWS_SESSION_TOKEN\n"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:1"),
        ("::1", "http://[::1]:1"),
        ("0.0.0.0", "http://127.0.0.1:1"),
        ("::", "http://[::1]:1"),
        ("lab.example.org", "http://lab.example.org:1"),
    ],
)
def test_the_endpoint_is_one_that_this_machine_can_reach(host: str, expected: str) -> None:
    assert endpoint_of(host, 1) == expected


def test_every_client_family_finds_its_region() -> None:
    variables = client_variables("http://127.0.0.1:1", "k", "s", "eu-west-1")

    assert (variables["AWS_DEFAULT_REGION"], variables["AWS_REGION"]) == ("eu-west-1", "eu-west-1")
    assert shlex.split(exports(Shell.BASH, variables))[1] == "AWS_ENDPOINT_URL=http://127.0.0.1:1"
