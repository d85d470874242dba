"""Glue's catalogue is Athena's: what one makes the other asks, and what is wrong is refused as Glue refuses it."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.clients.refusals import refusal
from tests.unit.lake.records import log_file, log_name, record
from tests.unit.services.athena.test_athena import ask, failure

from trailstate import testing
from trailstate.testing import Lab

BUCKET = "downloaded"
LOCATION = f"s3://{BUCKET}/AWSLogs/111122223333/CloudTrail/"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with testing.lab() as started:
        s3 = started.client("s3")
        for name in ("answers", BUCKET):
            s3.create_bucket(Bucket=name)
        s3.put_object(Bucket=BUCKET, Key=log_name(1), Body=log_file(record(1), record(2, eventName="DeleteBucket")))
        started.client("glue").create_database(DatabaseInput={"Name": "Security", "Description": "ours"})
        yield started


def table(name: str, **changed: Any) -> dict[str, Any]:
    """As Terraform describes a table of CloudTrail's files."""
    columns = ("eventversion", "eventtime", "eventname", "requestparameters")
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "cloudtrail"},
        "PartitionKeys": [{"Name": each, "Type": kind} for each, kind in (("region", "string"), ("year", "int"))],
        "StorageDescriptor": {
            "Columns": [{"Name": each, "Type": "string"} for each in columns],
            "Location": LOCATION,
            "InputFormat": "com.amazon.emr.cloudtrail.CloudTrailInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "SerdeInfo": {"SerializationLibrary": "org.apache.hive.hcatalog.data.JsonSerDe"},
        },
        **changed,
    }


@pytest.fixture
def trail(lab: Lab) -> Iterator[str]:
    glue = lab.client("glue")
    glue.create_table(DatabaseName="security", TableInput=table("Trail"))
    yield "trail"
    glue.delete_table(DatabaseName="security", Name="trail")


def test_a_table_made_in_glue_is_asked_in_athena(lab: Lab, trail: str) -> None:
    rows = ask(lab, f"SELECT eventname, region, year FROM security.{trail}")[1:]
    assert rows == [["RunInstances", "us-east-1", "2026"], ["DeleteBucket", "us-east-1", "2026"]]
    assert ask(lab, f"SHOW CREATE TABLE security.{trail}")[0] == ["CREATE EXTERNAL TABLE `trail`("]


def test_a_table_made_in_athena_is_read_in_glue(lab: Lab) -> None:
    columns = "eventname string, eventtime string"
    serde = "ROW FORMAT SERDE 'com.amazon.emr.hive.serde.CloudTrailSerde'"
    ask(lab, f"CREATE EXTERNAL TABLE security.made ({columns}) {serde} LOCATION '{LOCATION}'")
    ask(lab, "CREATE VIEW security.names AS SELECT eventname FROM security.made")
    found = lab.client("glue").get_tables(DatabaseName="security", Expression="ma.*|names")["TableList"]
    assert [(each["Name"], each["TableType"]) for each in found] == [
        ("made", "EXTERNAL_TABLE"),
        ("names", "VIRTUAL_VIEW"),
    ]
    assert found[0]["StorageDescriptor"]["Columns"][0] == {"Name": "eventname", "Type": "string"}
    assert found[1]["ViewOriginalText"].startswith("/* Presto View: ")
    lab.client("glue").create_table(
        DatabaseName="security",
        TableInput={name: found[1][name] for name in ("TableType", "ViewOriginalText")} | {"Name": "copied"},
    )
    assert ask(lab, "SELECT count(*) FROM security.copied")[1:] == [["2"]]
    lab.client("glue").batch_delete_table(DatabaseName="security", TablesToDelete=["made", "names", "copied"])


def test_any_table_is_kept_and_athena_says_which_it_cannot_ask(lab: Lab) -> None:
    glue = lab.client("glue")
    glue.create_table(DatabaseName="security", TableInput={"Name": "orders"})
    assert glue.get_table(DatabaseName="security", Name="orders")["Table"]["VersionId"] == "0"
    assert "not supported by Trailstate yet" in failure(lab, "SELECT 1 FROM security.orders")
    broken = {"Name": "broken", "TableType": "VIRTUAL_VIEW", "ViewOriginalText": "/* Presto View: ??? */"}
    glue.create_table(DatabaseName="security", TableInput=broken)
    assert "originalSql" in failure(lab, "SELECT 1 FROM security.broken")
    errors = glue.batch_delete_table(DatabaseName="security", TablesToDelete=["orders", "broken", "nowhere"])["Errors"]
    assert [(each["TableName"], each["ErrorDetail"]["ErrorCode"]) for each in errors] == [
        ("nowhere", "EntityNotFoundException")
    ]


def test_an_update_needs_the_version_that_is_there(lab: Lab, trail: str) -> None:
    glue = lab.client("glue")
    glue.update_table(DatabaseName="security", TableInput=table(trail, Description="new"), VersionId="0")
    found = glue.get_table(DatabaseName="security", Name=trail)["Table"]
    assert (found["Description"], found["VersionId"], found["CatalogId"]) == ("new", "1", lab.account)
    stale = refusal(glue.update_table, DatabaseName="security", TableInput=table(trail), VersionId="0")
    assert stale == "ConcurrentModificationException"


PARTITIONS = [["us-east-1", "2025"], ["us-east-1", "2026"], ["eu-west-1", "2026"]]
EXPRESSIONS = {
    "region = 'us-east-1'": 2,
    "year >= 2026 AND region LIKE 'us-%'": 1,
    "year > 9": 3,
    "NOT (region IN ('eu-west-1', 'eu-west-2'))": 2,
    "year BETWEEN 2020 AND 2025 OR region <> 'us-east-1'": 2,
    "region LIKE '.*'": 0,
}


