"""One item inside, two spellings outside; published items go through unchanged."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from trailstate.configuration.form import Describe, Relation, ResourceType, Seen
from trailstate.configuration.item import (
    MEMBERS,
    as_api,
    as_base,
    as_file,
    captured,
    deleted,
    digest,
    item_of,
    read_item,
    tags_of,
)

NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
VOLUME = ResourceType(
    name="AWS::EC2::Volume",
    listing=Describe("ec2", "DescribeVolumes", at="Volumes[]"),
    id="{VolumeId}",
    arn="arn:aws:ec2:{region}:{account}:volume/{VolumeId}",
    created="{CreateTime}",
    zone="{AvailabilityZone}",
    relations=(Relation("AWS::EC2::Instance", "Is attached to Instance", at="Attachments[].InstanceId"),),
)
RAW = {
    "VolumeId": "vol-1",
    "AvailabilityZone": "us-east-1a",
    "CreateTime": NOW,
    "Attachments": [{"InstanceId": "i-1"}],
    "Tags": [{"Key": "team", "Value": "blue"}],
}


def volume(**members: Any) -> dict[str, Any]:
    return item_of(VOLUME, Seen("vol-1", "111122223333", "us-east-1", RAW | members))


def test_an_item_knows_its_resource() -> None:
    item = captured(volume(), NOW, None, ["event-1"])
    assert list(item) == list(MEMBERS)
    assert item["ARN"] == "arn:aws:ec2:us-east-1:111122223333:volume/vol-1"
    assert item["availabilityZone"] == "us-east-1a"
    assert item["resourceCreationTime"] == "2026-01-15T09:30:00.000Z"
    assert item["tags"] == {"team": "blue"}
    assert item["relationships"] == [
        {
            "resourceType": "AWS::EC2::Instance",
            "resourceId": "i-1",
            "resourceName": None,
            "name": "Is attached to Instance",
        }
    ]
    assert (item["configurationItemStatus"], item["relatedEvents"]) == ("ResourceDiscovered", ["event-1"])


def test_state_ids_of_a_resource_only_grow() -> None:
    first = captured(volume(), NOW, None, [])
    second = captured(volume(Size=8), NOW, first, [])
    assert second["configurationStateId"] == first["configurationStateId"] + 1
    assert second["configurationItemStatus"] == "OK"
    assert second["configurationItemCaptureTime"] == "2026-01-15T09:30:00.001Z"


def test_items_are_equal_when_they_say_the_same_of_their_resource() -> None:
    first = captured(volume(), NOW, None, ["a"])
    assert digest(captured(volume(), NOW, first, ["b"])) == digest(first)
    assert digest(captured(volume(Size=9), NOW, first, ["b"])) != digest(first)


def test_a_deleted_item_knows_who_it_was_and_nothing_more() -> None:
    first = captured(volume(), NOW, None, [])
    gone = captured(deleted(first), NOW, first, [])
    assert (gone["configurationItemStatus"], gone["configuration"], gone["tags"]) == ("ResourceDeleted", None, {})
    assert gone["ARN"] == first["ARN"]


def test_the_api_writes_configuration_in_a_string() -> None:
    item = captured(volume(), NOW, None, [])
    shown = as_api(item)
    assert json.loads(shown["configuration"]) == item["configuration"]
    assert shown["relationships"][0]["relationshipName"] == "Is attached to Instance"
    assert shown["configurationStateId"] == str(item["configurationStateId"])
    assert "resourceName" not in shown
    assert not {"tags", "relatedEvents", "relationships", "configurationItemMD5Hash"} & set(as_base(item))


@pytest.mark.parametrize(
    "raw",
    [
        {"team": "blue"},
        [{"Key": "team", "Value": "blue"}],
        [{"key": "team", "value": "blue"}],
        [{"TagKey": "team", "TagValue": "blue"}],
    ],
)
def test_tags_are_read_in_every_spelling(raw: Any) -> None:
    assert tags_of(raw) == {"team": "blue"}


# ---- published items ----

SAMPLES = os.environ.get("TRAILSTATE_SAMPLES")
ITEMS = Path(SAMPLES or "") / ".." / "config" / "configuration-items.jsonl"
needs_samples = pytest.mark.skipif(
    SAMPLES is None or not ITEMS.is_file(),
    reason="TRAILSTATE_SAMPLES names no directory with published items beside it",
)


def published() -> list[dict[str, Any]]:
    return [json.loads(line)["ci"] for line in ITEMS.read_text().splitlines()]


def whole(value: Any) -> Any:
    """Strings of JSON as what they say, so that only the content is compared."""
    return json.loads(value) if isinstance(value, str) and value[:1] in ("{", "[") else value


def without_none(item: dict[str, Any]) -> dict[str, Any]:
    related = [{name: value for name, value in each.items() if value is not None} for each in item["relationships"]]
    return {name: value for name, value in (item | {"relationships": related}).items() if value is not None}


@needs_samples
def test_published_items_of_the_apis_spelling_come_back_as_they_were() -> None:
    found = [each for each in published() if "version" in each]
    assert len(found) > 50
    for original in found:
        shown = as_api(read_item(original))
        expected = without_none({name: value for name, value in original.items() if name != "resourceTransitionStatus"})
        assert shown.keys() >= expected.keys()
        for name, value in expected.items():
            if name in ("configuration", "supplementaryConfiguration"):
                value = whole(value)
                value = {key: whole(each) for key, each in value.items()} if name[:1] == "s" else value
                got = whole(shown[name]) if name[:1] == "c" else {key: whole(each) for key, each in shown[name].items()}
                assert got == value
            else:
                assert str(shown[name]) == str(value), (original["resourceType"], name)


@needs_samples
def test_published_items_of_the_files_spelling_come_back_as_they_were() -> None:
    found = [each for each in published() if "awsAccountId" in each]
    assert len(found) > 5
    for original in found:
        shown = as_file(read_item(original)) | {"configurationStateId": original["configurationStateId"]}
        assert without_none(shown) == without_none(original), original["resourceType"]


@needs_samples
def test_every_published_item_can_be_read_and_shown_in_both_spellings() -> None:
    for original in published():
        item = read_item(original)
        again = read_item(as_api(item) | {"supplementaryConfiguration": item["supplementaryConfiguration"]})
        assert again == item
