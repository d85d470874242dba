"""The records in a file that claims to hold some: CloudTrail's log files, single records, arrays, lines of JSON.

A file that is as it should be is read in one go. From any other all that can be read is taken, record by record, and
each piece that cannot be read is a `Damage` with its place and a reason out of a short list.
"""

import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from isal import isal_zlib
from isal.igzip_lib import IsalError

from trailstate.lake.columns import NotARecord, line_of, lines_of_file, time_of, times_of

FILE_BYTES_MAX = 256 * 1024 * 1024
"""Of a file's text; CloudTrail delivers at most 50 MB compressed."""

RECORD_BYTES_MAX = 2 * 1024 * 1024
DEPTH_MAX = 64
EXCERPT_BYTES = 300
DAMAGE_STEP_BYTES = 512

REASONS: Mapping[str, str] = {
    "unreadable": "the file could not be read where it lies",
    "not-gzip": "its name says gzip and its content is not",
    "gzip-damaged": "the gzip data end too soon or do not fit their checksum; what came before was taken",
    "gzip-trailing": "something that is no gzip follows the end of the gzip data",
    "too-large": "it inflates beyond the bound",
    "not-json": "the piece is not JSON",
    "no-records": "it is JSON, and holds no CloudTrail records",
    "record-not-object": "an element of the list is not a JSON object",
    "record-too-large": "the record is larger than any that CloudTrail writes",
    "record-too-deep": "the record is nested deeper than any that CloudTrail writes",
    "no-time": "the record has no eventTime that can be read",
    "wrong-account": "the record is of another account than the file's name says",
    "conflict": "another record with the same account and eventID is there already",
    "digest-mismatch": "the file is not the one that its digest lists",
}
"""Why something was left out."""

_OPENING = re.compile(rb'\s*(?:\{\s*"Records"\s*:\s*)?\[?\s*')
_BETWEEN_RECORDS = b" \t\r\n,]}"
_RECORD_START = re.compile(rb'\{\s*"eventVersion"')
_ACCOUNT = re.compile(r"(?:^|/)(\d{12})_CloudTrail(?:-Insight)?_")


@dataclass(frozen=True, slots=True)
class Damage:
    """A piece of a file that was left out."""

    reason: str
    offset: int
    """In the file's text, in bytes."""
    detail: str
    excerpt: str = ""

    def __post_init__(self) -> None:
        assert self.reason in REASONS


@dataclass(slots=True)
class Found:
    """What a file held: the records' lines with their times, and what was left out."""

    lines: list[Any] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    size_bytes: int = 0
    """Of the text they stood in."""


class _Raws(msgspec.Struct):
    Records: list[msgspec.Raw]


_decode_raws = msgspec.json.Decoder(_Raws).decode
_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def read(name: str, body: bytes) -> Found:
    """Everything that the file holds."""
    found = Found()
    text = body
    if name.endswith(".gz") or body.startswith(b"\x1f\x8b"):
        text, damage = inflated(body)
        found.damages += damage
    found.size_bytes = len(text)
    lines = None if _outside_utf8(text) else lines_of_file(text)
    if lines is None:
        _read_pieces(text, found)
    else:
        _take(lines, found)
    _hold_account(name, found)
    return found


def inflated(body: bytes) -> tuple[bytes, list[Damage]]:
    """The text of a gzip file as far as it goes, and what is wrong with it."""
    if not body.startswith(b"\x1f\x8b"):
        return b"", [Damage("not-gzip", 0, "the first two bytes are not those of gzip", _excerpt(body))]
    text = _inflated_at_once(body)
    if text is not None:
        return text, []
    parts: list[bytes] = []
    size = 0
    while body.startswith(b"\x1f\x8b"):
        stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
        part, error = _inflate(stream, body, FILE_BYTES_MAX - size + 1)
        parts.append(part)
        size += len(part)
        if size > FILE_BYTES_MAX:
            return b"", [Damage("too-large", FILE_BYTES_MAX, f"it inflates to more than {FILE_BYTES_MAX} bytes")]
        if error or not stream.eof:
            return b"".join(parts), [Damage("gzip-damaged", size, error or "the data end before their end mark")]
        body = stream.unused_data
    text = b"".join(parts)
    return text, [Damage("gzip-trailing", size, f"{len(body)} bytes follow", _excerpt(body))] if body else []


def _inflated_at_once(body: bytes) -> bytes | None:
    """The text of a gzip file that is whole, as nearly all are; None when it has to be looked at more closely."""
    stream = isal_zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        text: bytes = stream.decompress(body, FILE_BYTES_MAX)
    except IsalError:  # type: ignore[misc]  # its stub declares an instance
        return None
    return text if stream.eof and not stream.unused_data else None


def _inflate(stream: Any, body: bytes, bytes_max: int) -> tuple[bytes, str]:
    """As much as can be had; in ever smaller steps, so that damage costs only what follows it."""
    try:
        return stream.decompress(body, bytes_max), ""
    except zlib.error:
        return _inflate_damaged(body, bytes_max)


def _inflate_damaged(body: bytes, bytes_max: int) -> tuple[bytes, str]:
    stream, taken = zlib.decompressobj(16 + zlib.MAX_WBITS), bytearray()
    for start in range(0, len(body), DAMAGE_STEP_BYTES):
        step = body[start : start + DAMAGE_STEP_BYTES]
        before = stream.copy()
        try:
            taken += stream.decompress(step, max(1, bytes_max - len(taken)))
        except zlib.error:
            part, why = _inflate_bytes(before, step)
            return bytes(taken + part), why
    return bytes(taken), "it could be read at the second attempt only"