def test_partitions_are_kept_and_chosen_by_an_expression(lab: Lab, trail: str) -> None:
    glue, of = lab.client("glue"), {"DatabaseName": "security", "TableName": trail}
    given = [{"Values": values} for values in [*PARTITIONS, PARTITIONS[0], ["one"]]]
    errors = glue.batch_create_partition(**of, PartitionInputList=given)["Errors"]
    assert [each["ErrorDetail"]["ErrorCode"] for each in errors] == ["AlreadyExistsException", "InvalidInputException"]
    for expression, count in EXPRESSIONS.items():
        assert len(glue.get_partitions(**of, Expression=expression)["Partitions"]) == count, expression
    pages = glue.get_paginator("get_partitions").paginate(**of, PaginationConfig={"PageSize": 2})
    assert sorted(each["Values"] for page in pages for each in page["Partitions"]) == sorted(PARTITIONS)
    segments = [{"SegmentNumber": number, "TotalSegments": 2} for number in range(2)]
    parts = [glue.get_partitions(**of, Segment=segment)["Partitions"] for segment in segments]
    assert sorted(map(len, parts)) == [1, 2]
    assert ask(lab, f"SHOW PARTITIONS security.{trail}")[0] == ["region=eu-west-1/year=2026"]


def test_a_partition_is_replaced_and_taken_away(lab: Lab, trail: str) -> None:
    glue, of = lab.client("glue"), {"DatabaseName": "security", "TableName": trail}
    first, second = PARTITIONS[:2]
    glue.create_partition(**of, PartitionInput={"Values": first})
    moved = {"Values": second, "StorageDescriptor": {"Location": f"{LOCATION}us-east-1/2026/"}}
    glue.update_partition(**of, PartitionValueList=first, PartitionInput=moved)
    assert refusal(glue.get_partition, **of, PartitionValues=first) == "EntityNotFoundException"
    found = glue.get_partition(**of, PartitionValues=second)["Partition"]
    assert found["StorageDescriptor"]["Location"].endswith("/2026/")
    narrow = glue.get_partitions(**of, ExcludeColumnSchema=True)["Partitions"]
    assert narrow[0]["StorageDescriptor"] == {"Location": f"{LOCATION}us-east-1/2026/"}
    several = glue.batch_get_partition(**of, PartitionsToGet=[{"Values": first}, {"Values": second}])
    assert [each["Values"] for each in several["Partitions"]] == [second]
    errors = glue.batch_delete_partition(**of, PartitionsToDelete=[{"Values": first}, {"Values": second}])["Errors"]
    assert [each["PartitionValues"] for each in errors] == [first]
    assert refusal(glue.delete_partition, **of, PartitionValues=second) == "EntityNotFoundException"
    assert glue.get_partition_indexes(**of)["PartitionIndexDescriptorList"] == []


def test_a_database_goes_with_its_tables(lab: Lab) -> None:
    glue = lab.client("glue")
    glue.create_database(DatabaseInput={"Name": "passing"}, Tags={"team": "blue"})
    arn = f"arn:aws:glue:us-east-1:{lab.account}:database/passing"
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"team": "blue"}
    glue.update_database(Name="passing", DatabaseInput={"Name": "passing", "Description": "later"})
    assert glue.get_database(Name="PASSING")["Database"]["Description"] == "later"
    names = [each["Name"] for each in glue.get_databases()["DatabaseList"]]
    assert names == ["default", "passing", "security"]
    glue.create_table(DatabaseName="passing", TableInput=table("one"))
    glue.create_partition(DatabaseName="passing", TableName="one", PartitionInput={"Values": PARTITIONS[0]})
    glue.delete_database(Name="passing")
    glue.create_database(DatabaseInput={"Name": "passing"})
    assert glue.get_tables(DatabaseName="passing")["TableList"] == []
    glue.create_table(DatabaseName="passing", TableInput=table("one"))
    assert glue.get_partitions(DatabaseName="passing", TableName="one")["Partitions"] == []
    glue.delete_database(Name="passing")


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("create_database", {"DatabaseInput": {"Name": "default"}}, "AlreadyExistsException"),
    ("delete_database", {"Name": "default"}, "InvalidInputException"),
    ("get_database", {"Name": "nowhere"}, "EntityNotFoundException"),
    ("get_databases", {"CatalogId": "999999999999"}, "EntityNotFoundException"),
    ("update_database", {"Name": "security", "DatabaseInput": {"Name": "other"}}, "InvalidInputException"),
    ("create_table", {"DatabaseName": "nowhere", "TableInput": {"Name": "x"}}, "EntityNotFoundException"),
    ("create_table", {"DatabaseName": "security"}, "InvalidInputException"),
    ("delete_table", {"DatabaseName": "default", "Name": "cloudtrail"}, "EntityNotFoundException"),
    ("get_tables", {"DatabaseName": "security", "Expression": "("}, "InvalidInputException"),
    ("get_partitions", {"DatabaseName": "default", "TableName": "cloudtrail", "Expression": "a b"}, "InvalidInput"),
    ("get_partitions", {"DatabaseName": "default", "TableName": "cloudtrail", "Expression": "x = 1"}, "InvalidInput"),
    (
        "get_partitions",
        {"DatabaseName": "default", "TableName": "cloudtrail", "Expression": "region = (SELECT 1)"},
        "InvalidInput",
    ),
    ("search_tables", {}, "UnknownOperationException"),
]


@pytest.mark.parametrize(("operation", "parameters", "code"), REFUSED, ids=[each[0] for each in REFUSED])
def test_refused(lab: Lab, operation: str, parameters: dict[str, Any], code: str) -> None:
    assert refusal(getattr(lab.client("glue"), operation), **parameters).startswith(code)
