"""Where one HTTP/1.1 request ends and the next begins is never in doubt (RFC 9112, read strictly).

Request smuggling lives on two readers that draw that line differently. There is one here, and its language has one
reading: CRLF ends a line and nothing else does, a length is given once or not at all, and never beside chunking.
Whatever RFC 9112 lets a server take leniently is refused, because no AWS client sends it: bare LF, folded lines, space
before a colon, chunk extensions, trailers, absolute-form targets, codings other than `chunked`.

`Framing` does no I/O. It takes bytes as they come, shows the head once that is whole, and returns the body's bytes. A
line is judged when its CRLF is there and lines are judged in order, so the verdict depends on the bytes alone, never on
how the network cut them. A header block that came in one piece, as nearly all do, is read by one expression; where that
does not match, line by line, which knows why.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from trailstate.gateway.limits import Limits

METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"})

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
REQUEST_LINE = re.compile(rb"(" + TOKEN + rb"++) ([\x21-\x7e]++) HTTP/([0-9])\.([0-9])\r\n")
HEADER_LINE = re.compile(rb"(" + TOKEN + rb"++):[ \t]*+([\t\x20-\x7e\x80-\xff]*+)\r\n")
WHOLE_HEAD = re.compile(
    rb"([A-Z]++) (/[\x21\x22\x24-\x7e]*+) HTTP/1\.([01])\r\n((?:" + TOKEN + rb"++:[\t\x20-\x7e\x80-\xff]*+\r\n)*+)\r\n"
)
HOST = re.compile(r"(?:[0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
CONTENT_LENGTH = re.compile(r"[0-9]{1,15}")
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
CHUNK_LINE_BYTES = 10
CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")

SINGULAR = {
    "upgrade": "two Upgrade headers",
    "host": "two Host headers",
    "content-length": "two Content-Length headers",
    "transfer-encoding": "two Transfer-Encoding headers",
    "expect": "two Expect headers",
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
    """A request's first line and its header lines: names in lower case, values without the space around them."""

    method: str
    target: str
    is_1_1: bool
    headers: list[tuple[str, str]] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)
    """The headers by name; of one that was sent twice, the last."""

    @property
    def keeps_alive(self) -> bool:
        """Whether another request may follow on the connection."""
        words = self.named.get("connection", "").lower().split(",")
        return self.is_1_1 and "close" not in [word.strip(" \t") for word in words]


class Framing:
    """One connection's requests, one at a time: after `COMPLETE` nothing is read until `next_request`."""

    __slots__ = ("_begun", "_body", "_held", "_limits", "_remaining", "_scanned", "_steps", "head", "phase")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = bytearray()
        self._begun: Head | None = None
        """A head that is not whole yet."""
        self._scanned = 0
        self._remaining = 0
        self._body: list[bytes] = []
        self.head: Head | None = None
        """That of the request in progress, once it is whole."""
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
        self.phase, self.head = Phase.HEAD, None

    def accept(self, data: bytes) -> bytes:
        """The bytes of the body that have come; Refused when what came can be no request."""
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
        if buffer is self._held:
            del self._held[:position]
        elif position < len(data):
            self._held += data[position:]
        body, self._body = self._body, []
        return body[0] if len(body) == 1 else b"".join(body)

    def _read_head(self, buffer: bytes | bytearray, start: int) -> int:
        """Past the header block when it is all there, otherwise `start`. Bytes just received are looked at as a whole,
        once; what had to be held is a bytearray, and each line of it is looked at once."""
        assert start == 0, "a header block begins where the bytes not yet accepted begin"
        if isinstance(buffer, bytes) and (whole := read_whole_head(buffer, self._limits)) is not None:
            self._begin_body(whole[0])
            return whole[1]
        if not 65 <= buffer[0] <= 90:
            raise Refused("MalformedRequestLine", "a request begins with a method in capital letters")
        line = self._scanned
        while (newline := buffer.find(b"\n", line)) >= 0:
            end = newline + 1
            if end > self._limits.head_bytes:
                break
            if self._begun is None:
                self._begun = read_request_line(buffer, end)
            elif end - line == 2 and buffer[line] == 13:
                self._begin_body(self._begun)
                return end
            else:
                read_header_line(self._begun, buffer, line, end, self._limits.head_lines)
            line = end
        self._scanned = line
        if len(buffer) >= self._limits.head_bytes:
            raise Refused("HeadersTooLarge", f"the header block exceeds {self._limits.head_bytes} bytes", 431)
        return start

    def _begin_body(self, head: Head) -> None:
        self._begun, self._scanned = None, 0
        self.phase, self._remaining = body_framing(head)
        self.head = head

    def _read_length(self, buffer: bytes | bytearray, start: int) -> int:
        after = self._take(buffer, start)
        if not self._remaining:
            self.phase = Phase.COMPLETE
        return after

    def _take(self, buffer: bytes | bytearray, start: int) -> int:
        """Move what belongs to the body; past it."""
        after = start + min(self._remaining, len(buffer) - start)
        self._remaining -= after - start
        self._body.append(bytes(buffer[start:after]))
        return after

    def _read_chunk_line(self, buffer: bytes | bytearray, start: int) -> int:
        line = CHUNK_LINE.match(buffer, start)
        if line is None:
            check_unfinished_chunk_line(bytes(buffer[start : start + CHUNK_LINE_BYTES]))
            return start
        size = int(line[1], 16)
        self.phase, self._remaining = (Phase.CHUNK, size) if size else (Phase.LAST_LINE, 0)
        return line.end()

    def _read_chunk(self, buffer: bytes | bytearray, start: int) -> int:
        after = self._take(buffer, start)
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


