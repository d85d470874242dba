"""LookupEvents through boto3 over records that another process imported beside the running server."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.lake.records import log_file, log_name, record

from trailstate import testing
from trailstate.lake.importer import Importer
from trailstate.lake.manifest import Manifest
from trailstate.lake.source import Files
from trailstate.lake.upkeep import EVERY
from trailstate.stores.disk import DiskObjects
from trailstate.testing import Lab
from trailstate.values.timestamp import record_time
from trailstate.world import RealWorld

ACCOUNT, OTHER = "123456789012", "444455556666"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def lab(data: Path) -> Iterator[Lab]:
    with testing.lab(data=data, ephemeral=False) as started:
        started.client("iam").create_user(UserName="mallory")
        yield started


def an_old_record(lab: Lab, number: int, days: int) -> dict[str, Any]:
    at = lab.now() - timedelta(days=days, minutes=number)
    return record(number, eventTime=record_time(at), recipientAccountId=ACCOUNT, eventName="DeleteTrail")


def looked_up(lab: Lab, key: str = ACCOUNT, **asked: Any) -> list[dict[str, Any]]:
    pages = lab.client("cloudtrail", key=key).get_paginator("lookup_events").paginate(**asked)
    return [event for page in pages for event in page["Events"]]


def named(name: str) -> dict[str, Any]:
    return {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": name}]}


def test_imported_records_are_found_beside_recorded_ones(lab: Lab, data: Path, tmp_path: Path) -> None:
    old = [an_old_record(lab, number, days=30) for number in range(60)]
    older = an_old_record(lab, 99, days=120)
    path = tmp_path / log_name(1, account=ACCOUNT)
    path.parent.mkdir(parents=True)
    path.write_bytes(log_file(*old, older))
    objects = DiskObjects(data, RealWorld())
    Importer(Manifest(objects), objects, RealWorld(), workers=1).run(Files([tmp_path]))

    lab.advance(EVERY + timedelta(seconds=1))

    assert [json.loads(each["CloudTrailEvent"]) for each in looked_up(lab, **named("DeleteTrail"))] == old
    assert [each["EventName"] for each in looked_up(lab)][-61:] == ["CreateUser", *["DeleteTrail"] * 60]
    assert looked_up(lab, key=OTHER, **named("DeleteTrail")) == []
