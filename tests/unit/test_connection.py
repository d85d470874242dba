"""SQL from Python: a directory and a running server answer with Arrow tables."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import trailstate
from tests.unit.lake.records import log_file, log_name, record
from trailstate import testing
from trailstate.connection import NothingThere, QueryFailed, Refused
from trailstate.lake.importer import Importer
from trailstate.lake.manifest import Manifest
from trailstate.lake.source import Files
from trailstate.stores.disk import DiskObjects
from trailstate.testing import Lab
from trailstate.world import RealWorld


def test_a_directory_answers_without_a_server(tmp_path: Path) -> None:
    path = tmp_path / "logs" / log_name(1)
    path.parent.mkdir(parents=True)
    path.write_bytes(log_file(record(1), record(2, eventName="DeleteBucket")))
    objects = DiskObjects(tmp_path, RealWorld())
    Importer(Manifest(objects), objects, RealWorld(), workers=1).run(Files([path]))
    with trailstate.connect(tmp_path) as lake:
        found = lake.sql("SELECT eventname, count(*) AS n FROM cloudtrail GROUP BY 1 ORDER BY 1")
        assert found.to_pylist() == [{"eventname": "DeleteBucket", "n": 1}, {"eventname": "RunInstances", "n": 1}]
        with pytest.raises(Refused, match="DROP"):
            lake.sql("DROP TABLE cloudtrail")
        with pytest.raises(QueryFailed):
            lake.sql("SELECT nosuch FROM cloudtrail")


def test_a_directory_without_records_says_so(tmp_path: Path) -> None:
    with pytest.raises(NothingThere, match="holds no records"):
        trailstate.connect(tmp_path)
    with pytest.raises(NothingThere, match="no directory"):
        trailstate.connect(tmp_path / "nowhere")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with testing.lab() as started:
        started.client("s3").create_bucket(Bucket="answers")
        yield started


def test_a_server_answers_what_the_key_may_see(lab: Lab) -> None:
    key = {"aws_access_key_id": lab.account, "aws_secret_access_key": "test", "region_name": "us-east-1"}
    with trailstate.connect(lab.endpoint, results="s3://answers/out", **key) as lake:
        found = lake.sql(
            "SELECT eventname, count(*) AS n, 0.5e0 AS half, true AS yes, CAST(NULL AS VARCHAR) AS nothing,"
            " DATE '2026-01-15' AS day FROM cloudtrail WHERE eventname = 'CreateBucket' GROUP BY 1"
        )
        assert found.schema.types == [pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.date32()]
        [row] = found.to_pylist()
        assert (row["eventname"], row["n"], row["half"], row["yes"], row["nothing"]) == (
            "CreateBucket",
            1,
            0.5,
            True,
            None,
        )
        with pytest.raises(QueryFailed, match="DELETE"):
            lake.sql("DELETE FROM cloudtrail")
