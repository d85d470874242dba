"""Questions with places left open, and answers that go to a bucket as files: what runs, and what is refused."""

import gzip
import io
import json
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError
from tests.unit.services.athena.test_athena import BUCKET, ask, failure, run

from trailstate import testing
from trailstate.testing import Lab

PRIMARY = "primary"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with testing.lab() as started:
        started.client("s3").create_bucket(Bucket=BUCKET)
        started.client("iam").create_user(UserName="mallory")
        yield started


def asked_with(lab: Lab, sql: str, *values: str) -> dict[str, Any]:
    athena = lab.client("athena")
    name = athena.start_query_execution(
        QueryString=sql,
        ExecutionParameters=list(values),
        ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/out/"},
    )["QueryExecutionId"]
    lab.settle()
    status = athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]["Status"]
    if status["State"] != "SUCCEEDED":
        return dict(status)
    rows = athena.get_query_results(QueryExecutionId=name)["ResultSet"]["Rows"][1:]
    return {"rows": [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows]}


def test_parameters_fill_the_places_in_order(lab: Lab) -> None:
    sql = "SELECT eventname, ? FROM cloudtrail WHERE eventsource = ? AND '?' <> ? -- ?\n LIMIT ?"
    found = asked_with(lab, sql, "DATE '2026-01-15'", "'iam.amazonaws.com'", "'it''s'", "5")
    assert found["rows"] == [["CreateUser", "2026-01-15"]]


NO_CONSTANTS = (
    "eventname",
    "(SELECT 1)",
    "1 UNION SELECT 2",
    "'a' OR 1=1",
    "current_user",
    "getenv('HOME')",
    "1; DROP TABLE cloudtrail",
    "1, 2",
    "'",
)


@pytest.mark.parametrize("value", NO_CONSTANTS)
def test_a_parameter_is_never_more_than_a_constant(lab: Lab, value: str) -> None:
    assert asked_with(lab, "SELECT 1 WHERE 1 = ?", value)["State"] == "FAILED"


def test_the_number_of_parameters_must_fit(lab: Lab) -> None:
    found = asked_with(lab, "SELECT ? + ?", "1")
    assert "expected 2 but found 1" in found["StateChangeReason"]
    assert "expected 1 but found 0" in failure(lab, "SELECT ?")
    with pytest.raises(ClientError, match="places of a question"):
        asked_with(lab, "SHOW DATABASES", "1")


def test_a_prepared_statement_by_sql(lab: Lab) -> None:
    ask(lab, "PREPARE by_name FROM SELECT count(*) FROM cloudtrail WHERE eventname = ? AND ? = 1")
    assert ask(lab, "EXECUTE by_name USING 'CreateUser', 1")[1:] == [["1"]]
    assert asked_with(lab, "EXECUTE by_name", "'CreateUser'", "1")["rows"] == [["1"]]
    assert "constant" in failure(lab, "EXECUTE by_name USING eventname, 1")
    assert "constants after USING" in failure(lab, "EXECUTE by_name USING 1, 2 FROM cloudtrail")
    ask(lab, "DEALLOCATE PREPARE by_name")
    assert "was not found" in failure(lab, "EXECUTE by_name USING 'CreateUser', 1")
    assert "was not found" in failure(lab, "DEALLOCATE PREPARE by_name")
    ask(lab, "PREPARE mischief FROM DROP TABLE cloudtrail")
    assert "only queries may run" in failure(lab, "EXECUTE mischief")


def test_a_prepared_statement_by_api(lab: Lab) -> None:
    athena = lab.client("athena")
    kept = {"StatementName": "one", "WorkGroup": PRIMARY}
    athena.create_prepared_statement(**kept, QueryStatement="SELECT ?", Description="says it")
    with pytest.raises(ClientError, match="already exists"):
        athena.create_prepared_statement(**kept, QueryStatement="SELECT 1")
    with pytest.raises(ClientError, match="cannot be read"):
        athena.update_prepared_statement(**kept, QueryStatement="SELECT (")
    athena.update_prepared_statement(**kept, QueryStatement="SELECT ? || '!'")
    found = athena.get_prepared_statement(**kept)["PreparedStatement"]
    assert (found["QueryStatement"], found["WorkGroupName"]) == ("SELECT ? || '!'", PRIMARY)
    assert [each["StatementName"] for each in athena.list_prepared_statements(WorkGroup=PRIMARY)["PreparedStatements"]][
        -1
    ] == "one"
    assert ask(lab, "EXECUTE one USING 'so'")[1:] == [["so!"]]
    several = athena.batch_get_prepared_statement(PreparedStatementNames=["one", "none"], WorkGroup=PRIMARY)
    assert [each["StatementName"] for each in several["PreparedStatements"]] == ["one"]
    assert [each["StatementName"] for each in several["UnprocessedPreparedStatementNames"]] == ["none"]
    athena.delete_prepared_statement(**kept)
    with pytest.raises(athena.exceptions.ResourceNotFoundException):
        athena.get_prepared_statement(**kept)


