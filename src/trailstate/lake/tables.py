"""Databases, tables and views that somebody made: documents of the Shelf, and what they mean for a question.

The document of a table is Glue's `Table`, whoever made it: DDL, Glue's API, Terraform. Any table can be kept; one of
CloudTrail's files, told by its SerDe and its location, can be asked. Its partition columns stand for parts of the
files' names, which the records say too: account, region, and the day.
https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-org-wide-trail.html
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-tables.html
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trailstate.lake.gate import Refused, TableName
from trailstate.lake.lake import BUILT_IN, DATABASE, Table, text
from trailstate.lake.shape import CLOUDTRAIL, PARTITIONS, Column
from trailstate.lake.statement import CreateTable, CreateView
from trailstate.stores.interface import ShelfKey

DATABASES, TABLES = "lake.database", "lake.table"
EXTERNAL, VIEW = "EXTERNAL_TABLE", "VIRTUAL_VIEW"
ALWAYS = "1970-01-01T00:00:00+00:00"
"""When what is there without anybody having made it was made."""
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
_PRESTO_VIEW = re.compile(r"/\* Presto View: ([A-Za-z0-9+/=]+) \*/")
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
    serde = {"SerializationLibrary": made.serde, "Parameters": dict(made.serde_properties)}
    document = {
        "DatabaseName": made.name.database,
        "Name": made.name.name,
        "CreateTime": moment,
        "TableType": EXTERNAL,
        "StorageDescriptor": {
            "Columns": _glue_columns(made.columns),
            "Location": made.location,
            "InputFormat": made.input_format,
            "OutputFormat": made.output_format,
            "SerdeInfo": serde,
        },
        "PartitionKeys": _glue_columns(made.partitions),
        "Parameters": {"EXTERNAL": "TRUE", **made.properties},
    }
    table_of(document)
    return document


def document_of_view(made: CreateView, moment: str) -> dict[str, Any]:
    """The query stands in it as Athena and Presto write it."""
    said = {"originalSql": made.query, "catalog": "awsdatacatalog", "schema": made.name.database, "columns": []}
    return {
        "DatabaseName": made.name.database,
        "Name": made.name.name,
        "CreateTime": moment,
        "TableType": VIEW,
        "ViewOriginalText": f"/* Presto View: {base64.b64encode(json.dumps(said).encode()).decode()} */",
        "ViewExpandedText": "/* Presto View */",
        "StorageDescriptor": {"Columns": []},
        "PartitionKeys": [],
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
    }


def is_view(document: Mapping[str, Any]) -> bool:
    return document.get("TableType") == VIEW


def query_of(document: Mapping[str, Any]) -> str | None:
    """The query of a view; None for a table. Refused for a view that is not written as Athena writes them."""
    if not is_view(document):
        return None
    found = _PRESTO_VIEW.fullmatch(str(document.get("ViewOriginalText", "")))
    try:
        said = json.loads(base64.b64decode(found[1], validate=True)) if found else {}
        return str(said["originalSql"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise Refused(f"the view '{document['Name']}' is no view of Athena's: it has no originalSql") from None


def table_of(document: Mapping[str, Any]) -> Table:
    """What a table's document means for a question; Refused when it is not one of CloudTrail's files."""
    columns, partitions = described(document)
    serde, location = serde_of(document), location_of(document)
    if serde not in SERDES:
        raise Refused(f"tables with the SerDe '{serde or 'none'}' are not supported by Trailstate yet")
    if _LOCATION.fullmatch(location) is None:
        raise Refused("tables of other files than CloudTrail's (…/AWSLogs/…) are not supported by Trailstate yet")
    unknown = [name for name, _ in partitions if name not in _PARTITIONS]
    if unknown:
        raise Refused(f"the partition column '{unknown[0]}' stands for no part of CloudTrail's file names known here")
    found = [_column(name, kind) for name, kind in columns]
    found += [Column(name, kind, _partition(name, document)) for name, kind in partitions]
    return Table(tuple(found), _condition(location))


def location_of(document: Mapping[str, Any]) -> str:
    return str(document.get("StorageDescriptor", {}).get("Location") or "")


def serde_of(document: Mapping[str, Any]) -> str:
    serde = document.get("StorageDescriptor", {}).get("SerdeInfo") or {}
    return str(serde.get("SerializationLibrary") or "")


def bucket_of(document: Mapping[str, Any]) -> tuple[str, str]:
    """The bucket and the prefix that a table's files lie under."""
    bucket, _, prefix = location_of(document).removeprefix("s3://").partition("/")
    return bucket, prefix


def _column(name: str, kind: str) -> Column:
    """A column that no record has is null in every row, as it is in Athena."""
    known = _KNOWN.get(name)
    return Column(name, kind, known.source if known else "CAST(NULL AS VARCHAR)")


def _partition(name: str, document: Mapping[str, Any]) -> str:
    form = str((document.get("Parameters") or {}).get(f"projection.{name}.format", ""))
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
    """Columns and partition columns, as name and type; a column without a type is a string, as in Hive."""
    columns = document.get("StorageDescriptor", {}).get("Columns") or ()
    return _pairs(columns), _pairs(document.get("PartitionKeys") or ())


def _pairs(columns: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(str(each["Name"]).lower(), str(each.get("Type") or "string")) for each in columns]


def _glue_columns(columns: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"Name": name, "Type": kind} for name, kind in columns]


def built_in_documents() -> Iterator[dict[str, Any]]:
    """The tables that are always there, as documents."""
    for name, table in sorted(BUILT_IN.items(), key=lambda each: each[0].name):
        columns = [(each.name, each.type) for each in table.columns if each not in PARTITIONS]
        partitions = [(each.name, each.type) for each in table.columns if each in PARTITIONS]
        yield {
            "DatabaseName": DATABASE,
            "Name": name.name,
            "CreateTime": ALWAYS,
            "TableType": EXTERNAL,
            "StorageDescriptor": {"Columns": _glue_columns(columns)},
            "PartitionKeys": _glue_columns(partitions),
            "Parameters": {},
        }


def built_in_database() -> dict[str, Any]:
    return {"Name": DATABASE, "CreateTime": ALWAYS}
