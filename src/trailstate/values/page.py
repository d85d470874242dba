"""A page token holds a place in an answer and opens only for whoever asks the same question with the same key.

Follows AWS's rule for `NextToken`: valid only with the parameters of the original call. The token is the place
followed by the first 16 bytes of an HMAC-SHA256 (RFC 2104) over the question and the place, in URL-safe base64.
"""

import base64
import binascii
import hashlib
import hmac
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass

_TAG_BYTES = 16
_NUMBER = struct.Struct(">q")
_PLACE_NUMBERS_MAX = 8


class InvalidToken(ValueError):
    """Not a token of this house, or one that belongs to another question."""


@dataclass(frozen=True, slots=True)
class PageTokens:
    """Makes and opens page tokens; tokens of one key mean nothing under another."""

    key: bytes

    def seal(self, question: object, place: Sequence[int]) -> str:
        """The token for a place in the answer to `question` (anything JSON can say)."""
        assert 0 < len(place) <= _PLACE_NUMBERS_MAX
        packed = b"".join(_NUMBER.pack(number) for number in place)
        return base64.urlsafe_b64encode(self._tag(question, packed) + packed).decode().rstrip("=")

    def open(self, question: object, token: str) -> tuple[int, ...]:
        """The place; InvalidToken when the token was not sealed here for exactly this question."""
        raw = _decoded(token)
        tag, packed = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        if not packed or len(packed) % _NUMBER.size or not hmac.compare_digest(tag, self._tag(question, packed)):
            raise InvalidToken("the token does not belong to this question")
        return tuple(number for (number,) in _NUMBER.iter_unpack(packed))

    def _tag(self, question: object, packed: bytes) -> bytes:
        asked = json.dumps(question, sort_keys=True, separators=(",", ":")).encode()
        message = len(asked).to_bytes(8, "big") + asked + packed
        return hmac.digest(self.key, message, hashlib.sha256)[:_TAG_BYTES]


def _decoded(token: str) -> bytes:
    padded = token + "=" * (-len(token) % 4)
    longest = 4 * (_TAG_BYTES + _NUMBER.size * _PLACE_NUMBERS_MAX)
    try:
        raw = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True) if len(token) < longest else b""
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InvalidToken("the token is not base64 text") from error
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != token:
        raise InvalidToken("the token is not in its one true spelling")
    return raw
