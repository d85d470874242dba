"""One connection and what is asked over it: an answer is read as it comes, and asked for again where it breaks off."""

import selectors
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httptools

TIMEOUT_SECONDS = 60.0
ATTEMPTS_MAX = 4
READ_BYTES = 64 * 1024
"""Most answers are smaller; room for more than the allocator keeps would be mapped and unmapped for each of them."""
HTTP_SERVER_ERROR = 500
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Got:
    """An answer: its status, headers in lower case, and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Peer:
    """Who is asked: where a connection leads to."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._where = (parts.hostname or "", parts.port or PORTS[parts.scheme])
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None

    def connect(self) -> socket.socket:
        made = socket.create_connection(self._where, TIMEOUT_SECONDS)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made if self._tls is None else self._tls.wrap_socket(made, server_hostname=self._where[0])


class Line:
    """A connection that is opened when something is asked, and again after it broke."""

    def __init__(self, peer: Peer, watch: selectors.BaseSelector | None = None) -> None:
        """With a `watch` nothing waits for the answer but that."""
        self._peer = peer
        self._watch = watch
        self._connection: socket.socket | None = None
        self._request = b""
        self._attempt = 0
        self._answer = _Answer()
        self._parser = httptools.HttpResponseParser(self._answer)

    def ask(self, request: bytes) -> None:
        """Send the request; raises OSError when nobody takes it, after some attempts."""
        self._request, self._attempt = request, 0
        self._send()

    def hear(self) -> Got | None:
        """The answer once it is whole, until then None. Asks again when it breaks off or tells of a failure."""
        try:
            got = self._received()
        except OSError as error:
            self.ask_again(error)
            return None
        if got is None or got.status < HTTP_SERVER_ERROR or self._attempt == ATTEMPTS_MAX:
            return got
        self._send()
        return None

    def ask_again(self, error: OSError) -> None:
        """On a new connection, because of the error, which is raised when this was the last attempt."""
        self.hang_up()
        if self._attempt == ATTEMPTS_MAX:
            raise error
        self._send()

    def hang_up(self) -> None:
        if self._connection is not None:
            if self._watch is not None:
                self._watch.unregister(self._connection)
            self._connection.close()
            self._connection = None

    def _send(self) -> None:
        self._attempt += 1
        self._answer = _Answer()
        self._parser = httptools.HttpResponseParser(self._answer)
        try:
            if self._connection is None:
                self._connection = self._open()
            self._connection.sendall(self._request)
        except OSError as error:
            self.ask_again(error)

    def _open(self) -> socket.socket:
        made = self._peer.connect()
        if self._watch is not None:
            made.setblocking(False)
            self._watch.register(made, selectors.EVENT_READ, self)
        return made

    def _received(self) -> Got | None:
        assert self._connection is not None
        try:
            _feed(self._parser, self._connection.recv(READ_BYTES))
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        answer = self._answer
        if not answer.is_whole:
            return None
        if answer.headers.get("connection", "").lower() == "close":
            self.hang_up()
        return Got(self._parser.get_status_code(), answer.headers, b"".join(answer.parts))


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


def _feed(parser: httptools.HttpResponseParser, received: bytes) -> None:
    if not received:
        raise ConnectionError("the connection was closed in the middle of an answer")
    try:
        parser.feed_data(received)
    except httptools.HttpParserError as error:
        raise ConnectionError(f"the answer is not HTTP: {error}") from error
