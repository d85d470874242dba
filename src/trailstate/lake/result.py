"""Answers as Athena tells them: column types by its names, values as text, the CSV file it leaves in the bucket.

https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_TYPES: Mapping[str, str] = {
    "string": "varchar",
    "large_string": "varchar",
    "bool": "boolean",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "integer",
    "int64": "bigint",
    "uint64": "bigint",
    "float": "float",
    "double": "double",
    "date32[day]": "date",
    "binary": "varbinary",
    "null": "unknown",
}
_PRECISION: Mapping[str, int] = {
    "bigint": 19,
    "boolean": 0,
    "date": 0,
    "double": 17,
    "float": 17,
    "integer": 10,
    "smallint": 5,
    "timestamp": 3,
    "timestamp with time zone": 3,
    "tinyint": 3,
    "varchar": 2147483647,
}
_CASE_SENSITIVE = ("varchar",)


def athena_type(kind: "pa.DataType") -> str:
    """Athena's name of an Arrow type, as ResultSetMetadata gives it."""
    import pyarrow.types as is_

    if is_.is_timestamp(kind):
        return "timestamp with time zone" if kind.tz else "timestamp"
    if is_.is_struct(kind):
        return "row"
    if is_.is_map(kind):
        return "map"
    if is_.is_list(kind) or is_.is_large_list(kind):
        return "array"
    if is_.is_decimal(kind):
        return "decimal"
    return _TYPES.get(str(kind), "varchar")


def column_info(schema: "pa.Schema") -> list[dict[str, Any]]:
    """ColumnInfo of every column."""
    return [_info(field.name, athena_type(field.type)) for field in schema]


def _info(name: str, kind: str) -> dict[str, Any]:
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": kind,
        "Precision": _PRECISION.get(kind, 0),
        "Scale": 0,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind in _CASE_SENSITIVE,
    }


def text_columns(names: Sequence[str]) -> list[dict[str, Any]]:
    """ColumnInfo of an answer that is text, such as that of SHOW."""
    return [_info(name, "string") for name in names]


def rows_of(batch: "pa.RecordBatch") -> Iterator[list[str | None]]:
    """A batch's rows as text; None for null."""
    for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
        yield [text_of(value) for value in values]


def text_of(value: object) -> str | None:
    """A value as Athena writes it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return "{" + ", ".join(f"{_inner(key)}={_inner(each)}" for key, each in value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inner, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_inner(each)}" for key, each in value.items()) + "}"
    return _scalar(value)


def _inner(value: object) -> str:
    return "null" if value is None else text_of(value) or ""


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        zone = " UTC" if value.tzinfo else ""
        return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}{zone}"
    if isinstance(value, bytes):
        return value.hex(" ")
    if isinstance(value, float):
        return repr(value) if value == value and abs(value) != float("inf") else str(value).replace("inf", "Infinity")
    if isinstance(value, Decimal | date | int):
        return str(value)
    return str(value)


def csv_line(cells: Iterable[str | None]) -> str:
    """A line of the result file: every text in quotation marks, nothing for null."""
    return ",".join("" if cell is None else '"' + cell.replace('"', '""') + '"' for cell in cells) + "\n"


def csv_rows(text: str) -> Iterator[list[str | None]]:
    """The lines of a result file, header included, with null apart from the empty text."""
    row: list[str | None] = []
    position = 0
    while position < len(text):
        cell, position = _cell(text, position)
        row.append(cell)
        if text[position] == "\n":
            yield row
            row = []
        position += 1


def _cell(text: str, start: int) -> tuple[str | None, int]:
    """The cell that begins there, and where it ends."""
    if text[start] != '"':
        return None, start
    position, parts = start + 1, []
    while True:
        end = text.index('"', position)
        parts.append(text[position:end])
        if text[end + 1] != '"':
            return '"'.join(parts), end + 1
        position = end + 2
