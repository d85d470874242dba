"""`trailstate resource` over a data directory in which a security group was opened, with no server in sight."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from trailstate.cli.exit import ExitCode
from trailstate.cli.layout import visible_json
from trailstate.cli.main import app
from trailstate.configuration.history import configuration_follower
from trailstate.configuration.item import captured
from trailstate.configuration.line import Recorded, line
from trailstate.stores.derived import Derived
from trailstate.stores.interface import CONFIGURATION, Commit
from trailstate.stores.sqlite import SqliteStore
from trailstate.world import RealWorld

ACCOUNT, REGION = "111122223333", "us-east-1"
NOW = RealWorld().now()
YESTERDAY = datetime.combine(NOW.date() - timedelta(days=1), datetime.min.time(), UTC)


def at(clock: str) -> str:
    """That day's time, named by its date: while the tests run yesterday may become the day before."""
    return f"{YESTERDAY:%Y-%m-%d}T{clock}:00Z"


IN_VPC = {"resourceType": "AWS::EC2::VPC", "resourceId": "vpc-1", "resourceName": None, "name": "Is contained in Vpc"}


def an_item(kind: str, identifier: str, **members: Any) -> dict[str, Any]:
    usual = {
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": "",
        "configurationStateId": 0,
        "awsAccountId": ACCOUNT,
        "configurationItemStatus": "",
        "resourceType": kind,
        "resourceId": identifier,
        "resourceName": None,
        "ARN": None,
        "awsRegion": REGION,
        "availabilityZone": "Not Applicable",
        "configurationStateMd5Hash": "",
        "resourceCreationTime": None,
        "tags": {},
        "relatedEvents": [],
        "relationships": [],
        "configuration": {},
        "supplementaryConfiguration": {},
    }
    return usual | members


