"""`trailstate verify` on a directory: what it prints, and with what it ends."""

import json
from pathlib import Path

import pytest
from tests.unit.trail.verify.ledger import key, ledger
from typer.testing import CliRunner

from trailstate.cli.exit import ExitCode
from trailstate.cli.main import app


@pytest.fixture
def published(tmp_path: Path) -> str:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"PublicKeyList": [dict(key(0).listed)]}))
    return str(path)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["verify", *arguments])
    return result.exit_code, result.output


def test_an_untouched_directory_is_told_so(tmp_path: Path, published: str) -> None:
    code, output = run(str(ledger().saved(tmp_path / "logs")), "--public-keys", published)
    assert code == ExitCode.OK
    assert "4 of 5 digests valid; 10 of 10 listed log files valid; 0 wait for the next digest" in output
    assert output.endswith("nothing was found: what is there is untouched, and nothing is missing\n")


def test_a_finding_ends_it_with_the_status_of_findings(tmp_path: Path, published: str) -> None:
    made = ledger()
    made.remove(made.logs[3])
    code, output = run(str(made.saved(tmp_path / "logs")), "--public-keys", published)
    assert code == ExitCode.FINDINGS
    assert "log-missing" in output
    assert made.logs[3] in output


def test_findings_in_json_are_for_programs(tmp_path: Path, published: str) -> None:
    made = ledger()
    made.remove(made.digests[1], made.digests[2])
    code, output = run(str(made.saved(tmp_path / "logs")), "--public-keys", published, "-o", "json")
    report = json.loads(output)
    assert code == ExitCode.FINDINGS
    assert not report["clean"]
    assert [each["kind"] for each in report["findings"][:2]] == ["digest-missing", "digest-missing"]


def test_what_is_no_list_of_keys_is_said(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text("{}")
    code, _ = run(str(ledger(1).saved(tmp_path / "logs")), "--public-keys", str(path))
    assert code == ExitCode.USAGE


def test_a_name_alone_is_a_buckets_unless_a_directory_has_it(
    tmp_path: Path, published: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger().saved(tmp_path / "audit-logs")
    monkeypatch.chdir(tmp_path)
    assert run("audit-logs", "--public-keys", published)[0] == ExitCode.OK
    code, _ = run("other-logs", "--public-keys", published, "--endpoint-url", "http://127.0.0.1:9")
    assert code == ExitCode.NO


def test_what_is_no_directory_is_said(tmp_path: Path) -> None:
    code, output = run(str(tmp_path / "nowhere"))
    assert code == ExitCode.USAGE
    assert "neither a directory nor s3://BUCKET" in output
