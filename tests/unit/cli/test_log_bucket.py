"""A bucket as a source for `trailstate import`: log files alone, and one sentence where it may not be read."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.cli.served import Served, served
from tests.unit.trail.verify.ledger import ledger
from typer.testing import CliRunner

from trailstate.cli.exit import ExitCode
from trailstate.cli.line import Got
from trailstate.cli.main import app
from trailstate.trail.verify import Fetched

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture
def server() -> Iterator[Served]:
    with served() as made:
        yield made


def run(server: Served, data: Path) -> tuple[int, str]:
    endpoint = server.where.address.removesuffix(f"/{server.where.bucket}")
    arguments = ["import", "s3://audit-logs/AWSLogs", "--data", str(data), "--endpoint-url", endpoint]
    result = CliRunner(env=CREDENTIALS).invoke(app, arguments)
    return result.exit_code, result.output


def test_log_files_are_read_and_digests_are_not(server: Served, tmp_path: Path) -> None:
    made = ledger(2)
    record = {"eventID": "e-1", "eventTime": "2026-01-15T09:05:00Z", "eventName": "RunInstances"}
    made.objects[made.logs[1]] = Fetched(gzip.compress(json.dumps({"Records": [record]}).encode()))
    server.hold(made.objects)
    code, output = run(server, tmp_path)
    assert code == ExitCode.OK
    assert "from 4 files" in output
    assert set(made.logs) == {name for name in server.asked if name}


def test_a_bucket_that_may_not_be_read_is_said_in_one_sentence(server: Served, tmp_path: Path) -> None:
    denied = Got(403, {}, b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
    server.answer = lambda _key, _asked: denied
    code, output = run(server, tmp_path)
    assert code == ExitCode.NO
    assert output.startswith("s3://audit-logs/AWSLogs could not be imported: ")
    assert "AccessDenied" in output
