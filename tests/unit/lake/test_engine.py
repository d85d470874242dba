"""Athena's SQL answered by the engine: functions as Athena has them, structures, and bounds that hold."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.lake.records import record

from trailstate.lake import dialect, gate, shape
from trailstate.lake.columns import line_of, table_of, time_of
from trailstate.lake.engine import Bounds, Engine, QueryFailed
from trailstate.lake.segment import written
from trailstate.wire.call import JSON

NOW = datetime(2026, 1, 15, 12, 30, tzinfo=UTC)
SESSION = {
    "type": "AssumedRole",
    "arn": "arn:aws:sts::111122223333:assumed-role/ops/dana",
    "sessionContext": {
        "sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/ops", "userName": "ops"},
        "attributes": {"mfaAuthenticated": "true"},
    },
}
RECORDS: list[JSON] = [
    record(1),
    record(2, eventName="DeleteBucket", requestParameters={"bucketName": "b", "list": [1, 2]}, userIdentity=SESSION),
    record(
        3, errorCode="AccessDenied", resources=[{"ARN": "arn:aws:s3:::b", "accountId": "1", "type": "AWS::S3::Bucket"}]
    ),
]


class Lake:
    def __init__(self, directory: Path) -> None:
        import msgspec

        lines = [line_of(msgspec.json.encode(each)) for each in RECORDS]
        (directory / "x.parquet").write_bytes(written(table_of(lines, [time_of(line) for line in lines])))
        self.source = f"read_parquet(['{directory / 'x.parquet'}'])"
        self.engine = Engine([directory])

    def ask(self, text: str, bounds: Bounds | None = None) -> list[dict[str, Any]]:
        tree = gate.parsed(text)
        gate.admit(tree, lambda table: table.name == "logs")
        flat = not dialect.wants_structures(tree, shape.LEAVES)
        query = dialect.translated(tree, NOW, shape.LEAVES if flat else ())
        return self.raw(query, flat=flat, bounds=bounds)

    def raw(self, query: str, *, flat: bool = False, bounds: Bounds | None = None) -> list[dict[str, Any]]:
        """Past the gate, as if it had a hole."""
        columns = shape.CLOUDTRAIL + shape.PARTITIONS
        view = f"CREATE VIEW logs AS {shape.view(self.source, columns, with_leaves=flat)}"
        with self.engine.run(query, [view], bounds) as reader:
            rows: list[dict[str, Any]] = reader.read_all().to_pylist()
            return rows


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    made = Lake(tmp_path_factory.mktemp("lake"))
    yield made
    made.engine.close()


# expression: what it is worth
VALUES: dict[str, Any] = {
    "element_at(split('a/b/c', '/'), -1)": "c",
    "split_part('a/b/c', '/', 2)": "b",
    "json_extract_scalar('{\"a\":{\"b\":7}}', '$.a.b')": "7",
    "json_array_length('[1,2,3]')": 3,
    "json_array_get('[10,20]', 1)": "20",
    "json_size('{\"a\":[1,2]}', '$.a')": 2,
    "json_size('{\"a\":{\"x\":1}}', '$.a')": 1,
    "cardinality(ARRAY[1,2])": 2,
    "contains(ARRAY['a'], 'a')": True,
    "filter(ARRAY[1,2,3], x -> x > 1)": [2, 3],
    "transform(ARRAY[1,2], x -> x * 2)": [2, 4],
    "reduce(ARRAY[1,2,3], 0, (s, x) -> s + x, s -> s)": 6,
    "any_match(ARRAY[1,2], x -> x > 1)": True,
    "all_match(ARRAY[1,2], x -> x > 1)": False,
    "none_match(ARRAY[1,2], x -> x > 2)": True,
    "array_join(array_sort(ARRAY['b','a']), ',')": "a,b",
    "arrays_overlap(ARRAY[1,2], ARRAY[2,3])": True,
    "array_sort(array_union(ARRAY[1,2], ARRAY[2,3]))": [1, 2, 3],
    "regexp_like('aws-cli/2', '(?i)AWS')": True,
    "regexp_extract('aws-cli/2.1', '/([0-9]+)', 1)": "2",
    "regexp_replace('a1b2', '[0-9]', '')": "ab",
    "url_extract_host('https://u@example.com:443/p?q=1')": "example.com",
    "url_extract_path('https://example.com/p/x?q=1')": "/p/x",
    "coalesce(NULL, 'x')": "x",
    "try_cast('x' AS bigint)": None,
    "if(1 = 1, 'a', 'b')": "a",
    "date_format(timestamp '2026-01-15 09:05:00', '%Y-%m-%d %H:%i')": "2026-01-15 09:05",
    "format_datetime(timestamp '2026-01-15 09:05:00', 'yyyy-MM-dd HH:mm')": "2026-01-15 09:05",
    "date_diff('hour', from_iso8601_timestamp('2026-01-15T09:30:00Z'), now())": 3,
    "to_iso8601(current_timestamp - interval '1' day)": "2026-01-14T12:30:00.000Z",
    "cast(current_date AS varchar)": "2026-01-15",
    "to_unixtime(from_iso8601_timestamp('1970-01-01T00:01:00Z'))": 60.0,
    "concat('a', 'b', 'c')": "abc",
    "strpos('abc', 'c')": 3,
    "is_nan(nan())": True,
}


@pytest.mark.parametrize("expression", VALUES)
def test_a_function_gives_what_it_gives_in_athena(lake: Lake, expression: str) -> None:
    assert lake.ask(f"SELECT {expression} AS x") == [{"x": VALUES[expression]}]


QUESTIONS: dict[str, list[dict[str, Any]]] = {
    "SELECT count(*) FROM logs": [{"_col0": 3}],
    "SELECT useridentity.arn FROM logs WHERE eventname = 'DeleteBucket'": [{"arn": SESSION["arn"]}],
    "SELECT useridentity.sessioncontext.sessionissuer.username u,"
    " useridentity.sessioncontext.attributes.mfaauthenticated m"
    " FROM logs l WHERE l.useridentity.type = 'AssumedRole'": [{"u": "ops", "m": "true"}],
    "SELECT json_extract_scalar(requestparameters, '$.bucketName') b FROM logs WHERE eventname = 'DeleteBucket'": [
        {"b": "b"}
    ],
    "SELECT r.arn, r.type FROM logs CROSS JOIN UNNEST(resources) AS t(r)": [
        {"arn": "arn:aws:s3:::b", "type": "AWS::S3::Bucket"}
    ],
    "SELECT eventname, count(*) n FROM logs WHERE errorcode IS NULL GROUP BY eventname ORDER BY 1": [
        {"eventname": "DeleteBucket", "n": 1},
        {"eventname": "RunInstances", "n": 1},
    ],
    "SELECT year, month, day, account, region FROM logs LIMIT 1": [
        {"year": "2026", "month": "01", "day": "15", "account": "111122223333", "region": "us-east-1"}
    ],
    "SELECT readonly, responseelements FROM logs LIMIT 1": [{"readonly": "false", "responseelements": None}],
    "SELECT map_agg(eventname, eventid)['DeleteBucket'] x FROM logs": [{"x": record(2)["eventID"]}],
    "WITH d AS (SELECT *, row_number() OVER (ORDER BY eventtime DESC) n FROM logs) SELECT eventid FROM d WHERE n = 1": [
        {"eventid": record(3)["eventID"]}
    ],
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_answered(lake: Lake, question: str) -> None:
    assert lake.ask(question) == QUESTIONS[question]


def test_a_whole_structure_can_be_asked_for(lake: Lake) -> None:
    [row] = lake.ask("SELECT useridentity FROM logs WHERE eventname = 'DeleteBucket'")
    assert row["useridentity"]["sessioncontext"]["sessionissuer"]["username"] == "ops"
    assert set(lake.ask("SELECT * FROM logs LIMIT 1")[0]) == {
        column.name for column in shape.CLOUDTRAIL + shape.PARTITIONS
    }


def test_a_mistake_in_a_question_is_told(lake: Lake) -> None:
    with pytest.raises(QueryFailed, match="nosuchcolumn"):
        lake.ask("SELECT nosuchcolumn FROM logs")


def test_a_query_that_takes_too_long_is_ended(lake: Lake) -> None:
    endless = "SELECT max(a.range + b.range) FROM range(10000000) a, range(10000000) b"  # takes time alone, no memory
    with pytest.raises(QueryFailed, match="longer than 1 seconds"):
        lake.raw(endless, bounds=Bounds(seconds=1.0))


def test_a_query_that_wants_too_much_memory_is_ended(lake: Lake) -> None:
    greedy = "SELECT max(x) FROM (SELECT list(range) x FROM range(400000000))"
    with pytest.raises(QueryFailed):
        lake.raw(greedy, bounds=Bounds(memory_mib=128, seconds=20))


PAST_THE_GATE = (
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_csv('/proc/self/environ')",
    "COPY (SELECT 1) TO '/tmp/x'",
    "INSTALL httpfs",
    "SET enable_external_access = true",
    "SET memory_limit = '64GB'",
    "ATTACH '/tmp/x.db'",
)


@pytest.mark.parametrize("hostile", PAST_THE_GATE)
def test_behind_the_gate_the_engine_is_locked_too(lake: Lake, hostile: str) -> None:
    with pytest.raises(QueryFailed):
        lake.raw(hostile)
