"""Signed GETs over kept connections, one a thread: what a verification of ten thousand files does ten thousand times.

A client's own GetObject takes longer than fetching, inflating and hashing a log file together. Here a request is a few
hashes (SigV4 with an unsigned payload) and a few lines on an open connection.
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
"""

import hmac
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote, urlsplit

import httptools

TIMEOUT_SECONDS = 60.0
ATTEMPTS_MAX = 4
READ_BYTES = 256 * 1024
HTTP_SERVER_ERROR = 500
PORTS = {"http": 80, "https": 443}
PAYLOAD = "UNSIGNED-PAYLOAD"
NAMES = "host;x-amz-content-sha256;x-amz-date"
NAMES_WITH_TOKEN = f"{NAMES};x-amz-security-token"


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


class _Answer:
    """One answer as the parser tells of it."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.parts: list[bytes] = []
        self.is_whole = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, part: bytes) -> None:
        self.parts.append(part)

    def on_message_complete(self) -> None:
        self.is_whole = True


class Getter:
    """GETs below one address. Safe from any thread."""

    def __init__(self, address: str, region: str, key: Callable[[], Key], now: Callable[[], datetime]) -> None:
        """`key` gives the credential to sign with now: a temporary one is renewed behind it."""
        parts = urlsplit(address)
        self._host = parts.netloc
        self._peer = (parts.hostname or "", parts.port or PORTS[parts.scheme])
        self._base = parts.path.rstrip("/")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._region = region
        self._key = key
        self._now = now
        self._threads = threading.local()

    def get(self, path: str) -> Got:
        """The object at a path of unescaped text; raises OSError when nobody answers."""
        target = self._base + quote(path, safe="/~-._")
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                got = self._once(target)
            except OSError:
                self._hang_up()
                if attempt == ATTEMPTS_MAX:
                    raise
                continue
            if got.status < HTTP_SERVER_ERROR or attempt == ATTEMPTS_MAX:
                return got
        raise AssertionError("the last attempt returns or raises")

    def _once(self, target: str) -> Got:
        connection = self._connection()
        lines = self._signed(target).replace("\n", "\r\n")
        connection.sendall(f"GET {target} HTTP/1.1\r\n{lines}\r\n".encode())
        answer = _Answer()
        parser = httptools.HttpResponseParser(answer)
        while not answer.is_whole:
            received = connection.recv(READ_BYTES)
            if not received:
                raise ConnectionError("the connection was closed in the middle of an answer")
            try:
                parser.feed_data(received)
            except httptools.HttpParserError as error:
                raise ConnectionError(f"the answer is not HTTP: {error}") from error
        if answer.headers.get("connection", "").lower() == "close":
            self._hang_up()
        return Got(parser.get_status_code(), answer.headers, b"".join(answer.parts))

    def _connection(self) -> socket.socket:
        """This thread's own."""
        found: socket.socket | None = getattr(self._threads, "connection", None)
        if found is None:
            found = socket.create_connection(self._peer, TIMEOUT_SECONDS)
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                found = self._tls.wrap_socket(found, server_hostname=self._peer[0])
            self._threads.connection = found
        return found

    def _hang_up(self) -> None:
        found: socket.socket | None = getattr(self._threads, "connection", None)
        if found is not None:
            found.close()
        self._threads.connection = None

    def _signed(self, target: str) -> str:
        """The request's headers, signed."""
        key, now = self._key(), self._now()
        moment = f"{now:%Y%m%dT%H%M%SZ}"
        scope = f"{moment[:8]}/{self._region}/s3/aws4_request"
        headers = _headers(self._host, moment, key.token)
        names = NAMES_WITH_TOKEN if key.token else NAMES
        request = f"GET\n{target}\n\n{headers}\n{names}\n{PAYLOAD}"
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{sha256(request.encode()).hexdigest()}"
        signing = _signing_key(key.secret_key, moment[:8], self._region)
        signature = hmac.digest(signing, text.encode(), "sha256").hex()
        return (
            f"{headers}authorization: AWS4-HMAC-SHA256 Credential={key.access_key}/{scope}, SignedHeaders={names},"
            f" Signature={signature}\n"
        )


def _headers(host: str, moment: str, token: str | None) -> str:
    """What is signed of them, as it is sent too."""
    held = f"x-amz-security-token:{token}\n" if token else ""
    return f"host:{host}\nx-amz-content-sha256:{PAYLOAD}\nx-amz-date:{moment}\n{held}"


@lru_cache(maxsize=8)
def _signing_key(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
