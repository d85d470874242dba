"""Records as a person sees them: who, what, where, and nothing that commands a terminal or a spreadsheet."""

import csv
import io
import json
from typing import Any

import pytest

from trailstate.cli.records import actor, as_csv, as_json, as_jsonl, as_table, brief, resources


def a_record(**members: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "userName": "ana", "arn": "arn:aws:iam::111111111111:user/ana"},
        "eventTime": "2026-01-15T15:42:07Z",
        "eventSource": "ec2.amazonaws.com",
        "eventName": "TerminateInstances",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-cli/2.0",
        "eventID": "11111111-1111-4111-8111-111111111111",
        "readOnly": False,
        "recipientAccountId": "111111111111",
        **members,
    }


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        ({"type": "Root", "arn": "arn:aws:iam::111111111111:root"}, "root"),
        ({"type": "IAMUser", "userName": "ana"}, "ana"),
        ({"type": "AssumedRole", "arn": "arn:aws:sts::111111111111:assumed-role/Admin/ana"}, "Admin/ana"),
        ({"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"}, "cloudtrail.amazonaws.com"),
        ({"type": "AWSAccount", "principalId": "AIDAEXAMPLE:x", "accountId": "222222222222"}, "AIDAEXAMPLE:x"),
        ({"type": "Unknown"}, "Unknown"),
        (None, ""),
    ],
)
def test_the_actor_is_named_briefly(identity: dict[str, str] | None, expected: str) -> None:
    assert actor(a_record(userIdentity=identity)) == expected


def test_a_table_names_some_of_many_resources_and_a_spreadsheet_all() -> None:
    names = [f"arn:aws:sqs:us-east-1:111111111111:q-{number}" for number in range(40)]
    record = a_record(eventSource="sqs.amazonaws.com", resources=[{"ARN": each} for each in names])
    assert as_table([record], width=1000).rstrip().endswith(f"{names[2]} and 37 more")
    assert names[39] in as_csv([record])


def test_resources_are_named_once() -> None:
    queue = "arn:aws:sqs:us-east-1:111111111111:jobs"
    record = a_record(
        eventSource="sqs.amazonaws.com", resources=[{"ARN": queue, "type": "AWS::SQS::Queue"}, {"ARN": queue}]
    )

    assert resources(record) == queue


@pytest.mark.parametrize(
    ("principal", "name"),
    [
        ("arn:aws:iam::111122223333:user/team/dana", "dana"),
        ("arn:aws:sts::111122223333:assumed-role/repairer/session", "repairer/session"),
        ("arn:aws:iam::111122223333:root", "root"),
        ("config.amazonaws.com", "config.amazonaws.com"),
    ],
)
def test_a_principal_in_brief(principal: str, name: str) -> None:
    assert brief(principal) == name


def test_a_table_leaves_out_what_all_lines_share() -> None:
    one = as_table([a_record()]).splitlines()
    two = as_table([a_record(), a_record(awsRegion="eu-west-1", errorCode="AccessDenied")]).splitlines()

    assert one[0].split() == ["time", "event", "who", "from"]
    assert one[1].split("  ") == ["2026-01-15 15:42:07", "ec2:TerminateInstances", "ana", "203.0.113.7"]
    assert two[0].split() == ["time", "region", "event", "who", "from", "error"]


def test_a_table_on_a_narrow_terminal_wraps_and_loses_nothing() -> None:
    bucket = "".join(chr(ord("a") + index % 26) for index in range(63))

    lines = as_table([a_record(requestParameters={"bucketName": bucket})], width=80).splitlines()

    assert all(len(line) <= 80 for line in lines)
    at = lines[0].index("resources")
    assert "".join(line[at:].strip() for line in lines[1:]) == bucket


def test_nothing_in_any_form_commands_the_terminal() -> None:
    agent = "\x1b]0;owned\x07\x9b\u202e\U000e0041 東京"
    record = a_record(userAgent=agent, userIdentity={"type": "IAMUser", "userName": agent})

    for text in (as_table([record]), as_json([record]), as_jsonl([record])):
        assert not set("\x1b\x07\x9b\u202e\U000e0041") & set(text)
        assert "東京" in text
    assert json.loads(as_jsonl([record])) == record
    assert json.loads(as_json([record])) == [record]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_spreadsheet_sees_text_and_no_formula(start: str) -> None:
    formula = start + "HYPERLINK(1)"

    rows = list(csv.DictReader(io.StringIO(as_csv([a_record(userAgent=formula)]), newline="")))

    assert rows[0]["userAgent"] == "'" + formula


def test_csv_keeps_commas_quotes_and_line_ends_inside_their_cell() -> None:
    message = 'said "no",\nthen left'

    rows = list(csv.DictReader(io.StringIO(as_csv([a_record(errorMessage=message)]), newline="")))

    assert [row["errorMessage"] for row in rows] == [message]
    assert rows[0]["readOnly"] == "false"
