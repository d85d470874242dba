"""What the stock `validate-logs` says of evidence that somebody touched: our buckets under AWS's own judge.

One process runs the command for every case, so that two dozen cases do not start it two dozen times.
"""

import contextlib
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.clients.trails import a_bucket, a_trail, bucket_policy
from tests.clients.validator import Validator
from trailstate.testing import Lab, lab
from trailstate.trail.keys import fresh_key

BUCKET = "evidence"
DIGEST = "/CloudTrail-Digest/"
LOG = "/CloudTrail/"


@dataclass(frozen=True, slots=True)
class Copy:
    body: bytes
    metadata: dict[str, str]


Objects = dict[str, Copy]


@dataclass(frozen=True, slots=True)
class Evidence:
    aws: Lab
    trail: str
    objects: Objects


@pytest.fixture(scope="module")
def evidence() -> Iterator[Evidence]:
    """Four hours of a trail: six log files, and a digest of nothing among the four."""
    with lab(delivery_seconds=5) as aws:
        bucket = a_bucket(aws, BUCKET)
        trail = a_trail(aws, "all", bucket, EnableLogFileValidation=True)
        for files in (2, 3, 0, 1):
            for number in range(files):
                aws.client("iam").create_user(UserName=f"u{number}-{len(aws.recorded())}")
                aws.advance("10s")
            aws.advance(timedelta(hours=1) - number_of_seconds(files))
        yield Evidence(aws, trail, fetched(aws))


def number_of_seconds(files: int) -> timedelta:
    return timedelta(seconds=10 * files)


def fetched(aws: Lab, bucket: str = BUCKET) -> Objects:
    s3 = aws.client("s3")
    found: Objects = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for each in page.get("Contents", ()):
            answer = s3.get_object(Bucket=bucket, Key=each["Key"])
            found[each["Key"]] = Copy(answer["Body"].read(), answer["Metadata"])
    return found


@contextlib.contextmanager
def holding(aws: Lab, before: Objects, after: Objects) -> Iterator[None]:
    """The bucket holds `after` inside this block, and `before` again behind it."""
    _turn(aws, before, after)
    try:
        yield
    finally:
        _turn(aws, after, before)


def _turn(aws: Lab, before: Objects, after: Objects) -> None:
    s3 = aws.client("s3")
    for key in before.keys() - after.keys():
        s3.delete_object(Bucket=BUCKET, Key=key)
    for key, each in after.items():
        if before.get(key) != each:
            s3.put_object(Bucket=BUCKET, Key=key, Body=each.body, Metadata=each.metadata)


_validators: list[Validator] = []


@pytest.fixture(scope="module", autouse=True)
def validator() -> Iterator[None]:
    _validators.append(Validator())
    yield
    _validators.pop().close()