def a_cause(event: str, who: str) -> dict[str, Any]:
    return {
        "eventID": f"event-{event}",
        "eventName": event,
        "eventSource": "ec2.amazonaws.com",
        "eventTime": "2026-01-15T09:30:00Z",
        "principal": f"arn:aws:iam::{ACCOUNT}:user/{who}",
        "sourceIPAddress": "198.51.100.7",
    }


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A group made yesterday at 15:00 and opened at 16:00, in a VPC."""
    directory = tmp_path_factory.mktemp("data")
    vpc = captured(an_item("AWS::EC2::VPC", "vpc-1"), YESTERDAY, None, [])
    group = an_item("AWS::EC2::SecurityGroup", "sg-1", resourceName="web", relationships=[IN_VPC])
    closed = captured(group | {"configuration": {"ipPermissions": []}}, YESTERDAY + timedelta(hours=15), None, [])
    permission = {"fromPort": 22, "ipRanges": ["0.0.0.0/0"]}
    opened = captured(
        group | {"configuration": {"ipPermissions": [permission]}}, YESTERDAY + timedelta(hours=16), closed, []
    )
    twin = captured(an_item("AWS::IAM::Role", "AROA1", resourceName="web"), YESTERDAY, None, [])
    lines = [
        (vpc, None),
        (closed, a_cause("CreateSecurityGroup", "ana")),
        (opened, a_cause("AuthorizeSecurityGroupIngress", "dana")),
        (twin, None),
    ]
    with closing(SqliteStore(directory, RealWorld())) as store, closing(Derived(directory)) as derived:
        appends = [line(ACCOUNT, REGION, Recorded(item, {}, cause, item["resourceId"])) for item, cause in lines]
        store.commit(Commit(appends=appends))
        configuration_follower(derived).apply(store.read(CONFIGURATION, 0, 100))
    return directory


def run(data: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["resource", *words, "--data", str(data)])


def test_show_tells_the_state_and_the_call_behind_it(data: Path) -> None:
    shown = run(data, "show", "sg-1")
    assert shown.exit_code == 0
    assert "AuthorizeSecurityGroupIngress by arn:aws:iam::111122223333:user/dana from 198.51.100.7" in shown.stdout
    assert "Is contained in Vpc: AWS::EC2::VPC vpc-1" in shown.stdout


def test_what_is_short_stands_on_one_line() -> None:
    permission = {"fromPort": 22, "ipRanges": ["0.0.0.0/0"]}
    value = {
        "groupId": "sg-1",
        "ipPermissions": [permission, {"fromPort": 443, "ipRanges": ["10.0.0.0/8"] * 5}],
        "t": [],
    }
    text = visible_json(value)
    assert json.loads(text) == value
    assert text.splitlines()[:4] == [
        "  {",
        '    "groupId": "sg-1",',
        '    "ipPermissions": [',
        '      {"fromPort": 22, "ipRanges": ["0.0.0.0/0"]},',
    ]
    assert max(map(len, text.splitlines())) <= 80


def test_show_at_a_moment_tells_what_was_then(data: Path) -> None:
    shown = json.loads(run(data, "show", "sg-1", "--at", at("15:42"), "-o", "json").stdout)
    assert shown["item"]["configuration"] == {"ipPermissions": []}
    assert shown["cause"]["eventName"] == "CreateSecurityGroup"


def test_before_it_was_known_it_says_so(data: Path) -> None:
    refused = run(data, "show", "sg-1", "--at", at("14:00"))
    assert refused.exit_code == ExitCode.NO
    assert "was not known at" in refused.stderr


def test_history_is_a_timeline_with_calls_and_changes(data: Path) -> None:
    rows = run(data, "history", "sg-1").stdout.splitlines()
    assert "AuthorizeSecurityGroupIngress" in rows[1]
    assert "+ configuration.ipPermissions[0]" in rows[1]
    assert "CreateSecurityGroup" in rows[2]
    entries = json.loads(run(data, "history", "sg-1", "-o", "json").stdout)
    assert [each["status"] for each in entries] == ["OK", "ResourceDiscovered"]


def test_diff_tells_what_changed_between_two_moments(data: Path) -> None:
    expected = '+ configuration.ipPermissions[0]  {"fromPort": 22, "ipRanges": ["0.0.0.0/0"]}\n'
    assert run(data, "diff", "sg-1").stdout == expected
    assert run(data, "diff", "sg-1", "--since", at("15:42")).stdout == expected
    assert run(data, "diff", "sg-1", "--since", at("15:10"), "--until", at("15:42")).stdout == ""
    (change,) = json.loads(run(data, "diff", "sg-1", "-o", "json").stdout)
    assert (change["path"], change["kind"]) == ("configuration.ipPermissions[0]", "added")


def test_graph_shows_relations_both_ways(data: Path) -> None:
    assert (
        run(data, "graph", "sg-1").stdout
        == "AWS::EC2::SecurityGroup sg-1\n  Is contained in Vpc: AWS::EC2::VPC vpc-1\n"
    )
    assert "named by\n  AWS::EC2::SecurityGroup sg-1: Is contained in Vpc\n" in run(data, "graph", "vpc-1").stdout
    drawn = run(data, "graph", "sg-1", "-o", "mermaid").stdout
    assert drawn.startswith("graph LR\n")
    assert '-->|"Is contained in Vpc"|' in drawn


def test_a_name_that_two_have_asks_for_the_type(data: Path) -> None:
    refused = run(data, "show", "web")
    assert refused.exit_code == ExitCode.USAGE
    assert "AWS::IAM::Role" in refused.stderr
    assert run(data, "show", "web", "--type", "AWS::IAM::Role").exit_code == 0


def test_what_is_not_recorded_is_not_found(data: Path, tmp_path: Path) -> None:
    assert run(data, "show", "sg-none").exit_code == ExitCode.NO
    assert run(tmp_path, "show", "sg-1").exit_code == ExitCode.NO


def test_types_lists_what_is_recorded_and_what_not() -> None:
    runner = CliRunner()
    recorded = {each["type"] for each in json.loads(runner.invoke(app, ["types", "-o", "json"]).stdout)}
    missing = set(json.loads(runner.invoke(app, ["types", "--missing", "-o", "json"]).stdout))
    assert "AWS::EC2::SecurityGroup" in recorded
    assert not recorded & missing
    assert len(missing) > 100


def test_a_look_needs_a_running_server(data: Path) -> None:
    assert run(data, "look").exit_code == ExitCode.NO_SERVER
