"""`trailstate events` over a data directory with records of two accounts and two regions, with no server in sight."""

import csv
import io
import json
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.main import app
from trailstate.cli.search import attribute_of, shortcuts
from trailstate.stores.sqlite import SqliteStore
from trailstate.trail.journal import Journal
from trailstate.values.timestamp import record_time
from trailstate.world import RealWorld, SimulatedWorld

NOW = RealWorld().now()


def a_record(name: str, hours: float, user: str = "ana", **members: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "userName": user},
        "eventTime": record_time(NOW - timedelta(hours=hours)),
        "eventSource": "ec2.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.7",
        "requestParameters": {"instanceId": f"i-0{hours}"},
        "eventID": f"{name}-{hours}",
        "readOnly": name.startswith("Describe"),
        "eventCategory": "Management",
        "recipientAccountId": "111111111111",
        **members,
    }


RECORDS = (
    a_record("RunInstances", 30),
    a_record("DescribeInstances", 5, errorCode="Client.UnauthorizedOperation"),
    a_record("StopInstances", 3, "bob", recipientAccountId="222222222222", awsRegion="eu-west-1"),
    a_record("TerminateInstances", 1, "bob", errorCode="Client.UnauthorizedOperation", errorMessage="Not for bob"),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("data")
    append(directory, *RECORDS)
    return directory


def append(directory: Path, *records: dict[str, Any]) -> None:
    store = SqliteStore(directory, SimulatedWorld())
    Journal(store).append(records)
    store.close()


def run(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["events", "--data", str(data), *arguments])


def names(result: Result) -> list[str]:
    return [json.loads(line)["eventName"].removesuffix("Instances") for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ((), ["Terminate", "Stop", "Describe", "Run"]),
        (("--user", "bob"), ["Terminate", "Stop"]),
        (("--name", "RunInstances"), ["Run"]),
        (("--source", "ec2", "-n", "1"), ["Terminate"]),
        (("--resource", "i-03"), ["Stop"]),
        (("--errors",), ["Terminate", "Describe"]),
        (("--errors", "-n", "1"), ["Terminate"]),
        (("--errors", "--writes"), ["Terminate"]),
        (("--since", "4h"), ["Terminate", "Stop"]),
        (("--since", "6h", "--until", "2h"), ["Stop", "Describe"]),
        (("-a", "account=222222222222"), ["Stop"]),
        (("-a", "region=eu-west-1", "-a", "region=us-east-1", "--user", "bob"), ["Terminate", "Stop"]),
        (("-a", "errorcode=Client.UnauthorizedOperation", "-a", "username=ana"), ["Describe"]),
        (("NOT FOR", "bob"), ["Terminate"]),
        (("bob", "eu-west"), ["Stop"]),
    ],
)
def test_conditions_combine(data: Path, question: tuple[str, ...], answer: list[str]) -> None:
    result = run(data, "-o", "jsonl", *question)

    assert names(result) == answer
    assert result.exit_code == ExitCode.OK


def test_the_records_come_out_as_they_went_in(data: Path) -> None:
    assert json.loads(run(data, "-o", "json").stdout) == list(reversed(RECORDS))


def test_the_table_shows_accounts_and_regions_when_they_differ(data: Path) -> None:
    lines = run(data).stdout.splitlines()

    assert lines[0].split() == ["time", "account", "region", "event", "who", "from", "resources", "error"]
    assert lines[2].split()[2:] == ["222222222222", "eu-west-1", "ec2:StopInstances", "bob", "203.0.113.7", "i-03"]


def test_csv_has_a_header_and_a_row_for_each(data: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run(data, "-o", "csv").stdout)))

    assert [row["eventName"] for row in rows] == [record["eventName"] for record in reversed(RECORDS)]
    assert rows[0]["errorMessage"] == "Not for bob"


def test_each_record_can_be_explained_in_a_sentence(data: Path) -> None:
    lines = run(data, "--explain").stdout.splitlines()

    assert len(lines) == 4
    assert "tried to terminate" in lines[0]
    assert "bob" in lines[0]


def test_no_answer_is_said_and_is_no_failure(data: Path) -> None:
    result = run(data, "--user", "nobody")

    assert (result.exit_code, result.stdout) == (ExitCode.OK, "")
    assert "No record answers that." in result.stderr


def test_a_full_page_says_that_there_may_be_more(data: Path) -> None:
    assert "These are the newest 2" in run(data, "-n", "2").stderr
    assert run(data).stderr == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("-a", "usrname=ana"), "There is no attribute 'usrname'; did you mean 'Username'?"),
        (("-a", "Username"), "An attribute is written Username=VALUE"),
        (("--since", "a while ago"), "'a while ago' is not a time; write for example 2h"),
        (("--explain", "-o", "csv"), "--explain prints sentences"),
        (("--follow", "-o", "json"), "use -o jsonl"),
    ],
)
def test_what_is_not_understood_is_a_usage_error(data: Path, arguments: tuple[str, ...], sentence: str) -> None:
    result = run(data, *arguments)

    assert result.exit_code == ExitCode.USAGE
    assert sentence in result.stderr


def test_a_directory_without_a_journal_is_not_an_empty_answer(tmp_path: Path) -> None:
    result = run(tmp_path)

    assert result.exit_code == ExitCode.NO
    assert "There is no journal in" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_imported_records_answer_too_with_and_without_a_journal(tmp_path: Path) -> None:
    logs, data = tmp_path / "logs", tmp_path / "data"
    logs.mkdir()
    (logs / "old.json").write_text(json.dumps({"Records": [*RECORDS[:2], a_record("StartInstances", 5000, "eve")]}))
    assert CliRunner().invoke(app, ["import", str(logs), "--data", str(data)]).exit_code == ExitCode.OK

    assert names(run(data, "-o", "jsonl")) == ["Describe", "Run", "Start"]
    assert names(run(data, "-o", "jsonl", "--user", "eve", "-a", "ResourceName=i-05000")) == ["Start"]
    append(data, *RECORDS)
    assert names(run(data, "-o", "jsonl")) == ["Terminate", "Stop", "Describe", "Run", "Start"]
    assert "5000" in run(data, "eve", "-o", "jsonl").stdout


def test_following_prints_what_comes_later(tmp_path: Path) -> None:
    append(tmp_path, RECORDS[0])
    program = "from trailstate.cli.main import main; main()"
    arguments = [sys.executable, "-c", program, "events", "-f", "-o", "jsonl", "--user", "bob", "--data", str(tmp_path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        guard = threading.Timer(120, following.kill)
        guard.start()
        append(tmp_path, *RECORDS[1:])
        lines = [following.stdout.readline() for _ in range(2)]
        following.send_signal(2)
        talk = following.communicate()[1]
        guard.cancel()

    assert [json.loads(line)["eventName"] for line in lines] == ["StopInstances", "TerminateInstances"]
    assert (following.returncode, talk) == (ExitCode.INTERRUPTED, "")


def test_attributes_are_found_in_any_case() -> None:
    assert attribute_of("eventname=RunInstances") == ("EventName", "RunInstances")
    assert attribute_of("ResourceName=a=b") == ("ResourceName", "a=b")
    with pytest.raises(Stop, match="ResourceName, EventSource"):
        attribute_of("what=ever")


def test_shortcuts_stand_for_attributes() -> None:
    assert shortcuts(user=None, name="X", source="s3", resource=None, writes=True) == [
        ("EventName", "X"),
        ("EventSource", "s3.amazonaws.com"),
        ("ReadOnly", "false"),
    ]
