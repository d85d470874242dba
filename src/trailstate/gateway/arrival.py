"""A body on its way: pieces from the connection to whoever reads them, at the reader's pace."""

import asyncio
from collections import deque

UNREAD_BYTES_MAX = 64 * 1024


class Disconnected(Exception):
    """The client left before its request was complete."""


class Arrival:
    """The body of one request. Filled by the connection and read by one task, both on the event loop."""

    def __init__(self, transport: asyncio.Transport, invitation: bytes = b"") -> None:
        """`invitation` is sent when the body is first asked for and not there: 100 Continue (RFC 9110, 10.1.1)."""
        self._transport = transport
        self._invitation = invitation
        self._pieces: deque[bytes] = deque()
        self._unread_bytes = 0
        self._is_complete = False
        self._is_broken_off = False
        self._news = asyncio.Event()

    def add(self, piece: bytes, *, complete: bool) -> None:
        self._is_complete = complete
        if piece:
            self._pieces.append(piece)
            self._unread_bytes += len(piece)
            if self._unread_bytes > UNREAD_BYTES_MAX and not complete:
                self._transport.pause_reading()
        self._news.set()

    def break_off(self) -> None:
        """No more will come."""
        self._is_broken_off = True
        self._news.set()

    async def read(self) -> bytes:
        """The next piece; empty at the end. Raises Disconnected."""
        while not self._pieces:
            if self._is_complete:
                return b""
            if self._is_broken_off:
                raise Disconnected
            if self._invitation and not self._transport.is_closing():
                self._transport.write(self._invitation)
                self._invitation = b""
            self._news.clear()
            await self._news.wait()
        piece = self._pieces.popleft()
        self._unread_bytes -= len(piece)
        if self._unread_bytes <= UNREAD_BYTES_MAX and not self._is_complete and not self._transport.is_closing():
            self._transport.resume_reading()
        return piece
