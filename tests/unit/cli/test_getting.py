"""Signed GETs: the signature is the one that botocore makes, and a broken connection is opened again."""

import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.unit.cli.served import Served, served

from trailstate.cli.getting import ATTEMPTS_MAX, Gathering, Getter, Got, Key

REGION = "eu-west-1"
NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
KEY = Key("AKIAEXAMPLE", "secret", "token")
PATHS = ("/AWSLogs/1/a.json.gz", "/with blank+plus~tilde/é", "/percent%41/=&?#")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True

    def __init__(self) -> None:
        self.heads: list[str] = []
        self.hang_up_on = 0
        self.is_cut_short = False
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Amz-Meta-Signature: ab\r\n\r\nok"
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/bucket"


class Handler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        while True:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = self.rfile.readline()
                if not line:
                    return
                head += line
            self.server.heads.append(head.decode())
            if len(self.server.heads) == self.server.hang_up_on:
                return
            self.wfile.write(self.server.answer)
            if self.server.is_cut_short:
                return


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


@pytest.mark.parametrize("path", PATHS)
def test_the_signature_is_the_one_that_botocore_makes(server: Server, path: str) -> None:
    got = Getter(server.address, REGION, lambda: KEY, lambda: datetime.now(UTC)).get(path)
    assert (got.status, got.body, got.headers["x-amz-meta-signature"]) == (200, b"ok", "ab")
    first, *lines = server.heads[0].split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    url = server.address.removesuffix("/bucket") + first.split(" ")[1]
    request = AWSRequest(method="GET", url=url, headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    request.context["timestamp"] = headers["x-amz-date"]
    signer = S3SigV4Auth(Credentials(KEY.access_key, KEY.secret_key, KEY.token), "s3", REGION)
    for name in ("X-Amz-Date", "X-Amz-Security-Token"):
        request.headers[name] = headers[name.lower()]
    canonical = signer.canonical_request(request)
    expected = signer.signature(signer.string_to_sign(request, canonical), request)
    assert headers["authorization"].endswith(f"Signature={expected}")


def test_a_connection_that_was_hung_up_is_opened_again(server: Server) -> None:
    server.hang_up_on = 2
    getter = Getter(server.address, REGION, lambda: KEY, lambda: NOW)
    assert [getter.get("/a").body, getter.get("/b").body] == [b"ok", b"ok"]
    assert len(server.heads) == 3


def test_nobody_there_is_told(server: Server) -> None:
    address = server.address
    server.server_close()
    server.shutdown()
    with pytest.raises(ConnectionRefusedError):
        Getter(address.replace("127.0.0.1", "127.0.0.2"), REGION, lambda: KEY, lambda: NOW).get("/a")


ANSWERS = {
    "in chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
    "the last of its connection": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=list(ANSWERS))
def test_every_form_of_an_answer_is_read(server: Server, answer: bytes) -> None:
    server.answer = answer
    getter = Getter(server.address, REGION, lambda: KEY, lambda: NOW)
    assert [getter.get("/a").body, getter.get("/b").body] == [b"ok", b"ok"]
    assert len(server.heads) == 2


BROKEN = {
    "cut short": b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\nok",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=list(BROKEN))
def test_half_an_answer_is_none(server: Server, answer: bytes) -> None:
    server.answer, server.is_cut_short = answer, True
    with pytest.raises(ConnectionError, match=r"connection was closed|is not HTTP"):
        Getter(server.address, REGION, lambda: KEY, lambda: NOW).get("/a")
    assert len(server.heads) == ATTEMPTS_MAX


@pytest.fixture
def bucket() -> Iterator[Served]:
    """Under every number lies that number, as many times."""
    with served() as made:
        made.answer = lambda name, _: Got(200, {}, f"{name} ".encode() * int(name))
        yield made


def gathering(bucket: Served) -> Gathering:
    return Gathering(bucket.where.address, REGION, lambda: KEY, lambda: NOW, at_once=4)


def test_of_many_asked_at_once_every_answer_belongs_to_its_path(bucket: Served) -> None:
    paths = [f"/{number * number}" for number in range(200)]
    got = dict(gathering(bucket).each(paths))
    assert {number: (each.status, each.body) for number, each in got.items()} == {
        number: (200, f"{number * number} ".encode() * (number * number)) for number in range(200)
    }


def test_answers_that_nobody_waited_for_are_not_taken_for_others(bucket: Served) -> None:
    asking = gathering(bucket)
    first = asking.each(["/1", "/2", "/3", "/4", "/5"])
    next(first)
    first.close()
    assert {number: each.body for number, each in asking.each(["/7", "/8"])} == {0: b"7 " * 7, 1: b"8 " * 8}


def test_of_many_asked_at_once_those_that_break_off_are_asked_again(bucket: Served) -> None:
    bucket.hang_ups = 7
    assert {number for number, _ in gathering(bucket).each(["/1"] * 20)} == set(range(20))
    assert len(bucket.asked) == 27


def test_where_all_that_are_asked_break_off_that_is_said(bucket: Served) -> None:
    bucket.hang_ups = 100
    with pytest.raises(ConnectionError, match="connection was closed"):
        list(gathering(bucket).each(["/1"] * 4))
