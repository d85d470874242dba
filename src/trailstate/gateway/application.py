"""One request in, one answer out: between the event loop, which has the sockets, and the synchronous core.

The body is complete before a handler starts, so a slow client holds memory and never a thread. Handlers run in a
bounded pool; what finds it full is throttled at once. A client that leaves changes nothing: its call completes and is
recorded. What a handler raises becomes the protocol's own InternalFailure, here and only here.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from trailstate.gateway.answer import Answer, encode
from trailstate.gateway.arrival import Arrival, Disconnected
from trailstate.gateway.body import BodyRefused, Refusal, check_size, inflate, read_body
from trailstate.gateway.limits import Limits
from trailstate.gateway.metrics import GatewayMetrics
from trailstate.gateway.operator import OperatorPages
from trailstate.gateway.workers import Workers
from trailstate.wire.call import WireRequest, WireResponse

OPERATOR_THREADS = 8
"""Enough that pages which wait for the estate (reset) do not keep the probes from their answers."""

log = logging.getLogger(__name__)

Respond = Callable[[Answer], None]


class Handle(Protocol):
    """The synchronous core: one request, one answer. Called from many threads."""

    def __call__(self, request: WireRequest) -> WireResponse: ...


class Refuse(Protocol):
    """An answer in the request's own protocol, for a call nobody inside will see; must not raise.

    `request` may lack its body. Called on the event loop, so it must be quick.
    """

    def __call__(self, request: WireRequest, kind: Refusal) -> WireResponse: ...


class Application:
    """Answers what the connections bring (`guard.Answers`), all of it on the event loop but for the handlers."""

    def __init__(
        self,
        handle: Handle,
        refuse: Refuse,
        pages: OperatorPages,
        metrics: GatewayMetrics,
        limits: Limits,
        *,
        around: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        """`around` is entered for each call, in its thread, and left when the answer is on its way."""
        self._handle = handle
        self._around = around
        self._refuse = refuse
        self._pages = pages
        self._metrics = metrics
        self._limits = limits
        self._handlers = Workers(limits.handlers, "handler")
        self._operators = Workers(OPERATOR_THREADS, "operator")
        self._arriving: set[asyncio.Task[None]] = set()
        metrics.calls_in_flight.read(lambda: float(self._handlers.in_hand))

    @property
    def is_busy(self) -> bool:
        """Whether something is under way that will have an answer."""
        return bool(self._handlers.in_hand or self._operators.in_hand or self._arriving)

    def answer(self, request: WireRequest, respond: Respond) -> None:
        """For a request that is all there."""
        try:
            if request.body:
                check_size(request, request.body_size, self._limits)
                request = inflate(request, self._limits)
        except BodyRefused as refused:
            self._respond_soon(respond, self._refused(request, refused.kind, is_last=True))
        else:
            self._answer_whole(request, respond)

    def answer_arriving(self, request: WireRequest, arrival: Arrival, respond: Respond) -> None:
        """For a request whose body is still on its way."""
        task = asyncio.get_running_loop().create_task(self._gather(request, arrival, respond))
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)

    def close(self) -> None:
        """No new calls; those that run finish in their threads."""
        for task in self._arriving:
            task.cancel()
        self._handlers.close()
        self._operators.close()

    async def _gather(self, request: WireRequest, arrival: Arrival, respond: Respond) -> None:
        try:
            whole = await self._with_body(request, arrival)
        except BodyRefused as refused:
            respond(self._refused(request, refused.kind, is_last=True))
        except Disconnected:
            return
        else:
            self._answer_whole(whole, respond)

    async def _with_body(self, request: WireRequest, arrival: Arrival) -> WireRequest:
        body = await read_body(request, arrival.read, self._limits)
        whole = replace(request, body=body.data, body_file=body.file, body_size=body.size)
        try:
            return inflate(whole, self._limits)
        except BodyRefused:
            if body.file is not None:
                body.file.close()
            raise

    def _answer_whole(self, request: WireRequest, respond: Respond) -> None:
        if self._pages.covers(request):
            self._work(self._operators, self._pages.answer, request, respond)
        elif self._handlers.in_hand >= self._limits.handlers + self._limits.queued_calls:
            self._respond_soon(respond, self._refused(request, Refusal.OVERLOADED))
        else:
            self._work(self._handlers, self._handle, request, respond)

    def _respond_soon(self, respond: Respond, answer: Answer) -> None:
        """Not at once: a client may have sent a thousand requests ahead, and each answer takes up the next."""
        asyncio.get_running_loop().call_soon(respond, answer)

    def _work(self, workers: Workers, handle: Handle, request: WireRequest, respond: Respond) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()

        def work() -> None:
            with self._around():
                answer = self._handled(handle, request)
                with contextlib.suppress(RuntimeError):  # the loop is closed: the server stopped without this call
                    loop.call_soon_threadsafe(done, answer)

        def done(answer: Answer) -> None:
            workers.done()
            if workers is self._handlers:
                self._metrics.call_seconds.observe(loop.time() - began)
            if request.body_file is not None:
                request.body_file.close()
            respond(answer)

        workers.submit(work)

    def _handled(self, handle: Handle, request: WireRequest) -> Answer:
        try:
            return encode(request, handle(request))
        except Exception:  # The one place: nothing a handler raises may reach a client or stop the server.
            log.exception("a handler failed", extra={"method": request.method})
            return self._refused(request, Refusal.FAILED)

    def _refused(self, request: WireRequest, kind: Refusal, *, is_last: bool = False) -> Answer:
        self._metrics.refused.add(kind.value)
        return encode(request, self._refuse(request, kind), is_last=is_last)
