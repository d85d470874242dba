"""Whether a bucket holds exactly the evidence it should: every record once, every file in one digest, every link sound.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html

Objects are taken one by one, in any order; what can be seen of one object alone is told at once, what takes all of them
at the end. Findings are sentences; none means that the evidence is whole.
"""

import base64
import gzip
import itertools
import re
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from trailstate.trail.digest import ALGORITHM, signed_text
from trailstate.trail.keys import PublicKey

Keys = Callable[[str, datetime], Collection[PublicKey]]
"""The public keys of a region that were valid at a moment."""

_LOG = re.compile(r"/CloudTrail/([a-z0-9-]+)/\d{4}/\d\d/\d\d/(\d{12})_CloudTrail_")
_DIGEST = re.compile(r"/CloudTrail-Digest/([a-z0-9-]+)/\d{4}/\d\d/\d\d/(\d{12})_CloudTrail-Digest_")

BACKFILL = "_backfill.json.gz"

_decode = msgspec.json.Decoder().decode
_records = msgspec.json.Decoder(dict[str, list[dict[str, Any]]]).decode


@dataclass(slots=True)
class LogCheck:
    """The evidence of one trail, in whatever buckets it stands. Objects go by their bucket and key."""

    keys: Keys
    findings: list[str] = field(default_factory=list)
    _logs: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each log file."""
    _places: dict[str, str] = field(default_factory=dict)
    """The file of each record."""
    _digests: dict[str, dict[str, Any]] = field(default_factory=dict)
    _hashes: dict[str, tuple[str, str]] = field(default_factory=dict)
    """SHA-256 and signature of each digest."""

    def take(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> None:
        """Take in one object."""
        name = f"{bucket}/{key}"
        try:
            text: bytes = gzip.decompress(body)
            if _LOG.search(key):
                self._take_log(name, text)
            elif found := _DIGEST.search(key):
                self._take_digest(name, found[1], text, metadata)
        except (gzip.BadGzipFile, zlib.error, EOFError, ValueError, KeyError, msgspec.MsgspecError) as error:
            self.findings.append(f"'{name}' cannot be read: {error}")

    def _take_log(self, name: str, text: bytes) -> None:
        ids = [str(record["eventID"]) for record in _records(text)["Records"]]
        if not ids:
            self.findings.append(f"'{name}' holds no record")
        for event_id in ids:
            if event_id in self._places:
                self.findings.append(f"the record {event_id} stands in '{name}' and in '{self._places[event_id]}'")
            self._places[event_id] = name
        self._logs[name] = sha256(text).hexdigest()

    def _take_digest(self, name: str, region: str, text: bytes, metadata: Mapping[str, str]) -> None:
        digest = self._digests[name] = _decode(text)
        self._hashes[name] = sha256(text).hexdigest(), metadata.get("signature", "")
        if _place(digest, "digest") != name:
            self.findings.append(f"'{name}' says that it is '{_place(digest, 'digest')}'")
        if digest["digestStartTime"] >= digest["digestEndTime"]:
            self.findings.append(f"'{name}' ends before it starts")
        if not self._is_signed(region, name, digest, text, metadata):
            self.findings.append(f"'{name}' has no valid signature of a key published for its time")

    def _is_signed(
        self, region: str, name: str, digest: Mapping[str, Any], text: bytes, metadata: Mapping[str, str]
    ) -> bool:
        end, fingerprint = digest["digestEndTime"], digest["digestPublicKeyFingerprint"]
        made = metadata.get("backfill-generation-timestamp", end)
        listed = self.keys(region, datetime.fromisoformat(made))
        public = next((each for each in listed if each.fingerprint == fingerprint), None)
        if public is None or metadata.get("signature-algorithm") != ALGORITHM:
            return False
        bucket, _, key = name.partition("/")
        signed = signed_text(end, bucket, key, text, digest["previousDigestSignature"])
        return verified(public, signed, bytes.fromhex(metadata["signature"]))

    # All of it.

    def finish(self, expected: Collection[str], *, is_digested: bool = True) -> list[str]:
        """Every finding. `expected` are the ids of the records that belong here; `is_digested` unless the last files
        still wait for their digest."""
        return [
            *self.findings,
            *self._wrong_records(expected),
            *self._wrong_listings(is_digested=is_digested),
            *self._wrong_links(),
        ]

    def beginnings(self) -> list[str]:
        """The chain of each digest that follows no other, once for each; backfill digests have chains of their own."""
        return [
            chain_of(name)
            for name, digest in self._digests.items()
            if digest["previousDigestS3Object"] is None and not name.endswith(BACKFILL)
        ]

    def _wrong_records(self, expected: Collection[str]) -> Iterable[str]:
        wanted = frozenset(expected)
        for event_id in sorted(self._places.keys() - wanted):
            yield f"the record {event_id} in '{self._places[event_id]}' does not belong there"
        yield from (f"the record {event_id} is in no file" for event_id in sorted(wanted - self._places.keys()))

    def _wrong_listings(self, *, is_digested: bool) -> Iterable[str]:
        listed: dict[str, list[str]] = {}
        for name, digest in self._digests.items():
            for entry in digest["logFiles"]:
                listed.setdefault(f"{entry['s3Bucket']}/{entry['s3Object']}", []).append(name)
                yield from self._wrong_entry(name, entry)
        for key in self._logs:
            names = listed.get(key, [])
            if len(names) > 1 or (is_digested and not names):
                yield f"'{key}' is listed in {len(names)} digests"

    def _wrong_entry(self, name: str, entry: Mapping[str, str]) -> Iterable[str]:
        log = f"{entry['s3Bucket']}/{entry['s3Object']}"
        if log not in self._logs:
            yield f"'{name}' lists '{log}', which is not there"
        elif self._logs[log] != entry["hashValue"]:
            yield f"'{log}' is not what '{name}' says it is"

    def _wrong_links(self) -> Iterable[str]:
        followers: dict[str, str] = {}
        for name, digest in self._digests.items():
            if digest["previousDigestS3Object"] is None:
                continue
            before = _place(digest, "previousDigest")
            if before in followers:
                yield f"'{name}' and '{followers[before]}' both follow '{before}'"
            followers[before] = name
            yield from self._wrong_link(name, digest, before)
        yield from self._overlaps()

    def _wrong_link(self, key: str, digest: Mapping[str, Any], before: str) -> Iterable[str]:
        if before not in self._digests:
            yield f"'{key}' follows '{before}', which is not there"
            return
        if (digest["previousDigestHashValue"], digest["previousDigestSignature"]) != self._hashes[before]:
            yield f"'{before}' is not what '{key}' says it is"
        if digest["digestStartTime"] < self._digests[before]["digestEndTime"]:
            yield f"'{key}' starts before '{before}' ends"

    def _overlaps(self) -> Iterable[str]:
        """Within one chain, periods that follow one another meet; only where a chain begins anew may there be a gap."""
        chains: dict[str, list[str]] = {}
        for key in self._digests:
            chains.setdefault(chain_of(key), []).append(key)
        for keys in chains.values():
            ordered = sorted(keys, key=lambda key: str(self._digests[key]["digestEndTime"]))
            for before, after in itertools.pairwise(ordered):
                end, start = self._digests[before]["digestEndTime"], self._digests[after]["digestStartTime"]
                if start < end or (start > end and self._digests[after]["previousDigestS3Object"] is not None):
                    yield f"'{after}' starts at {start}, but '{before}' ends at {end}"


def chain_of(name: str) -> str:
    """Account, region, trail and home region: what the digests of one chain have in common in their names."""
    return name.rpartition("/")[2].removesuffix(BACKFILL).rpartition("_")[0]


def _place(digest: Mapping[str, Any], which: str) -> str:
    return f"{digest[f'{which}S3Bucket']}/{digest[f'{which}S3Object']}"


def check_log(
    bucket: str, objects: Iterable[tuple[str, bytes, Mapping[str, str]]], keys: Keys, expected: Collection[str]
) -> list[str]:
    """Every finding about the objects (key, body, metadata) of one trail, all of whose files have been digested."""
    check = LogCheck(keys)
    for key, body, metadata in objects:
        check.take(bucket, key, body, metadata)
    return check.finish(expected)


def verified(public: PublicKey, signed: bytes, signature: bytes) -> bool:
    """Whether a signature is one of that key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    key = load_der_public_key(base64.b64decode(public.value))
    assert isinstance(key, rsa.RSAPublicKey)
    try:
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True
