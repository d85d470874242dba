"""Athena's API: questions over the live journal and over somebody's files, tables, pages, and what is refused."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.unit.lake.records import log_file, log_name, record

from trailstate import testing
from trailstate.testing import Lab

ACCOUNT, OTHER = "123456789012", "444455556666"
BUCKET = "answers"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with testing.lab() as started:
        started.client("s3").create_bucket(Bucket=BUCKET)
        started.client("iam").create_user(UserName="mallory")
        started.client("iam", key=OTHER).create_user(UserName="stranger")
        yield started


def run(lab: Lab, sql: str, *, key: str = ACCOUNT, database: str = "default", bucket: str = BUCKET) -> dict[str, Any]:
    """The execution at its end."""
    athena = lab.client("athena", key=key)
    name = athena.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": database},
        ResultConfiguration={"OutputLocation": f"s3://{bucket}/out/"},
    )["QueryExecutionId"]
    lab.settle()
    found: dict[str, Any] = athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]
    return found


def ask(lab: Lab, sql: str, **how: Any) -> list[list[str | None]]:
    """The rows of the answer, header included."""
    execution = run(lab, sql, **how)
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    pages = lab.client("athena", key=how.get("key", ACCOUNT)).get_paginator("get_query_results")
    rows = [
        row
        for page in pages.paginate(QueryExecutionId=execution["QueryExecutionId"])
        for row in page["ResultSet"]["Rows"]
    ]
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows]


def failure(lab: Lab, sql: str, **how: Any) -> str:
    status = run(lab, sql, **how)["Status"]
    assert status["State"] == "FAILED"
    return str(status["StateChangeReason"])


def test_a_question_over_what_was_just_recorded(lab: Lab) -> None:
    sql = "SELECT eventname, useridentity.type FROM cloudtrail_logs WHERE eventsource = 'iam.amazonaws.com'"
    assert ask(lab, sql) == [["eventname", "type"], ["CreateUser", "IAMUser"]]


def test_an_account_is_answered_from_its_own_records_alone(lab: Lab) -> None:
    lab.client("s3", key=OTHER).create_bucket(Bucket="others-answers")
    sql = "SELECT DISTINCT recipientaccountid FROM cloudtrail"
    assert ask(lab, sql)[1:] == [[ACCOUNT]]
    assert ask(lab, sql, key=OTHER, bucket="others-answers")[1:] == [[OTHER]]


def test_the_answer_lies_in_the_bucket_too(lab: Lab) -> None:
    execution = run(lab, "SELECT 'a\"b' AS x, CAST(NULL AS varchar) AS y, 1 AS z")
    place = execution["ResultConfiguration"]["OutputLocation"]
    assert place == f"s3://{BUCKET}/out/{execution['QueryExecutionId']}.csv"
    body = lab.client("s3").get_object(Bucket=BUCKET, Key=place.removeprefix(f"s3://{BUCKET}/"))["Body"].read()
    assert body == b'"x","y","z"\n"a""b",,"1"\n'
    assert execution["StatementType"] == "DML"
    assert execution["Statistics"]["TotalExecutionTimeInMillis"] >= 0


def test_values_are_told_with_their_types(lab: Lab) -> None:
    sql = "SELECT true AS b, 1.5e0 AS d, ARRAY[1,2] AS a, timestamp '2026-01-15 09:30:00' AS t, date '2026-01-15' AS e"
    execution = run(lab, sql)
    answer = lab.client("athena").get_query_results(QueryExecutionId=execution["QueryExecutionId"])["ResultSet"]
    types = [column["Type"] for column in answer["ResultSetMetadata"]["ColumnInfo"]]
    assert types == ["boolean", "double", "array", "timestamp", "date"]
    values = [cell["VarCharValue"] for cell in answer["Rows"][1]["Data"]]
    assert values == ["true", "1.5", "[1, 2]", "2026-01-15 09:30:00.000", "2026-01-15"]


def test_long_answers_come_in_pages(lab: Lab) -> None:
    execution = run(lab, "SELECT x FROM UNNEST(sequence(1, 2500)) AS t(x) ORDER BY 1")
    athena, name = lab.client("athena"), execution["QueryExecutionId"]
    first = athena.get_query_results(QueryExecutionId=name, MaxResults=1000)
    assert len(first["ResultSet"]["Rows"]) == 1000
    with pytest.raises(ClientError, match="token"):
        athena.get_query_results(QueryExecutionId=name, NextToken="forged")
    assert len(ask(lab, "SELECT x FROM UNNEST(sequence(1, 2500)) AS t(x)")) == 2501


TABLE = """CREATE EXTERNAL TABLE {name} (
  eventVersion STRING,
  userIdentity STRUCT<type: STRING, arn: STRING, sessioncontext: STRUCT<attributes: STRUCT<mfaauthenticated: STRING>>>,
  eventTime STRING, eventName STRING, requestParameters STRING, somethingNew STRING
)
PARTITIONED BY (region string, `timestamp` string)
ROW FORMAT SERDE '{serde}'
STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION 's3://{bucket}/AWSLogs/{account}/CloudTrail/'
TBLPROPERTIES ('projection.enabled'='true', 'projection.timestamp.format'='yyyy/MM/dd')"""
SERDES = ("com.amazon.emr.hive.serde.CloudTrailSerde", "org.apache.hive.hcatalog.data.JsonSerDe")


@pytest.mark.parametrize("serde", SERDES)
def test_a_table_over_somebodys_files_is_answered_from_them(lab: Lab, serde: str) -> None:
    s3, bucket, name = lab.client("s3"), f"downloaded-{SERDES.index(serde)}", f"downloaded_{SERDES.index(serde)}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=log_name(1), Body=log_file(record(1), record(2, eventName="DeleteBucket")))
    ask(lab, TABLE.format(name=name, bucket=bucket, account="111122223333", serde=serde))
    rows = ask(
        lab, f"SELECT eventname, region, \"timestamp\", somethingnew FROM {name} WHERE useridentity.type = 'IAMUser'"
    )
    assert rows[1:] == [
        ["RunInstances", "us-east-1", "2026/01/15", None],
        ["DeleteBucket", "us-east-1", "2026/01/15", None],
    ]
    s3.put_object(Bucket=bucket, Key=log_name(2), Body=log_file(record(3)))
    assert ask(lab, f"SELECT count(*) FROM {name}")[1:] == [["3"]]


def test_tables_and_databases_are_told_of(lab: Lab) -> None:
    ask(lab, "CREATE DATABASE IF NOT EXISTS security COMMENT 'ours'")
    ask(lab, TABLE.format(name="security.trail", bucket=BUCKET, account=ACCOUNT, serde=SERDES[0]))
    assert ask(lab, "SHOW DATABASES") == [["default"], ["security"]]
    assert ask(lab, "SHOW TABLES IN security") == [["trail"]]
    assert ask(lab, "DESCRIBE trail", database="security")[0] == [f"{'eventversion':<20}", f"{'string':<20}", ""]
    assert ask(lab, "SHOW CREATE TABLE security.trail")[:2] == [
        ["CREATE EXTERNAL TABLE `trail`("],
        ["  `eventversion` string,"],
    ]
    athena = lab.client("athena")
    found = athena.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="security", TableName="trail")
    assert [each["Name"] for each in found["TableMetadata"]["PartitionKeys"]] == ["region", "timestamp"]
    names = athena.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]
    assert [each["Name"] for each in names] == ["default", "security"]
    partition = "PARTITION (region='us-east-1', `timestamp`='2026/01/15')"
    ask(lab, f"ALTER TABLE security.trail ADD {partition} LOCATION 's3://answers/x/'")
    ask(lab, f"ALTER TABLE security.trail ADD IF NOT EXISTS {partition}")
    assert "already exists" in failure(lab, f"ALTER TABLE security.trail ADD {partition}")
    assert "partition columns" in failure(lab, "ALTER TABLE security.trail ADD PARTITION (region='us-east-1')")
    assert ask(lab, "SHOW PARTITIONS security.trail") == [["region=us-east-1/timestamp=2026/01/15"]]
    ask(lab, f"ALTER TABLE security.trail DROP {partition}")
    assert "does not exist" in failure(lab, f"ALTER TABLE security.trail DROP {partition}")
    assert "not empty" in failure(lab, "DROP DATABASE security")
    ask(lab, "DROP DATABASE security CASCADE")
    assert ask(lab, "SHOW DATABASES") == [["default"]]


def test_what_show_create_table_says_makes_the_same_table(lab: Lab) -> None:
    ask(lab, TABLE.format(name="first", bucket=BUCKET, account=ACCOUNT, serde=SERDES[0]))
    written = "\n".join(str(line) for (line,) in ask(lab, "SHOW CREATE TABLE first"))
    ask(lab, "DROP TABLE first")
    ask(lab, written)
    assert "\n".join(str(line) for (line,) in ask(lab, "SHOW CREATE TABLE first")) == written
    ask(lab, "DROP TABLE first")


def test_a_view_is_a_question_with_a_name(lab: Lab) -> None:
    ask(lab, "CREATE OR REPLACE VIEW writes AS SELECT eventname AS what FROM cloudtrail WHERE readonly = 'false'")
    assert ["CreateUser"] in ask(lab, "SELECT w.what FROM writes w")
    assert "one statement" in failure(lab, "CREATE VIEW broken AS SELECT 1; SELECT 2")
    ask(lab, "DROP VIEW writes")


REFUSED = {
    "DROP TABLE nowhere": "does not exist",
    "SELECT * FROM nowhere": "Table 'default.nowhere' does not exist",
    "SELECT nosuch FROM cloudtrail": "nosuch",
    "SELECT getenv('HOME')": "Function 'getenv' not registered",
    "INSERT INTO cloudtrail SELECT 1": "not supported",
    "CREATE EXTERNAL TABLE x (a string) LOCATION 's3://b/x/'": "not supported",
    "SELEKT 1": "SYNTAX_ERROR",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_cannot_be_answered_fails_with_its_reason(lab: Lab, sql: str) -> None:
    assert REFUSED[sql] in failure(lab, sql)


def test_an_answer_that_cannot_be_left_in_the_bucket_is_a_failure(lab: Lab) -> None:
    assert "NoSuchBucket" in failure(lab, "SELECT 1", bucket="there-is-no-such-bucket")


def test_a_question_needs_a_place_for_its_answer(lab: Lab) -> None:
    athena = lab.client("athena")
    with pytest.raises(ClientError, match="No output location provided"):
        athena.start_query_execution(QueryString="SELECT 1")
    athena.create_work_group(
        Name="hunters", Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/hunters"}}
    )
    name = athena.start_query_execution(QueryString="SELECT 1", WorkGroup="hunters")["QueryExecutionId"]
    lab.settle()
    assert athena.list_query_executions(WorkGroup="hunters")["QueryExecutionIds"] == [name]
    assert [each["Name"] for each in athena.list_work_groups()["WorkGroups"]] == ["hunters", "primary"]
    athena.delete_work_group(WorkGroup="hunters")


def test_the_same_token_is_the_same_execution(lab: Lab) -> None:
    athena = lab.client("athena")
    asked = {"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/"}, "ClientRequestToken": "t" * 40}
    first = athena.start_query_execution(QueryString="SELECT 1", **asked)
    assert (
        athena.start_query_execution(QueryString="SELECT 1", **asked)["QueryExecutionId"] == first["QueryExecutionId"]
    )
    with pytest.raises(ClientError, match="Idempotent"):
        athena.start_query_execution(QueryString="SELECT 2", **asked)


def test_questions_can_be_kept(lab: Lab) -> None:
    athena = lab.client("athena")
    name = athena.create_named_query(Name="roots", Database="default", QueryString="SELECT 1")["NamedQueryId"]
    assert athena.get_named_query(NamedQueryId=name)["NamedQuery"]["QueryString"] == "SELECT 1"
    assert athena.list_named_queries()["NamedQueryIds"] == [name]
    athena.delete_named_query(NamedQueryId=name)
    with pytest.raises(ClientError, match="was not found"):
        athena.get_named_query(NamedQueryId=name)
