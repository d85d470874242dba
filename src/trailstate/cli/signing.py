"""Signed GETs as bytes: SigV4 with an unsigned payload, which for a GET is a few hashes of a few lines.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import quote, urlsplit

PAYLOAD = "UNSIGNED-PAYLOAD"
NAMES = "host;x-amz-content-sha256;x-amz-date"
NAMES_WITH_TOKEN = f"{NAMES};x-amz-security-token"


@dataclass(frozen=True, slots=True)
class Key:
    """A credential, as botocore freezes it."""

    access_key: str
    secret_key: str
    token: str | None


class _Second(NamedTuple):
    """What all requests of one second and one credential share."""

    headers: str
    """Those that are signed, as they are sent."""
    end: str
    """The end of what is hashed of a request: those headers, their names, and what stands for the payload."""
    text: str
    """What is signed, up to the request's own hash."""
    authorization: str
    """The header, up to the signature itself."""
    signing_key: bytes


class Signer:
    """GETs below one address. Safe from any thread."""

    def __init__(self, address: str, region: str, key: Callable[[], Key], now: Callable[[], datetime]) -> None:
        """`key` gives the credential to sign with now: a temporary one is renewed behind it."""
        parts = urlsplit(address)
        self._host = parts.netloc
        self._base = parts.path.rstrip("/")
        self._region = region
        self._key = key
        self._now = now

    def request(self, path: str, asked: Mapping[str, str]) -> bytes:
        """A GET of a path of unescaped text."""
        target = self._base + quote(path, safe="/~-._")
        query = "&".join(f"{_quoted(name)}={_quoted(asked[name])}" for name in sorted(asked))
        second = _second(self._host, self._region, self._key(), self._now().replace(microsecond=0))
        request = sha256(f"GET\n{target}\n{query}\n{second.end}".encode())
        signature = hmac.digest(second.signing_key, f"{second.text}{request.hexdigest()}".encode(), "sha256")
        where = f"{target}?{query}" if query else target
        return f"GET {where} HTTP/1.1\r\n{second.headers}{second.authorization}{signature.hex()}\r\n\r\n".encode()


def _quoted(text: str) -> str:
    return quote(text, safe="-._~")


@lru_cache(maxsize=8)
def _second(host: str, region: str, key: Key, now: datetime) -> _Second:
    moment = f"{now:%Y%m%dT%H%M%SZ}"
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    held = f"x-amz-security-token:{key.token}\n" if key.token else ""
    headers = f"host:{host}\nx-amz-content-sha256:{PAYLOAD}\nx-amz-date:{moment}\n{held}"
    names = NAMES_WITH_TOKEN if key.token else NAMES
    return _Second(
        headers.replace("\n", "\r\n"),
        f"{headers}\n{names}\n{PAYLOAD}",
        f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n",
        f"authorization: AWS4-HMAC-SHA256 Credential={key.access_key}/{scope}, SignedHeaders={names}, Signature=",
        _signing_key(key.secret_key, moment[:8], region),
    )


def _signing_key(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
