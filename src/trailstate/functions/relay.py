"""The way out of a sandbox: a Unix socket whose connections are carried to the gateway, and nowhere else.

Who calls through it is told by the credentials, as for any client.
"""

import contextlib
import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

CHUNK_BYTES = 65_536
CONNECTIONS_MAX = 128
CONNECT_SECONDS = 5.0
SOCKET_NAME = "aws"


class Relay:
    """Listens from `open` to `close`; `directory` is what a sandbox must be shown."""

    def __init__(self, endpoint: Callable[[], str]) -> None:
        """`endpoint` tells the gateway's URL, which may be known only later than this."""
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(CONNECTIONS_MAX)
        self._listener: socket.socket | None = None
        self._holder: tempfile.TemporaryDirectory[str] | None = None

    def open(self) -> Path:
        """The directory that holds the socket; it listens when this returns."""
        with self._lock:
            if self._holder is None:
                self._holder = tempfile.TemporaryDirectory(prefix="trailstate-aws-", ignore_cleanup_errors=True)
                self._listener = socket.socket(socket.AF_UNIX)
                self._listener.bind(str(Path(self._holder.name) / SOCKET_NAME))
                self._listener.listen(CONNECTIONS_MAX)
                threading.Thread(target=self._accept, args=(self._listener,), name="relay", daemon=True).start()
            return Path(self._holder.name)

    def close(self) -> None:
        with self._lock:
            if self._listener is not None:
                with contextlib.suppress(OSError):
                    self._listener.shutdown(socket.SHUT_RDWR)
                self._listener.close()
            if self._holder is not None:
                self._holder.cleanup()
            self._listener = self._holder = None

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                inner = listener.accept()[0]
            except OSError:  # closed
                return
            if not self._slots.acquire(blocking=False):
                inner.close()
                continue
            threading.Thread(target=self._carry, args=(inner,), name="relay", daemon=True).start()

    def _carry(self, inner: socket.socket) -> None:
        try:
            address = urlsplit(self._endpoint())
            place = (address.hostname or "127.0.0.1", address.port or 80)
            with inner, socket.create_connection(place, timeout=CONNECT_SECONDS) as outer:
                outer.settimeout(None)
                back = threading.Thread(target=_pump, args=(outer, inner), name="relay", daemon=True)
                back.start()
                _pump(inner, outer)
                back.join()
        except OSError:  # the gateway is gone; the client inside sees its connection end
            return
        finally:
            self._slots.release()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(CHUNK_BYTES):
            sink.sendall(chunk)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
