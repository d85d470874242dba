"""`trailstate verify` on a directory: what it prints, and with what it ends."""

import json
from pathlib import Path

import pytest
from tests.unit.trail.verify.ledger import HOUR, START, extend, key, keys, ledger
from typer.testing import CliRunner

from trailstate.cli.exit import ExitCode
from trailstate.cli.main import app
from trailstate.cli.verify import as_table
from trailstate.trail.verify import Finding, Report, verify


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


def test_the_keys_of_several_regions_come_from_several_files(tmp_path: Path, published: str) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"PublicKeyList": [dict(key(1).listed)]}))
    made = ledger(2)
    extend(made, START + 2 * HOUR)
    made.put_digest(START + 3 * HOUR, [], number=1)
    directory = str(made.saved(tmp_path / "logs"))
    assert run(directory, "--public-keys", published, "--public-keys", str(other))[0] == ExitCode.OK


def test_of_many_chains_some_are_named_and_those_that_end_first_come_first() -> None:
    report = Report("s3://logs/")
    report.proven_until = {f"all (AWSLogs/{number:012}/us-east-1)": START + 5 * HOUR for number in range(500)}
    report.proven_until["all (AWSLogs/000000000007/us-east-1)"] = START
    lines = [line for line in as_table(report).splitlines() if line.startswith("proven until")]
    assert "000000000007" in lines[0]
    assert lines[-1].endswith(": 496 more (-o json names them)")
    assert len(lines) == 5


def test_where_a_table_is_too_wide_each_finding_is_a_paragraph() -> None:
    made = ledger()
    made.remove(made.logs[3])
    report = verify(made, keys())
    wide, narrow = as_table(report), as_table(report, width=80)
    assert wide.splitlines()[-3].startswith("log-missing  audit")
    assert narrow.splitlines()[-5:] == [
        "log-missing: audit (AWSLogs/111122223333/us-east-1)",
        f"  {made.logs[3]}",
        "  its digest lists it, and it is not there",
        "",
        "1 finding: 1 log-missing",
    ]


def test_what_one_call_did_to_every_region_is_told_once() -> None:
    regions = ("eu-west-1", "us-east-1", "us-west-2")
    told = "mallory called StopLogging at 2026-01-15T10:00:00Z"
    span = "2026-01-15T10:00:00Z/2026-01-15T11:00:00Z"
    findings = [Finding("stopped", region, span, told) for region in regions]
    altered = Finding("log-altered", "us-west-2", "AWSLogs/one.json.gz", "its hash is not the listed one")

    text = as_table(Report("s3://logs/", [*findings, altered]))

    assert text.count(told) == 1
    assert "eu-west-1 and 2 more" in text
    assert text.endswith("4 findings: 3 stopped, 1 log-altered\n")
