import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.simulation.cloud import Stored
from tests.simulation.evidence import BUCKET, Evidence, a_trail, in_memory
from tests.simulation.log_check import check_log
from trailstate.trail.keys import public_keys
from trailstate.world import SimulatedWorld

Objects = dict[str, Stored]


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    """Five hours of a trail: a file in each of the first four, and their digests."""
    world = SimulatedWorld()
    evidence = in_memory(world, tmp_path)
    evidence.change(a_trail())
    evidence.runner.run_until_idle()
    for _ in range(4):
        evidence.record()
        world.advance(timedelta(hours=1))
        evidence.runner.run_until_idle()
    world.advance(timedelta(hours=1))
    evidence.runner.run_until_idle()
    return evidence


def findings(evidence: Evidence) -> list[str]:
    def keys(region: str, moment: datetime) -> list:
        return public_keys(evidence.store, region, moment, moment)

    expected = [json.loads(each.body)["eventID"] for each in evidence.store.read("journal", 1, 100)]
    objects = ((key, each.body, each.metadata) for key, each in evidence.cloud.buckets[BUCKET].items())
    return check_log(BUCKET, objects, keys, expected)


def keys_of(objects: Objects, kind: str) -> list[str]:
    return sorted(key for key in objects if f"/{kind}/" in key)


def test_whole_evidence_has_no_finding(evidence: Evidence) -> None:
    assert findings(evidence) == []


def lose_a_log(objects: Objects) -> None:
    del objects[keys_of(objects, "CloudTrail")[1]]


def change_a_log(objects: Objects) -> None:
    key = keys_of(objects, "CloudTrail")[1]
    text = gzip.decompress(objects[key].body).replace(b"RunInstances", b"runInstances")
    objects[key] = replace(objects[key], body=gzip.compress(text))


def break_a_log(objects: Objects) -> None:
    key = keys_of(objects, "CloudTrail")[1]
    objects[key] = replace(objects[key], body=b"no gzip")


def add_a_log(objects: Objects) -> None:
    key = keys_of(objects, "CloudTrail")[1]
    objects[key.replace(".json.gz", "x.json.gz")] = objects[key]


def lose_a_digest(objects: Objects) -> None:
    del objects[keys_of(objects, "CloudTrail-Digest")[1]]


def lose_the_newest_digest_with_files(objects: Objects) -> None:
    for key in keys_of(objects, "CloudTrail-Digest")[3:]:
        del objects[key]


def change_a_digest(objects: Objects) -> None:
    key = keys_of(objects, "CloudTrail-Digest")[1]
    text = gzip.decompress(objects[key].body).replace(b"10:30:00Z", b"10:30:01Z")
    objects[key] = replace(objects[key], body=gzip.compress(text))


def move_a_digest(objects: Objects) -> None:
    key = keys_of(objects, "CloudTrail-Digest")[1]
    objects[key.replace("Z.json", "Z1.json")] = objects.pop(key)


def lose_a_signature(objects: Objects) -> None:
    key = keys_of(objects, "CloudTrail-Digest")[1]
    objects[key] = replace(objects[key], metadata={})


def swap_signatures(objects: Objects) -> None:
    first, second = keys_of(objects, "CloudTrail-Digest")[1:3]
    objects[first] = replace(objects[first], metadata=objects[second].metadata)


DAMAGES: list[Callable[[Objects], None]] = [
    lose_a_log, change_a_log, break_a_log, add_a_log, lose_a_digest, lose_the_newest_digest_with_files,
    change_a_digest, move_a_digest, lose_a_signature, swap_signatures,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_every_damage_is_found(evidence: Evidence, damage: Callable[[Objects], None]) -> None:
    damage(evidence.cloud.buckets[BUCKET])
    assert findings(evidence) != []
