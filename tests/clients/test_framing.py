"""Raw bytes over a real socket: each case is served or refused, never guessed at, never answered in HTML.

The cases follow RFC 9112 (message syntax, §2 to §7; smuggling, §11.2) and the forms known to split two readers.
"""

from collections.abc import Iterator

import pytest

from tests.unit.gateway.echo import answer_to, serving, statuses
from trailstate.gateway.server import Server

GET = b"GET /a?b=c HTTP/1.1\r\nHost: h\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

SERVED = {
    "plain GET": GET + b"\r\n",
    "HEAD": b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n",
    "OPTIONS": b"OPTIONS /k HTTP/1.1\r\nHost: h\r\n\r\n",
    "HTTP/1.0 without Host": b"GET / HTTP/1.0\r\n\r\n",
    "host with port": b"GET / HTTP/1.1\r\nHost: localhost:4566\r\n\r\n",
    "IPv6 host": b"GET / HTTP/1.1\r\nHost: [::1]:4566\r\n\r\n",
    "lower-case names": b"GET / HTTP/1.1\r\nhost: h\r\n\r\n",
    "no space after colon": b"GET / HTTP/1.1\r\nHost:h\r\n\r\n",
    "tabs around the value": b"GET / HTTP/1.1\r\nHost:\th\t\r\n\r\n",
    "empty value": GET + b"X-A:\r\n\r\n",
    "latin-1 in a value": GET + b"X-A: caf\xe9\r\n\r\n",
    "the same header twice": GET + b"X-A: 1\r\nX-A: 2\r\n\r\n",
    "100 header lines": GET + b"X-A: 1\r\n" * 99 + b"\r\n",
    "percent escapes kept": b"GET /a%2Fb%00//../c HTTP/1.1\r\nHost: h\r\n\r\n",
    "double slash": b"GET //bucket//key HTTP/1.1\r\nHost: h\r\n\r\n",
    "body by length": POST + b"Content-Length: 3\r\n\r\nabc",
    "length zero": POST + b"Content-Length: 0\r\n\r\n",
    "length with leading zeros": POST + b"Content-Length: 003\r\n\r\nabc",
    "GET with a body": GET + b"Content-Length: 3\r\n\r\nabc",
    "chunked": CHUNKED + b"3\r\nabc\r\n0\r\n\r\n",
    "chunked, upper-case coding": POST + b"Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "chunked, hexadecimal size": CHUNKED + b"00A\r\n0123456789\r\n000\r\n\r\n",
    "chunked and empty": CHUNKED + b"0\r\n\r\n",
    "expect, body sent at once": POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    "an offer of HTTP/2 declined": GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
}

