"""Single values as the protocols write them in text: numbers, booleans, timestamps in their three formats, blobs.

Follows Smithy's timestampFormat trait and the AWS Query, rest-json and rest-xml protocol specifications.
"""

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

INTEGER_RANGES = {
    "byte": (-(2**7), 2**7 - 1),
    "short": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "long": (-(2**63), 2**63 - 1),
}

SPECIAL_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class Malformed(ValueError):
    """A request that its protocol does not allow; the message is for the client."""


def in_range(value: int, type_name: str) -> int:
    """The integer, if its type can hold it."""
    least, greatest = INTEGER_RANGES[type_name]
    if not least <= value <= greatest:
        raise Malformed(f"The value is out of the range of the type {type_name}.")
    return value


_INTEGER = re.compile(r"[+-]?\d{1,20}")
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?")


def integer(text: str, type_name: str) -> int:
    if not _INTEGER.fullmatch(text.strip()):
        raise Malformed(f"'{text[:64]}' is not an integer.")
    return in_range(int(text), type_name)


def floating(text: str) -> float:
    special = SPECIAL_FLOATS.get(text)
    if special is not None:
        return special
    if len(text) > 400 or not _FLOAT.fullmatch(text.strip()):
        raise Malformed(f"'{text[:64]}' is not a number.")
    return finite(float(text))


def finite(value: float) -> float:
    """The number, unless it was too large to be one."""
    if math.isinf(value):
        raise Malformed("The number is too large.")
    return value


def boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in {"true", "false"}:
        raise Malformed(f"'{text[:64]}' is neither true nor false.")
    return word == "true"


def blob(text: str) -> bytes:
    try:
        return base64.b64decode(text.translate(_NO_SPACES), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("A blob is not Base64.") from None


_NO_SPACES = dict.fromkeys(map(ord, " \t\r\n"))


def epoch_seconds(value: float) -> datetime:
    """Seconds since 1970, whole or fractional, as an aware datetime in UTC."""
    try:
        return EPOCH + timedelta(seconds=value)
    except (OverflowError, ValueError):
        raise Malformed("The timestamp is out of range.") from None


def iso8601(text: str) -> datetime:
    """RFC 3339, and ISO 8601's other forms; without an offset it is UTC."""
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Malformed(f"'{text[:64]}' is not a timestamp of ISO 8601.") from None


def http_date(text: str) -> datetime:
    """RFC 9110's IMF-fixdate; a fraction of a second is allowed, as Smithy has it."""
    whole, fraction = _FRACTION.sub(r"\1", text), _FRACTION.search(text)
    try:
        moment = parsedate_to_datetime(whole)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        raise Malformed(f"'{text[:64]}' is not an HTTP date.") from None
    return moment + timedelta(seconds=float(fraction[2])) if fraction else moment


_FRACTION = re.compile(r"(:\d\d)(\.\d{1,9})")


def _epoch_text(text: str) -> datetime:
    return epoch_seconds(floating(text))


TIMESTAMPS: Mapping[str, Callable[[str], datetime]] = {
    "iso8601": iso8601,
    "rfc822": http_date,
    "unixtimestamp": _epoch_text,
}


def timestamp(text: str, preferred: str) -> datetime:
    """A timestamp in the format its member states; the other two are accepted, as AWS's services do."""
    formats = [TIMESTAMPS[preferred], *(read for name, read in TIMESTAMPS.items() if name != preferred)]
    for read in formats[:-1]:
        try:
            return read(text)
        except Malformed:
            continue
    return formats[-1](text)


def text_reader(shape: Any, timestamp_format: str) -> Callable[[str], Any]:
    """How to read one scalar of this shape from text; `timestamp_format` where the model states none."""
    kind = shape.type_name
    if kind in INTEGER_RANGES:
        return lambda text: integer(text, kind)
    if kind == "timestamp":
        preferred = shape.serialization.get("timestampFormat", timestamp_format).lower()
        return lambda text: timestamp(text, preferred)
    return _TEXT[kind]


_TEXT: Mapping[str, Callable[[str], Any]] = {
    "string": str,
    "character": str,
    "boolean": boolean,
    "float": floating,
    "double": floating,
    "blob": blob,
}
