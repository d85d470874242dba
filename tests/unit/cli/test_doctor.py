"""`trailstate doctor`: where each setting comes from, and a sentence with a way out for everything that is wrong."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from trailstate.cli.doctor import FREE_BYTES_MIN, Directory, Severity, findings, state_of
from trailstate.cli.exit import ExitCode
from trailstate.cli.main import app
from trailstate.settings import Settings

EMBEDDED = Settings(data=Path("/data"))
INSTALLED = {"moto": "5", "time-machine": "3", "boto3": "1"}
HEALTHY = Directory(path="/data", exists=True, mode="0o700", writable=True, size_bytes=1, free_bytes=2**40, held_by="")


def run(data: Path, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, ["doctor", "--data", str(data), *arguments], env=environment)


def test_a_healthy_machine_has_no_findings() -> None:
    assert findings(EMBEDDED, INSTALLED, HEALTHY, isolates=True) == []


@pytest.mark.parametrize(
    ("directory", "severity", "sentence"),
    [
        (replace(HEALTHY, mode="0o750"), Severity.ERROR, "chmod 700 /data"),
        (replace(HEALTHY, writable=False), Severity.ERROR, "/data cannot be written"),
        (replace(HEALTHY, free_bytes=FREE_BYTES_MIN - 1), Severity.WARNING, "255 MiB left"),
    ],
)
def test_a_directory_in_trouble_is_named(directory: Directory, severity: Severity, sentence: str) -> None:
    (found,) = findings(EMBEDDED, INSTALLED, directory, isolates=True)

    assert found.severity is severity
    assert sentence in found.sentence


def test_the_embedded_estate_needs_its_simulator_and_another_estate_does_not() -> None:
    bare = INSTALLED | {"moto": ""}

    assert [found.severity for found in findings(EMBEDDED, bare, HEALTHY, isolates=True)] == [Severity.ERROR]
    assert findings(replace(EMBEDDED, estate="http://127.0.0.1:5000"), bare, HEALTHY, isolates=True) == []


def test_without_bubblewrap_it_says_what_will_be_refused() -> None:
    (found,) = findings(EMBEDDED, INSTALLED, HEALTHY, isolates=False)

    assert "users' code will be refused" in found.sentence


def test_a_directory_is_examined_and_not_made(tmp_path: Path) -> None:
    absent = state_of(tmp_path / "absent" / "data")

    assert (absent.exists, absent.writable, absent.mode, absent.size_bytes) == (False, True, "", 0)
    assert not (tmp_path / "absent").exists()


def test_a_directory_that_exists_is_measured(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "objects").mkdir(parents=True)
    data.chmod(0o700)
    (data / "objects" / "log").write_bytes(b"12345")

    state = state_of(data)

    assert (state.mode, state.size_bytes, state.held_by) == ("0o700", 5, "")


def test_the_report_shows_each_setting_with_its_source(tmp_path: Path) -> None:
    report = json.loads(run(tmp_path / "data", "-o", "json", TRAILSTATE_PORT="5005").stdout)

    assert report["settings"]["port"] == {"value": 5005, "source": "TRAILSTATE_PORT"}
    assert report["settings"]["data"] == {"value": str(tmp_path / "data"), "source": "--data"}
    assert report["settings"]["accounts"] == {"value": ["123456789012"], "source": "default"}
    assert "LookupEvents" in report["ownership"]["cloudtrail"]["done"]
    assert report["versions"]["python"]


def test_an_essential_fault_ends_with_one(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    result = run(tmp_path)

    assert result.exit_code == ExitCode.NO
    assert f"error: Others can reach {tmp_path}" in result.stdout
