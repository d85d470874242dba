"""A real server around a trivial handler, for tests of what stands before the handlers."""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from trailstate.gateway.application import Application
from trailstate.gateway.body import Refusal
from trailstate.gateway.limits import Limits
from trailstate.gateway.metrics import GatewayMetrics
from trailstate.gateway.operator import OperatorPages
from trailstate.gateway.server import Server
from trailstate.wire.call import WireRequest, WireResponse


@dataclass
class Rehearsal:
    """An operator whose world is one clock."""

    now: datetime = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
    is_ready: bool = True
    done: list[str] = field(default_factory=list)

    def ready(self) -> bool:
        return self.is_ready

    def health(self) -> dict[str, Any]:
        return {"status": "running"}

    def metrics(self) -> str:
        return GatewayMetrics().text()

    def clock(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> datetime:
        self.now += by
        return self.now

    def settle(self) -> None:
        self.done.append("settle")

    def reset(self) -> None:
        self.done.append("reset")


def echo(request: WireRequest) -> WireResponse:
    """Says what arrived: method, target, size of the body, and the body when it is short."""
    body = request.body[:100].decode("latin-1")
    return WireResponse(200, (), f"{request.method} {request.target} {request.body_size} {body}".encode("latin-1"))


def refuse(request: WireRequest, kind: Refusal) -> WireResponse:
    return WireResponse(400, (("content-type", "application/json"),), f'{{"refused":"{kind}"}}'.encode())


def application(
    handle: Callable[[WireRequest], WireResponse] = echo,
    limits: Limits | None = None,
    metrics: GatewayMetrics | None = None,
) -> Application:
    pages = OperatorPages(Rehearsal(), testing=True)
    return Application(handle, refuse, pages, metrics or GatewayMetrics(), limits or Limits())


@contextmanager
def serving(
    handle: Callable[[WireRequest], WireResponse] = echo,
    limits: Limits | None = None,
    metrics: GatewayMetrics | None = None,
) -> Iterator[Server]:
    metrics = metrics or GatewayMetrics()
    server = Server(application(handle, limits, metrics), metrics, port=0, limits=limits)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def connect(server: Server) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=5)


def answer_to(server: Server, *packets: bytes) -> bytes:
    """All the server says to these packets, until it closes; the client closes its half once it has said all."""
    with connect(server) as client:
        for packet in packets:
            client.sendall(packet)
        client.shutdown(socket.SHUT_WR)
        return until_closed(client)


def until_closed(client: socket.socket) -> bytes:
    said = b""
    while piece := client.recv(65536):
        said += piece
    return said


def statuses(said: bytes) -> list[int]:
    """The status codes in a series of answers whose bodies hold no status line."""
    return [int(code) for code in re.findall(rb"HTTP/1\.1 ([0-9]{3}) [A-Z]", said)]
