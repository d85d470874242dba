"""A sealed segment: one day's records in one Parquet file, sorted by time, compressed with zstd, never changed.

https://parquet.apache.org/docs/file-format/
Row groups are small, so that a handful of rows can be had without the rest, and a question about an hour reads an hour.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

from trailstate.lake.manifest import Segment
from trailstate.values.timestamp import from_epoch

if TYPE_CHECKING:
    import pyarrow as pa

RECORDS = "cloudtrail"
"""The table of records."""

ROW_GROUP_ROWS = 8192
_RANGES = frozenset(
    (
        *("time", "eventTime", "recipientAccountId", "eventName", "awsRegion", "identityType"),
        *("awsAccountId", "resourceType", "rule"),
    )
)
"""Columns of which a row group says the least and the greatest value.

Of `eventTime` for questions that want the newest of something: what is older than all of a full answer is not read.
"""

HARDLY_REPEATED = frozenset(
    (
        *("eventTime", "eventID", "requestID", "sharedEventID", "errorMessage", "requestParameters"),
        *("responseElements", "additionalEventData", "resources", "serviceEventDetails", "extra"),
    )
)
"""Columns that a dictionary only makes slower to write and to read.

Their lengths stand apart from their texts (DELTA_LENGTH_BYTE_ARRAY), which are then packed and searched with less.
"""

COMPRESSION, COMPRESSION_LEVEL = "zstd", 1
DAY_SECONDS = 86_400


def in_order(table: "pa.Table") -> "pa.Table":
    """A table of records in the order of every segment: by time, those of one second by eventID."""
    return table.sort_by([("time", "ascending"), ("eventID", "ascending")])


def by_day(table: "pa.Table") -> Iterator["pa.Table"]:
    """The days of a table of records that is sorted by time."""
    import pyarrow.compute as pc

    days = pc.run_end_encode(pc.divide(table["time"], DAY_SECONDS).combine_chunks())
    first = 0
    for last in days.run_ends.to_pylist():
        yield table.slice(first, last - first)
        first = last


def sealed(table: "pa.Table", name: str, source: str) -> tuple[Segment, bytes]:
    """The segment of one day's records, sorted by time, with its bytes. `name` is part of its key."""
    import pyarrow.compute as pc

    body = written(table)
    times = table["time"]
    day = f"{from_epoch(times[0].as_py()):%Y-%m-%d}"
    segment = Segment(
        key=f"lake/{RECORDS}/{day}/{name}.parquet",
        table=RECORDS,
        day=day,
        rows=table.num_rows,
        size_bytes=len(body),
        first_time=times[0].as_py(),
        last_time=times[-1].as_py(),
        accounts=tuple(sorted(each for each in pc.unique(table["recipientAccountId"]).to_pylist() if each)),
        sha256=sha256(body).hexdigest(),
        source=source,
    )
    return segment, body


def written(table: "pa.Table") -> bytes:
    """The Parquet file of a table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    encodings = {name: "DELTA_LENGTH_BYTE_ARRAY" for name in table.column_names if name in HARDLY_REPEATED}
    encodings |= {each.name: "DELTA_BINARY_PACKED" for each in table.schema if pa.types.is_integer(each.type)}
    pq.write_table(
        table,
        sink,
        row_group_size=ROW_GROUP_ROWS,
        compression=COMPRESSION,
        compression_level=COMPRESSION_LEVEL,
        use_dictionary=[name for name in table.column_names if name not in encodings],
        column_encoding=encodings,
        write_statistics=[name for name in table.column_names if name in _RANGES],
        write_page_index=False,
        store_schema=False,
    )
    return bytes(sink.getvalue())
