"""What leaves the machine: to addresses outside alone, once looked up, never further than the first answer."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network

import pytest

from trailstate.outbound.address import Forbidden
from trailstate.outbound.http import Http, Unanswered

OUTSIDE = "93.184.216.34"
LOOPBACK = [ip_network("127.0.0.0/8")]
INSIDE = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "203.0.113.1", "224.0.0.1"),
    *("240.0.0.1", "255.255.255.255", "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1"),
    *("fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2002:7f00:1::", "64:ff9b::7f00:1", "2001:db8::1"),
    *("2001:0:7f00:1::", "64:ff9b::a00:1"),
]
HOSTS = [
    *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "localhost", "LOCALHOST", "127.0.0.1."),
    *("0x7f.1", "0000::1".join("[]"), "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]"),
]
WRITTEN = [
    *("ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "//example.com/", "http://", "http:///x"),
    *("http://user@example.com/", "http://user:word@example.com/", "http://example.com@127.0.0.1/"),
    *("http://exa mple.com/", "http://example.com/\r\nX: y", "http://example.com:99999/", "http://example.com:x/"),
    *("http://\u2460\u2461\u2466.0.0.1/", "http://example.com\\@127.0.0.1/", "http://[::1/"),
    f"http://example.com/{'x' * 2048}",
]


class Listener:
    """A server on loopback that keeps what it heard and answers with `answer`."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self.heard: list[bytes] = []
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                self.heard.append(_request(connection))
                self._answer(connection)

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


def _request(connection: socket.socket) -> bytes:
    """A whole request: its head says how long the body is."""
    heard = b""
    while b"\r\n\r\n" not in heard:
        heard += connection.recv(65536)
    head, _, body = heard.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def listening(answer: Callable[[socket.socket], None] | bytes) -> Iterator[Listener]:
    text = answer
    listener = Listener((lambda end: end.sendall(text)) if isinstance(text, bytes) else text)
    try:
        yield listener
    finally:
        listener.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_leads_inside_is_not_followed(address: str) -> None:
    client = Http([], 1, find=lambda _host, _port: [address])
    with pytest.raises(Forbidden, match="an address inside"):
        client.post("http://example.com/", b"", {})


@pytest.mark.parametrize("host", HOSTS)
def test_however_loopback_is_written_nobody_there_is_reached(host: str) -> None:
    with listening(OK) as listener:
        with pytest.raises((Forbidden, Unanswered)):
            Http([], 1).post(f"http://{host}:{listener.port}/", b"", {})
        assert listener.heard == []


@pytest.mark.parametrize("url", WRITTEN)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(Forbidden):
        Http(LOOPBACK, 1, find=lambda _host, _port: ["127.0.0.1"]).post(url, b"", {})


def test_one_address_inside_among_others_is_enough_to_refuse() -> None:
    with pytest.raises(Forbidden):
        Http([], 1, find=lambda _host, _port: [OUTSIDE, "10.0.0.1"]).post("http://example.com/", b"", {})


def test_outside_other_ports_than_the_webs_are_refused() -> None:
    with pytest.raises(Forbidden, match="port 22"):
        Http([], 1, find=lambda _host, _port: [OUTSIDE]).post("http://example.com:22/", b"", {})


def test_a_name_is_looked_up_once_and_that_address_connected_to() -> None:
    asked: list[str] = []

    def find(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with listening(OK) as listener:
        status = Http(LOOPBACK, 5, find).post(f"http://example.com:{listener.port}/hook?x=1", b"hello", {"X-A": "b"})
    assert (status, asked) == (200, ["example.com"])
    (heard,) = listener.heard
    assert heard.startswith(b"POST /hook?x=1 HTTP/1.1\r\nHost: example.com:")
    assert heard.endswith(b"hello")


def test_a_redirect_is_an_answer_like_any_other() -> None:
    with listening(OK) as other:
        location = f"http://127.0.0.1:{other.port}/".encode()
        with listening(b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n") as listener:
            assert Http(LOOPBACK, 5).post(f"http://127.0.0.1:{listener.port}/", b"", {}) == 302
        assert other.heard == []


def test_a_receiver_that_hangs_is_left_in_time() -> None:
    done = threading.Event()
    with listening(lambda _end: bool(done.wait(5))) as listener:
        with pytest.raises(Unanswered):
            Http(LOOPBACK, 0.2).post(f"http://127.0.0.1:{listener.port}/", b"", {})
        done.set()


def test_a_receiver_that_talks_for_ever_is_left_in_time() -> None:
    stopped = threading.Event()

    def drip(end: socket.socket) -> None:
        end.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(1000):
            if stopped.wait(0.05):
                return
            try:
                end.sendall(f"X-{number}: y\r\n".encode())
            except OSError:
                return

    with listening(drip) as listener:
        with pytest.raises(Unanswered):
            Http(LOOPBACK, 0.3).post(f"http://127.0.0.1:{listener.port}/", b"", {})
        stopped.set()


def test_of_a_huge_answer_little_is_read() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 200_000
    with listening(answer) as listener:
        assert Http(LOOPBACK, 5).post(f"http://127.0.0.1:{listener.port}/", b"", {}) == 200


def test_nonsense_is_no_answer() -> None:
    with listening(b"hello\r\n") as listener, pytest.raises(Unanswered):
        Http(LOOPBACK, 5).post(f"http://127.0.0.1:{listener.port}/", b"", {})
