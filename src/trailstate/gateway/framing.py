"""Where one HTTP/1.1 request ends and the next begins is never in doubt (RFC 9112, read strictly).

Request smuggling lives on two readers that draw that line differently. This one draws it before the
parser sees a byte, from a language with one reading: CRLF ends a line and nothing else does, a length is
given once or not at all, and never beside chunking. Whatever RFC 9112 lets a server take leniently is
refused, because no AWS client sends it: bare LF, folded lines, space before a colon, chunk extensions,
trailers, absolute-form targets, codings other than `chunked`.

`Framing` does no I/O. It accepts bytes as they come and returns those that may go to the parser. A line is
judged when its CRLF is there and lines are judged in order, so the verdict depends on the bytes alone,
never on how the network cut them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from trailstate.gateway.limits import Limits

METHODS = frozenset({b"GET", b"HEAD", b"PUT", b"POST", b"DELETE", b"PATCH", b"OPTIONS"})

REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]++) ([\x21-\x7e]++) HTTP/([0-9])\.([0-9])\r\n")
HEADER_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]++):[ \t]*+([\t\x20-\x7e\x80-\xff]*+)\r\n")
HOST = re.compile(rb"(?:[0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
CONTENT_LENGTH = re.compile(rb"[0-9]{1,15}")
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
CHUNK_LINE_BYTES = 10
CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")

UPGRADE = b"upgrade"
SINGULAR = {
    UPGRADE: "two Upgrade headers",
    b"host": "two Host headers",
    b"content-length": "two Content-Length headers",
    b"transfer-encoding": "two Transfer-Encoding headers",
    b"expect": "two Expect headers",
}


class Refused(Exception):
    """These bytes are not a request; the connection cannot be used any further."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class Phase(Enum):
    HEAD = auto()
    LENGTH = auto()
    CHUNK_LINE = auto()
    CHUNK = auto()
    LAST_LINE = auto()
    COMPLETE = auto()


@dataclass(slots=True)
class Head:
    """What framing must know of the header block; the parser reads the rest."""

    is_1_1: bool
    singular: dict[bytes, bytes]
    lines: int = 0


class Framing:
    """One connection's requests, one at a time: after `COMPLETE` nothing is read until `next_request`."""

    __slots__ = ("_head", "_held", "_limits", "_remaining", "_scanned", "_steps", "phase")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = bytearray()
        self._head: Head | None = None
        self._scanned = 0
        self._remaining = 0
        self.phase = Phase.HEAD
        self._steps: dict[Phase, Callable[[bytes | bytearray, int], int]] = {
            Phase.HEAD: self._read_head,
            Phase.LENGTH: self._read_length,
            Phase.CHUNK_LINE: self._read_chunk_line,
            Phase.CHUNK: self._read_chunk,
            Phase.LAST_LINE: self._read_last_line,
        }

    @property
    def holds_bytes(self) -> bool:
        """Whether bytes have come that nobody has been given yet."""
        return bool(self._held)

    def hold(self, data: bytes) -> None:
        """Keep bytes that came before the request in progress was answered."""
        self._held += data

    def next_request(self) -> None:
        """The request in progress was answered; what comes now is another."""
        assert self.phase is Phase.COMPLETE
        self.phase = Phase.HEAD

    def accept(self, data: bytes) -> bytes:
        """The bytes that may go to the parser now; Refused when they can be no request."""
        buffer: bytes | bytearray = data
        if self._held:
            self._held += data
            buffer = self._held
        position = 0
        while position < len(buffer) and self.phase is not Phase.COMPLETE:
            after = self._steps[self.phase](buffer, position)
            if after == position:
                break
            position = after
        if position == len(buffer):
            accepted = bytes(buffer)
            if buffer is self._held:
                self._held = bytearray()
            return accepted
        accepted = bytes(buffer[:position])
        if buffer is self._held:
            del self._held[:position]
        else:
            self._held += data[position:] if position else data
        return accepted

    def _read_head(self, buffer: bytes | bytearray, start: int) -> int:
        """Past the header block when it is all there, otherwise `start`; each line is looked at once."""
        assert start == 0, "a header block begins where the bytes not yet accepted begin"
        if not 65 <= buffer[0] <= 90:
            raise Refused("MalformedRequestLine", "a request begins with a method in capital letters")
        line = self._scanned
        while (newline := buffer.find(b"\n", line)) >= 0:
            end = newline + 1
            if end > self._limits.head_bytes:
                break
            if self._head is None:
                self._head = read_request_line(buffer, end)
            elif end - line == 2 and buffer[line] == 13:
                self._begin_body(self._head)
                return end
            else:
                read_header_line(self._head, buffer, line, end, self._limits.head_lines)
            line = end
        self._scanned = line
        if len(buffer) >= self._limits.head_bytes:
            raise Refused("HeadersTooLarge", f"the header block exceeds {self._limits.head_bytes} bytes", 431)
        return start

    def _begin_body(self, head: Head) -> None:
        self._head, self._scanned = None, 0
        self.phase, self._remaining = body_framing(head)

    def _read_length(self, buffer: bytes | bytearray, start: int) -> int:
        taken = min(self._remaining, len(buffer) - start)
        self._remaining -= taken
        if not self._remaining:
            self.phase = Phase.COMPLETE
        return start + taken

    def _read_chunk_line(self, buffer: bytes | bytearray, start: int) -> int:
        line = CHUNK_LINE.match(buffer, start)
        if line is None:
            check_unfinished_chunk_line(bytes(buffer[start : start + CHUNK_LINE_BYTES]))
            return start
        size = int(line[1], 16)
        self.phase, self._remaining = (Phase.CHUNK, size) if size else (Phase.LAST_LINE, 0)
        return line.end()

    def _read_chunk(self, buffer: bytes | bytearray, start: int) -> int:
        taken = min(self._remaining, len(buffer) - start)
        self._remaining -= taken
        after = start + taken
        if self._remaining or after == len(buffer):
            return after
        return self._read_line_end(buffer, after, Phase.CHUNK_LINE, "a chunk's data is longer than its size says")

    def _read_last_line(self, buffer: bytes | bytearray, start: int) -> int:
        return self._read_line_end(buffer, start, Phase.COMPLETE, "trailers are not accepted")

    def _read_line_end(self, buffer: bytes | bytearray, start: int, then: Phase, otherwise: str) -> int:
        found = bytes(buffer[start : start + 2])
        if found == b"\r\n":
            self.phase = then
            return start + 2
        if found != b"\r":
            raise Refused("MalformedChunk", otherwise)
        return start


