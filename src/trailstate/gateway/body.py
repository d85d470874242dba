"""A request's body is complete, bounded and inflated before anybody works on it.

Small bodies stay in memory, large ones go to an unlinked temporary file; how large they may be depends on
the service the request is signed for. Compressed bodies are inflated as a stream under two caps, so that no
bomb is ever held (SDKs compress some requests, the `requestCompression` trait). What S3 stores is never
touched: there `Content-Encoding` describes the object.
"""

import asyncio
import hashlib
import re
import shutil
import tempfile
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import BinaryIO, cast

from trailstate.gateway.limits import MIB, UPLOAD_SERVICES, Limits
from trailstate.wire.call import WireRequest

CREDENTIAL_SCOPE = re.compile(
    r"(?:Credential=|X-Amz-Credential=)[^/%,&]+(?:/|%2F)[0-9]+(?:/|%2F)[^/%]*(?:/|%2F)([a-z0-9-]+)"
)
PIECE_BYTES = MIB

Read = Callable[[], Awaitable[bytes]]
"""Gives the next piece of a body, an empty one at its end; raises `Disconnected`."""


class Refusal(StrEnum):
    """Why the gateway answers a call without asking anybody inside."""

    TOO_LARGE = "too_large"
    SLOW = "slow"
    BAD_ENCODING = "bad_encoding"
    OVERLOADED = "overloaded"
    NO_SPACE = "no_space"
    FAILED = "failed"
    """A handler raised what no model knows; it has been logged."""


class BodyRefused(Exception):
    """The body cannot be taken; the connection holds unread bytes."""

    def __init__(self, kind: Refusal) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Body:
    """All of it, in memory or in `file` (positioned at its start)."""

    data: bytes = b""
    file: BinaryIO | None = None
    size: int = 0


def signing_name(request: WireRequest) -> str | None:
    """The service a request is signed for, by header or query; nothing is verified here."""
    authorization = request.header("authorization")
    found = CREDENTIAL_SCOPE.search(authorization if authorization is not None else request.query)
    return found[1] if found else None


def stores_bytes(request: WireRequest) -> bool:
    """Whether the body is a user's object: signed for S3 (or as only S3 allows), or an unsigned PUT or form upload."""
    signed_for = signing_name(request)
    if signed_for is not None:
        return signed_for in UPLOAD_SERVICES
    authorization = request.header("authorization") or ""
    if authorization.startswith("AWS "):
        return True
    if authorization or request.header("x-amz-target"):
        return False
    return request.method == "PUT" or (request.header("content-type") or "").startswith("multipart/form-data")


def check_size(request: WireRequest, size: int, limits: Limits) -> None:
    """BodyRefused for a body larger than its service takes."""
    if size > limits.least_body_bytes and size > body_bytes_max(request, limits):
        raise BodyRefused(Refusal.TOO_LARGE)


def body_bytes_max(request: WireRequest, limits: Limits) -> int:
    if stores_bytes(request):
        return limits.upload_bytes
    return limits.service_body_bytes.get(signing_name(request) or "", limits.control_body_bytes)


async def read_body(request: WireRequest, read: Read, limits: Limits) -> Body:
    """The whole body; raises BodyRefused or Disconnected, and then holds nothing."""
    maximum = body_bytes_max(request, limits)
    declared = int(request.header("content-length") or "0")
    check_size(request, declared, limits)
    if declared > limits.memory_body_bytes:
        check_space(declared, limits)
    spool = Spool(limits)
    try:
        await fill(spool, read, maximum, limits)
        return await spool.finish()
    except BaseException:
        spool.close()
        raise


async def fill(spool: "Spool", read: Read, maximum: int, limits: Limits) -> None:
    """Move the body into the spool, at the pace `limits` ask for."""
    now = asyncio.get_running_loop().time
    started = now()
    while True:
        latest = started + limits.body_seconds + spool.size / limits.body_bytes_per_second
        try:
            async with asyncio.timeout_at(min(now() + limits.body_seconds, latest)):
                piece = await read()
        except TimeoutError:
            raise BodyRefused(Refusal.SLOW) from None
        if not piece:
            return
        if spool.size + len(piece) > maximum:
            raise BodyRefused(Refusal.TOO_LARGE)
        await spool.add(piece)


class Spool:
    """Bytes in memory up to a size, beyond it in an unlinked temporary file, written off the event loop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._memory = bytearray()
        self._file: BinaryIO | None = None
        self.size = 0

    async def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self._memory += piece
        if len(self._memory) > self._limits.memory_body_bytes:
            await self._flush()

    async def finish(self) -> Body:
        if self._file is None:
            return Body(data=bytes(self._memory), size=self.size)
        await self._flush()
        self._file.seek(0)
        return Body(file=self._file, size=self.size)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    async def _flush(self) -> None:
        memory, self._memory = self._memory, bytearray()
        try:
            if self._file is None:
                check_space(len(memory), self._limits)
                directory = self._limits.spool_directory
                self._file = cast("BinaryIO", tempfile.TemporaryFile(dir=directory, buffering=0))  # noqa: SIM115
            await asyncio.get_running_loop().run_in_executor(None, write_all, self._file, memory)
        except OSError as error:
            raise BodyRefused(Refusal.NO_SPACE) from error


def write_all(file: BinaryIO, data: bytearray) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def check_space(wanted_bytes: int, limits: Limits) -> None:
    directory = limits.spool_directory or tempfile.gettempdir()
    if shutil.disk_usage(directory).free < wanted_bytes + limits.spool_reserve_bytes:
        raise BodyRefused(Refusal.NO_SPACE)


def inflate(request: WireRequest, limits: Limits) -> WireRequest:
    """The request with its body as the sender meant it; `body_sha256` keeps what the signature covers.

    Raises BodyRefused for a coding no SDK uses, for damaged data, and at the caps.
    """
    codings = (request.header("content-encoding") or "").lower()
    if not codings or stores_bytes(request):
        return request
    if codings in ("identity", "aws-chunked"):
        return request
    if codings not in ("gzip", "x-gzip") or request.body_file is not None:
        raise BodyRefused(Refusal.BAD_ENCODING)
    inflated = gunzip(request.body, min(limits.inflated_bytes, limits.inflate_ratio * len(request.body)))
    return replace(
        request, body=inflated, body_size=len(inflated), body_sha256=hashlib.sha256(request.body).hexdigest()
    )


def gunzip(data: bytes, bytes_max: int) -> bytes:
    """One gzip stream, all of it and nothing after it, never inflating more than a piece beyond `bytes_max`."""
    stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    inflated = bytearray()
    try:
        while data and not stream.eof:
            inflated += stream.decompress(data, PIECE_BYTES)
            data = stream.unconsumed_tail
            if len(inflated) > bytes_max:
                raise BodyRefused(Refusal.TOO_LARGE)
    except zlib.error as error:
        raise BodyRefused(Refusal.BAD_ENCODING) from error
    if not stream.eof or stream.unused_data:
        raise BodyRefused(Refusal.BAD_ENCODING)
    return bytes(inflated)
