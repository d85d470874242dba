"""The one HTTP client that leaves the machine: one POST, to an address that was looked up once and may be reached.

No redirect is followed, no more of an answer read than a bound, and the whole exchange ends after a time, however
slowly the other side talks.
"""

import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from trailstate.outbound.address import Forbidden, LookUp, Network, NoSuchHost, look_up, permitted

PORTS = (80, 443)
DEFAULT_PORTS = {"http": 80, "https": 443}
ANSWER_BYTES_MAX = 64 * 1024
URL_CHARACTERS_MAX = 2048


class Unanswered(Exception):
    """Nobody answered in time, or not in HTTP."""


class Http:
    """Posts bodies to web addresses. Safe from any thread."""

    def __init__(self, allowed: Sequence[Network], timeout_seconds: float, find: LookUp = look_up) -> None:
        self._allowed = tuple(allowed)
        self._timeout_seconds = timeout_seconds
        self._find = find

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer. Raises Forbidden and Unanswered."""
        scheme, host, port, target = _taken_apart(url)
        try:
            address = permitted(host, port, self._allowed, PORTS, self._find)
        except NoSuchHost as error:
            raise Unanswered(str(error)) from error
        try:
            with socket.create_connection((address, port), timeout=self._timeout_seconds) as plain:
                return self._exchange(plain, _connection(scheme, host, port), target, body, headers)
        except (OSError, HTTPException, ValueError) as error:
            raise Unanswered(f"{host}: {type(error).__name__}: {error}") from error

    def _exchange(
        self, plain: socket.socket, connection: HTTPConnection, target: str, body: bytes, headers: Mapping[str, str]
    ) -> int:
        is_over = threading.Event()
        cut = threading.Timer(self._timeout_seconds, _end, [plain, is_over])
        cut.daemon = True
        cut.start()
        try:
            secured = isinstance(connection, HTTPSConnection)
            connection.sock = _secured(plain, connection.host) if secured else plain
            connection.request("POST", target, body, dict(headers))
            answer = connection.getresponse()
            answer.read(ANSWER_BYTES_MAX)
        finally:
            cut.cancel()
        if is_over.is_set():  # a header that was cut off reads like one that ended
            raise TimeoutError("the answer took too long")
        return answer.status


def _connection(scheme: str, host: str, port: int) -> HTTPConnection:
    return HTTPSConnection(host, port) if scheme == "https" else HTTPConnection(host, port)


def _taken_apart(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and target; Forbidden for what is no plain web address."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Forbidden(f"'{url[:256]}' is no web address: {error}") from error
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or len(url) > URL_CHARACTERS_MAX:
        raise Forbidden(f"'{url[:256]}' is no web address")
    if "@" in parts.netloc or not url.isascii() or not url.isprintable() or not {" ", "\\"}.isdisjoint(url):
        raise Forbidden(f"'{url[:256]}' is a web address with more in it than host, port and path")
    target = parts.path or "/"
    return parts.scheme, parts.hostname, port or DEFAULT_PORTS[parts.scheme], f"{target}?{parts.query}".rstrip("?")


def _secured(plain: socket.socket, host: str) -> ssl.SSLSocket:
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def _end(plain: socket.socket, is_over: threading.Event) -> None:
    """Wake whoever reads or writes there."""
    is_over.set()
    try:
        plain.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it ended by itself
