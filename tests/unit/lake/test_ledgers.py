"""Configuration items and verdicts are tables beside the records, under the same rule of who sees what."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.unit.lake.records import ACCOUNT
from tests.unit.lake.test_lake import OTHER, Setting

from trailstate.lake.lake import Scope
from trailstate.stores.interface import CONFIGURATION, VERDICTS, Append, Commit


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    made = Setting(tmp_path_factory.mktemp("lake"))
    lines = [
        Append(CONFIGURATION, ACCOUNT, "us-east-1", msgspec.json.encode(item_line(ACCOUNT, "logs"))),
        Append(CONFIGURATION, OTHER, "us-east-1", msgspec.json.encode(item_line(OTHER, "secrets") | {"cause": None})),
        *(Append(VERDICTS, ACCOUNT, "us-east-1", msgspec.json.encode(each)) for each in VERDICT_LINES),
    ]
    made.store.commit(Commit(lines))
    yield made
    made.lake.close()


def item_line(account: str, bucket: str) -> dict[str, Any]:
    return {
        "item": {
            "configurationItemVersion": "1.3",
            "configurationItemCaptureTime": "2026-01-15T09:30:00.000Z",
            "configurationStateId": 1768469400000,
            "awsAccountId": account,
            "configurationItemStatus": "OK",
            "resourceType": "AWS::S3::Bucket",
            "resourceId": bucket,
            "resourceName": bucket,
            "ARN": f"arn:aws:s3:::{bucket}",
            "awsRegion": "us-east-1",
            "availabilityZone": None,
            "tags": {"team": "audit"},
            "configuration": {"name": bucket, "owner": {"id": "x"}},
        },
        "facts": {"secret": "beside the item"},
        "cause": {"eventID": "e-1", "eventName": "CreateBucket", "principal": f"arn:aws:iam::{account}:user/dana"},
    }


VERDICT_LINES: list[dict[str, Any]] = [
    {"kind": "scheduled", "rule": "versioned", "time": "2026-01-15T09:30:00.000Z", "seconds": 3600},
    {
        "kind": "judged",
        "rule": "versioned",
        "time": "2026-01-15T09:30:01.000Z",
        "resourceType": "AWS::S3::Bucket",
        "resourceId": "logs",
        "compliance": "NON_COMPLIANT",
        "annotation": "Versioning is off.",
    },
    {
        "kind": "dropped",
        "rule": "versioned",
        "time": "2026-01-15T09:31:01.000Z",
        "resourceType": "AWS::S3::Bucket",
        "resourceId": "logs",
        "previous": "NON_COMPLIANT",
    },
]


def test_items_are_asked_by_their_members_and_into_their_configuration(setting: Setting) -> None:
    question = (
        "SELECT resourceid, configurationstateid, availabilityzone, json_extract_scalar(configuration, '$.owner.id'),"
        " json_extract_scalar(tags, '$.team'), causeeventname FROM configuration_items ORDER BY 1"
    )
    assert setting.ask(question) == [
        ["logs", "1768469400000", None, "x", "audit", "CreateBucket"],
        ["secrets", "1768469400000", None, "x", "audit", None],
    ]


def test_verdicts_are_asked_in_the_order_in_which_they_fell(setting: Setting) -> None:
    question = "SELECT kind, compliance, previous, awsaccountid FROM compliance ORDER BY time"
    assert setting.ask(question) == [
        ["judged", "NON_COMPLIANT", None, ACCOUNT],
        ["dropped", None, "NON_COMPLIANT", ACCOUNT],
    ]


def test_an_account_sees_its_own_items_and_verdicts(setting: Setting) -> None:
    assert setting.ask("SELECT resourceid FROM configuration_items", Scope((ACCOUNT,))) == [["logs"]]
    assert setting.ask("SELECT count(*) FROM compliance", Scope((OTHER,))) == [[0]]


def test_items_verdicts_and_records_join(setting: Setting) -> None:
    question = (
        "SELECT c.rule, i.arn, count(t.eventid) FROM compliance c"
        " JOIN configuration_items i ON i.resourceid = c.resourceid AND i.resourcetype = c.resourcetype"
        " LEFT JOIN cloudtrail t ON t.eventid = i.causeeventid AND t.useridentity.type = 'IAMUser'"
        " WHERE c.kind = 'judged' GROUP BY 1, 2"
    )
    assert setting.ask(question) == [["versioned", "arn:aws:s3:::logs", 0]]
