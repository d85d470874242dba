"""What the house and the simulator's process say to one another: length-prefixed msgpack over AF_UNIX socket pairs.

One frame asks, one frame answers; nobody speaks out of turn. On another pair the simulator asks, while it serves a
request, for what is the house's to do; until it has its answer it serves there what that causes in the estate.

A body over `INLINE_BYTES` travels beside its frame as a file descriptor (unix(7), SCM_RIGHTS), so a frame itself stays
small and its bound can be strict.
"""

import contextlib
import os
import socket
import struct
import sys
import tempfile
from collections import deque
from typing import Any, BinaryIO, Generic, TypeVar

import msgspec

from trailstate.estate.interface import Credential, Login

INLINE_BYTES = 1024 * 1024
FRAME_BYTES_MAX = 4 * 1024 * 1024
BODY_BYTES_MAX = 1024 * 1024 * 1024
CHUNK_BYTES = 256 * 1024
FIRST_BYTES = 16 * 1024
DESCRIPTORS_MAX = 8
"""Enough for most frames; a larger buffer costs more to provide than the frame to read."""

HEAD = struct.Struct("!IB")
"""Length of the payload, and whether a descriptor comes with it."""


class LineClosed(Exception):
    """The other side is gone."""


class BadFrame(Exception):
    """The other side sent what no frame may be."""


class Caller(msgspec.Struct, array_like=True):
    """Who makes the request, as the house knows it: whom a session token is handed to."""

    kind: str
    principal_id: str
    arn: str
    account: str
    user_name: str | None
    mfa: bool
    source_identity: str | None
    service: str = ""
    """The service that makes the request, if it is one, and for which resource."""
    source_arn: str = ""


class Serve(msgspec.Struct, tag="serve", array_like=True):
    """One request for the simulator, with the time it is to believe and the seed of everything it draws."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    source_address: str
    service: str
    operation: str
    account: str
    region: str
    now_microseconds: int
    seed: int
    bucket: str = ""
    caller: Caller | None = None
    number: int = 0
    """By which the simulator names the request when it asks for something on its behalf."""


class Ask(msgspec.Struct, tag="ask", array_like=True):
    """Whose is this access key?"""

    access_key_id: str


class AskLogin(msgspec.Struct, tag="ask login", array_like=True):
    """What does this user of the account, or root, sign in with?"""

    account: str
    user_name: str | None


class Reset(msgspec.Struct, tag="reset", array_like=True):
    """Forget everything."""


class Warm(msgspec.Struct, tag="warm", array_like=True):
    """Load the simulator of one service before somebody needs it."""

    service: str


class Answered(msgspec.Struct, tag="answered", array_like=True):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Unsupported(msgspec.Struct, tag="unsupported", array_like=True):
    message: str


class Failed(msgspec.Struct, tag="failed", array_like=True):
    message: str


class Known(msgspec.Struct, tag="known", array_like=True):
    credential: Credential | None


class KnownLogin(msgspec.Struct, tag="known login", array_like=True):
    login: Login | None


class Done(msgspec.Struct, tag="done", array_like=True):
    """Ready, warmed or forgotten, as asked."""


class Upward(msgspec.Struct, tag="upward", array_like=True):
    """What a request does inside the estate to something of the house: a call of whoever made the request, of a role
    that is taken on for it, or of a service for one of its resources."""

    number: int
    account: str
    region: str
    service: str
    operation: str
    parameters: dict[str, Any]
    role: str = ""
    by: str = ""
    source: str = ""
    """The ARN of the resource for which the service calls."""


class Settled(msgspec.Struct, tag="settled", array_like=True):
    """What came of it: the output, or the fault's code, message and status."""

    result: dict[str, Any] | None
    code: str = ""
    message: str = ""
    status: int = 0


Question = Serve | Ask | AskLogin | Reset | Warm
Answer = Answered | Unsupported | Failed | Known | KnownLogin | Done
Heard = TypeVar("Heard")


