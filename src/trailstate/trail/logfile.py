"""The bytes of a log file: `{"Records":[…]}` under gzip, the same bytes from the same records every time.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
"""

from collections.abc import Iterable

import msgspec
from isal import igzip

COMPRESSION_LEVEL = 1
"""Of isal's 0 to 3: a seventh of the text at several hundred MB a second."""


class _Timed(msgspec.Struct):
    eventTime: str = ""  # noqa: N815 - AWS's spelling


_time_of = msgspec.json.Decoder(_Timed).decode


def pack(text: bytes) -> bytes:
    """The text under gzip, without a time of its own in the header."""
    packed: bytes = igzip.compress(text, COMPRESSION_LEVEL, mtime=0)
    return packed


def log_text(records: Iterable[bytes]) -> bytes:
    """The file's text from the records' JSON."""
    return b'{"Records":[' + b",".join(records) + b"]}"


def times_of(records: Iterable[bytes]) -> tuple[str, str]:
    """The latest and the earliest `eventTime` of some records' JSON texts; there is at least one."""
    times = [_time_of(each).eventTime for each in records]
    return max(times), min(times)
