"""What the gate lets through, and what it does not, however it is dressed."""

import pytest

from trailstate.lake.gate import DEPTH_MAX, Refused, TableName, admit, parsed


def knows(table: TableName) -> bool:
    return table.name == "cloudtrail_logs" and table.database in ("", "default")


def tables(text: str) -> list[str]:
    return [each.name for each in admit(parsed(text), knows)]


LET_THROUGH = (
    "SELECT count(*) FROM cloudtrail_logs",
    "SELECT useridentity.arn, count(*) n FROM default.cloudtrail_logs WHERE eventname = 'DeleteBucket' GROUP BY 1",
    "WITH d AS (SELECT * FROM cloudtrail_logs) SELECT a.eventname FROM d a JOIN d b ON a.eventid = b.eventid",
    "SELECT eventname FROM cloudtrail_logs UNION ALL SELECT 'x' ORDER BY 1 LIMIT 5",
    "SELECT r.arn FROM cloudtrail_logs CROSS JOIN UNNEST(resources) WITH ORDINALITY AS u(r, n)",
    "SELECT filter(split(useragent, '/'), x -> x <> ''), transform(ARRAY[1], x -> x + 1) FROM cloudtrail_logs",
    "SELECT json_extract_scalar(requestparameters, '$.bucketName'), json_array_get(a, 0) FROM cloudtrail_logs",
    "SELECT row_number() OVER (PARTITION BY eventsource ORDER BY eventtime DESC) FROM cloudtrail_logs",
    "SELECT date_diff('day', from_iso8601_timestamp(eventtime), now()), date_add('hour', -1, now())",
    "SELECT * FROM cloudtrail_logs WHERE eventtime BETWEEN '1' AND '2' AND useragent LIKE '%x!_%' ESCAPE '!'",
    "SELECT (SELECT max(eventtime) FROM cloudtrail_logs), CASE WHEN 1 = 1 THEN 'a' END",
    "SELECT approx_distinct(eventname) FILTER (WHERE errorcode IS NULL) FROM cloudtrail_logs",
)


@pytest.mark.parametrize("text", LET_THROUGH)
def test_questions_pass(text: str) -> None:
    assert set(tables(text)) <= {"cloudtrail_logs"}


REFUSED = (
    # Files and networks.
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "/etc/passwd"',
    "SELECT * FROM read_parquet('s3://other/x')",
    "SELECT * FROM glob('/*')",
    "SELECT read_text('/etc/passwd')",
    "COPY cloudtrail_logs TO '/tmp/x'",
    "EXPORT DATABASE '/tmp/x'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "ATTACH '/tmp/x.db' AS x",
    # Settings and secrets.
    "SET memory_limit = '99GB'",
    "PRAGMA database_list",
    "SELECT current_setting('secret_directory')",
    "SELECT getenv('AWS_SECRET_ACCESS_KEY')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "RESET ALL",
    # Catalogues and other accounts' tables.
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM memory.main.cloudtrail_logs",
    "SELECT * FROM other.cloudtrail_logs",
    "SELECT * FROM secrets",
    # Changes.
    "DELETE FROM cloudtrail_logs",
    "INSERT INTO cloudtrail_logs SELECT 1",
    "UPDATE cloudtrail_logs SET eventname = 'x'",
    "DROP TABLE cloudtrail_logs",
    "CREATE TABLE x AS SELECT 1",
    "ALTER TABLE cloudtrail_logs ADD COLUMN x INT",
    "TRUNCATE TABLE cloudtrail_logs",
    "WITH d AS (DELETE FROM cloudtrail_logs RETURNING *) SELECT * FROM d",
    "MERGE INTO cloudtrail_logs USING cloudtrail_logs b ON 1 = 1 WHEN MATCHED THEN DELETE",
    # Several statements, and none.
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE cloudtrail_logs",
    "",
    "-- nothing",
    # Functions nobody asked for.
    "SELECT query('DROP TABLE x')",
    "SELECT * FROM query('SELECT 1')",
    "SELECT json_execute_serialized_sql('x')",
    "SELECT sleep_ms(100000)",
    "SELECT repeat('x', 4000000000)",
    "SELECT version()",
    "SELECT pg_sleep(10)",
    # Oddities of the engine.
    "SELECT COLUMNS('.*') FROM cloudtrail_logs",
    "PIVOT cloudtrail_logs ON eventname",
    "DESCRIBE cloudtrail_logs",
    "EXPLAIN SELECT 1",
    "CALL pragma_version()",
    "SELECT ?",
    "SELECT @x",
)


@pytest.mark.parametrize("text", REFUSED)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        tables(text)


def test_a_name_given_by_with_hides_no_table() -> None:
    with pytest.raises(Refused, match=r"other\.d"):
        tables("WITH d AS (SELECT 1) SELECT * FROM other.d")


def test_what_is_too_deep_or_too_long_is_refused() -> None:
    for text in (
        "SELECT " + "(" * 2000 + "1" + ")" * 2000,
        "SELECT " + "- " * (DEPTH_MAX + 5) + "1",
        "SELECT " + "+".join("1" for _ in range(30_000)),
        "SELECT '" + "x" * 300_000 + "'",
    ):
        with pytest.raises(Refused):
            tables(text)


def test_a_mistake_is_told_with_its_place() -> None:
    with pytest.raises(Refused, match=r"line 1:\d+: "):
        parsed("SELECT FROM WHERE (")
