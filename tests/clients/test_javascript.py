"""The AWS SDK for JavaScript, in a process of its own, with nothing but the usual variables."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from trailstate.testing import Lab, lab

HERE = Path(__file__).with_name("javascript")
INSTALL_SECONDS_MAX = 180


def cache() -> Path:
    """A directory of its own for each set of locked versions, so that they are installed once."""
    shared = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return shared / "trailstate-tests" / sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]


@pytest.fixture(scope="module")
def installed() -> Path:
    """Where the SDK is; skips where it cannot be had."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed")
    directory = cache()
    if not (directory / "installed").exists():
        directory.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, directory / name)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm did not install the SDK within {INSTALL_SECONDS_MAX} s")
        if done.returncode != 0:
            pytest.skip(f"npm could not install the SDK: {done.stderr.strip()[-300:]}")
        (directory / "installed").touch()
    return directory


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab(data_events="all") as started:
        yield started


@pytest.fixture(scope="module")
def told(aws: Lab, installed: Path) -> list[dict[str, Any]]:
    """What the program printed of each of its calls."""
    program = shutil.copy(HERE / "calls.mjs", installed / "calls.mjs")
    environment = {"PATH": os.environ["PATH"], "HOME": str(installed)} | aws.environment
    done = subprocess.run(
        ["node", str(program)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def said(told: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(each for each in told if each["name"] == name)


def test_every_call_succeeds_but_the_one_for_what_is_gone(told: list[dict[str, Any]]) -> None:
    assert [each["name"] for each in told if "error" in each] == ["GetObject"]
    assert told[8]["error"] == "NoSuchBucket"
    assert {each["attempts"] for each in told} == {1}


def test_one_record_of_each_call_under_its_request_id(aws: Lab, told: list[dict[str, Any]]) -> None:
    recorded = [(each["requestID"], each["eventName"]) for each in aws.recorded()]
    names = {"ListObjectsV2": "ListObjects"}
    assert recorded == [(each["requestId"], names.get(each["name"], each["name"])) for each in told]


def test_the_records_say_who_and_with_what(aws: Lab, told: list[dict[str, Any]]) -> None:
    assert told[0]["arn"] == aws.recorded()[0]["userIdentity"]["arn"]
    for record in aws.recorded():
        assert record["userIdentity"]["accountId"] == aws.account
        assert record["userAgent"].lstrip("[").startswith("aws-sdk-js/3.")


def test_objects_come_back_as_they_went(aws: Lab, told: list[dict[str, Any]]) -> None:
    key = "a b/ü+&.txt"
    assert said(told, "GetObject")["body"] == "kept"
    assert said(told, "ListObjectsV2")["keys"] == [key]
    assert aws.recorded(eventName="PutObject")[0]["requestParameters"]["key"] == key


def test_the_sdk_reads_the_history(told: list[dict[str, Any]]) -> None:
    assert said(told, "LookupEvents")["events"] == [
        ["TerminateInstances", True, "false"],
        ["RunInstances", True, "false"],
    ]


def test_metrics_in_the_youngest_protocol(aws: Lab, told: list[dict[str, Any]]) -> None:
    assert said(told, "DescribeAlarms")["alarms"] == 0
    assert aws.recorded(eventName="PutMetricData")[0]["requestParameters"] == {
        "namespace": "shop",
        "metricData": [{"metricName": "orders", "value": 1.5, "unit": "Count"}],
    }
