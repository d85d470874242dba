"""A response as HTTP/1.1 allows it (RFC 9112): no body where none may be, one true length, no header that splits it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from trailstate.wire.call import WireRequest, WireResponse

CONNECTION_HEADERS = frozenset(
    {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "trailer", "upgrade"}
)
BODILESS = frozenset({204, 304})
JOINED_BYTES_MAX = 16 * 1024
"""Up to here head and body travel as one piece; a larger body is not copied."""

_LINE = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [^\r\n\0]*\r\n")
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Answer:
    """A response in the form it is sent in, but for what is the connection's to say."""

    head: bytes
    """Status line and header lines, without the empty line."""
    body: bytes
    is_last: bool = False
    """Whether the connection holds unread bytes and cannot be used any further."""

    def pieces(self, *, is_last: bool) -> Sequence[bytes]:
        """What goes onto the wire; `is_last` tells the client that nothing follows on this connection."""
        end = b"connection: close\r\n\r\n" if is_last else b"\r\n"
        if len(self.body) <= JOINED_BYTES_MAX:
            return (self.head + end + self.body,)
        return self.head + end, self.body


def encode(request: WireRequest, response: WireResponse, *, is_last: bool = False) -> Answer:
    """ValueError for a status or header no answer can have."""
    status = response.status
    if not 200 <= status <= 599:
        raise ValueError(f"expected a final HTTP status, found {status}")
    lines = [_STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n"]
    told_length = ""
    for name, value in response.headers:
        lower = name.lower()
        if lower == "content-length":
            told_length = value
        elif lower not in CONNECTION_HEADERS:
            lines.append(header_line(name, value))
    if status not in BODILESS:
        lines.append(f"content-length: {_length(request, response, told_length)}\r\n")
    has_body = status not in BODILESS and request.method != "HEAD"
    return Answer("".join(lines).encode("latin-1"), response.body if has_body else b"", is_last)


def _length(request: WireRequest, response: WireResponse, told: str) -> str:
    """A length is believed only where it describes a body that is not sent (HEAD)."""
    return told if request.method == "HEAD" and told.isdecimal() else str(len(response.body))


def header_line(name: str, value: str) -> str:
    line = f"{name}: {value}\r\n"
    if not _LINE.fullmatch(line):
        raise ValueError(f"expected a header's name, and a value without line break or NUL; found {name!r}: {value!r}")
    return line
