"""A digest file lists the log files of one period with their hashes, is signed, and names the digest before it.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html

All of it is a pure function of the lane, the period, the files and the digest before; the signature is RSA with PKCS#1
v1.5 padding, which draws nothing, so a digest made twice is the same digest. What is signed is four lines: the end of
the period, bucket and key, the SHA-256 of the digest's text in hexadecimal, and the signature of the digest before (or
the word null).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from trailstate.trail.window import Lane
from trailstate.values.timestamp import record_time

ALGORITHM = "SHA256withRSA"
HASH_ALGORITHM = "SHA-256"


@dataclass(frozen=True, slots=True)
class Delivered:
    """A log file that stands in its bucket."""

    bucket: str
    key: str
    sha256: str
    newest: str
    oldest: str


@dataclass(frozen=True, slots=True)
class Previous:
    """What a digest says of the one before it."""

    bucket: str
    key: str
    sha256: str
    signature: str


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key ready to sign, and the name of its public half."""

    fingerprint: str
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Digest:
    """One digest file, signed."""

    bucket: str
    key: str
    text: str
    signature: str
    """In hexadecimal."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Metadata of the object besides the signature."""

    @property
    def metadata(self) -> dict[str, str]:
        return {"signature": self.signature, "signature-algorithm": ALGORITHM, **self.notes}

    def as_previous(self) -> Previous:
        return Previous(self.bucket, self.key, sha256(self.text.encode()).hexdigest(), self.signature)


def key_of(lane: Lane, end: datetime, *, backfill: bool = False) -> str:
    """The S3 key of the digest whose period ends then."""
    arn, _, name = lane.trail.partition("/")
    home, suffix = arn.split(":")[3], "_backfill" if backfill else ""
    stem = f"{lane.account}_CloudTrail-Digest_{lane.region}_{name}_{home}_{end:%Y%m%dT%H%M%SZ}"
    return f"{lane.folder}{lane.account}/CloudTrail-Digest/{lane.region}/{end:%Y/%m/%d}/{stem}{suffix}.json.gz"


def make(
    lane: Lane,
    start: datetime,
    end: datetime,
    files: Sequence[Delivered],
    previous: Previous | None,
    signer: Signer,
    *,
    backfilled: datetime | None = None,
) -> Digest:
    """The signed digest of one period. `backfilled` is when it was made, for a period whose time had long passed."""
    key = key_of(lane, end, backfill=backfilled is not None)
    text = msgspec.json.encode(_body(lane, key, start, end, files, previous, signer.fingerprint))
    signed = signed_text(record_time(end), lane.bucket, key, text, previous.signature if previous else None)
    notes = {} if backfilled is None else {"backfill-generation-timestamp": record_time(backfilled)}
    return Digest(lane.bucket, key, text.decode(), signer.sign(signed).hex(), notes)


def signed_text(end: str, bucket: str, key: str, text: bytes, previous_signature: str | None) -> bytes:
    """What the signature covers."""
    return "\n".join((end, f"{bucket}/{key}", sha256(text).hexdigest(), previous_signature or "null")).encode()


def _body(
    lane: Lane,
    key: str,
    start: datetime,
    end: datetime,
    files: Sequence[Delivered],
    previous: Previous | None,
    fingerprint: str,
) -> dict[str, Any]:
    return {
        "awsAccountId": lane.account,
        "digestStartTime": record_time(start),
        "digestEndTime": record_time(end),
        "digestS3Bucket": lane.bucket,
        "digestS3Object": key,
        "digestPublicKeyFingerprint": fingerprint,
        "digestSignatureAlgorithm": ALGORITHM,
        "newestEventTime": max((each.newest for each in files), default=None),
        "oldestEventTime": min((each.oldest for each in files), default=None),
        "previousDigestS3Bucket": previous and previous.bucket,
        "previousDigestS3Object": previous and previous.key,
        "previousDigestHashValue": previous and previous.sha256,
        "previousDigestHashAlgorithm": previous and HASH_ALGORITHM,
        "previousDigestSignature": previous and previous.signature,
        "logFiles": [_entry(each) for each in files],
    }


def _entry(file: Delivered) -> dict[str, str]:
    return {
        "s3Bucket": file.bucket,
        "s3Object": file.key,
        "hashValue": file.sha256,
        "hashAlgorithm": HASH_ALGORITHM,
        "newestEventTime": file.newest,
        "oldestEventTime": file.oldest,
    }
