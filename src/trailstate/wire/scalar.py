"""Single values as AWS's protocols write them: times, numbers, booleans, and text that a header line may carry.

Follows the Smithy specification (timestampFormat, HTTP header bindings) and RFC 9110, 2047 and 3339.
"""

import base64
import math
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

_PLAIN_HEADER = re.compile(r"[\t\x20-\x7e]*")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

MILLISECOND_SERVICES = frozenset({"ec2", "s3"})
"""They always write `.000Z`; the others write a fraction only where there is one."""


def aware(value: Any) -> datetime:
    """A time in UTC, from a datetime (UTC when it names no zone) or seconds since 1970. TypeError for anything else."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    raise TypeError(f"expected a time (datetime or seconds since 1970), found {type(value).__name__}")


def epoch(value: Any) -> int | float:
    """Seconds since 1970 to the millisecond; whole seconds as an integer."""
    seconds = round(aware(value).timestamp(), 3)
    return int(seconds) if seconds.is_integer() else seconds


def timestamp_text(value: Any, form: str, *, milliseconds: bool = False) -> str:
    """A time as text in one of Smithy's formats: iso8601, rfc822, unixTimestamp."""
    if form == "unixTimestamp":
        return str(epoch(value))
    moment = aware(value)
    if form == "rfc822":
        return format_datetime(moment.replace(microsecond=0), usegmt=True)
    fraction = f".{moment.microsecond // 1000:03d}" if milliseconds or moment.microsecond >= 1000 else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def number_text(value: Any) -> str:
    """A number as text; the three that are no numbers as Smithy spells them."""
    if isinstance(value, float):
        special = special_float(value)
        return special or repr(value)
    return str(value)


def special_float(value: float) -> str | None:
    """`NaN`, `Infinity` or `-Infinity` for a float JSON and XML cannot write as a number, otherwise None."""
    if math.isfinite(value):
        return None
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def boolean_text(value: Any) -> str:
    return "true" if value else "false"


def whole_text(value: str) -> str:
    """The text without half surrogates, which no encoding can carry."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def header_value(text: str) -> str:
    """Text for a header line. What is not printable ASCII goes as an RFC 2047 encoded word, as S3 does it: so no value
    can end its line and begin another."""
    if _PLAIN_HEADER.fullmatch(text):
        return text.strip(" \t")
    return f"=?UTF-8?B?{base64.b64encode(whole_text(text).encode()).decode()}?="


def header_name(text: str) -> str:
    """A header name in lower case; ValueError for one that could break the header block."""
    if not _TOKEN.fullmatch(text):
        raise ValueError(f"expected a header name, found {text!r}")
    return text.lower()
