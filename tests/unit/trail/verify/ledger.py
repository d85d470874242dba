"""Evidence made by hand, independent of what delivers it: hourly digests, two log files each, and ways to tamper."""

import base64
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import md5, sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from trailstate.trail.verify import Fetched, PublicKeys

ACCOUNT, REGION, TRAIL, BUCKET = "111122223333", "us-east-1", "audit", "audit-logs"
HOUR = timedelta(hours=1)
START = datetime(2026, 1, 15, 9, tzinfo=UTC)
FOLDER = f"AWSLogs/{ACCOUNT}"


@dataclass(frozen=True)
class Key:
    """A signing key and its public half as ListPublicKeys gives it."""

    private: rsa.RSAPrivateKey
    listed: Mapping[str, str]

    def sign(self, text: bytes) -> str:
        return self.private.sign(text, padding.PKCS1v15(), SHA256()).hex()


@cache
def key(number: int) -> Key:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    der = private.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    return Key(private, {"Fingerprint": md5(der).hexdigest(), "Value": base64.b64encode(der).decode()})


def keys(*numbers: int) -> PublicKeys:
    return PublicKeys([key(number).listed for number in numbers or (0,)])


def record(name: str, time: datetime, **members: Any) -> dict[str, Any]:
    return {"eventName": name, "eventTime": f"{time:%Y-%m-%dT%H:%M:%SZ}", "eventSource": "ec2.amazonaws.com"} | members


def stop_record(time: datetime, **members: Any) -> dict[str, Any]:
    """Mallory stops the trail."""
    return record(
        "StopLogging",
        time,
        eventSource="cloudtrail.amazonaws.com",
        userIdentity={"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/mallory"},
        sourceIPAddress="198.51.100.7",
        eventID="e-stop",
        requestParameters={"name": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{TRAIL}"},
        **members,
    )


@dataclass
class Ledger:
    """A bucket in memory; implements `Evidence`."""

    name: str = f"s3://{BUCKET}"
    bucket: str | None = BUCKET
    region: str = REGION
    objects: dict[str, Fetched] = field(default_factory=dict)
    digests: list[str] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    others: dict[str, "Ledger"] = field(default_factory=dict)
    """The buckets beside it that can be read."""
    _previous: dict[str, Any] | None = None

    def keys(self) -> Iterator[str]:
        yield from list(self.objects)

    def fetch(self, key: str) -> Fetched | None:
        return self.objects.get(key)

    def beside(self, bucket: str) -> "Ledger | None":
        return self.others.get(bucket)

    def moved(self, bucket: str) -> "Ledger":
        """From now on the trail delivers to another bucket."""
        return Ledger(f"s3://{bucket}", bucket, self.region, _previous=self._previous, others={self.bucket or "": self})

    def put_log(self, time: datetime, records: Sequence[Mapping[str, Any]] = ()) -> str:
        token = f"{len(self.logs):016d}"
        name = f"{ACCOUNT}_CloudTrail_{self.region}_{time:%Y%m%dT%H%MZ}_{token}.json.gz"
        where = f"{FOLDER}/CloudTrail/{self.region}/{time:%Y/%m/%d}/{name}"
        self.objects[where] = Fetched(gzip.compress(json.dumps({"Records": list(records)}).encode()), {})
        self.logs.append(where)
        return where

    def put_digest(self, start: datetime, logs: Sequence[str], *, number: int = 0, is_first: bool = False) -> str:
        end = start + HOUR
        name = f"{ACCOUNT}_CloudTrail-Digest_{self.region}_{TRAIL}_{REGION}_{end:%Y%m%dT%H%M%SZ}.json.gz"
        where = f"{FOLDER}/CloudTrail-Digest/{self.region}/{end:%Y/%m/%d}/{name}"
        before = {} if is_first or self._previous is None else self._previous
        body = {
            "awsAccountId": ACCOUNT,
            "digestStartTime": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "digestEndTime": f"{end:%Y-%m-%dT%H:%M:%SZ}",
            "digestS3Bucket": self.bucket,
            "digestS3Object": where,
            "digestPublicKeyFingerprint": key(number).listed["Fingerprint"],
            "digestSignatureAlgorithm": "SHA256withRSA",
            "previousDigestS3Bucket": before.get("bucket"),
            "previousDigestS3Object": before.get("object"),
            "previousDigestHashValue": before.get("hash"),
            "previousDigestHashAlgorithm": before and "SHA-256",
            "previousDigestSignature": before.get("signature"),
            "logFiles": [self._entry(each) for each in logs],
        }
        text = json.dumps(body).encode()
        hashed = sha256(text).hexdigest()
        signed = "\n".join((body["digestEndTime"], f"{self.bucket}/{where}", hashed, before.get("signature") or "null"))
        signature = key(number).sign(signed.encode())
        self.objects[where] = Fetched(
            gzip.compress(text), {"signature": signature, "signature-algorithm": "SHA256withRSA"}
        )
        self.digests.append(where)
        self._previous = {"bucket": self.bucket, "object": where, "hash": hashed, "signature": signature}
        return where

    def _entry(self, where: str) -> dict[str, str]:
        holder = next(each for each in (self, *self.others.values()) if where in each.objects)
        text = gzip.decompress(holder.objects[where].body)
        return {
            "s3Bucket": holder.bucket or BUCKET,
            "s3Object": where,
            "hashValue": sha256(text).hexdigest(),
            "hashAlgorithm": "SHA-256",
        }

    def remove(self, *names: str) -> None:
        for name in names:
            del self.objects[name]

    def rewrite(self, name: str, body: bytes) -> None:
        self.objects[name] = Fetched(body, self.objects[name].metadata)

    def text(self, name: str) -> bytes:
        return gzip.decompress(self.objects[name].body)

    def saved(self, directory: Path) -> Path:
        """Downloaded: without metadata."""
        for name, found in self.objects.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(found.body)
        return directory


def ledger(hours: int = 5) -> Ledger:
    """That many hours of a quiet trail."""
    made = Ledger()
    for hour in range(hours):
        extend(made, START + hour * HOUR)
    return made


def extend(made: Ledger, start: datetime, *, is_first: bool = False, records: Sequence[Mapping[str, Any]] = ()) -> str:
    """One more hour: two log files and their digest."""
    events = [*records, record("RunInstances", start + timedelta(minutes=5))]
    logs = [made.put_log(start + timedelta(minutes=10), events), made.put_log(start + timedelta(minutes=40))]
    return made.put_digest(start, logs, is_first=is_first)
