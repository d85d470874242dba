"""`trailstate import`, `query`, `hunt` and `quarantine` on a directory without a server."""

import json
from pathlib import Path

import pytest
from tests.unit.lake.records import log_file, log_name, record
from typer.testing import CliRunner

from trailstate.cli.exit import ExitCode
from trailstate.cli.main import app


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data directory with three imported records, and one that could not be taken."""
    logs, data = tmp_path_factory.mktemp("logs"), tmp_path_factory.mktemp("data")
    path = logs / log_name(1)
    path.parent.mkdir(parents=True)
    deleted = record(2, eventName="DeleteBucket", requestParameters={"bucketName": "=cmd()"})
    path.write_bytes(log_file(record(1), deleted, record(3), record(4, eventTime=None)))
    result = run("import", str(logs), "--data", str(data))
    assert result == (ExitCode.OK, "")
    return str(data)


def run(*arguments: str, text: str | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments), input=text)
    return result.exit_code, result.stdout


def test_a_question_is_answered_in_every_form(data: str) -> None:
    sql = "SELECT eventname, count(*) n FROM cloudtrail GROUP BY 1 ORDER BY 1"
    expected = [{"eventname": "DeleteBucket", "n": 1}, {"eventname": "RunInstances", "n": 2}]
    assert [json.loads(line) for line in run("query", sql, "-o", "json", "--data", data)[1].splitlines()] == expected
    assert run("query", sql, "-o", "csv", "--data", data)[1] == "eventname,n\nDeleteBucket,1\nRunInstances,2\n"
    assert run("query", sql, "-o", "md", "--data", data)[1].splitlines()[2] == "| DeleteBucket | 1 |"
    assert "DeleteBucket  1" in run("query", sql, "--data", data)[1]


def test_a_cell_of_csv_is_no_formula(data: str) -> None:
    sql = (
        "SELECT json_extract_scalar(requestparameters, '$.bucketName') b FROM cloudtrail WHERE eventname LIKE 'Delete%'"
    )
    assert run("query", sql, "-o", "csv", "--data", data)[1] == "b\n'=cmd()\n"


def test_parquet_goes_into_a_file(data: str, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    into = tmp_path / "answer.parquet"
    sql = "SELECT eventid FROM cloudtrail"
    assert run("query", sql, "-o", "parquet", "--into", str(into), "--data", data) == (ExitCode.OK, "")
    assert pq.read_table(into).num_rows == 3
    assert run("query", sql, "-o", "parquet", "--data", data)[0] == ExitCode.USAGE


def test_questions_may_come_line_by_line(data: str) -> None:
    code, output = run(
        "query", "-o", "csv", "--data", data, text="SELECT count(*) c\nFROM cloudtrail;\nSELECT 1 AS x;\n"
    )
    assert (code, output) == (ExitCode.OK, "c\n3\nx\n1\n")


def test_a_hunt_is_asked_by_its_name(data: str) -> None:
    assert "DeleteBucket" in run("hunt", "who-deleted", "--data", data)[1]
    assert run("hunt", "who-deleted", "--sql")[1].startswith("-- ")
    assert run("hunt", "who-knows", "--data", data)[0] == ExitCode.USAGE
    assert "opened-to-world" in run("hunt")[1]


def test_what_may_not_run_is_refused(data: str) -> None:
    assert run("query", "DROP TABLE cloudtrail", "--data", data)[0] == ExitCode.USAGE
    assert run("query", "SELECT nosuch FROM cloudtrail", "--data", data)[0] == ExitCode.NO


def test_what_was_left_out_is_listed_and_shown(data: str) -> None:
    assert run("quarantine", "list", "--data", data)[1].splitlines()[1].startswith("no-time")
    assert "not a time" in run("quarantine", "show", "--data", data)[1]
    assert run("quarantine", "retry", "--data", data) == (ExitCode.OK, "")


def test_a_directory_without_records_is_said(tmp_path: Path) -> None:
    assert run("query", "SELECT 1", "--data", str(tmp_path))[0] == ExitCode.NO


def test_coverage_tells_gaps_from_quiet_days(tmp_path: Path) -> None:
    logs, data = tmp_path / "logs", str(tmp_path / "data")
    for day in (1, 2, 5):
        path = logs / log_name(day, f"2026/01/{day:02}")
        path.parent.mkdir(parents=True)
        stop = {"eventName": "StopLogging", "eventSource": "cloudtrail.amazonaws.com"} if day == 2 else {}
        path.write_bytes(log_file(record(day, eventTime=f"2026-01-{day:02}T09:00:00Z", **stop)))
    run("import", str(logs), "--data", data)
    code, output = run("coverage", "--json", "--data", data)
    found = [json.loads(line) for line in output.splitlines()]
    assert (code, [(each["state"], each["first"], each["last"]) for each in found]) == (
        ExitCode.OK,
        [
            ("records", "2026-01-01", "2026-01-02"),
            ("gap", "2026-01-03", "2026-01-04"),
            ("records", "2026-01-05", "2026-01-05"),
        ],
    )
    code, output = run("coverage", "--gaps", "--data", data)
    assert (code, "StopLogging at 2026-01-02T09:00:00Z" in output) == (ExitCode.FINDINGS, True)