def _inflate_bytes(stream: Any, step: bytes) -> tuple[bytes, str]:
    """The step in which the damage is, byte by byte."""
    taken = bytearray()
    for number in range(len(step)):
        try:
            taken += stream.decompress(step[number : number + 1])
        except zlib.error as error:
            return bytes(taken), str(error)
    return bytes(taken), "the data end before their end mark"


def _take(lines: Sequence[Any], found: Found) -> None:
    times = times_of(lines)
    if times is not None:
        found.lines, found.times = list(lines), times
        return
    for number, line in enumerate(lines):
        try:
            found.times.append(time_of(line))
            found.lines.append(line)
        except NotARecord as error:
            detail = f"record {number + 1}: {error}"
            found.damages.append(Damage("no-time", 0, detail, _excerpt(msgspec.json.encode(line))))


def _read_pieces(text: bytes, found: Found) -> None:
    """Record by record, from whatever holds them."""
    start = len(text) - len(text.lstrip())
    if text[start:].strip() == b"":
        if not found.damages:
            found.damages.append(Damage("no-records", 0, "the file is empty"))
        return
    raws = _elements(text)
    if raws is not None:
        position = 0
        for raw in raws:
            piece = bytes(raw)
            position = text.find(piece, position)
            _read_piece(piece, position, found)
            position += len(piece)
        return
    for position, piece in [(start, text[start:].rstrip())] if _is_document(text) else _scanned(text):
        _read_piece(piece, position, found)


def _elements(text: bytes) -> Sequence[msgspec.Raw] | None:
    """The elements of a well-formed log file or array."""
    try:
        return _decode_raws(text).Records if text.lstrip().startswith(b"{") else _decode_list(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _is_document(text: bytes) -> bool:
    """Whether the whole text is one JSON value."""
    try:
        _decode_raw(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _scanned(text: bytes) -> Iterator[tuple[int, bytes]]:
    """The pieces of a text that is not one JSON document: its lines, or what lies between beginnings of records."""
    starts = [match.start() for match in _RECORD_START.finditer(text)]
    if not starts:
        yield from _lines(text)
        return
    if not _OPENING.fullmatch(text, 0, starts[0]):
        yield 0, text[: starts[0]]
    for first, last in zip(starts, [*starts[1:], len(text)], strict=True):
        record, rest = _parted(text[first:last])
        yield first, record
        if left := rest.strip(_BETWEEN_RECORDS):
            yield first + len(record) + rest.find(left), left


def _lines(text: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    for line in text.split(b"\n"):
        if line.strip():
            yield position, line.strip()
        position += len(line) + 1


def _parted(piece: bytes) -> tuple[bytes, bytes]:
    """A record, and what follows it."""
    try:
        # One character for each byte, so that the end is a place among the bytes.
        _, end = json.JSONDecoder().raw_decode(piece.decode("latin-1"))
    except (ValueError, RecursionError):
        return piece, b""
    return piece[:end], piece[end:]


def _read_piece(piece: bytes, position: int, found: Found) -> None:
    reason, detail = _unfit(piece)
    if not reason:
        try:
            line = line_of(piece)
        except NotARecord as error:
            reason, detail = "not-json", str(error)
        else:
            try:
                found.times.append(time_of(line))
                found.lines.append(line)
            except NotARecord as error:
                reason, detail = ("no-time" if line.eventName else "no-records"), str(error)
    if reason:
        found.damages.append(Damage(reason, position, detail, _excerpt(piece)))


def _unfit(piece: bytes) -> tuple[str, str]:
    if len(piece) > RECORD_BYTES_MAX:
        return "record-too-large", f"it has {len(piece)} bytes; the most is {RECORD_BYTES_MAX}"
    if not piece.startswith(b"{"):
        return "record-not-object", "it does not begin with a brace"
    if odd := _outside_utf8(piece):
        return "not-json", odd
    if _depth(piece) > DEPTH_MAX:
        return "record-too-deep", f"it is nested deeper than {DEPTH_MAX} levels"
    return "", ""


def _outside_utf8(text: bytes) -> str:
    """Why a text is not UTF-8; empty when it is. The parser looks only at the members that it takes apart."""
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError as error:
            return f"it is not UTF-8: {error.reason} at byte {error.start}"
    return ""


def _depth(piece: bytes) -> int:
    """An upper bound of how deep a JSON text is nested: brackets in strings count too."""
    if piece.count(b"{") + piece.count(b"[") <= DEPTH_MAX:
        return 0
    depth = deepest = 0
    for byte in piece:
        if byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest


def _hold_account(name: str, found: Found) -> None:
    """Leave out records of another account than the name says: a file in the wrong place, or a forged one."""
    match = _ACCOUNT.search(name)
    if match is None:
        return
    account = match[1]
    kept = [index for index, line in enumerate(found.lines) if line.recipientAccountId in (None, account)]
    if len(kept) == len(found.lines):
        return
    for index in sorted(set(range(len(found.lines))) - set(kept)):
        line = found.lines[index]
        detail = f"the file's name says {account}, the record {line.recipientAccountId}"
        found.damages.append(Damage("wrong-account", 0, detail, f"eventID {line.eventID}"))
    found.lines = [found.lines[index] for index in kept]
    found.times = [found.times[index] for index in kept]


def _excerpt(piece: bytes) -> str:
    return piece[:EXCERPT_BYTES].decode("utf-8", "replace")
