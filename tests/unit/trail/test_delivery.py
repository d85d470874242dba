import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.simulation.cloud import Stored
from tests.simulation.evidence import ACCOUNT, BUCKET, REGION, Evidence, Members, a_trail, in_memory
from tests.simulation.surroundings import SteppedWorld

from trailstate.stores.interface import ShelfKey
from trailstate.trail.keys import public_keys
from trailstate.trail.onward import Hearing
from trailstate.trail.window import window_of
from trailstate.wire.fault import Fault
from trailstate.world import SimulatedWorld

FIVE_MINUTES = timedelta(minutes=5)
HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> SimulatedWorld:
    return SimulatedWorld()


@pytest.fixture
def evidence(world: SimulatedWorld, tmp_path: Path) -> Evidence:
    return in_memory(world, tmp_path)


def ids(evidence: Evidence) -> list[str]:
    """The event ids in all log files, in the order of their keys."""
    return [record["eventID"] for key, records in sorted(evidence.files().items()) for record in records]


def test_each_record_of_a_logging_trail_is_in_one_file(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.record()
    evidence.change(a_trail())
    wanted = [evidence.record(), evidence.record(eventName="StopInstances")]
    evidence.settle()
    assert ids(evidence) == wanted
    (key,) = evidence.files()
    assert key.startswith(
        f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/01/15/{ACCOUNT}_CloudTrail_{REGION}_20260115T0935Z_"
    )
    assert evidence.cloud.callers == {"cloudtrail.amazonaws.com"}


def test_nothing_is_delivered_before_its_window_ends(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.change(a_trail())
    evidence.record()
    evidence.settle(timedelta(minutes=4, seconds=59))
    assert evidence.files() == {}
    evidence.settle(timedelta(seconds=1))
    assert len(evidence.files()) == 1


def test_accounts_and_regions_have_files_of_their_own(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.change(a_trail())
    evidence.record()
    evidence.record(awsRegion="eu-west-1")
    evidence.record(recipientAccountId="999988887777")
    evidence.settle()
    assert [key.split("/")[3] for key in sorted(evidence.files())] == ["eu-west-1", "us-east-1"]


def test_the_call_that_stops_a_trail_is_its_last(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.change(a_trail())
    first = evidence.record()
    stop = evidence.change(a_trail(IsLogging=False), "StopLogging")
    evidence.record()
    start = evidence.change(a_trail(Generation=2))
    last = evidence.record()
    evidence.settle()
    assert sorted(ids(evidence)) == sorted([first, stop, last])
    assert start not in ids(evidence)


def test_a_deleted_trail_delivers_what_it_had_to(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.change(a_trail())
    wanted = [evidence.record(), evidence.change(a_trail(), "DeleteTrail", is_gone=True)]
    evidence.record()
    evidence.settle()
    assert ids(evidence) == wanted


def test_a_trail_that_moves_leaves_its_earlier_records_where_they_belong(
    evidence: Evidence, world: SimulatedWorld
) -> None:
    evidence.cloud.make_bucket("other")
    evidence.change(a_trail())
    first = evidence.record()
    moved = evidence.change(a_trail(S3BucketName="other", S3KeyPrefix="a/b"), "UpdateTrail")
    last = evidence.record()
    evidence.settle()
    assert ids(evidence) == [first, moved]
    ((key, records),) = evidence.files("other").items()
    assert key.startswith(f"a/b/AWSLogs/{ACCOUNT}/CloudTrail/")
    assert [record["eventID"] for record in records] == [last]


def test_members_of_an_organization_stand_below_its_id(world: SimulatedWorld, tmp_path: Path) -> None:
    members = Members({"444455556666"})
    evidence = in_memory(world, tmp_path, members=members)
    evidence.change(a_trail(IsOrganizationTrail=True, OrganizationId="o-abc"))
    evidence.record(recipientAccountId="444455556666")
    evidence.record(recipientAccountId="999900001111")
    evidence.runner.run_until_idle()
    members.accounts.add("999900001111")
    evidence.record(eventSource="organizations.amazonaws.com", eventName="AcceptHandshake")
    joined = evidence.record(recipientAccountId="999900001111")
    evidence.settle()
    found = {key.partition("/CloudTrail/")[0]: records for key, records in evidence.files().items()}
    assert sorted(found) == [f"AWSLogs/o-abc/{each}" for each in (ACCOUNT, "444455556666", "999900001111")]
    assert [record["eventID"] for record in found["AWSLogs/o-abc/999900001111"]] == [joined]


def test_a_restart_loses_and_repeats_nothing(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.change(a_trail(CloudWatchLogsLogGroupArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:trail:*"))
    wanted = [evidence.record()]
    evidence.runner.run_until_idle()
    evidence = evidence.restarted()
    wanted.append(evidence.record())
    evidence.runner.run_until_idle()
    evidence = evidence.restarted()
    evidence.settle()
    assert ids(evidence) == wanted
    (events,) = evidence.cloud.streams.values()
    assert [json.loads(event["message"])["eventID"] for event in events] == wanted
    assert len(evidence.cloud.events[ACCOUNT, REGION]) == 2


def test_an_hour_ends_in_a_digest_also_when_nothing_happened(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.change(a_trail())
    evidence.record()
    evidence.settle()
    evidence.settle(3 * HOUR)
    digests = evidence.digests()
    assert [(each["digestStartTime"], each["digestEndTime"], len(each["logFiles"])) for each in digests] == [
        ("2026-01-15T09:30:00Z", "2026-01-15T10:30:00Z", 1),
        ("2026-01-15T10:30:00Z", "2026-01-15T11:30:00Z", 0),
        ("2026-01-15T11:30:00Z", "2026-01-15T12:30:00Z", 0),
    ]
    assert [each["previousDigestS3Object"] for each in digests] == [
        None,
        *(each["digestS3Object"] for each in digests[:2]),
    ]


def test_a_chain_closes_when_logging_stops_and_another_begins(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.change(a_trail())
    world.advance(timedelta(minutes=10))
    evidence.change(a_trail(IsLogging=False), "StopLogging")
    evidence.runner.run_until_idle()
    (last,) = evidence.digests()
    assert (last["digestStartTime"], last["digestEndTime"]) == ("2026-01-15T09:30:00Z", "2026-01-15T09:40:00Z")
    assert len(last["logFiles"]) == 1, "that of StopLogging itself"
    evidence.settle(5 * HOUR)
    assert len(evidence.digests()) == 1
    evidence.change(a_trail(Generation=2))
    evidence.settle(HOUR)
    assert [each["previousDigestS3Object"] for each in evidence.digests()] == [None, None]


def test_every_region_that_had_digests_has_them_again_when_logging_begins_again(
    evidence: Evidence, world: SimulatedWorld
) -> None:
    evidence.change(a_trail())
    evidence.record(awsRegion="eu-west-1")
    evidence.settle()
    evidence.change(a_trail(IsLogging=False), "StopLogging")
    evidence.settle()
    evidence.change(a_trail(Generation=2))
    evidence.settle(2 * HOUR)
    ends = [(each["digestS3Object"].split("/")[3], each["digestEndTime"]) for each in evidence.digests()]
    assert {region for region, _ in ends} == {REGION, "eu-west-1"}
    stopped, *again = [end for region, end in sorted(ends) if region == "eu-west-1"]
    assert (stopped, again) == ("2026-01-15T09:35:00Z", ["2026-01-15T10:40:00Z", "2026-01-15T11:40:00Z"])


def test_a_last_file_that_is_late_is_waited_for(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.change(a_trail())
    evidence.record()
    bucket = evidence.cloud.buckets.pop(BUCKET)
    world.advance(timedelta(minutes=10))
    evidence.change(a_trail(IsLogging=False), "StopLogging")
    evidence.settle(2 * HOUR)
    evidence.cloud.buckets[BUCKET] = bucket
    evidence.settle()
    (last,) = evidence.digests()
    assert last["digestEndTime"] == "2026-01-15T09:40:00Z"
    assert len(last["logFiles"]) == 2


def test_a_missing_bucket_holds_up_nobody_else_and_is_told(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.change(a_trail(Name="broken", S3BucketName="nowhere"))
    evidence.change(a_trail())
    evidence.record()
    evidence.settle()
    assert len(evidence.files()) == 1
    status = evidence.store.get(ShelfKey(ACCOUNT, REGION, "trail.status", "broken"))
    assert status is not None
    assert status.value["LatestDeliveryError"] == "NoSuchBucket"
    evidence.cloud.make_bucket("nowhere")
    evidence.settle()
    assert sum(map(len, evidence.files("nowhere").values())) == 2, "the backlog drains"
    status = evidence.store.get(ShelfKey(ACCOUNT, REGION, "trail.status", "broken"))
    assert status is not None
    assert "LatestDeliveryError" not in status.value


def test_a_bucket_that_does_not_let_cloudtrail_in_gets_nothing(evidence: Evidence, world: SimulatedWorld) -> None:
    del evidence.cloud.policies[BUCKET]
    evidence.change(a_trail())
    evidence.record()
    evidence.settle()
    assert evidence.files() == {}
    assert evidence.cloud.calls["PutObject"] == 0


def test_nothing_is_tried_for_longer_than_thirty_days(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.change(a_trail(S3BucketName="nowhere", LogFileValidationEnabled=False))
    evidence.record()
    evidence.settle()
    evidence.settle(timedelta(days=30, seconds=1))
    assert evidence.store.queues("delivery/") == []


def test_a_lost_answer_is_not_a_second_file(evidence: Evidence, world: SimulatedWorld) -> None:
    lost = iter([Fault("InternalError", "We encountered an internal error.", 500, "s3")])

    def fails(operation: str, kept: bool) -> None:
        if operation == "PutObject" and kept:
            for fault in lost:
                raise fault

    evidence.cloud.fails = fails
    evidence.change(a_trail())
    wanted = [evidence.record()]
    evidence.settle()
    evidence.settle()
    assert ids(evidence) == wanted
    assert evidence.cloud.calls["GetObject"] == 1


def test_whoever_sits_on_a_key_does_not_keep_the_evidence_away(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.change(a_trail())
    wanted = [evidence.record()]
    world.advance(FIVE_MINUTES)
    evidence.runner.run_once(evidence.delivery)
    evidence.delivery.cut(world.now())
    (queue,) = evidence.store.queues("delivery/")
    key = window_of(evidence.store.outbox(queue, 1)[0]).key
    evidence.cloud.buckets[BUCKET][key] = Stored(b"mine", {}, "AES256")
    evidence.runner.run_until_idle()
    assert evidence.cloud.buckets[BUCKET].pop(key).body == b"mine", "never overwritten"
    assert evidence.findings == 1
    assert ids(evidence) == wanted
    evidence.settle(HOUR)
    assert [len(each["logFiles"]) for each in evidence.digests()] == [1]


def test_the_topic_hears_of_each_file(evidence: Evidence, world: SimulatedWorld) -> None:
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:deliveries"
    evidence.change(a_trail(SnsTopicARN=topic))
    evidence.record()
    evidence.settle()
    (key,) = evidence.files()
    assert [json.loads(each) for each in evidence.cloud.messages[topic]] == [{"s3Bucket": BUCKET, "s3ObjectKey": [key]}]


def test_events_go_to_the_bus_as_aws_sends_them(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.record()
    evidence.change(a_trail())
    evidence.record(eventName="RunInstances")
    evidence.record(eventName="DescribeInstances", readOnly=True)
    evidence.record(eventSource="sts.amazonaws.com", eventName="AssumeRole", readOnly=True)
    evidence.record(eventSource="signin.amazonaws.com", eventName="ConsoleLogin", eventType="AwsConsoleSignIn")
    evidence.record(eventSource="s3.amazonaws.com", eventName="PutObject", eventCategory="Data")
    evidence.record(requestParameters={"text": "x" * 300_000})
    evidence.runner.run_until_idle()
    events = evidence.cloud.events[ACCOUNT, REGION]
    assert [(event["Source"], event["DetailType"]) for event in events] == [
        ("aws.ec2", "AWS API Call via CloudTrail"),
        ("aws.sts", "AWS API Call via CloudTrail"),
        ("aws.signin", "AWS Console Sign In via CloudTrail"),
    ]
    assert json.loads(events[0]["Detail"])["eventName"] == "RunInstances"


def test_a_clock_set_back_leaves_no_gap_between_digests(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.change(a_trail())
    for step in (HOUR, timedelta(minutes=50), -HOUR, timedelta(minutes=70), HOUR):
        evidence.record()
        evidence.settle(step)
    evidence.settle(HOUR)
    digests = evidence.digests()
    assert [each["digestStartTime"] for each in digests[1:]] == [each["digestEndTime"] for each in digests[:-1]]
    files = [file["s3Object"] for each in digests for file in each["logFiles"]]
    assert sorted(files) == sorted(evidence.files())


@pytest.mark.parametrize(
    ("heard", "wanted"),
    [
        (Hearing.NOTHING, []),
        (Hearing.CHANGES, ["StartInstances", "AssumeRole"]),
        (Hearing.READS, ["StartInstances", "DescribeInstances", "AssumeRole"]),
    ],
)
def test_the_bus_is_sent_what_its_rules_can_hear_of(
    evidence: Evidence, world: SimulatedWorld, heard: Hearing, wanted: list[str]
) -> None:
    evidence.listeners.heard = heard
    evidence.change(a_trail())
    evidence.record(eventName="StartInstances", readOnly=False)
    evidence.record(eventName="DescribeInstances", readOnly=True)
    evidence.record(eventSource="sts.amazonaws.com", eventName="AssumeRole", readOnly=True)
    evidence.settle()
    sent = [json.loads(each["Detail"])["eventName"] for each in evidence.cloud.events[ACCOUNT, REGION]]
    assert sent == wanted


def test_a_clock_set_back_delays_no_file(tmp_path: Path) -> None:
    world = SteppedWorld()
    evidence = in_memory(world, tmp_path)
    evidence.change(a_trail())
    wanted = [evidence.record()]
    evidence.runner.run_until_idle()
    world.advance(-2 * HOUR)
    world.pass_time(FIVE_MINUTES)
    evidence.runner.run_until_idle()
    assert ids(evidence) == wanted


def test_what_a_server_did_not_digest_for_weeks_is_backfilled(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.change(a_trail())
    evidence.settle(HOUR)
    evidence.settle(timedelta(days=8))
    digests = evidence.digests()
    backfilled = [each for each in digests if "_backfill" in each["digestS3Object"]]
    proper = [each for each in digests if each not in backfilled]
    assert len(digests) == 1 + 8 * 24
    assert len(backfilled) == 23, "those whose hour ended more than a week before"
    assert [each["previousDigestS3Object"] for each in proper[1:]] == [each["digestS3Object"] for each in proper[:-1]]
    assert [each["previousDigestS3Object"] for each in backfilled[1:]] == [
        each["digestS3Object"] for each in backfilled[:-1]
    ]


def test_a_backfill_digest_is_signed_with_a_key_of_the_time_when_it_was_made(
    world: SimulatedWorld, tmp_path: Path
) -> None:
    evidence = in_memory(world, tmp_path, key_days=1)
    evidence.change(a_trail())
    evidence.settle(timedelta(days=8))
    backfilled = [each for each in evidence.digests() if "_backfill" in each["digestS3Object"]]
    published = public_keys(evidence.store, REGION, world.now() - HOUR, world.now() + HOUR)
    assert {each["digestPublicKeyFingerprint"] for each in backfilled} <= {key.fingerprint for key in published}


FAR = ("eu-west-1", "sa-east-1")


def digested(evidence: Evidence) -> list[tuple[str, str]]:
    """The region and the start of each digest."""
    found = [(each["digestS3Object"].split("/")[3], each["digestStartTime"]) for each in evidence.digests()]
    return sorted(found)


def test_digests_begin_in_every_region_with_logging(world: SimulatedWorld, tmp_path: Path) -> None:
    evidence = in_memory(world, tmp_path, regions=FAR)
    began = f"{world.now():%Y-%m-%dT%H:%M:%SZ}"
    evidence.change(a_trail())
    evidence.settle(HOUR)
    assert digested(evidence) == [(region, began) for region in ("eu-west-1", "sa-east-1", "us-east-1")]
    evidence = evidence.restarted()
    evidence.record(awsRegion="eu-west-1")
    evidence.settle(HOUR)
    assert [region for region, _ in digested(evidence)] == ["eu-west-1"] * 2 + ["sa-east-1"] * 2 + ["us-east-1"] * 2


def test_a_trail_that_comes_to_be_of_many_regions_has_digests_there_from_then_on(
    world: SimulatedWorld, tmp_path: Path
) -> None:
    evidence = in_memory(world, tmp_path, regions=FAR)
    evidence.change(a_trail(IsMultiRegionTrail=False))
    evidence.settle(HOUR)
    assert [region for region, _ in digested(evidence)] == [REGION]
    evidence.change(a_trail(), "UpdateTrail")
    evidence.settle(HOUR)
    assert [region for region, _ in digested(evidence)] == ["eu-west-1", "sa-east-1", REGION, REGION]
    (before, after) = [each for each in evidence.digests() if f"/{REGION}/" in each["digestS3Object"]]
    assert after["previousDigestS3Object"] == before["digestS3Object"], "at home the chain goes on"


def test_a_trail_that_comes_to_be_of_its_home_alone_ends_its_digests_elsewhere(
    world: SimulatedWorld, tmp_path: Path
) -> None:
    evidence = in_memory(world, tmp_path, regions=FAR)
    evidence.change(a_trail())
    world.advance(timedelta(minutes=10))
    last = evidence.record(awsRegion="eu-west-1")
    evidence.change(a_trail(IsMultiRegionTrail=False), "UpdateTrail")
    evidence.settle(3 * HOUR)
    ends = {region: [each["digestEndTime"] for each in of(evidence, region)] for region in (*FAR, REGION)}
    assert ends["eu-west-1"] == ends["sa-east-1"] == ["2026-01-15T09:40:00Z"]
    assert ends[REGION] == ["2026-01-15T10:30:00Z", "2026-01-15T11:30:00Z", "2026-01-15T12:30:00Z"]
    (listed,) = of(evidence, "eu-west-1")[0]["logFiles"]
    assert [each["eventID"] for each in evidence.files()[listed["s3Object"]]] == [last]


def test_digests_elsewhere_begin_anew_when_the_trail_is_of_many_regions_again(
    world: SimulatedWorld, tmp_path: Path
) -> None:
    """Even before the last ones of the chains that ended are made: each file stands in the digest of its own chain."""
    evidence = in_memory(world, tmp_path, regions=FAR)
    evidence.change(a_trail())
    first = evidence.record(awsRegion="eu-west-1")
    world.advance(timedelta(minutes=1))
    evidence.change(a_trail(IsMultiRegionTrail=False), "UpdateTrail")
    world.advance(timedelta(minutes=1))
    evidence.record(awsRegion="eu-west-1")
    evidence.change(a_trail(), "UpdateTrail")
    second = evidence.record(awsRegion="eu-west-1")
    evidence.settle(2 * HOUR)
    ended, begun, *_ = of(evidence, "eu-west-1")
    assert (ended["previousDigestS3Object"], begun["previousDigestS3Object"]) == (None, None)
    assert ended["digestEndTime"] <= begun["digestStartTime"]
    listed = [
        [record["eventID"] for each in chain["logFiles"] for record in evidence.files()[each["s3Object"]]]
        for chain in (ended, begun)
    ]
    assert listed == [[first], [second]]
    evidence.change(a_trail(IsLogging=False), "StopLogging")
    evidence.settle(3 * HOUR)
    stopped = {of(evidence, region)[-1]["digestEndTime"] for region in (*FAR, REGION)}
    assert stopped == {"2026-01-15T11:32:00Z"}


def of(evidence: Evidence, region: str) -> list[dict[str, Any]]:
    """The digests of one Region, in order."""
    found = [each for each in evidence.digests() if f"/{region}/" in each["digestS3Object"]]
    return sorted(found, key=lambda each: str(each["digestEndTime"]))
