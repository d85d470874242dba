"""One chain of digests judged: signatures, pointers, periods without a gap, and what is missing at either end.

Each digest names the one before it with its hash and signature, so a digest that is gone is known from the next one.
Of several that are gone side by side only the newest has a name; the others are known from the time between. The
signature of a digest stands in its object's metadata and again in the digest after it: a downloaded directory, which
has no metadata, proves every digest but the newest.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trailstate.trail.verify.digestfile import DigestFile
from trailstate.trail.verify.finding import Finding
from trailstate.trail.verify.keys import PublicKeys
from trailstate.trail.verify.names import Chain, digest_name

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time for which the chain holds no digest."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Judged:
    """What came out about one chain."""

    findings: Sequence[Finding]
    valid: Sequence[DigestFile]
    """The digests whose lists may be believed, oldest first."""
    unproven: Sequence[str]
    """Keys of digests whose signature is kept nowhere that could be read: the newest one of a directory."""
    silences: Sequence[Stretch]
    """Between the end of one chain and the beginning of the next."""
    came: Sequence[DigestFile]
    """Those whose digest before lies in another bucket or folder: the trail delivered there until then."""


def judge(
    chain: Chain, digests: Sequence[DigestFile], keys: PublicKeys, bucket: str | None, start: datetime | None
) -> Judged:
    """Judge the readable digests of one chain, in any order. Of what lies before `start` nothing is missed."""
    ordered = sorted(digests, key=lambda each: each.end)
    by_key = {each.key: each for each in ordered}
    signatures = {each.body.previousDigestS3Object: each.body.previousDigestSignature for each in ordered}
    findings: list[Finding] = []
    valid: list[DigestFile] = []
    unproven: list[str] = []
    for digest in ordered:
        signature = digest.signature if digest.keeps_metadata else signatures.get(digest.key)
        if signature is None and not digest.keeps_metadata:
            unproven.append(digest.key)
        else:
            findings += (found := list(_own_faults(chain, digest, keys, bucket, signature)))
            if found:
                continue
        valid.append(digest)
    period = _period(ordered)
    silences: list[Stretch] = []
    came = {each.key: each for each in valid if _came(chain, each) and (start is None or each.start > start)}
    for older, digest in zip((None, *ordered), ordered, strict=False):
        findings += _pointer_faults(chain, digest, by_key)
        if digest.key not in came and (start is None or digest.start > start):
            findings += _missing_before(chain, older, digest, by_key, period)
        if older is not None and digest.body.previousDigestS3Object is None and digest.start > older.end:
            silences.append(Stretch(older.end, digest.start))
    return Judged(findings, valid, unproven, silences, list(came.values()))


def _came(chain: Chain, digest: DigestFile) -> bool:
    """Whether the trail delivered to another place before this digest."""
    if digest.before is None:
        return False
    bucket, key = digest.before
    named = digest_name(key)
    return bucket != digest.body.digestS3Bucket or (named is not None and named[0].place != chain.place)


def _own_faults(
    chain: Chain, digest: DigestFile, keys: PublicKeys, bucket: str | None, signature: str | None
) -> Iterator[Finding]:
    """What is wrong with a digest by itself, if anything: the first of these that is."""
    body = digest.body
    if body.digestS3Object != digest.key or bucket not in (None, body.digestS3Bucket):
        told = f"it was delivered as s3://{body.digestS3Bucket}/{body.digestS3Object}"
        yield Finding("digest-moved", str(chain), digest.key, told)
    elif not keys.knows(body.digestPublicKeyFingerprint):
        told = f"no public key with the fingerprint {body.digestPublicKeyFingerprint} is published"
        yield Finding("key-unknown", str(chain), digest.key, told)
    elif signature is None:
        yield Finding("digest-unsigned", str(chain), digest.key, "its object holds no signature")
    elif not keys.verifies(body.digestPublicKeyFingerprint, signature, digest.signed_text()):
        yield Finding("digest-altered", str(chain), digest.key, "its signature does not verify")


def _pointer_faults(chain: Chain, digest: DigestFile, by_key: Mapping[str, DigestFile]) -> Iterator[Finding]:
    """Whether the digest before is the one that was there when this one was signed."""
    before = by_key.get(digest.body.previousDigestS3Object or "")
    if before is not None and before.sha256 != digest.body.previousDigestHashValue:
        told = f"the digest after it ({digest.key}) was made upon another text"
        yield Finding("digest-altered", str(chain), before.key, told)


def _missing_before(
    chain: Chain, older: DigestFile | None, digest: DigestFile, by_key: Mapping[str, DigestFile], period: timedelta
) -> Iterator[Finding]:
    """The digests that stood between this one and the next older one that is there."""
    named = digest.body.previousDigestS3Object
    if named is None or named in by_key:
        return
    name = digest_name(named)
    end = digest.start if name is None else name[1]
    told = f"the digest after it names it; it covered the time until {end:%Y-%m-%d %H:%M:%S} UTC"
    yield Finding("digest-missing", str(chain), named, told, end=end)
    if older is None:
        return
    for start, until in _periods(older.end, end - period, period):
        told = f"nothing covers {start:%Y-%m-%d %H:%M:%S} to {until:%H:%M:%S} UTC; the digest of that time is gone too"
        yield Finding(
            "digest-missing", str(chain), f"{start:%Y-%m-%dT%H:%M:%SZ}/{until:%Y-%m-%dT%H:%M:%SZ}", told, start, until
        )


def _periods(start: datetime, end: datetime, period: timedelta) -> Iterator[tuple[datetime, datetime]]:
    while start < end:
        yield start, min(start + period, end)
        start += period


def _period(ordered: Sequence[DigestFile]) -> timedelta:
    """How long a digest of this chain covers: the usual length, an hour unless the server was set up otherwise."""
    lengths = sorted(each.end - each.start for each in ordered)
    return max(lengths[len(lengths) // 2], timedelta(seconds=1)) if lengths else HOUR
