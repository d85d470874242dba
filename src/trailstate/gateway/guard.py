"""Nothing but a well-framed request, sent in good time, is answered by anybody (RFC 9112; limits in `limits`).

A `Guard` is one connection. It takes one request at a time from `framing`: what a client sends ahead waits until its
request is answered, and until the client has taken that answer, so a refusal never overtakes an answer and neither
requests nor answers pile up. It answers what it refuses itself, as JSON, and lets the client finish sending for a
moment so that the answer is not lost to a connection reset.
"""

import asyncio
import json
from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol, cast

from trailstate.gateway.answer import Answer
from trailstate.gateway.arrival import Arrival
from trailstate.gateway.framing import Framing, Head, Phase, Refused
from trailstate.gateway.limits import Limits
from trailstate.wire.call import WireRequest

REASONS = {
    400: "Bad Request",
    405: "Method Not Allowed",
    408: "Request Timeout",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

SLOW_HEAD = Refused("RequestTimeout", "the header block did not arrive in time", 408)
FULL = Refused("TooManyConnections", "the server has as many connections as it accepts; try again", 503)


class Waiting(Enum):
    """What the connection's clock is running for."""

    REQUEST = auto()
    HEAD = auto()
    ANSWER = auto()
    READER = auto()
    """The client has its answer under way and does not take it."""
    END = auto()


class Answers(Protocol):
    """Who answers requests. `respond` is called once, on the event loop, unless the client left within its body."""

    def answer(self, request: WireRequest, respond: Callable[[Answer], None]) -> None:
        """For a request that is all there."""

    def answer_arriving(self, request: WireRequest, arrival: Arrival, respond: Callable[[Answer], None]) -> None:
        """For a request whose body is still on its way."""


class Guard(asyncio.Protocol):
    """One connection. `sweep` must be called from time to time; it alone enforces the time limits."""

    def __init__(
        self,
        answers: Answers,
        connections: "set[Guard]",
        limits: Limits,
        loop: asyncio.AbstractEventLoop,
        refused: Callable[[str], None],
    ) -> None:
        self._answers = answers
        self._connections = connections
        self._limits = limits
        self._loop = loop
        self._count_refusal = refused
        self._framing = Framing(limits)
        self._arrival: Arrival | None = None
        self._waiting = Waiting.REQUEST
        self._since = loop.time()
        self._is_leaving = False
        self._is_read = True
        """Whether the client takes what it is sent."""
        self._unsent_bytes = 0
        self._client_is_done = False

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._source_address = str(peer[0]) if peer else "127.0.0.1"
        self._connections.add(self)
        if len(self._connections) > self._limits.connections:
            self._refuse(FULL)

    def connection_lost(self, _: Exception | None) -> None:
        """Whatever was begun goes on; nobody hears of it."""
        self._connections.discard(self)
        self._waiting = Waiting.END
        if self._arrival is not None:
            self._arrival.break_off()

    def data_received(self, data: bytes) -> None:
        if self._waiting is Waiting.END:
            return
        if self._framing.phase is Phase.COMPLETE:
            self._framing.hold(data)
            self.transport.pause_reading()
            return
        self._advance(data)

    def eof_received(self) -> bool:
        """A client may close its half once its request is out, and still be answered."""
        is_owed = self._waiting in (Waiting.ANSWER, Waiting.READER)
        self._client_is_done = is_owed and self._framing.phase is Phase.COMPLETE
        return self._client_is_done

    def pause_writing(self) -> None:
        self._is_read = False

    def resume_writing(self) -> None:
        self._is_read = True
        if self._waiting is Waiting.READER:
            self._next_request()

    # Requests.

    def _advance(self, data: bytes) -> None:
        framing = self._framing
        try:
            piece = framing.accept(data)
        except Refused as refusal:
            self._refuse(refusal)
            return
        if framing.head is None:
            if self._waiting is Waiting.REQUEST:
                self._wait_for(Waiting.HEAD)
        elif self._arrival is not None:
            self._wait_for(Waiting.ANSWER)
            self._arrival.add(piece, complete=framing.phase is Phase.COMPLETE)
        else:
            self._wait_for(Waiting.ANSWER)
            self._begin(framing.head, piece)

    def _begin(self, head: Head, piece: bytes) -> None:
        self._is_leaving = not head.keeps_alive
        is_whole = self._framing.phase is Phase.COMPLETE and len(piece) <= self._limits.memory_body_bytes
        request = WireRequest(
            head.method,
            head.target,
            tuple(head.headers),
            body=piece if is_whole else b"",
            body_size=len(piece) if is_whole else 0,
            source_address=self._source_address,
        )
        if is_whole:
            self._answers.answer(request, self._respond)
            return
        self._arrival = Arrival(self.transport, CONTINUE if head.is_1_1 and "expect" in head.named else b"")
        self._arrival.add(piece, complete=self._framing.phase is Phase.COMPLETE)
        self._answers.answer_arriving(request, self._arrival, self._respond)

    def _respond(self, answer: Answer) -> None:
        if self._waiting is Waiting.END or self.transport.is_closing():
            return
        self._arrival = None
        is_last = self._is_leaving or answer.is_last or self._framing.phase is not Phase.COMPLETE
        self.transport.writelines(answer.pieces(is_last=is_last))
        if is_last:
            self._leave()
        elif self._is_read:
            self._next_request()
        else:
            self._unsent_bytes = self.transport.get_write_buffer_size()
            self._wait_for(Waiting.READER)

    def _next_request(self) -> None:
        """Wait for the next request, or take up what the client sent ahead."""
        framing = self._framing
        framing.next_request()
        self._wait_for(Waiting.REQUEST)
        self.transport.resume_reading()
        if framing.holds_bytes:
            self._advance(b"")
        if self._client_is_done and self._waiting in (Waiting.REQUEST, Waiting.HEAD):
            self._close()

    # The end.

    @property
    def is_busy(self) -> bool:
        """Whether a request was begun and has no answer yet."""
        return self._waiting is Waiting.ANSWER

    def shutdown(self) -> None:
        """Take no further request; the one in progress is answered."""
        if self.is_busy:
            self._is_leaving = True
        elif self._waiting is not Waiting.END:
            self._close()

    def sweep(self, now: float) -> None:
        """End what has waited too long."""
        waited = now - self._since
        if self._waiting is Waiting.HEAD and waited > self._limits.head_seconds:
            self._refuse(SLOW_HEAD)
        elif self._waiting is Waiting.END and waited > self._limits.linger_seconds:
            self.transport.abort()
        elif self._waiting in (Waiting.REQUEST, Waiting.READER) and waited > self._limits.idle_seconds:
            self._end_unless_draining(now)

    def _end_unless_draining(self, now: float) -> None:
        """A client that still takes bytes of a long answer is not idle."""
        unsent, self._unsent_bytes = self._unsent_bytes, self.transport.get_write_buffer_size()
        if 0 < self._unsent_bytes != unsent:
            self._since = now
        else:
            self.transport.abort()

    def _wait_for(self, what: Waiting) -> None:
        self._waiting = what
        self._since = self._loop.time()

    def _refuse(self, refusal: Refused) -> None:
        """Answer in this program's name; a request that had begun is over."""
        self._count_refusal(refusal.code)
        if self._arrival is not None:
            self._arrival.break_off()
        self.transport.write(refusal_bytes(refusal))
        self._linger()

    def _leave(self) -> None:
        """Close; if the client is still sending, only after it had the time to read the answer."""
        if self._framing.phase is Phase.COMPLETE and not self._framing.holds_bytes:
            self._close()
        else:
            self._linger()

    def _close(self) -> None:
        """Once what was written is sent."""
        self._wait_for(Waiting.END)
        self.transport.close()

    def _linger(self) -> None:
        self._wait_for(Waiting.END)
        self.transport.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()


def refusal_bytes(refusal: Refused) -> bytes:
    """A complete HTTP answer in the error form of AWS JSON, for whatever client it is; last on its connection."""
    body = json.dumps({"__type": refusal.code, "message": refusal.message}).encode()
    retry = "retry-after: 1\r\n" if refusal.status == 503 else ""
    return (
        f"HTTP/1.1 {refusal.status} {REASONS[refusal.status]}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n{retry}connection: close\r\n\r\n"
    ).encode("ascii") + body
