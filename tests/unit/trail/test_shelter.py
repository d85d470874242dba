"""What was delivered is not kept for ever, and what was not is."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.simulation.evidence import BUCKET, Evidence, a_trail, in_memory

from trailstate.trail.trails import CHANGE
from trailstate.world import SimulatedWorld

HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> SimulatedWorld:
    return SimulatedWorld()


@pytest.fixture
def evidence(world: SimulatedWorld, tmp_path: Path) -> Evidence:
    return in_memory(world, tmp_path)


def kept(evidence: Evidence) -> dict[str, bytes | None]:
    return {each.key: evidence.objects.get(each.key) for each in evidence.objects.list("delivery/")}


def test_the_bytes_of_a_delivered_file_are_cleared_away(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.change(a_trail())
    evidence.record()
    evidence.settle(timedelta(minutes=5))
    assert list(kept(evidence).values()) == [stored.body for stored in evidence.cloud.buckets[BUCKET].values()]
    evidence.settle(HOUR)
    assert kept(evidence) == {}
    assert len(evidence.files()) == 1


def test_the_bytes_of_a_file_that_waits_for_its_bucket_outlive_restarts(
    evidence: Evidence, world: SimulatedWorld
) -> None:
    evidence.change(a_trail())
    evidence.record()
    bucket = evidence.cloud.buckets.pop(BUCKET)  # as when the simulated estate begins anew
    evidence.settle(timedelta(minutes=5))
    (before,) = kept(evidence).values()
    evidence = evidence.restarted()
    for _ in range(5):
        evidence.settle(timedelta(days=5))
    evidence.cloud.buckets[BUCKET] = bucket
    evidence.settle(HOUR)
    assert [stored.body for key, stored in bucket.items() if "/CloudTrail/" in key] == [before]
    evidence.settle(HOUR)
    assert kept(evidence) == {}


def test_a_process_that_dies_after_a_delivery_leaves_nothing_behind(evidence: Evidence, world: SimulatedWorld) -> None:
    evidence.change(a_trail())
    evidence.record()
    evidence.settle(timedelta(minutes=5))
    assert len(kept(evidence)) == 1
    evidence = evidence.restarted()
    evidence.runner.run_until_idle()
    assert kept(evidence) == {}


def test_what_a_call_made_of_a_trail_is_forgotten_with_the_commit_that_takes_it_in(
    evidence: Evidence, world: SimulatedWorld
) -> None:
    evidence.change(a_trail())
    assert len(list(evidence.store.documents(None, None, CHANGE))) == 1
    evidence.runner.run_until_idle()
    assert list(evidence.store.documents(None, None, CHANGE)) == []
    wanted = evidence.record()
    evidence = evidence.restarted()
    evidence.settle(timedelta(minutes=5))
    assert [each["eventID"] for records in evidence.files().values() for each in records] == [wanted]
