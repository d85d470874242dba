"""Nothing but a well-framed request, sent in good time, reaches the parser (RFC 9112; limits in `limits`).

`Guard` stands between the socket and uvicorn's httptools protocol. It feeds the parser the bytes `framing`
accepts, one request at a time: what a client sends ahead waits until its request is answered, so a refusal
never overtakes an answer and no pipeline grows. It answers what it refuses itself, as JSON, and lets the
client finish sending for a moment so that the answer is not lost to a connection reset.
"""

import asyncio
import json
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, cast

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from trailstate.gateway.framing import Framing, Phase, Refused
from trailstate.gateway.limits import Limits

REASONS = {
    400: "Bad Request",
    405: "Method Not Allowed",
    408: "Request Timeout",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}

SLOW_HEAD = Refused("RequestTimeout", "the header block did not arrive in time", 408)
FULL = Refused("TooManyConnections", "the server has as many connections as it accepts; try again", 503)


class Waiting(Enum):
    """What the connection's clock is running for."""

    REQUEST = auto()
    HEAD = auto()
    ANSWER = auto()
    END = auto()


class Guard(HttpToolsProtocol):
    """One connection. `sweep` must be called from time to time; it alone enforces the time limits."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        limits: Limits,
        loop: asyncio.AbstractEventLoop,
        refused: Callable[[str], None],
    ) -> None:
        super().__init__(config, server_state, {}, loop)
        self._limits = limits
        self._framing = Framing(limits)
        self._count_refusal = refused
        self._waiting = Waiting.REQUEST
        self._since = loop.time()
        self._unsent_bytes = 0
        self._client_is_done = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections:
            self._refuse(FULL)

    def data_received(self, data: bytes) -> None:
        if self._waiting is Waiting.END:
            return
        if self._framing.phase is Phase.COMPLETE:
            self._framing.hold(data)
            self.flow.pause_reading()
            return
        self._advance(data)

    def _advance(self, data: bytes) -> None:
        try:
            accepted = self._framing.accept(data)
            if accepted:
                self._wait_for(Waiting.ANSWER)
                self._parse(accepted)
            elif self._waiting is Waiting.REQUEST:
                self._wait_for(Waiting.HEAD)
        except Refused as refusal:
            self._refuse(refusal)

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # An offer to speak another protocol is declined by answering in this one (RFC 9110 §7.8).
        except httptools.HttpParserError as error:
            raise Refused("MalformedRequest", "the request is not well-formed HTTP/1.1") from error

    def on_headers_complete(self) -> None:
        """Start the application; the request target goes to it byte for byte as sent."""
        version = self.parser.get_http_version()
        path, _, query = self.url.partition(b"?")
        scope = cast("dict[str, Any]", self.scope)
        scope.update(
            method=self.parser.get_method().decode("ascii"),
            http_version=version,
            path=path.decode("ascii"),
            raw_path=path,
            query_string=query,
            target=self.url,
        )
        is_1_1 = version == "1.1"
        self.cycle = RequestResponseCycle(
            scope=self.scope,
            transport=cast("asyncio.Transport", Exit(self)),
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=[],
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue and is_1_1,
            keep_alive=is_1_1 and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        self._start_asgi_task(self.cycle, self.app)

    def on_response_complete(self) -> None:
        """Wait for the next request, or take up what the client sent ahead."""
        self.server_state.total_requests += 1
        if self._waiting is Waiting.END or self.transport.is_closing():
            return
        if self._framing.phase is not Phase.COMPLETE:
            self.leave()
            return
        self._framing.next_request()
        self._wait_for(Waiting.REQUEST)
        self.flow.resume_reading()
        if self._framing.holds_bytes:
            self._advance(b"")
        if self._client_is_done and self._waiting in (Waiting.REQUEST, Waiting.HEAD):
            self.transport.close()

    def _wait_for(self, what: Waiting) -> None:
        self._waiting = what
        self._since = self.loop.time()

    def _refuse(self, refusal: Refused) -> None:
        """Answer in this program's name; a request that had begun is over."""
        self._count_refusal(refusal.code)
        if self.cycle is not None and not self.cycle.response_complete:
            started = self.cycle.response_started
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if started:
                self.transport.abort()
                return
        self.transport.write(refusal_bytes(refusal))
        self._linger()

    def leave(self) -> None:
        """Close; if the client is still sending, only after it had the time to read the answer."""
        if self._framing.phase is Phase.COMPLETE and not self._framing.holds_bytes:
            self.transport.close()
        else:
            self._linger()

    def _linger(self) -> None:
        self._wait_for(Waiting.END)
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def eof_received(self) -> bool:  # type: ignore[override]
        """A client may close its half once its request is out, and still be answered."""
        self._client_is_done = self._waiting is Waiting.ANSWER and self._framing.phase is Phase.COMPLETE
        return self._client_is_done

    def shutdown(self) -> None:
        if self._waiting is not Waiting.END:
            super().shutdown()

    def sweep(self, now: float) -> None:
        """End what has waited too long."""
        waited = now - self._since
        if self._waiting is Waiting.HEAD and waited > self._limits.head_seconds:
            self._refuse(SLOW_HEAD)
        elif self._waiting is Waiting.END and waited > self._limits.linger_seconds:
            self.transport.abort()
        elif self._waiting is Waiting.REQUEST and waited > self._limits.idle_seconds:
            self._end_unless_draining(now)

    def _end_unless_draining(self, now: float) -> None:
        """A client that still takes bytes of a long answer is not idle."""
        unsent, self._unsent_bytes = self._unsent_bytes, self.transport.get_write_buffer_size()
        if 0 < self._unsent_bytes != unsent:
            self._since = now
        else:
            self.transport.abort()


class Exit:
    """The transport as an answer sees it: it may write and ask to leave; how to leave is the guard's to say."""

    __slots__ = ("_guard", "is_closing", "write")

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self.write = guard.transport.write
        self.is_closing = guard.transport.is_closing

    def close(self) -> None:
        self._guard.leave()


def refusal_bytes(refusal: Refused) -> bytes:
    """A complete HTTP answer in the error form of AWS JSON, for whatever client it is; last on its connection."""
    body = json.dumps({"__type": refusal.code, "message": refusal.message}).encode()
    retry = "retry-after: 1\r\n" if refusal.status == 503 else ""
    return (
        f"HTTP/1.1 {refusal.status} {REASONS[refusal.status]}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n{retry}connection: close\r\n\r\n"
    ).encode("ascii") + body
