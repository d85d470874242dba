"""Signed GETs over kept connections, one a thread: what a verification of ten thousand files does ten thousand times.

A client's own GetObject takes longer than fetching, inflating and hashing a log file together. Here a request is a few
hashes (SigV4 with an unsigned payload) and a few lines on an open connection.
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
"""

import hmac
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import quote, urlsplit

TIMEOUT_SECONDS = 60.0
ATTEMPTS_MAX = 4
HTTP_SERVER_ERROR = 500
PAYLOAD = "UNSIGNED-PAYLOAD"


@dataclass(frozen=True, slots=True)
class Key:
    """A credential, as botocore freezes it."""

    access_key: str
    secret_key: str
    token: str | None


@dataclass(frozen=True, slots=True)
class Got:
    """An answer: its status, headers in lower case, and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Getter:
    """GETs below one address. Safe from any thread."""

    def __init__(self, address: str, region: str, key: Callable[[], Key], now: Callable[[], datetime]) -> None:
        """`key` gives the credential to sign with now: a temporary one is renewed behind it."""
        parts = urlsplit(address)
        self._host = parts.netloc
        self._base = parts.path.rstrip("/")
        self._is_secure = parts.scheme == "https"
        self._region = region
        self._key = key
        self._now = now
        self._threads = threading.local()

    def get(self, path: str) -> Got:
        """The object at a path of unescaped text; raises OSError or HTTPException when nobody answers."""
        target = self._base + quote(path, safe="/~-._")
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                got = self._once(target)
            except (OSError, HTTPException):
                self._threads.connection = None
                if attempt == ATTEMPTS_MAX:
                    raise
                continue
            if got.status < HTTP_SERVER_ERROR or attempt == ATTEMPTS_MAX:
                return got
        raise AssertionError("the last attempt returns or raises")

    def _once(self, target: str) -> Got:
        connection = self._connection()
        connection.request("GET", target, headers=self._signed(target))
        answer = connection.getresponse()
        body = answer.read()
        return Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)

    def _connection(self) -> HTTPConnection:
        found: HTTPConnection | None = getattr(self._threads, "connection", None)
        if found is None:
            context = ssl.create_default_context() if self._is_secure else None
            found = (
                HTTPSConnection(self._host, timeout=TIMEOUT_SECONDS, context=context)
                if self._is_secure
                else HTTPConnection(self._host, timeout=TIMEOUT_SECONDS)
            )
            self._threads.connection = found
        return found

    def _signed(self, target: str) -> dict[str, str]:
        key, now = self._key(), self._now()
        moment, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
        headers = {"host": self._host, "x-amz-content-sha256": PAYLOAD, "x-amz-date": moment}
        if key.token:
            headers["x-amz-security-token"] = key.token
        names = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        request = f"GET\n{target}\n\n{lines}\n{names}\n{PAYLOAD}"
        scope = f"{day}/{self._region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{sha256(request.encode()).hexdigest()}"
        signature = hmac.new(_signing_key(key.secret_key, day, self._region), text.encode(), sha256).hexdigest()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={key.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        return headers


@lru_cache(maxsize=8)
def _signing_key(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
