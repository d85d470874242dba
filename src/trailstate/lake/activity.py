"""Activity: who called what, how often, first and last: a few rows for thousands of records.

Beside each segment lies its activity, so that a question about years which asks for no single call reads little. A row
is one principal, operation and outcome in one account and Region, as far as one segment knows of it; whoever asks adds
them up.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trailstate.lake.segment import in_order
from trailstate.lake.shape import Column

if TYPE_CHECKING:
    import pyarrow as pa

SAME = (
    *("recipientAccountId", "awsRegion", "identityArn", "identityAccountId", "identityInvokedBy"),
    *("eventSource", "eventName", "errorCode"),
)
"""What the calls of a row have in common."""

READ = ("time", "eventTime", "eventID", *SAME)
"""The columns of records that an activity is made of."""

COLUMNS: tuple[Column, ...] = (
    Column("account", "string", "recipientAccountId"),
    Column("region", "string", "awsRegion"),
    Column("arn", "string", "identityArn"),
    Column("accountid", "string", "identityAccountId"),
    Column("invokedby", "string", "identityInvokedBy"),
    Column("eventsource", "string", "eventSource"),
    Column("eventname", "string", "eventName"),
    Column("errorcode", "string", "errorCode"),
    Column("calls", "bigint", "calls"),
    Column("firsttime", "string", "firstTime"),
    Column("lasttime", "string", "lastTime"),
)
"""The table as it is asked."""


def schema() -> "pa.Schema":
    import pyarrow as pa

    texts = [pa.field(name, pa.string()) for name in SAME]
    times = [pa.field(name, pa.string()) for name in ("firstTime", "lastTime")]
    return pa.schema([*texts, pa.field("calls", pa.int64()), *times])


def activity_of(records: "pa.Table") -> "pa.Table":
    """The activity in a table of records."""
    ordered = in_order(records.select(READ))
    wanted: Sequence[tuple[object, str]] = (([], "count_all"), ("eventTime", "first"), ("eventTime", "last"))
    found = ordered.group_by(list(SAME), use_threads=False).aggregate(wanted)
    names = {"count_all": "calls", "eventTime_first": "firstTime", "eventTime_last": "lastTime"}
    renamed = found.rename_columns([names.get(name, name) for name in found.column_names])
    return renamed.select(schema().names).cast(schema())


def select(records: str) -> str:
    """The SELECT of the activity in a relation of records, for those whose own is not made yet."""
    same = ", ".join(SAME)
    times = "arg_min(eventTime, time) AS firstTime, arg_max(eventTime, time) AS lastTime"
    return f"SELECT {same}, count(*) AS calls, {times} FROM ({records}) GROUP BY {same}"  # noqa: S608 - constants