def read_request_line(buffer: bytes | bytearray, end: int) -> Head:
    line = REQUEST_LINE.fullmatch(buffer, 0, end)
    if line is None:
        raise explain_request_line(bytes(buffer[:end]))
    method, target, major, minor = line.groups()
    if major != b"1" or minor not in b"01":
        raise Refused("UnsupportedVersion", "expected HTTP/1.1 or HTTP/1.0")
    if method not in METHODS:
        raise Refused("MethodNotAllowed", "expected one of DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT", 405)
    if target[0] != 0x2F or b"#" in target:
        raise Refused("MalformedTarget", "expected a target that is a path and a query, beginning with '/'")
    return Head(is_1_1=minor == b"1", singular={})


def read_header_line(head: Head, buffer: bytes | bytearray, start: int, end: int, lines_max: int) -> None:
    line = HEADER_LINE.fullmatch(buffer, start, end)
    if line is None:
        raise explain_header_line(bytes(buffer[start:end]))
    head.lines += 1
    if head.lines > lines_max:
        raise Refused("TooManyHeaders", f"expected at most {lines_max} header lines", 431)
    name = line[1].lower()
    if name in SINGULAR:
        if name in head.singular:
            raise Refused("DuplicateHeader", SINGULAR[name])
        head.singular[name] = line[2].rstrip(b" \t")


def body_framing(head: Head) -> tuple[Phase, int]:
    """How the body is delimited (RFC 9112 §6.3), once the whole header block is known."""
    host = head.singular.get(b"host")
    if host is None and head.is_1_1:
        raise Refused("MissingHost", "HTTP/1.1 requires a Host header")
    if host is not None and not HOST.fullmatch(host):
        raise Refused("MalformedHost", "expected a Host header of the form name or name:port")
    if head.singular.get(b"expect", b"100-continue").lower() != b"100-continue":
        raise Refused("ExpectationFailed", "the only expectation known is 100-continue", 417)
    coding = head.singular.get(b"transfer-encoding")
    length = head.singular.get(b"content-length")
    if UPGRADE in head.singular and (coding is not None or length is not None):
        raise Refused("UnsupportedUpgrade", "a request that offers another protocol may not have a body")
    if coding is not None:
        check_coding(coding, head)
        return Phase.CHUNK_LINE, 0
    if length is None:
        return Phase.COMPLETE, 0
    if not CONTENT_LENGTH.fullmatch(length):
        raise Refused("MalformedContentLength", "expected a Content-Length of decimal digits alone")
    return (Phase.LENGTH, int(length)) if int(length) else (Phase.COMPLETE, 0)


def check_coding(coding: bytes, head: Head) -> None:
    if b"content-length" in head.singular:
        raise Refused("AmbiguousLength", "Content-Length and Transfer-Encoding exclude one another")
    if coding.lower() != b"chunked" or not head.is_1_1:
        raise Refused("UnsupportedTransferEncoding", "expected chunked, in HTTP/1.1, or no Transfer-Encoding at all")


def check_unfinished_chunk_line(found: bytes) -> None:
    """Refused unless more bytes could still make a chunk line of what was found."""
    digits = found[:-1] if found.endswith(b"\r") else found
    if len(found) >= CHUNK_LINE_BYTES or not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", digits):
        raise Refused("MalformedChunk", "expected a chunk size of 1 to 8 hexadecimal digits, without extensions")


def explain_request_line(line: bytes) -> Refused:
    if not line.endswith(b"\r\n"):
        return Refused("BareLineFeed", "lines end with CR LF; found LF alone")
    if CONTROL.search(line[:-2]):
        return Refused("ControlCharacter", "found a control character in the request line")
    return Refused("MalformedRequestLine", "expected a method, a target and HTTP/1.1, separated by single spaces")


def explain_header_line(line: bytes) -> Refused:
    if not line.endswith(b"\r\n"):
        return Refused("BareLineFeed", "lines end with CR LF; found LF alone")
    if line[0] in b" \t":
        return Refused("FoldedHeader", "a header line may not continue on the next")
    if CONTROL.search(line[:-2]):
        return Refused("ControlCharacter", "found a control character in a header line")
    if re.match(rb"[^:]*[ \t]:", line):
        return Refused("SpaceBeforeColon", "no space may stand between a header's name and its colon")
    return Refused("MalformedHeader", "expected a header line of the form name: value")
