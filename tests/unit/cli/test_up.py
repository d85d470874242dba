"""`trailstate up`: which addresses it refuses before anything starts, and how it greets."""

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.main import app
from trailstate.cli.up import exposure, welcome
from trailstate.settings import Settings
from trailstate.stores.sqlite import SqliteStore
from trailstate.world import SimulatedWorld


def settings(host: str, *, open: bool = False) -> Settings:
    return Settings(data=Path("/data"), host=host, open=open)


def test_loopback_needs_no_words() -> None:
    assert exposure(settings("127.0.0.1"), foreign=True) == ""


def test_an_address_others_can_reach_needs_open() -> None:
    with pytest.raises(Stop, match="add --open if the network is yours") as stop:
        exposure(settings("0.0.0.0"), foreign=False)

    assert stop.value.code is ExitCode.REFUSED


def test_open_is_warned_of() -> None:
    assert exposure(settings("0.0.0.0", open=True), foreign=False).startswith(
        "Warning: other machines can reach 0.0.0.0"
    )


def test_data_of_real_accounts_are_never_served_to_others() -> None:
    with pytest.raises(Stop, match="/data holds imported or crawled data") as stop:
        exposure(settings("0.0.0.0", open=True), foreign=True)

    assert stop.value.code is ExitCode.REFUSED


def test_the_greeting_names_endpoint_accounts_and_notes() -> None:
    lines = welcome("http://127.0.0.1:4566", ("111111111111",), Path("/data"), ["the simulated estate is empty again."])

    assert "listens on http://127.0.0.1:4566" in lines[0]
    assert "/data" in lines[0]
    assert lines[1].startswith("Accounts: 111111111111 ")
    assert "/data/keys/root-password-ACCOUNT" in lines[2]
    assert lines[3] == "Note: the simulated estate is empty again."


ELSEWHERE = ("--estate", "http://127.0.0.1:9")
"""An estate that needs no start."""


def test_a_directory_that_another_server_holds_is_refused(tmp_path: Path) -> None:
    holder = SqliteStore(tmp_path, SimulatedWorld())

    result = CliRunner().invoke(app, ["up", "--port", "0", "--data", str(tmp_path), *ELSEWHERE])
    holder.close()

    assert (result.exit_code, result.stdout) == (ExitCode.REFUSED, "")
    assert "held by another server" in result.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(app, ["up", "--port", str(port), "--data", str(tmp_path), *ELSEWHERE])

    assert (result.exit_code, result.stdout) == (ExitCode.NO, "")
    assert f"The server cannot run: port {port} on 127.0.0.1 is taken" in result.stderr
    assert not (tmp_path / "server.json").exists()
