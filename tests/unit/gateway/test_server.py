"""The server over real sockets: slow, leaving and too many clients, full pools, answers, and its stop."""

import socket
import threading

import pytest
from tests.unit.gateway.echo import answer_to, connect, echo, serving, statuses, until_closed

from trailstate.gateway.answer import encode
from trailstate.gateway.limits import Limits
from trailstate.gateway.metrics import GatewayMetrics
from trailstate.gateway.server import PortUnavailable, listen
from trailstate.wire.call import WireRequest, WireResponse

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LONG_SECONDS = 5.0


def test_a_slow_header_block_is_given_up() -> None:
    with serving(limits=Limits(head_seconds=0.1)) as server, connect(server) as client:
        client.sendall(GET[:-1])
        assert statuses(until_closed(client)) == [408]


def test_a_slow_body_is_answered_in_the_protocols_form_and_never_holds_a_handler() -> None:
    seen: list[str] = []

    def handle(request: WireRequest) -> WireResponse:
        seen.append(request.target)
        return echo(request)

    limits = Limits(body_seconds=0.1, linger_seconds=0.1, handlers=1, queued_calls=0)
    with serving(handle, limits) as server, connect(server) as slow:
        slow.sendall(b"POST /slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
        assert statuses(answer_to(server, GET)) == [200]
        assert b'{"refused":"slow"}' in until_closed(slow)
    assert seen == ["/"]


def test_an_idle_connection_ends() -> None:
    with serving(limits=Limits(idle_seconds=0.1)) as server, connect(server) as client:
        client.sendall(GET)
        client.recv(1000)
        assert until_closed(client) == b""


def test_one_connection_too_many_is_told_so() -> None:
    with serving(limits=Limits(connections=20)) as server:
        clients = [connect(server) for _ in range(20)]
        for client in clients:
            client.sendall(GET)
            assert statuses(client.recv(1000)) == [200]
        with connect(server) as late:
            assert statuses(late.recv(1000)) == [503]
        for client in clients:
            client.close()


def test_expect_100_continue_is_honoured_before_the_body_comes() -> None:
    with serving() as server, connect(server) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        assert b"POST / 3 abc" in client.recv(1000)


def test_a_body_too_large_is_refused_though_the_client_goes_on_sending() -> None:
    with serving() as server:
        head = b"POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: a.b\r\nContent-Length: 3000000\r\n\r\n"
        said = answer_to(server, head, b"a" * 3_000_000)
        assert b'{"refused":"too_large"}' in said
        assert b"connection: close" in said


def test_an_upload_arrives_whole_in_a_file() -> None:
    def handle(request: WireRequest) -> WireResponse:
        assert request.body_file is not None
        content = request.body_file.read()
        return WireResponse(200, (), b"%d %d" % (len(content), content.count(b"a")))

    with serving(handle) as server:
        said = answer_to(server, b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\n\r\n", b"a" * 5_000_000)
        assert b"5000000 5000000" in said


def test_a_call_completes_though_its_client_left() -> None:
    left, completed = threading.Event(), threading.Event()

    def handle(request: WireRequest) -> WireResponse:
        left.wait(LONG_SECONDS)
        completed.set()
        return echo(request)

    with serving(handle) as server:
        with connect(server) as client:
            client.sendall(GET)
        left.set()
        assert completed.wait(LONG_SECONDS)


def test_a_client_that_leaves_in_its_body_calls_nobody() -> None:
    called = threading.Event()

    def handle(request: WireRequest) -> WireResponse:
        if request.target == "/cut":
            called.set()
        return echo(request)

    with serving(handle) as server:
        with connect(server) as client:
            client.sendall(b"POST /cut HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
        assert statuses(answer_to(server, GET)) == [200]
        assert not called.is_set()


def test_calls_beyond_the_queue_are_throttled_while_operator_pages_answer() -> None:
    go = threading.Event()
    begun = threading.Event()

    def handle(request: WireRequest) -> WireResponse:
        begun.set()
        go.wait(LONG_SECONDS)
        return echo(request)

    with serving(handle, Limits(handlers=1, queued_calls=0)) as server, connect(server) as first:
        first.sendall(GET)
        assert begun.wait(LONG_SECONDS)
        assert b'{"refused":"overloaded"}' in answer_to(server, GET)
        health = b"GET /_trailstate/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        assert statuses(answer_to(server, health)) == [200]
        go.set()
        assert statuses(first.recv(1000)) == [200]


def test_what_a_handler_raises_is_counted_and_answered(caplog: pytest.LogCaptureFixture) -> None:
    def handle(request: WireRequest) -> WireResponse:
        raise ZeroDivisionError

    metrics = GatewayMetrics()
    with serving(handle, metrics=metrics) as server:
        assert b'{"refused":"failed"}' in answer_to(server, GET)
    assert metrics.refused.value("failed") == 1
    assert "ZeroDivisionError" in caplog.text


def test_the_source_address_is_the_sockets() -> None:
    def handle(request: WireRequest) -> WireResponse:
        return WireResponse(200, (), request.source_address.encode())

    with serving(handle) as server:
        said = answer_to(
            server, b"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 192.0.2.9\r\nForwarded: for=192.0.2.9\r\n\r\n"
        )
    assert said.endswith(b"127.0.0.1")


def test_a_call_in_flight_finishes_before_the_server_is_stopped() -> None:
    begun, go = threading.Event(), threading.Event()

    def handle(request: WireRequest) -> WireResponse:
        begun.set()
        go.wait(LONG_SECONDS)
        return echo(request)

    with serving(handle) as server, connect(server) as client:
        client.sendall(GET)
        assert begun.wait(LONG_SECONDS)
        stopper = threading.Thread(target=server._loop.call_soon_threadsafe, args=(server._stop.set,))  # type: ignore[union-attr]
        stopper.start()
        stopper.join()
        go.set()
        assert statuses(until_closed(client)) == [200]


def test_a_port_that_is_taken_is_named_with_the_way_out() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortUnavailable, match=rf"port {port} .* taken .*--port"):
            listen("127.0.0.1", port)


def test_a_port_is_free_again_after_the_stop() -> None:
    with serving() as server:
        port = server.port
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
        assert again.getsockname()[1] == port


HEAD = WireRequest("HEAD", "/", ())
PLAIN = WireRequest("GET", "/", ())


@pytest.mark.parametrize(
    ("request_", "response", "lines", "body"),
    [
        (PLAIN, WireResponse(200, (), b"abc"), b"200 OK|content-length: 3", b"abc"),
        (PLAIN, WireResponse(200, (("Content-Length", "9"),), b"abc"), b"200 OK|content-length: 3", b"abc"),
        (HEAD, WireResponse(200, (("content-length", "9"),)), b"200 OK|content-length: 9", b""),
        (HEAD, WireResponse(200, (("content-length", "nine"),)), b"200 OK|content-length: 0", b""),
        (HEAD, WireResponse(200, (), b"abc"), b"200 OK|content-length: 3", b""),
        (PLAIN, WireResponse(204, (), b"abc"), b"204 No Content", b""),
        (PLAIN, WireResponse(304, (("content-length", "9"), ("etag", '"e"'))), b'304 Not Modified|etag: "e"', b""),
        (
            PLAIN,
            WireResponse(200, (("connection", "close"), ("x-a", "\xe9"))),
            b"200 OK|x-a: \xe9|content-length: 0",
            b"",
        ),
    ],
)
def test_an_answer_has_one_true_length(
    request_: WireRequest, response: WireResponse, lines: bytes, body: bytes
) -> None:
    found = encode(request_, response)
    assert found.head == b"HTTP/1.1 " + lines.replace(b"|", b"\r\n") + b"\r\n"
    assert b"".join(found.pieces(is_last=False)) == found.head + b"\r\n" + body
    assert b"".join(found.pieces(is_last=True)) == found.head + b"connection: close\r\n\r\n" + body


@pytest.mark.parametrize(
    "header",
    [("x-a", "1\r\nx-b: 2"), ("x-a", "1\n2"), ("x-a", "\0"), ("x-a\r\nx-b", "1"), ("", "1"), ("x-a", "\u20ac")],
)
def test_a_header_that_would_split_the_answer_is_an_error(header: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r"header|latin-1"):
        encode(PLAIN, WireResponse(200, (header,)))


def test_a_client_that_takes_no_answer_gets_no_further_one() -> None:
    """Requests sent ahead wait until what was answered is taken; so answers do not pile up."""
    handled: list[str] = []

    def handle(request: WireRequest) -> WireResponse:
        handled.append(request.target)
        return WireResponse(200, (), bytes(16_000_000))

    ahead = b"".join(b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % number for number in range(5))
    with serving(handle) as server, connect(server) as client:
        client.sendall(ahead)
        taken = len(client.recv(1 << 20))
        assert statuses(answer_to(server, GET)) == [200], "another client is served meanwhile"
        assert [target for target in handled if target != "/"] == ["/0"]
        client.shutdown(socket.SHUT_WR)
        taken += sum(len(piece) for piece in iter(lambda: client.recv(1 << 20), b""))
    assert taken > 5 * 16_000_000
    assert [target for target in handled if target != "/"] == ["/0", "/1", "/2", "/3", "/4"]


def test_many_requests_sent_ahead_to_a_full_server_are_refused_one_by_one() -> None:
    begun, go = threading.Event(), threading.Event()

    def handle(request: WireRequest) -> WireResponse:
        begun.set()
        go.wait(LONG_SECONDS)
        return echo(request)

    with serving(handle, Limits(handlers=1, queued_calls=0)) as server, connect(server) as first:
        first.sendall(GET)
        assert begun.wait(LONG_SECONDS)
        said = answer_to(server, GET * 3000)
        go.set()
        assert said.count(b'{"refused":"overloaded"}') == 3000


def test_a_connection_ends_when_its_client_asks_for_that() -> None:
    with serving() as server, connect(server) as client:
        client.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: Close\r\n\r\n"))
        assert b"connection: close" in until_closed(client)
