"""`trailstate detect` on a running lab, and offline on files."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.clients.trails import bucket_policy, log_permission
from trailstate import app as house
from trailstate.cli.detect import _stage, _trail_of
from trailstate.cli.exit import ExitCode
from trailstate.cli.main import app
from trailstate.settings import load_settings
from trailstate.world import RealWorld

SIGN_IN = {"eventName": "ConsoleLogin", "eventTime": "2026-01-15T09:30:00Z", "eventID": "1", "n": 1}
OTHER = {"eventName": "RunInstances", "eventTime": "2026-01-15T09:30:01Z", "eventID": "2", "n": 2}
PATTERN = '{ $.eventName = "ConsoleLogin" }'


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["detect", *arguments])
    return result.exit_code, result.output


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    settings = load_settings({"port": 0, "data": str(tmp_path), "ephemeral": True}, {}, looks_for_file=False)
    with house.running(settings, RealWorld()):
        yield tmp_path


def test_setup_ends_when_the_message_about_root_has_arrived(data: Path) -> None:
    code, output = run("status", "--data", str(data))
    assert code == ExitCode.FINDINGS
    assert "15 of 15 are not set up" in output
    code, output = run("setup", "--data", str(data), "--email", "oncall@example.com")
    assert code == ExitCode.OK, output
    assert "The trail detection writes to the log group cloudtrail-detection." in output
    assert 'ALARM: "cis-root-user-usage" in US East (N. Virginia)' in output
    assert "to oncall@example.com" in output
    code, output = run("status", "--data", str(data))
    assert code == ExitCode.OK
    assert output.count("cloudtrail-detection") == 15


def a_logging_trail(data: Path, name: str) -> None:
    """A trail with a log group of its own."""
    stage = _stage(data, None)
    logs, iam = stage.client("logs"), stage.client("iam")
    arn = f"arn:aws:logs:us-east-1:{stage.account}:log-group:{name}:*"
    logs.create_log_group(logGroupName=name)
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="write", PolicyDocument=log_permission(arn))
    bucket = f"evidence-of-{name}"
    stage.client("s3").create_bucket(Bucket=bucket)
    stage.client("s3").put_bucket_policy(Bucket=bucket, Policy=bucket_policy(bucket))
    cloudtrail = stage.client("cloudtrail")
    cloudtrail.create_trail(Name=name, S3BucketName=bucket, CloudWatchLogsLogGroupArn=arn, CloudWatchLogsRoleArn=role)
    cloudtrail.start_logging(Name=name)


def test_of_several_trails_the_one_that_is_named_is_taken(data: Path) -> None:
    a_logging_trail(data, "audit")
    a_logging_trail(data, "other")
    code, output = run("setup", "--data", str(data))
    assert code == ExitCode.USAGE
    assert "audit, other. Choose one by --trail" in output
    assert run("setup", "--data", str(data), "--trail", "nothing")[0] == ExitCode.USAGE
    assert _trail_of(_stage(data, None), "other") == ("other", "other")


def test_without_a_server_setup_says_how_to_start_one(tmp_path: Path) -> None:
    code, output = run("setup", "--data", str(tmp_path))
    assert code == ExitCode.NO_SERVER
    assert "trailstate up" in output


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("log.json", json.dumps({"Records": [SIGN_IN, OTHER]}).encode()),
        ("log.json.gz", gzip.compress(json.dumps({"Records": [SIGN_IN, OTHER]}).encode())),
        ("list.json", json.dumps([SIGN_IN, OTHER]).encode()),
        ("lines.jsonl", f"{json.dumps(SIGN_IN)}\n{json.dumps(OTHER)}\n".encode()),
        ("single.json", json.dumps(SIGN_IN).encode()),
    ],
)
def test_a_pattern_is_tried_on_files_of_every_form(tmp_path: Path, name: str, body: bytes) -> None:
    (tmp_path / name).write_bytes(body)
    code, output = run("test", "--pattern", PATTERN, "--records", str(tmp_path), "--expect", "1")
    assert code == ExitCode.OK, output
    assert "2026-01-15T09:30:00Z  ConsoleLogin  1" in output


def test_another_count_than_expected_ends_with_one(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text(json.dumps([OTHER]))
    wanted = tmp_path / "filter.json"
    wanted.write_text(json.dumps({"filterName": "x", "filterPattern": PATTERN}))
    code, output = run("test", "--filter", str(wanted), "--records", str(tmp_path / "log.json"), "--expect", "1")
    assert code == ExitCode.NO
    assert "0 of 1 records match." in output


@pytest.mark.parametrize(
    "arguments",
    [
        ("--records", "."),
        ("--records", ".", "--pattern", "{ $.a = }"),
        ("--records", "nowhere-at-all", "--pattern", "a"),
        ("--records", ".", "--filter", "nowhere-at-all"),
    ],
)
def test_what_cannot_be_tried_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    assert run("test", *arguments)[0] == ExitCode.USAGE


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "log.json.gz").write_bytes(gzip.compress(b"[" + b" " * 10_000 + b"]")[:-20])
    code, output = run("test", "--pattern", "a", "--records", str(tmp_path))
    assert code == ExitCode.NO
    assert "damaged" in output
