"""A port that answers: the guarded HTTP server, in a thread of its own or in the foreground until a signal.

uvloop supplies the event loop; starting, sweeping and stopping are here, so that a lab is up and down in milliseconds
and a stop has a bound.
"""

import asyncio
import errno
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable

from trailstate.gateway.application import Application
from trailstate.gateway.guard import Guard
from trailstate.gateway.limits import Limits
from trailstate.gateway.metrics import GatewayMetrics

BACKLOG = 1024
SWEEP_SECONDS_MAX = 1.0
FLUSH_SECONDS = 0.002
"""How often a stopping server looks whether the last answers are out."""
SPARE_FILES = 256
"""Descriptors beside the connections: the store, the estate, spooled bodies."""


class PortUnavailable(Exception):
    """The server cannot listen where it was told to; the message says what to do."""


class Server:
    """One listening port. The port is known, and connections are queued, from the moment it is made."""

    def __init__(
        self,
        application: Application,
        metrics: GatewayMetrics,
        *,
        host: str = "127.0.0.1",
        port: int = 4566,
        limits: Limits | None = None,
    ) -> None:
        self._application = application
        self._metrics = metrics
        self._limits = limits or Limits()
        self._socket = listen(host, port)
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    @property
    def endpoint(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def start(self) -> None:
        """Serve in a thread; connections are answered when this returns."""
        assert self._thread is None, "a server starts once"
        serving = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(serving.set, False), name="gateway", daemon=True)
        self._thread.start()
        serving.wait()

    def stop(self) -> None:
        """Calls in flight finish, within `stop_seconds`; then the port is free."""
        assert self._thread is not None, "only a started server stops"
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve in the foreground until SIGTERM or SIGINT; call `ready` once connections are answered."""
        allow_open_files(self._limits.connections + SPARE_FILES)
        self._run(ready, True)

    def _run(self, ready: Callable[[], None], signals: bool) -> None:
        with asyncio.Runner(loop_factory=event_loop) as runner:
            runner.run(self._serve(ready, signals))

    async def _serve(self, ready: Callable[[], None], signals: bool) -> None:
        loop = self._loop = asyncio.get_running_loop()
        stop = self._stop = asyncio.Event()
        if signals:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, stop.set)
        connections: set[Guard] = set()
        server = await loop.create_server(
            lambda: Guard(self._application, connections, self._limits, loop, self._metrics.refused.add),
            sock=self._socket,
            backlog=BACKLOG,
        )
        sweeper = loop.create_task(self._sweep(connections))
        ready()
        await stop.wait()
        server.close()
        sweeper.cancel()
        await finish(connections, self._application, self._limits.stop_seconds)
        self._application.close()

    async def _sweep(self, connections: set[Guard]) -> None:
        """Hold every connection to its time limits."""
        limits = self._limits
        pause = min(SWEEP_SECONDS_MAX, limits.head_seconds / 4, limits.idle_seconds / 4, limits.linger_seconds / 4)
        now = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(pause)
            self._metrics.connections.set(len(connections))
            for connection in list(connections):
                connection.sweep(now())


async def finish(connections: set[Guard], application: Application, seconds: float) -> None:
    """Idle connections close at once, busy ones once their answer is out, all of them after `seconds`."""
    now = asyncio.get_running_loop().time
    latest = now() + seconds
    for connection in list(connections):
        connection.shutdown()
    while application.is_busy and now() < latest:
        await asyncio.sleep(FLUSH_SECONDS)
    for connection in list(connections):
        connection.transport.close()
    while connections and now() < latest:
        await asyncio.sleep(FLUSH_SECONDS)
    for connection in list(connections):
        connection.transport.abort()


def event_loop() -> asyncio.AbstractEventLoop:
    if sys.implementation.name != "cpython":
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()


def listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PortUnavailable(
            f"cannot listen on {host!r}: {error.strerror}; give an address of this machine with --host"
        ) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise PortUnavailable(why_not(host, port, error)) from error
    return listener


def why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken by another program; choose another with --port (0: any free one)"
    if error.errno == errno.EACCES:
        return f"port {port} needs privileges this user does not have; choose one above 1023 with --port"
    return f"cannot listen on {host} port {port}: {error.strerror}; choose others with --host and --port"


def allow_open_files(wanted: int) -> None:
    """Raise the soft limit on open files, as far as the hard one allows, so that all connections find one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    reachable = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < reachable:
        resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
