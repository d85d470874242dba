"""One HTTP request in, one HTTP answer out: a raw ASGI application around the synchronous core.

The body is complete before a handler starts, so a slow client holds memory and never a thread. Handlers run
in a bounded pool; what finds it full is throttled at once. A client that leaves changes nothing: its call
completes and is recorded. What a handler raises becomes the protocol's own InternalFailure, here and only here.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Protocol

from trailstate.gateway.body import Body, BodyRefused, Disconnected, Receive, Refusal, has_body, inflate, read_body
from trailstate.gateway.limits import Limits
from trailstate.gateway.metrics import GatewayMetrics
from trailstate.gateway.operator import OperatorPages
from trailstate.wire.call import WireRequest, WireResponse

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
EncodedHeaders = list[tuple[bytes, bytes]]

CONNECTION_HEADERS = frozenset(
    {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "trailer", "upgrade"}
)
OPERATOR_THREADS = 8
"""Enough that pages which wait for the estate (reset) do not keep the probes from their answers."""

HEADER_NAME = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")

log = logging.getLogger(__name__)


class Handle(Protocol):
    """The synchronous core: one request, one answer. Called from many threads."""

    def __call__(self, request: WireRequest) -> WireResponse: ...


class Refuse(Protocol):
    """An answer in the request's own protocol, for a call nobody inside will see; must not raise.

    `request` may lack its body. Called on the event loop, so it must be quick.
    """

    def __call__(self, request: WireRequest, kind: Refusal) -> WireResponse: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A response in the form it is sent in."""

    status: int
    headers: EncodedHeaders
    body: bytes


class Application:
    """The ASGI application; `close` ends its handler threads."""

    def __init__(
        self, handle: Handle, refuse: Refuse, pages: OperatorPages, metrics: GatewayMetrics, limits: Limits
    ) -> None:
        self._handle = handle
        self._refuse = refuse
        self._pages = pages
        self._metrics = metrics
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.handlers, thread_name_prefix="handler")
        self._pages_pool = ThreadPoolExecutor(OPERATOR_THREADS, thread_name_prefix="operator")
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = wire_request(scope)
        try:
            request = await self._with_body(request, receive)
            answer = await self._answer(request)
        except BodyRefused as refused:
            answer = self._refused(request, refused.kind)
            answer.headers.append((b"connection", b"close"))
        except Disconnected:
            return
        finally:
            if request.body_file is not None:
                request.body_file.close()
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})

    def close(self) -> None:
        """No new calls; those that run finish in their threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pages_pool.shutdown(wait=False, cancel_futures=True)

    async def _with_body(self, request: WireRequest, receive: Receive) -> WireRequest:
        if not has_body(request):
            return request
        body: Body = await read_body(request, receive, self._limits)
        whole = replace(request, body=body.data, body_file=body.file, body_size=body.size)
        try:
            return inflate(whole, self._limits)
        except BodyRefused:
            if body.file is not None:
                body.file.close()
            raise

    async def _answer(self, request: WireRequest) -> Answer:
        loop = asyncio.get_running_loop()
        if self._pages.covers(request):
            return await loop.run_in_executor(self._pages_pool, self._handled, self._pages.answer, request)
        if self._in_flight >= self._limits.handlers + self._limits.queued_calls:
            return self._refused(request, Refusal.OVERLOADED)
        self._in_flight += 1
        self._metrics.calls_in_flight.set(self._in_flight)
        started = loop.time()
        try:
            return await loop.run_in_executor(self._pool, self._handled, self._handle, request)
        finally:
            self._in_flight -= 1
            self._metrics.calls_in_flight.set(self._in_flight)
            self._metrics.call_seconds.observe(loop.time() - started)

    def _handled(self, handle: Handle, request: WireRequest) -> Answer:
        try:
            return encode(request, handle(request))
        except Exception:  # The one place: nothing a handler raises may reach a client or stop the server.
            log.exception("a handler failed", extra={"method": request.method})
            return self._refused(request, Refusal.FAILED)

    def _refused(self, request: WireRequest, kind: Refusal) -> Answer:
        self._metrics.refused.add(kind.value)
        return encode(request, self._refuse(request, kind))


def wire_request(scope: Scope) -> WireRequest:
    """The request as sent. The source address is the socket's: nobody's header may say otherwise."""
    client = scope.get("client")
    return WireRequest(
        method=scope["method"],
        target=scope["target"].decode("ascii"),
        headers=tuple(
            (name.decode("latin-1"), value.decode("latin-1").strip(" \t")) for name, value in scope["headers"]
        ),
        source_address=client[0] if client else "127.0.0.1",
    )


def encode(request: WireRequest, response: WireResponse) -> Answer:
    """The response as HTTP allows it: no body where none may be, one true length, no header that splits the answer.

    ValueError for a status or header no answer can have.
    """
    if not 200 <= response.status <= 599:
        raise ValueError(f"expected a final HTTP status, found {response.status}")
    headers = [encode_header(name, value) for name, value in response.headers if keeps(name, request, response)]
    if response.status in (204, 304):
        return Answer(response.status, headers, b"")
    if request.method == "HEAD":
        if not any(name == b"content-length" for name, _ in headers):
            headers.append((b"content-length", str(len(response.body)).encode()))
        return Answer(response.status, headers, b"")
    headers.append((b"content-length", str(len(response.body)).encode()))
    return Answer(response.status, headers, response.body)


def keeps(name: str, request: WireRequest, response: WireResponse) -> bool:
    """Headers of the connection are the server's; a length is kept only where it describes a body not sent (HEAD)."""
    name = name.lower()
    if name == "content-length":
        return request.method == "HEAD" and response.status not in (204, 304)
    return name not in CONNECTION_HEADERS


def encode_header(name: str, value: str) -> tuple[bytes, bytes]:
    if not name or not HEADER_NAME.issuperset(name.lower()):
        raise ValueError(f"expected a header name, found {name!r}")
    if any(character in value for character in "\r\n\0"):
        raise ValueError(f"the value of the header {name!r} holds a line break or NUL")
    return name.encode("ascii"), value.encode("latin-1")
