"""One digest file read strictly: everything that can be said of it without its neighbours."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from isal import isal_zlib

from trailstate.trail.verify.source import Fetched

INFLATED_BYTES_MAX = 512 * 1024 * 1024


class Unreadable(ValueError):
    """Not a digest file; the message says what is wrong with it."""


class LogEntry(msgspec.Struct, frozen=True):
    """A log file as a digest lists it."""

    s3Bucket: str  # noqa: N815 - AWS's names
    s3Object: str  # noqa: N815
    hashValue: str  # noqa: N815
    hashAlgorithm: str = "SHA-256"  # noqa: N815


class DigestBody(msgspec.Struct, frozen=True):
    """What a digest says. The members without a default are those the stock verifier requires."""

    digestPublicKeyFingerprint: str  # noqa: N815
    digestS3Bucket: str  # noqa: N815
    digestS3Object: str  # noqa: N815
    previousDigestSignature: str | None  # noqa: N815
    digestStartTime: str  # noqa: N815
    digestEndTime: str  # noqa: N815
    previousDigestS3Bucket: str | None = None  # noqa: N815
    previousDigestS3Object: str | None = None  # noqa: N815
    previousDigestHashValue: str | None = None  # noqa: N815
    logFiles: list[LogEntry] = []  # noqa: N815


@dataclass(frozen=True, slots=True)
class DigestFile:
    """A digest that could be read."""

    key: str
    body: DigestBody
    sha256: str
    """Of its text, not of the file: a digest may be compressed again."""
    start: datetime
    end: datetime
    signature: str | None
    """From the object's metadata; None where there is none."""
    keeps_metadata: bool

    @property
    def before(self) -> tuple[str, str] | None:
        """Bucket and key of the digest before; None for the first of a chain."""
        named = self.body.previousDigestS3Object
        return None if named is None else (self.body.previousDigestS3Bucket or self.body.digestS3Bucket, named)

    def signed_text(self) -> bytes:
        """What its signature covers."""
        body = self.body
        lines = (
            body.digestEndTime,
            f"{body.digestS3Bucket}/{body.digestS3Object}",
            self.sha256,
            body.previousDigestSignature or "null",
        )
        return "\n".join(lines).encode()


_decode = msgspec.json.Decoder(DigestBody).decode


def read(key: str, fetched: Fetched) -> DigestFile:
    """Raises Unreadable."""
    text = inflated(fetched.body)
    try:
        body = _decode(text)
        start, end = (datetime.fromisoformat(each) for each in (body.digestStartTime, body.digestEndTime))
    except (msgspec.DecodeError, ValueError) as error:
        raise Unreadable(f"it is not a digest: {error}") from error
    if start.tzinfo is None or end.tzinfo is None:
        raise Unreadable("its times are without a zone")
    metadata: Any = fetched.metadata
    signature = None if metadata is None else metadata.get("signature")
    return DigestFile(key, body, sha256(text).hexdigest(), start, end, signature, metadata is not None)


def inflated(body: bytes) -> bytes:
    """The text of a gzip file; Unreadable when it is none, goes on behind its end, or is absurdly large."""
    text = b""
    while body:
        member, body = _member(body, INFLATED_BYTES_MAX - len(text))
        text += member
    return text


def _member(body: bytes, bytes_max: int) -> tuple[bytes, bytes]:
    """The text of the first member (RFC 1952, 2.2: there may be several), and what follows it."""
    stream = isal_zlib.decompressobj(16 + isal_zlib.MAX_WBITS)
    try:
        text: bytes = stream.decompress(body, bytes_max + 1)
    except isal_zlib.error as error:  # type: ignore[misc]
        raise Unreadable(f"it is not a gzip file: {error}") from error
    if len(text) > bytes_max:
        raise Unreadable(f"it inflates to more than {INFLATED_BYTES_MAX} bytes")
    if not stream.eof:
        raise Unreadable("it is a gzip file that ends too soon")
    return text, stream.unused_data