def validated(aws: Lab, *arguments: str, environment: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the stock command."""
    return _validators[0].run(list(arguments), aws.environment | {"AWS_MAX_ATTEMPTS": "1"} | (environment or {}))


def judged(evidence: Evidence, objects: Objects, *options: str) -> tuple[int, str, list[str]]:
    """Exit code, stdout and the lines of stderr over the bucket with these objects in it."""
    aws = evidence.aws
    start, end = (f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in (aws.now() - timedelta(days=1), aws.now()))
    with holding(aws, evidence.objects, objects):
        code, said, complained = validated(
            aws, "--trail-arn", evidence.trail, "--start-time", start, "--end-time", end, *options
        )
    return code, said, [line for line in complained.splitlines() if line]


def digests(objects: Objects) -> list[str]:
    return sorted(key for key in objects if DIGEST in key)


def logs_of(objects: Objects, digest: str) -> list[str]:
    return [each["s3Object"] for each in body_of(objects[digest])["logFiles"]]


def body_of(digest: Copy) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress(digest.body))
    return found


def with_body(copy: Copy, body: dict[str, Any]) -> Copy:
    return replace(copy, body=gzip.compress(json.dumps(body).encode()))


# ---- one tampering each: the objects afterwards, and what must be said of them ----

Tampered = tuple[Objects, list[str], str]
"""The objects, the lines of stderr, and a part of the summary."""


def log(key: str, what: str) -> str:
    return f"Log file\ts3://{BUCKET}/{key}\tINVALID: {what}"


def digest(key: str, what: str) -> str:
    return f"Digest file\ts3://{BUCKET}/{key}\tINVALID: {what}"


def nothing(objects: Objects) -> Tampered:
    return objects, [], "4/4 digest files valid\n6/6 log files valid"


def log_deleted(objects: Objects) -> Tampered:
    key = logs_of(objects, digests(objects)[1])[0]
    return without(objects, key), [log(key, "not found")], "5/6 log files valid, 1/6 log files INVALID"


def log_changed(objects: Objects) -> Tampered:
    key = logs_of(objects, digests(objects)[1])[0]
    text = gzip.decompress(objects[key].body).replace(b"CreateUser", b"DeleteUser")
    changed = objects | {key: replace(objects[key], body=gzip.compress(text))}
    return changed, [log(key, "hash value doesn't match")], "1/6 log files INVALID"


def log_not_gzip(objects: Objects) -> Tampered:
    key = logs_of(objects, digests(objects)[1])[0]
    changed = objects | {key: replace(objects[key], body=b"not gzip")}
    return changed, [log(key, "invalid format")], "1/6 log files INVALID"


def middle_digest_deleted(objects: Objects) -> Tampered:
    key = digests(objects)[1]
    return without(objects, key), [digest(key, "not found")], "3/4 digest files valid, 1/4 digest files INVALID"


def two_adjacent_digests_deleted(objects: Objects) -> Tampered:
    older, newer = digests(objects)[1:3]
    return without(objects, older, newer), [digest(newer, "not found")], "1/3 digest files INVALID"


def oldest_digest_deleted(objects: Objects) -> Tampered:
    key = digests(objects)[0]
    return without(objects, key), [digest(key, "not found")], "1/4 digest files INVALID"


def newest_digest_deleted(objects: Objects) -> Tampered:
    return without(objects, digests(objects)[3]), [], "3/3 digest files valid"


def all_digests_deleted(objects: Objects) -> Tampered:
    return without(objects, *digests(objects)), [], "No digests found"


def digest_changed(objects: Objects) -> Tampered:
    key = digests(objects)[1]
    changed = with_body(objects[key], body_of(objects[key]) | {"awsAccountId": "1"})
    return objects | {key: changed}, [digest(key, "signature verification failed")], "1/4 digest files INVALID"


def digest_not_gzip(objects: Objects) -> Tampered:
    key = digests(objects)[1]
    changed = objects | {key: replace(objects[key], body=b"not gzip")}
    return changed, [digest(key, "invalid format")], "1/4 digest files INVALID"


def digest_lacks_a_key(objects: Objects) -> Tampered:
    key = digests(objects)[1]
    body = {name: value for name, value in body_of(objects[key]).items() if name != "digestStartTime"}
    changed = objects | {key: with_body(objects[key], body)}
    return changed, [digest(key, "invalid format")], "1/4 digest files INVALID"


def metadata_lost(objects: Objects) -> Tampered:
    key = digests(objects)[1]
    changed = objects | {key: replace(objects[key], metadata={})}
    return changed, [digest(key, "signature verification failed")], "1/4 digest files INVALID"


def digest_moved(objects: Objects) -> Tampered:
    key = digests(objects)[1]
    end = key[-24:-8]
    moved = key.replace(end, end[:-3] + ("01Z" if end[-3:] != "01Z" else "02Z"))
    later = objects | {moved: objects[key]}
    lines = [digest(key, "not found"), digest(moved, "has been moved from its original location")]
    return without(later, key), lines, "2/5 digest files INVALID"


def fingerprint_unknown(objects: Objects) -> Tampered:
    changed = dict(objects)
    for key in digests(objects):
        changed[key] = with_body(objects[key], body_of(objects[key]) | {"digestPublicKeyFingerprint": "0" * 32})
    what = f"public key not found in region us-east-1 for fingerprint {'0' * 32}"
    return changed, [digest(key, what) for key in reversed(digests(objects))], "No valid digests found in range"


def signed_with_another_key(objects: Objects) -> Tampered:
    key = digests(objects)[1]
    body = body_of(objects[key])
    signed = "\n".join(
        (
            body["digestEndTime"],
            f"{BUCKET}/{key}",
            sha256(gzip.decompress(objects[key].body)).hexdigest(),
            body["previousDigestSignature"],
        )
    )
    signature = fresh_key().sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()).hex()
    metadata = objects[key].metadata | {"signature": signature}
    changed = objects | {key: replace(objects[key], metadata=metadata)}
    return changed, [digest(key, "signature verification failed")], "1/4 digest files INVALID"


def without(objects: Objects, *keys: str) -> Objects:
    return {key: each for key, each in objects.items() if key not in keys}


TAMPERINGS: list[Callable[[Objects], Tampered]] = [
    nothing, log_deleted, log_changed, log_not_gzip, middle_digest_deleted, two_adjacent_digests_deleted,
    oldest_digest_deleted, newest_digest_deleted, all_digests_deleted, digest_changed, digest_not_gzip,
    digest_lacks_a_key, metadata_lost, digest_moved, fingerprint_unknown, signed_with_another_key,
]  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_the_stock_command_says_what_it_says_at_aws(evidence: Evidence, tamper: Callable[[Objects], Tampered]) -> None:
    objects, lines, summary = tamper(evidence.objects)
    code, said, complained = judged(evidence, objects)
    assert sorted(complained) == sorted(lines)
    assert summary in said
    assert code == (1 if lines else 0)


def test_without_public_keys_it_stops(evidence: Evidence) -> None:
    arguments = ("--trail-arn", evidence.trail, "--start-time", "2001-01-01T00:00:00Z", "--end-time")
    code, _, complained = validated(evidence.aws, *arguments, "2001-01-02T00:00:00Z")
    assert "No public keys found between 2001-01-01T00:00:00Z and 2001-01-02T02:00:00Z" in complained
    assert code == 255


def test_a_region_that_the_trail_has_only_come_to_has_no_digests(evidence: Evidence) -> None:
    cloudtrail = evidence.aws.client("cloudtrail")
    cloudtrail.update_trail(Name=evidence.trail, IsMultiRegionTrail=True)
    code, said, complained = judged(evidence, evidence.objects, "--region", "eu-west-1")
    cloudtrail.update_trail(Name=evidence.trail, IsMultiRegionTrail=False)
    assert (code, complained) == (0, [])
    assert "No digests found" in said


def test_the_endpoint_flag_does_not_reach_s3(evidence: Evidence) -> None:
    """Whatever S3 would be without the flag is asked; here nobody answers there."""
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    arguments = ("--trail-arn", evidence.trail, "--start-time", "2026-01-01T00:00:00Z")
    code, _, complained = validated(
        evidence.aws, *arguments, "--endpoint-url", evidence.aws.endpoint, environment=nowhere
    )
    assert "Could not connect to the endpoint URL" in complained
    assert code == 255


# ---- what needs a trail of its own ----


@pytest.fixture
def fresh() -> Iterator[Lab]:
    with lab(delivery_seconds=5) as aws:
        yield aws


def test_digests_made_weeks_late_are_backfill(fresh: Lab) -> None:
    trail = a_trail(fresh, "all", a_bucket(fresh, BUCKET), EnableLogFileValidation=True)
    fresh.client("iam").create_user(UserName="mallory")
    fresh.advance("7d3h")
    objects = fetched(fresh)
    backfill = {key: each for key, each in objects.items() if DIGEST not in key or key.endswith("_backfill.json.gz")}
    evidence = Evidence(fresh, trail, objects)
    week = ("--start-time", f"{fresh.now() - timedelta(days=9):%Y-%m-%dT%H:%M:%SZ}")
    code, said, complained = judged(evidence, backfill, *week)
    count = len(digests(backfill))
    assert count >= 2
    assert (code, complained) == (0, [])
    assert f"{count}/{count} backfill digest files valid" in said
    (first, *_) = digests(backfill)
    plain = {"signature": backfill[first].metadata["signature"], "signature-algorithm": "SHA256withRSA"}
    code, _, complained = judged(evidence, backfill | {first: replace(backfill[first], metadata=plain)}, *week)
    assert complained == [f"(backfill) {digest(first, 'invalid format')}"]
    assert code == 1


def test_an_organizations_digests_are_looked_for_below_its_id(fresh: Lab) -> None:
    organization = fresh.client("organizations").create_organization(FeatureSet="ALL")["Organization"]["Id"]
    fresh.client("organizations").enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    bucket = a_bucket(fresh, BUCKET, policy=bucket_policy(BUCKET))
    trail = a_trail(fresh, "all", bucket, IsOrganizationTrail=True, EnableLogFileValidation=True)
    fresh.advance("1h")
    objects = fetched(fresh)
    evidence = Evidence(fresh, trail, objects)
    account = ("--account-id", fresh.account)
    assert "1/1 digest files valid" in judged(evidence, objects, *account)[1]
    elsewhere = {key.replace(f"{organization}/", ""): each for key, each in objects.items()}
    assert "No digests found" in judged(evidence, elsewhere, *account)[1]
    code, _, complained = judged(evidence, objects)
    assert any("Missing required parameter for organization trail: '--account-id'" in each for each in complained)
    assert code == 255
