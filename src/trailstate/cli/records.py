"""What a person sees of CloudTrail records: a line in a table, a row of CSV, or the record itself as JSON.

Spreadsheets obey a cell of CSV that looks like a formula, so such a cell gets an apostrophe in front (OWASP, "CSV
Injection"). JSON writes what a terminal would obey as escapes, which changes no value.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from trailstate.cli.terminal import is_unsafe, table, visible
from trailstate.values.cell import disarmed

Record = Mapping[str, Any]

SERVICE_SUFFIX = ".amazonaws.com"
RESOURCES_SHOWN = 3


def actor(record: Record) -> str:
    """Who made the call, as briefly as it can be said: a user's name, `role/session`, `root`, or a service."""
    from trailstate.trail.attributes import identity_of

    identity = identity_of(record)
    if identity.get("type") == "Root":
        return "root"
    arn = str(identity.get("arn") or "")
    if ":assumed-role/" in arn:
        return brief(arn)
    names = (identity.get("userName"), identity.get("invokedBy"), brief(arn), identity.get("principalId"))
    return str(next((name for name in names if name), identity.get("type") or ""))


def brief(principal: str) -> str:
    """The name that ends a principal's ARN, `role/session` for a session; any other text as it is."""
    if ":assumed-role/" in principal:
        return principal.partition(":assumed-role/")[2]
    name = principal.rpartition("/")[2]
    return name.rpartition(":")[2] if name.startswith("arn:") else name


def resources(record: Record) -> str:
    """The resources that the record speaks of, as LookupEvents lists them; a name that ends an ARN is not repeated."""
    return " ".join(_names(record))


def some_resources(record: Record) -> str:
    """The first of them, and how many more there are: a selector can name hundreds, and each would widen every row."""
    names = _names(record)
    more = len(names) - RESOURCES_SHOWN
    return " ".join(names[:RESOURCES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _names(record: Record) -> list[str]:
    from trailstate.trail.mentions import mentions

    names = list(dict.fromkeys(name for _, name in mentions(record)))
    return [name for name in names if not any(_ends_with(other, name) for other in names)]


def _ends_with(arn: str, name: str) -> bool:
    return arn.startswith("arn:") and arn != name and arn.endswith((f":{name}", f"/{name}"))


def event(record: Record) -> str:
    return f"{str(record.get('eventSource') or '').removesuffix(SERVICE_SUFFIX)}:{record.get('eventName', '')}"


def _member(name: str) -> Callable[[Record], str]:
    def read(record: Record) -> str:
        value = record.get(name)
        return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

    return read


account = _member("recipientAccountId")
region = _member("awsRegion")

TABLE_COLUMNS: Mapping[str, Callable[[Record], str]] = {
    "time": lambda record: str(record.get("eventTime", "")).replace("T", " ").removesuffix("Z"),
    "account": account,
    "region": region,
    "event": event,
    "who": actor,
    "from": _member("sourceIPAddress"),
    "resources": some_resources,
    "error": _member("errorCode"),
}
"""Times are in UTC. Account and region are left out while all records share them; errors, while there is none."""

OPTIONAL_COLUMNS = {"account": 2, "region": 2}
"""How many different values a column needs to be worth its room."""

CSV_COLUMNS: Mapping[str, Callable[[Record], str]] = {
    "eventTime": _member("eventTime"),
    "eventID": _member("eventID"),
    "recipientAccountId": account,
    "awsRegion": region,
    "eventSource": _member("eventSource"),
    "eventName": _member("eventName"),
    "readOnly": _member("readOnly"),
    "user": actor,
    "sourceIPAddress": _member("sourceIPAddress"),
    "userAgent": _member("userAgent"),
    "errorCode": _member("errorCode"),
    "errorMessage": _member("errorMessage"),
    "resources": resources,
}


def _told(records: Iterable[Record]) -> list[Record]:
    """Applications' own events among them as all others are."""
    from trailstate.trail.audit import told

    return [told(record) for record in records]


def as_table(records: Sequence[Record], *, width: int | None = None) -> str:
    """The records as a table in the order given."""
    said = _told(records)
    columns = {name: [read(record) for record in said] for name, read in TABLE_COLUMNS.items()}
    kept = {name: cells for name, cells in columns.items() if _is_worth_its_room(name, cells)}
    return table(tuple(kept), zip(*kept.values(), strict=True), width=width)


def _is_worth_its_room(name: str, cells: Sequence[str]) -> bool:
    return len(set(cells)) >= OPTIONAL_COLUMNS.get(name, 1) and any(cells)


def as_lines(records: Iterable[Record]) -> str:
    """One line a record, for records still to come: what it says, in the table's order, without columns."""
    return "".join(
        "  ".join(visible(cell) for cell in (read(record) for read in TABLE_COLUMNS.values()) if cell) + "\n"
        for record in _told(records)
    )


def as_json(records: Sequence[Record]) -> str:
    """One JSON array."""
    return safe_json(json.dumps(list(records), indent=2, ensure_ascii=False)) + "\n"


def as_jsonl(records: Iterable[Record]) -> str:
    """One record a line."""
    return "".join(
        safe_json(json.dumps(record, separators=(",", ":"), ensure_ascii=False)) + "\n" for record in records
    )


def safe_json(text: str) -> str:
    """JSON text in which nothing commands a terminal: such characters stand as escapes."""
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(
        _json_escape(character) if character != "\n" and is_unsafe(character) else character for character in text
    )


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def as_csv(records: Iterable[Record], *, header: bool = True) -> str:
    """Rows of CSV (RFC 4180), safe to open in a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text)
    if header:
        writer.writerow(CSV_COLUMNS)
    writer.writerows([disarmed(read(record)) for read in CSV_COLUMNS.values()] for record in _told(records))
    return text.getvalue()
