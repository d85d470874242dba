"""What passes between the house and the engine's process: an order, whether it went well, then Arrow's own stream."""

import struct
from typing import BinaryIO

import msgspec

FRAME_BYTES_MAX = 64 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class Order(msgspec.Struct, frozen=True):
    """One query and all that its session needs."""

    settings: list[str]
    before: list[str]
    """Macros and views."""
    query: str
    batch_rows: int = 10_000


class Told(msgspec.Struct, frozen=True):
    """The process is ready, or the query has begun to answer; or what went wrong."""

    error: str = ""
    kind: str = ""


def write_frame(stream: BinaryIO, body: bytes) -> None:
    stream.write(_LENGTH.pack(len(body)) + body)
    stream.flush()


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame; None when the other side is gone."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(head)
    if size > FRAME_BYTES_MAX:
        return None
    body = stream.read(size)
    return body if len(body) == size else None