REFUSED = {
    "bare LF everywhere": b"GET / HTTP/1.1\nHost: h\n\n",
    "bare LF after the request line": b"GET / HTTP/1.1\nHost: h\r\n\r\n",
    "bare LF after a header": b"GET / HTTP/1.1\r\nHost: h\nX-A: 1\r\n\r\n",
    "bare LF as the empty line": b"GET / HTTP/1.1\r\nHost: h\r\n\n",
    "bare CR in a value": GET + b"X-A: 1\rX-B: 2\r\n\r\n",
    "CR CR LF": b"GET / HTTP/1.1\r\r\nHost: h\r\n\r\n",
    "empty line before the request": b"\r\n" + GET + b"\r\n",
    "folded header, space": GET + b"X-A: 1\r\n 2\r\n\r\n",
    "folded header, tab": GET + b"X-A: 1\r\n\t2\r\n\r\n",
    "folded first header": b"GET / HTTP/1.1\r\n Host: h\r\n\r\n",
    "space before colon": b"GET / HTTP/1.1\r\nHost : h\r\n\r\n",
    "tab before colon": POST + b"Content-Length\t: 3\r\n\r\nabc",
    "space before the colon of Transfer-Encoding": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "no colon": GET + b"X-A\r\n\r\n",
    "no name": GET + b": 1\r\n\r\n",
    "space in a name": GET + b"X A: 1\r\n\r\n",
    "bracket in a name": GET + b"X[A]: 1\r\n\r\n",
    "latin-1 in a name": GET + b"X-\xe9: 1\r\n\r\n",
    "NUL in a name": GET + b"X\0A: 1\r\n\r\n",
    "NUL in a value": GET + b"X-A: 1\x002\r\n\r\n",
    "escape in a value": GET + b"X-A: \x1b[31m\r\n\r\n",
    "DEL in a value": GET + b"X-A: \x7f\r\n\r\n",
    "NUL in the target": b"GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n",
    "space in the target": b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
    "raw UTF-8 in the target": "GET /é HTTP/1.1\r\nHost: h\r\n\r\n".encode(),
    "fragment in the target": b"GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n",
    "absolute form": b"GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n",
    "asterisk form": b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
    "authority form": b"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n",
    "no target": b"GET HTTP/1.1\r\nHost: h\r\n\r\n",
    "two spaces": b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
    "tab as separator": b"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n",
    "space after the version": b"GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
    "lower-case method": b"get / HTTP/1.1\r\nHost: h\r\n\r\n",
    "unknown method": b"FETCH / HTTP/1.1\r\nHost: h\r\n\r\n",
    "TRACE": b"TRACE / HTTP/1.1\r\nHost: h\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\nHost: h\r\n\r\n",
    "HTTP/2 by name": b"GET / HTTP/2.0\r\nHost: h\r\n\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "lower-case protocol": b"GET / http/1.1\r\nHost: h\r\n\r\n",
    "TLS ClientHello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two Hosts": GET + b"Host: h\r\n\r\n",
    "two Hosts, other case": GET + b"hOST: i\r\n\r\n",
    "empty Host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "Host with a user": b"GET / HTTP/1.1\r\nHost: a@h\r\n\r\n",
    "Host with a path": b"GET / HTTP/1.1\r\nHost: h/a\r\n\r\n",
    "Host list": b"GET / HTTP/1.1\r\nHost: h, i\r\n\r\n",
    "two lengths, equal": POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "two lengths, different": POST + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
    "length list": POST + b"Content-Length: 5, 5\r\n\r\nabcde",
    "length with plus": POST + b"Content-Length: +5\r\n\r\nabcde",
    "negative length": POST + b"Content-Length: -1\r\n\r\n",
    "hexadecimal length": POST + b"Content-Length: 0x5\r\n\r\nabcde",
    "length with a fraction": POST + b"Content-Length: 5.0\r\n\r\nabcde",
    "empty length": POST + b"Content-Length:\r\n\r\n",
    "length with an underscore": POST + b"Content-Length: 1_0\r\n\r\n0123456789",
    "length with a space inside": POST + b"Content-Length: 1 0\r\n\r\n0123456789",
    "length beyond 64 bits": POST + b"Content-Length: 18446744073709551617\r\n\r\na",
    "length and chunked": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "two codings, two lines": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "two codings, one line": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "identity": POST + b"Transfer-Encoding: identity\r\n\r\n",
    "xchunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked with vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "quoted chunked": POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "empty coding": POST + b"Transfer-Encoding:\r\n\r\n",
    "chunked in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunk size not hexadecimal": CHUNKED + b"g\r\nabc\r\n0\r\n\r\n",
    "chunk size with 0x": CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n",
    "chunk size with plus": CHUNKED + b"+3\r\nabc\r\n0\r\n\r\n",
    "negative chunk size": CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n",
    "empty chunk size": CHUNKED + b"\r\nabc\r\n0\r\n\r\n",
    "chunk size beyond 32 bits": CHUNKED + b"100000003\r\nabc\r\n0\r\n\r\n",
    "space after the chunk size": CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n",
    "chunk extension": CHUNKED + b"3;a=b\r\nabc\r\n0\r\n\r\n",
    "chunk extension with bare LF": CHUNKED + b"3;a\nabc\r\n0\r\n\r\n",
    "bare LF after the chunk size": CHUNKED + b"3\nabc\r\n0\r\n\r\n",
    "chunk longer than its size": CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n",
    "bare LF after the chunk": CHUNKED + b"3\r\nabc\n0\r\n\r\n",
    "trailer": CHUNKED + b"0\r\nX-A: 1\r\n\r\n",
    "smuggled request after the last chunk": CHUNKED + b"0\r\nGET /x HTTP/1.1\r\nHost: h\r\n\r\n",
    "101 header lines": GET + b"X-A: 1\r\n" * 100 + b"\r\n",
    "64 KiB in one header": GET + b"X-A: " + b"a" * 65536 + b"\r\n\r\n",
    "64 KiB in the target": b"GET /" + b"a" * 65536 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
    "64 KiB and no end": GET + b"X-A: " + b"a" * 65536,
    "unknown expectation": POST + b"Expect: 200-ok\r\nContent-Length: 3\r\n\r\nabc",
    "upgrade with a body": POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc",
    "upgrade with Connection: upgrade and websocket body": POST
    + b"Upgrade: websocket\r\nConnection: Upgrade\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def test_there_are_enough_cases() -> None:
    assert len(REFUSED) >= 65


@pytest.mark.parametrize("request_bytes", SERVED.values(), ids=SERVED.keys())
def test_served(server: Server, request_bytes: bytes) -> None:
    assert statuses(answer_to(server, request_bytes))[-1] == 200


@pytest.mark.parametrize("request_bytes", REFUSED.values(), ids=REFUSED.keys())
def test_refused_once_in_json_and_closed(server: Server, request_bytes: bytes) -> None:
    said = answer_to(server, request_bytes + GET + b"\r\n")

    assert len(statuses(said)) == 1, "nothing after a refused request is read"
    assert statuses(said)[0] in (400, 405, 417, 431)
    assert b"\r\nconnection: close\r\n" in said
    assert b"\r\ncontent-type: application/json\r\n" in said
    assert b"<" not in said


@pytest.mark.parametrize(
    "name", ["plain GET", "chunked", "body by length", "trailer", "two Hosts", "folded header, tab"]
)
def test_one_byte_at_a_time_gives_the_same_answer(server: Server, name: str) -> None:
    whole = {**SERVED, **REFUSED}[name]

    at_once = answer_to(server, whole)
    bytewise = answer_to(server, *(bytes([byte]) for byte in whole))

    assert bytewise == at_once


def test_the_target_arrives_as_sent(server: Server) -> None:
    said = answer_to(server, b"GET /a%2fb//c/../%E2%82%AC?x=1&&y=%20+;z? HTTP/1.1\r\nHost: h\r\n\r\n")
    assert b"GET /a%2fb//c/../%E2%82%AC?x=1&&y=%20+;z? 0" in said


def test_requests_sent_ahead_are_answered_in_order(server: Server) -> None:
    said = answer_to(
        server, b"".join(b"POST /%d HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n%d" % (n, n) for n in range(5))
    )

    assert statuses(said) == [200] * 5
    assert [said.index(b"POST /%d 1 %d" % (n, n)) for n in range(5)] == sorted(
        said.index(b"POST /%d 1 %d" % (n, n)) for n in range(5)
    )


def test_a_good_request_before_a_bad_one_is_answered_first(server: Server) -> None:
    said = answer_to(server, GET + b"\r\n" + b"GET / HTTP/1.1\nHost: h\n\n" + GET + b"\r\n")
    assert statuses(said) == [200, 400]


def test_another_request_follows_a_declined_upgrade(server: Server) -> None:
    said = answer_to(server, SERVED["an offer of HTTP/2 declined"], GET + b"\r\n")
    assert statuses(said) == [200, 200]
