"""What a trail covers and takes, and what a call changed of it."""

from typing import Any

import pytest

from trailstate.stores.interface import Commit, ShelfChange
from trailstate.stores.memory import MemoryStore
from trailstate.trail.trails import (
    DEFAULT_SELECTORS,
    Trail,
    change_document,
    change_key,
    change_of,
    changes_trails,
    covers,
    selected,
    trail_key,
    trail_of,
    trails,
)
from trailstate.world import SimulatedWorld

OWNER, MEMBER, STRANGER = "111122223333", "222233334444", "333344445555"


def a_document(**members: Any) -> dict[str, Any]:
    return {
        "Name": "audit",
        "TrailARN": f"arn:aws:cloudtrail:eu-west-1:{OWNER}:trail/audit",
        "S3BucketName": "evidence",
        "HomeRegion": "eu-west-1",
        "IsMultiRegionTrail": False,
        "IsOrganizationTrail": False,
        "IncludeGlobalServiceEvents": True,
        "IsLogging": True,
        "Generation": 1,
        "EventSelectors": list(DEFAULT_SELECTORS),
    } | members


def a_trail(**members: Any) -> Trail:
    return trail_of(trail_key(OWNER, "eu-west-1", "audit"), a_document(**members))


def a_record(**members: Any) -> dict[str, Any]:
    return {
        "eventSource": "ec2.amazonaws.com",
        "eventName": "RunInstances",
        "awsRegion": "eu-west-1",
        "readOnly": False,
        "eventID": "e-1",
        "recipientAccountId": OWNER,
        "eventCategory": "Management",
    } | members


def test_a_trail_of_one_region_covers_its_home() -> None:
    assert covers(a_trail(), OWNER, "eu-west-1")
    assert not covers(a_trail(), OWNER, "us-east-1")
    assert not covers(a_trail(), STRANGER, "eu-west-1")


def test_a_multi_region_trail_covers_every_region() -> None:
    assert covers(a_trail(IsMultiRegionTrail=True), OWNER, "ap-south-1")


def test_an_organization_trail_covers_the_members() -> None:
    trail = a_trail(IsMultiRegionTrail=True, IsOrganizationTrail=True, OrganizationId="o-1")

    def is_member(manager: str, account: str) -> bool:
        return (manager, account) == (OWNER, MEMBER)

    assert covers(trail, OWNER, "us-east-1", is_member)
    assert covers(trail, MEMBER, "us-east-1", is_member)
    assert not covers(trail, STRANGER, "us-east-1", is_member)
    assert not covers(a_trail(IsMultiRegionTrail=True), MEMBER, "us-east-1", is_member)


@pytest.mark.parametrize(("source", "unwanted"), [("iam.amazonaws.com", True), ("ec2.amazonaws.com", False)])
def test_global_events_can_be_left_out(source: str, unwanted: bool) -> None:
    record = a_record(eventSource=source, awsRegion="us-east-1")
    assert selected(a_trail(IncludeGlobalServiceEvents=False), record) is not unwanted
    assert selected(a_trail(), record)


def test_the_delivery_of_a_trails_own_files_is_not_its_event() -> None:
    everything = [{"ReadWriteType": "All", "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}]
    trail = a_trail(EventSelectors=everything)
    put = a_record(
        eventSource="s3.amazonaws.com",
        eventName="PutObject",
        eventCategory="Data",
        userIdentity={"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"},
        resources=[
            {"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::evidence/AWSLogs/x"},
            {"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::evidence"},
        ],
    )
    assert not selected(trail, put)
    assert selected(trail, put | {"userIdentity": {"type": "IAMUser"}})
    assert selected(a_trail(EventSelectors=everything, S3BucketName="other"), put)


def test_the_state_after_a_call_is_found_by_its_record() -> None:
    store = MemoryStore(SimulatedWorld(1))
    key = trail_key(OWNER, "eu-west-1", "audit")
    started, record = a_document(IsLogging=True), a_record(eventSource="cloudtrail.amazonaws.com")
    beside = change_key(OWNER, "eu-west-1", "e-1")
    store.commit(Commit(shelf=[ShelfChange(key, started), ShelfChange(beside, change_document(key, started))]))

    found = change_of(store, record)

    assert found is not None
    assert found.key == key
    assert found.trail is not None
    assert found.trail.document == started
    assert [trail.document for trail in trails(store)] == [started]
    assert change_of(store, record | {"eventID": "e-2"}) is None


def test_a_deleted_trail_is_no_more_from_the_next_record_on() -> None:
    store = MemoryStore(SimulatedWorld(1))
    key = trail_key(OWNER, "eu-west-1", "audit")
    store.commit(Commit(shelf=[ShelfChange(change_key(OWNER, "eu-west-1", "e-1"), change_document(key, None))]))

    found = change_of(store, a_record())

    assert found is not None
    assert (found.key, found.trail) == (key, None)


def test_only_successful_mutating_calls_of_cloudtrail_are_worth_asking_about() -> None:
    stop = a_record(eventSource="cloudtrail.amazonaws.com", eventName="StopLogging")
    assert changes_trails(stop)
    assert not changes_trails(stop | {"errorCode": "TrailNotFoundException"})
    assert not changes_trails(stop | {"readOnly": True})
    assert not changes_trails(a_record())