def read_whole_head(buffer: bytes, limits: Limits) -> tuple[Head, int] | None:
    """A head that is all there and in order, and where it ends; None for every other, which is read line by line."""
    found = WHOLE_HEAD.match(buffer)
    if found is None or found.end() > limits.head_bytes:
        return None
    method, target, minor, block = (part.decode("latin-1") for part in found.groups())
    lines = block.split("\r\n")[:-1]
    if method not in METHODS or len(lines) > limits.head_lines:
        return None
    parts = [line.partition(":") for line in lines]
    headers = [(name.lower(), value.strip(" \t")) for name, _, value in parts]
    named = dict(headers)
    if len(named) != len(headers) and any(is_repeated(name, headers) for name in SINGULAR):
        return None
    return Head(method, target, minor == "1", headers, named), found.end()


def is_repeated(name: str, headers: list[tuple[str, str]]) -> bool:
    return sum(1 for other, _ in headers if other == name) > 1


def read_request_line(buffer: bytes | bytearray, end: int) -> Head:
    line = REQUEST_LINE.fullmatch(buffer, 0, end)
    if line is None:
        raise explain_request_line(bytes(buffer[:end]))
    method, target, major, minor = (part.decode("ascii") for part in line.groups())
    if major != "1" or minor not in "01":
        raise Refused("UnsupportedVersion", "expected HTTP/1.1 or HTTP/1.0")
    if method not in METHODS:
        raise Refused("MethodNotAllowed", "expected one of DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT", 405)
    if not target.startswith("/") or "#" in target:
        raise Refused("MalformedTarget", "expected a target that is a path and a query, beginning with '/'")
    return Head(method, target, minor == "1")


def read_header_line(head: Head, buffer: bytes | bytearray, start: int, end: int, lines_max: int) -> None:
    line = HEADER_LINE.fullmatch(buffer, start, end)
    if line is None:
        raise explain_header_line(bytes(buffer[start:end]))
    name, value = line[1].decode("ascii").lower(), line[2].decode("latin-1").rstrip(" \t")
    if len(head.headers) >= lines_max:
        raise Refused("TooManyHeaders", f"expected at most {lines_max} header lines", 431)
    if name in SINGULAR and name in head.named:
        raise Refused("DuplicateHeader", SINGULAR[name])
    head.headers.append((name, value))
    head.named[name] = value


def body_framing(head: Head) -> tuple[Phase, int]:
    """How the body is delimited (RFC 9112 §6.3), once the whole header block is known."""
    host = head.named.get("host")
    if host is None and head.is_1_1:
        raise Refused("MissingHost", "HTTP/1.1 requires a Host header")
    if host is not None and not HOST.fullmatch(host):
        raise Refused("MalformedHost", "expected a Host header of the form name or name:port")
    if head.named.get("expect", "100-continue").lower() != "100-continue":
        raise Refused("ExpectationFailed", "the only expectation known is 100-continue", 417)
    coding = head.named.get("transfer-encoding")
    length = head.named.get("content-length")
    if "upgrade" in head.named and (coding is not None or length is not None):
        raise Refused("UnsupportedUpgrade", "a request that offers another protocol may not have a body")
    if coding is not None:
        check_coding(coding, head.named, is_1_1=head.is_1_1)
        return Phase.CHUNK_LINE, 0
    if length is None:
        return Phase.COMPLETE, 0
    if not CONTENT_LENGTH.fullmatch(length):
        raise Refused("MalformedContentLength", "expected a Content-Length of decimal digits alone")
    return (Phase.LENGTH, int(length)) if int(length) else (Phase.COMPLETE, 0)


def check_coding(coding: str, named: Mapping[str, str], *, is_1_1: bool) -> None:
    if "content-length" in named:
        raise Refused("AmbiguousLength", "Content-Length and Transfer-Encoding exclude one another")
    if coding.lower() != "chunked" or not is_1_1:
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
