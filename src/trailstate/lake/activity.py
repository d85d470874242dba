"""Activity: who called what, how often, first and last: a few rows for thousands of records.

Beside each segment lies its activity, so that a question about years which asks for no single call reads little. A row
is one principal, operation and outcome in one account and Region, as far as one segment knows of it; whoever asks adds
them up.
"""

from typing import TYPE_CHECKING

from trailstate.lake.shape import Column

if TYPE_CHECKING:
    import pyarrow as pa

SAME = (
    *("recipientAccountId", "awsRegion", "identityArn", "identityAccountId", "identityAccessKeyId"),
    *("identityInvokedBy", "eventSource", "eventName", "errorCode"),
)
"""What the calls of a row have in common."""

READ = ("time", *SAME)
"""The columns of records that an activity is made of."""

COLUMNS: tuple[Column, ...] = (
    Column("account", "string", "recipientAccountId"),
    Column("region", "string", "awsRegion"),
    Column("arn", "string", "identityArn"),
    Column("accountid", "string", "identityAccountId"),
    Column("accesskeyid", "string", "identityAccessKeyId"),
    Column("invokedby", "string", "identityInvokedBy"),
    Column("eventsource", "string", "eventSource"),
    Column("eventname", "string", "eventName"),
    Column("errorcode", "string", "errorCode"),
    Column("calls", "bigint", "calls"),
    Column("firsttime", "timestamp", "make_timestamp(firstTime * 1000000)"),
    Column("lasttime", "timestamp", "make_timestamp(lastTime * 1000000)"),
)
"""The table as it is asked. Times are numbers underneath: the least of many texts costs as much as all else."""


def schema() -> "pa.Schema":
    import pyarrow as pa

    numbers = [pa.field(name, pa.int64()) for name in ("calls", "firstTime", "lastTime")]
    return pa.schema([*(pa.field(name, pa.string()) for name in SAME), *numbers])


def activity_of(records: "pa.Table") -> "pa.Table":
    """The activity in a table of records."""
    found = records.group_by(list(SAME)).aggregate([([], "count_all"), ("time", "min"), ("time", "max")])
    names = {"count_all": "calls", "time_min": "firstTime", "time_max": "lastTime"}
    renamed = found.rename_columns([names.get(name, name) for name in found.column_names])
    return renamed.select(schema().names).cast(schema())


def select(records: str) -> str:
    """The SELECT of the activity in a relation of records, for those whose own is not made yet."""
    same = ", ".join(SAME)
    times = "min(time) AS firstTime, max(time) AS lastTime"
    return f"SELECT {same}, count(*) AS calls, {times} FROM ({records}) GROUP BY {same}"  # noqa: S608 - constants
