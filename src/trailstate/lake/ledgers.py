"""The house's ledgers as tables: records, configuration items and verdicts, each with the columns that it has here.

A configuration item keeps AWS's names and spelling; what differs from type to type stays the JSON text it was. Beside
it stands the call that made it, where it is known. A verdict is one line for each change of what a rule says.
https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigurationItem.html
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from trailstate.lake import activity, columns
from trailstate.lake.shape import Column
from trailstate.stores.interface import CONFIGURATION, JOURNAL, VERDICTS, Entry

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Form:
    """How the lines of one ledger are a table."""

    name: str
    ledger: str
    account: str
    """The column that says whose a row is."""
    schema: "Callable[[], pa.Schema]"
    table: "Callable[[Sequence[Entry]], pa.Table]"


_ITEM_MEMBERS = (
    *("configurationItemVersion", "configurationItemCaptureTime", "configurationItemStatus", "configurationStateId"),
    *("configurationStateMd5Hash", "awsAccountId", "awsRegion", "availabilityZone", "resourceType", "resourceId"),
    *("resourceName", "ARN", "resourceCreationTime", "tags", "relatedEvents", "relationships", "configuration"),
    "supplementaryConfiguration",
)
_CAUSE = {"causeEventId": "eventID", "causeEventName": "eventName", "causePrincipal": "principal"}
_ITEM_COLUMNS = (*_ITEM_MEMBERS, *_CAUSE)
_VERDICT_MEMBERS = ("kind", "rule", "time", "resourceType", "resourceId", "compliance", "annotation", "previous")
_VERDICT_COLUMNS = (*_VERDICT_MEMBERS, "awsAccountId", "awsRegion", "recordedTime", *_CAUSE)
_TOLD = frozenset(("judged", "dropped", "forgotten"))
"""Kinds of lines that say something of a resource."""


class _ItemLine(msgspec.Struct):
    item: dict[str, msgspec.Raw]
    cause: dict[str, Any] | None = None


class _VerdictLine(msgspec.Struct):
    kind: str
    rule: str
    time: str
    resourceType: str = ""  # noqa: N815 - the spelling of the line
    resourceId: str = ""  # noqa: N815
    compliance: str = ""
    annotation: str = ""
    previous: str = ""
    cause: dict[str, Any] | None = None


_decode = msgspec.json.Decoder().decode
_item_line = msgspec.json.Decoder(_ItemLine).decode
_verdict_line = msgspec.json.Decoder(_VerdictLine).decode


def _records(entries: Sequence[Entry]) -> "pa.Table":
    lines = [columns.line_of(entry.body) for entry in entries]
    return columns.table_of(lines, [_time(line, entry) for line, entry in zip(lines, entries, strict=True)])


def _time(line: object, entry: Entry) -> int:
    try:
        return columns.time_of(line)
    except columns.NotARecord:
        return int(entry.time.timestamp())


def _items(entries: Sequence[Entry]) -> "pa.Table":
    return _texts(_ITEM_COLUMNS, [_item_row(_item_line(entry.body)) for entry in entries])


def _item_row(line: _ItemLine) -> dict[str, str | None]:
    return {name: _plain(value) for name, value in line.item.items() if name in _ITEM_MEMBERS} | _cause(line.cause)


def _plain(value: msgspec.Raw) -> str | None:
    """A text as itself, null as null, anything else as its JSON."""
    said = bytes(value).decode()
    if said == "null":
        return None
    return str(_decode(value)) if said.startswith('"') else said


def _verdicts(entries: Sequence[Entry]) -> "pa.Table":
    told = ((_verdict_line(entry.body), entry) for entry in entries)
    return _texts(_VERDICT_COLUMNS, [_verdict_row(line, entry) for line, entry in told if line.kind in _TOLD])


def _verdict_row(line: _VerdictLine, entry: Entry) -> dict[str, str | None]:
    said = {name: getattr(line, name) or None for name in _VERDICT_MEMBERS}
    recorded = f"{entry.time:%Y-%m-%dT%H:%M:%SZ}"
    return (
        said | {"awsAccountId": entry.account, "awsRegion": entry.region, "recordedTime": recorded} | _cause(line.cause)
    )


def _cause(cause: Mapping[str, Any] | None) -> dict[str, str | None]:
    return {name: str(cause[member]) for name, member in _CAUSE.items() if cause and cause.get(member)}


def _texts(names: Sequence[str], rows: Sequence[Mapping[str, str | None]]) -> "pa.Table":
    import pyarrow as pa

    return pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names})


def _schema_of_texts(names: Sequence[str]) -> "pa.Schema":
    import pyarrow as pa

    return pa.schema([pa.field(name, pa.string()) for name in names])


def _columns(names: Sequence[str]) -> tuple[Column, ...]:
    return tuple(Column(name.lower(), "string", name) for name in names)


RECORDS = Form(JOURNAL, JOURNAL, "recipientAccountId", columns.schema, _records)
ACTIVITY = Form(
    "activity", JOURNAL, "recipientAccountId", activity.schema, lambda entries: activity.activity_of(_records(entries))
)
ITEMS = Form(CONFIGURATION, CONFIGURATION, "awsAccountId", lambda: _schema_of_texts(_ITEM_COLUMNS), _items)
ITEM_COLUMNS = _columns(_ITEM_COLUMNS)
JUDGEMENTS = Form(VERDICTS, VERDICTS, "awsAccountId", lambda: _schema_of_texts(_VERDICT_COLUMNS), _verdicts)
VERDICT_COLUMNS = _columns(_VERDICT_COLUMNS)