class Line(Generic[Heard]):
    """One end of the pair. `hears` is the union of frames that may arrive here.

    Frames may go out by another socket, `outward`: the kernel wakes whoever waits on a socket also when the other side
    takes what was sent by it, so on one alone every frame wakes its sender for nothing.
    """

    def __init__(self, end: socket.socket, hears: object, outward: socket.socket | None = None) -> None:
        self._end = end
        self._outward = outward or end
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[Heard] = msgspec.msgpack.Decoder(hears)
        self._buffer = bytearray()
        self._files: deque[int] = deque()

    def give_up_after(self, seconds: float) -> None:
        """From now on a TimeoutError ends a wait that long. The kernel counts: Python's own way costs two more system
        calls and fifteen microseconds a frame."""
        whole, part = divmod(seconds, 1)
        interval = struct.pack("ll", int(whole), max(1, int(part * 1_000_000)))
        for end, option in ((self._end, socket.SO_RCVTIMEO), (self._outward, socket.SO_SNDTIMEO)):
            end.settimeout(None)
            end.setsockopt(socket.SOL_SOCKET, option, interval)

    def send(self, frame: Question | Answer | Upward | Settled, attachment: int | None = None) -> None:
        """Hand one frame over; LineClosed when nobody is there to take it."""
        payload = self._encoder.encode(frame)
        if len(payload) > FRAME_BYTES_MAX:
            raise BadFrame(f"a frame of {len(payload)} bytes; at most {FRAME_BYTES_MAX} are allowed")
        message = HEAD.pack(len(payload), attachment is not None) + payload
        try:
            if attachment is None:
                self._outward.sendall(message)
            else:
                sent = socket.send_fds(self._outward, [message], [attachment])
                self._outward.sendall(memoryview(message)[sent:])
        except (BrokenPipeError, ConnectionResetError) as error:
            raise LineClosed("the other side is gone") from error
        except BlockingIOError as error:
            raise TimeoutError("the frame was not taken") from error

    def receive(self) -> tuple[Heard, int | None]:
        """The next frame and the descriptor that came with it, which is then the caller's to close.

        Frames may arrive together; descriptors come in the order of the frames they belong to, never after them.
        """
        self._fill(HEAD.size)
        length, attached = HEAD.unpack_from(self._buffer)
        if length > FRAME_BYTES_MAX:
            raise BadFrame(f"a frame of {length} bytes; at most {FRAME_BYTES_MAX} are allowed")
        self._fill(HEAD.size + length)
        if attached and not self._files:
            raise BadFrame("a frame and its descriptor do not belong together")
        attachment = self._files.popleft() if attached else None
        payload = bytes(memoryview(self._buffer)[HEAD.size : HEAD.size + length])
        del self._buffer[: HEAD.size + length]
        try:
            return self._decoder.decode(payload), attachment
        except msgspec.MsgspecError as error:
            if attachment is not None:
                os.close(attachment)
            raise BadFrame(f"an unreadable frame: {error}") from error

    def hang_up(self) -> None:
        """Nothing more passes, in either direction; whoever waits for a frame is told LineClosed."""
        for end in (self._outward, self._end):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._end.close()
        self._outward.close()
        while self._files:
            os.close(self._files.popleft())

    def _fill(self, size: int) -> None:
        while len(self._buffer) < size:
            room = min(CHUNK_BYTES, max(FIRST_BYTES, size - len(self._buffer)))
            try:
                chunk, descriptors, _, _ = socket.recv_fds(self._end, room, DESCRIPTORS_MAX)
            except ConnectionResetError as error:
                raise LineClosed("the other side is gone") from error
            except BlockingIOError as error:
                raise TimeoutError("half a frame came" if self._buffer else "no frame came") from error
            self._files.extend(descriptors)
            if not chunk:
                raise LineClosed("the other side is gone")
            self._buffer += chunk


def file_of(body: bytes) -> BinaryIO:
    """An unnamed file holding `body`, to be sent beside a frame."""
    if sys.platform == "linux":
        file: BinaryIO = os.fdopen(os.memfd_create("body"), "w+b")
    else:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    file.write(body)
    file.flush()
    file.seek(0)
    return file


def bytes_of(attachment: int) -> bytes:
    """The whole content behind a received descriptor, which is closed."""
    with os.fdopen(attachment, "rb") as file:
        file.seek(0)
        size = os.fstat(file.fileno()).st_size
        if size > BODY_BYTES_MAX:
            raise BadFrame(f"a body of {size} bytes; at most {BODY_BYTES_MAX} are allowed")
        return file.read()
