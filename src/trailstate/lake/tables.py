"""Databases, tables and views that somebody made: documents of the Shelf, and what they mean for a question.

A table of CloudTrail's files is told by its location and its columns. Its partition columns stand for parts of the
files' names, which the records say too: account, region, and the day.
https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-org-wide-trail.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from trailstate.lake.gate import Refused, TableName
from trailstate.lake.lake import BUILT_IN, DATABASE, Table, text
from trailstate.lake.shape import CLOUDTRAIL, PARTITIONS, Column
from trailstate.lake.statement import CreateTable, CreateView
from trailstate.stores.interface import ShelfKey

DATABASES, TABLES = "lake.database", "lake.table"
SERDES = (
    "com.amazon.emr.hive.serde.CloudTrailSerde",
    "org.apache.hive.hcatalog.data.JsonSerDe",
    "org.openx.data.jsonserde.JsonSerDe",
    "com.amazon.emr.cloudtrail.CloudTrailInputFormat",
)
_KNOWN = {column.name: column for column in CLOUDTRAIL}
_LOCATION = re.compile(
    r"s3://(?P<bucket>[^/]+)/(?P<prefix>(?:.*?/)?)AWSLogs/?(?:o-[a-z0-9]{10,32}/?)?(?P<account>\d{12})?"
    r"(?:/CloudTrail/?(?P<region>[a-z]{2}[a-z-]*-\d)?)?.*"
)
_SLASHED_DAY = "replace(substr(eventTime, 1, 10), '-', '/')"
_DASHED_DAY = "substr(eventTime, 1, 10)"
_PARTITIONS: Mapping[str, str] = {
    **{column.name: str(column.source) for column in PARTITIONS},
    **dict.fromkeys(("account_id", "accountid", "aws_account"), "recipientAccountId"),
    **dict.fromkeys(("aws_region", "awsregion", "region_name"), "awsRegion"),
    **dict.fromkeys(("timestamp", "date", "dt", "day_partition", "event_date", "partition_date"), _SLASHED_DAY),
    "hour": "substr(eventTime, 12, 2)",
}
"""Partition columns by the names that the documentation and everybody else give them."""


def database_key(account: str, region: str, name: str) -> ShelfKey:
    return ShelfKey(account, region, DATABASES, name)


def table_key(account: str, region: str, name: TableName) -> ShelfKey:
    return ShelfKey(account, region, TABLES, f"{name.database}.{name.name}")


def document_of_table(made: CreateTable, moment: str) -> dict[str, Any]:
    """The document of a new table; Refused when it is not one of CloudTrail's files."""
    if made.serde not in SERDES:
        raise Refused(f"tables with the SerDe '{made.serde or 'none'}' are not supported by Trailstate yet")
    if _LOCATION.fullmatch(made.location) is None:
        raise Refused("tables of other files than CloudTrail's (…/AWSLogs/…) are not supported by Trailstate yet")
    unknown = [name for name, _ in made.partitions if name not in _PARTITIONS]
    if unknown:
        raise Refused(f"the partition column '{unknown[0]}' stands for no part of CloudTrail's file names known here")
    return {
        "Database": made.name.database,
        "Name": made.name.name,
        "Columns": [list(each) for each in made.columns],
        "Partitions": [list(each) for each in made.partitions],
        "Location": made.location,
        "SerDe": made.serde,
        "Properties": dict(made.properties),
        "Text": made.text,
        "CreateTime": moment,
    }


def document_of_view(made: CreateView, moment: str) -> dict[str, Any]:
    return {"Database": made.name.database, "Name": made.name.name, "View": made.query, "CreateTime": moment}


def table_of(document: Mapping[str, Any]) -> Table:
    """What a table's document means for a question."""
    columns = [_column(name, kind) for name, kind in document["Columns"]]
    columns += [Column(name, kind, _partition(name, document)) for name, kind in document["Partitions"]]
    return Table(tuple(columns), _condition(document["Location"]))


def bucket_of(document: Mapping[str, Any]) -> tuple[str, str]:
    """The bucket and the prefix that a table's files lie under."""
    bucket, _, prefix = str(document["Location"]).removeprefix("s3://").partition("/")
    return bucket, prefix


def _column(name: str, kind: str) -> Column:
    """A column that no record has is null in every row, as it is in Athena."""
    known = _KNOWN.get(name)
    return Column(name, kind, known.source if known else "CAST(NULL AS VARCHAR)")


def _partition(name: str, document: Mapping[str, Any]) -> str:
    form = str(document["Properties"].get(f"projection.{name}.format", ""))
    return _DASHED_DAY if form == "yyyy-MM-dd" else _PARTITIONS[name]


def _condition(location: str) -> str:
    """The rows whose files lie below a location."""
    found = _LOCATION.fullmatch(location)
    parts = [
        f"{column} = {text(found[name])}"
        for name, column in (("account", "recipientAccountId"), ("region", "awsRegion"))
        if found is not None and found[name]
    ]
    return " AND ".join(parts)


def described(document: Mapping[str, Any]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Columns and partition columns, as name and type."""
    return [tuple(each) for each in document.get("Columns", ())], [
        tuple(each) for each in document.get("Partitions", ())
    ]


def built_in_documents() -> Iterator[dict[str, Any]]:
    """The tables that are always there, as documents."""
    for name, table in sorted(BUILT_IN.items(), key=lambda each: each[0].name):
        yield {
            "Database": DATABASE,
            "Name": name.name,
            "Columns": [[each.name, each.type] for each in table.columns if each not in PARTITIONS],
            "Partitions": [[each.name, each.type] for each in table.columns if each in PARTITIONS],
            "Location": "",
            "Properties": {},
            "CreateTime": "1970-01-01T00:00:00Z",
        }
