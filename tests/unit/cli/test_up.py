"""`trailstate up`: which addresses it refuses before anything starts, and how it greets."""

from pathlib import Path

import pytest

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.up import exposure, welcome
from trailstate.settings import Settings


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
    assert lines[2] == "Note: the simulated estate is empty again."