QUESTION = (
    "SELECT x, 'n' || CAST(x AS varchar) AS name, IF(x = 2, NULL, true) AS odd FROM UNNEST(sequence(1, 3)) AS t(x)"
)
ROWS = [
    {"x": 1, "name": "n1", "odd": True},
    {"x": 2, "name": "n2", "odd": None},
    {"x": 3, "name": "n3", "odd": True},
]


def unloaded(lab: Lab, place: str, properties: str) -> bytes:
    """The one file that came of it."""
    execution = run(lab, f"UNLOAD ({QUESTION}) TO 's3://{BUCKET}/{place}/' WITH ({properties})")
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    s3 = lab.client("s3")
    manifest = execution["Statistics"]["DataManifestLocation"].removeprefix(f"s3://{BUCKET}/")
    (line,) = s3.get_object(Bucket=BUCKET, Key=manifest)["Body"].read().decode().splitlines()
    assert line.startswith(f"s3://{BUCKET}/{place}/{execution['QueryExecutionId']}_")
    assert (
        lab.client("athena").get_query_results(QueryExecutionId=execution["QueryExecutionId"])["ResultSet"]["Rows"]
        == []
    )
    return bytes(s3.get_object(Bucket=BUCKET, Key=line.removeprefix(f"s3://{BUCKET}/"))["Body"].read())


def test_rows_are_unloaded_in_every_format(lab: Lab) -> None:
    parquet = unloaded(lab, "parquet", "format = 'PARQUET', compression = 'SNAPPY'")
    assert pq.read_table(io.BytesIO(parquet)).to_pylist() == ROWS
    lines = gzip.decompress(unloaded(lab, "json", "format='json'")).splitlines()
    assert [json.loads(line) for line in lines] == ROWS
    text = unloaded(lab, "text", "format = 'TEXTFILE', field_delimiter = ',', compression = 'NONE'")
    assert text.decode().splitlines() == ["1,n1,true", r"2,n2,\N", "3,n3,true"]


def test_no_rows_are_no_files(lab: Lab) -> None:
    execution = run(lab, f"UNLOAD (SELECT 1 AS x WHERE false) TO 's3://{BUCKET}/nothing/' WITH (format='PARQUET')")
    assert execution["Status"]["State"] == "SUCCEEDED"
    assert "Contents" not in lab.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="nothing/")


REFUSED = {
    f"UNLOAD (SELECT 1 AS x) TO 's3://{BUCKET}/out/' WITH (format='PARQUET')": "not empty",
    f"UNLOAD (SELECT 1 AS x) TO 's3://{BUCKET}/new/' WITH (format='ORC')": "expects format",
    f"UNLOAD (SELECT 1 AS x) TO 's3://{BUCKET}/new/'": "expects format",
    f"UNLOAD (SELECT 1 AS x) TO 's3://{BUCKET}/new/' WITH (format='JSON', compression='LZO')": "LZO",
    f"UNLOAD (SELECT 1 AS x) TO 's3://{BUCKET}/new/' WITH (format='JSON', bucket_count='4')": "bucket_count",
    f"UNLOAD (DROP TABLE x) TO 's3://{BUCKET}/new/' WITH (format='JSON')": "only queries may run",
    "UNLOAD (SELECT 1 AS x) TO 's3://no-such-bucket/new/' WITH (format='JSON')": "NoSuchBucket",
    "UNLOAD (SELECT 1 AS x) TO '/etc/new' WITH (format='JSON')": "this form of UNLOAD",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_refused(lab: Lab, sql: str) -> None:
    run(lab, "SELECT 1")
    assert REFUSED[sql] in failure(lab, sql)
    assert "Contents" not in lab.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="new/")
