import base64
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
import rsa

from trailstate.stores.memory import MemoryStore
from trailstate.trail import digest
from trailstate.trail.digest import Delivered
from trailstate.trail.keys import Keys, public_keys
from trailstate.trail.window import Lane
from trailstate.world import SimulatedWorld

LANE = Lane(
    trail="arn:aws:cloudtrail:us-east-1:111122223333:trail/all",
    account="444455556666",
    region="eu-west-1",
    bucket="evidence",
    folder="AWSLogs/o-abc/",
    opening=1,
)
TEN = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FILES = [
    Delivered("evidence", "k1", "aa", "2026-01-15T09:40:00Z", "2026-01-15T09:31:00Z"),
    Delivered("evidence", "k2", "bb", "2026-01-15T09:55:00Z", "2026-01-15T09:41:00Z"),
]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(SimulatedWorld())


@pytest.fixture
def keys(tmp_path: Path, store: MemoryStore) -> Keys:
    return Keys(tmp_path, store, key_days=30)


def test_a_digest_lists_its_files_and_the_times_inside(keys: Keys) -> None:
    made = digest.make(LANE, TEN - HOUR, TEN, FILES, None, keys.signer("eu-west-1", TEN))
    body = json.loads(made.text)
    assert (
        made.key
        == body["digestS3Object"]
        == (
            "AWSLogs/o-abc/444455556666/CloudTrail-Digest/eu-west-1/2026/01/15/"
            "444455556666_CloudTrail-Digest_eu-west-1_all_us-east-1_20260115T100000Z.json.gz"
        )
    )
    assert (body["oldestEventTime"], body["newestEventTime"]) == ("2026-01-15T09:31:00Z", "2026-01-15T09:55:00Z")
    assert [each["s3Object"] for each in body["logFiles"]] == ["k1", "k2"]
    assert {body[name] for name in body if name.startswith("previous")} == {None}
    assert list(body)[:4] == ["awsAccountId", "digestStartTime", "digestEndTime", "digestS3Bucket"]


def test_an_empty_digest_says_nothing_of_times(keys: Keys) -> None:
    body = json.loads(digest.make(LANE, TEN - HOUR, TEN, [], None, keys.signer("eu-west-1", TEN)).text)
    assert (body["oldestEventTime"], body["newestEventTime"], body["logFiles"]) == (None, None, [])


def test_each_digest_names_and_signs_the_one_before(keys: Keys, store: MemoryStore) -> None:
    first = digest.make(LANE, TEN - HOUR, TEN, FILES, None, keys.signer("eu-west-1", TEN))
    second = digest.make(LANE, TEN, TEN + HOUR, [], first.as_previous(), keys.signer("eu-west-1", TEN + HOUR))
    body = json.loads(second.text)
    assert body["previousDigestSignature"] == first.signature
    assert body["previousDigestHashValue"] == sha256(first.text.encode()).hexdigest()
    listed = public_keys(store, "eu-west-1", TEN, TEN)
    assert [each.fingerprint for each in listed] == [body["digestPublicKeyFingerprint"]]
    signed = digest.signed_text("2026-01-15T11:00:00Z", "evidence", second.key, second.text.encode(), first.signature)
    public = rsa.PublicKey.load_pkcs1(base64.b64decode(listed[0].value), format="DER")
    assert rsa.verify(signed, bytes.fromhex(second.signature), public) == "SHA-256"


def test_a_digest_made_twice_is_the_same(keys: Keys) -> None:
    signer = keys.signer("eu-west-1", TEN)
    assert digest.make(LANE, TEN - HOUR, TEN, FILES, None, signer) == digest.make(
        LANE, TEN - HOUR, TEN, FILES, None, signer
    )


def test_a_backfill_digest_says_when_it_was_made(keys: Keys) -> None:
    made = digest.make(LANE, TEN - HOUR, TEN, FILES, None, keys.signer("eu-west-1", TEN), backfilled=TEN + 9 * HOUR)
    assert made.key.endswith("_20260115T100000Z_backfill.json.gz")
    assert made.metadata["backfill-generation-timestamp"] == "2026-01-15T19:00:00Z"


def test_keys_are_renewed_and_old_ones_stay_listed(keys: Keys, store: MemoryStore, tmp_path: Path) -> None:
    first = keys.signer("eu-west-1", TEN)
    renewed = public_keys(store, "eu-west-1", TEN, TEN)[0].end
    second = keys.signer("eu-west-1", renewed)
    assert second.fingerprint != first.fingerprint
    assert keys.signer("eu-west-1", renewed - HOUR).fingerprint == first.fingerprint, "made late: the key of its time"
    listed = [each.fingerprint for each in public_keys(store, "eu-west-1", TEN, renewed + HOUR)]
    assert listed == [first.fingerprint, second.fingerprint]
    assert [each.fingerprint for each in public_keys(store, "eu-west-1", renewed + HOUR, renewed + HOUR)] == listed[1:]
    keys.signer("eu-west-1", renewed + timedelta(days=31))
    assert not list(tmp_path.rglob(f"{first.fingerprint}.pem")), "nobody can sign for that time any more"


def test_private_keys_outlive_the_process_and_are_their_owners_alone(store: MemoryStore, tmp_path: Path) -> None:
    before = Keys(tmp_path, store, key_days=30).signer("eu-west-1", TEN)
    after = Keys(tmp_path, store, key_days=30).signer("eu-west-1", TEN + HOUR)
    assert after.fingerprint == before.fingerprint
    assert after.sign(b"x") == before.sign(b"x")
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*.pem")} == {0o600}


def test_each_region_has_keys_of_its_own(keys: Keys, store: MemoryStore) -> None:
    ours, other = keys.signer("eu-west-1", TEN), keys.signer("us-east-1", TEN)
    assert ours.fingerprint != other.fingerprint
    assert [each.fingerprint for each in public_keys(store, "us-east-1", TEN, TEN)] == [other.fingerprint]
