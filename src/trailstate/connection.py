"""SQL from Python: a data directory, or the Athena of a running server, answers with Arrow tables.

    import trailstate

    with trailstate.connect("./trailstate-data") as lake:
        calls = lake.sql("SELECT eventname, count(*) AS n FROM cloudtrail GROUP BY 1 ORDER BY n DESC")
        calls.to_pandas()

https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html
"""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from trailstate.lake.engine import Bounds, QueryFailed
from trailstate.lake.gate import Refused
from trailstate.lake.lake import Lake, Scope
from trailstate.stores.disk import DiskObjects
from trailstate.stores.reading import NothingRecorded, Reading
from trailstate.world import RealWorld, sleep

if TYPE_CHECKING:
    import pyarrow as pa

BOUNDS = Bounds(seconds=600.0, memory_mib=4096)
"""For whoever may read the directory: nobody else has to wait for them."""

ASK_AGAIN_SECONDS = 0.1


class NothingThere(Exception):
    """The directory holds neither a journal nor imported records."""


class Connection(Protocol):
    """Something that answers Athena's SQL. Ends with its `with` block or `close`."""

    def sql(self, text: str) -> "pa.Table":
        """The answer; `Refused` or `QueryFailed` say why there is none."""

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class _Closing:
    """Ends what was opened for it."""

    def __init__(self) -> None:
        self._opened = contextlib.ExitStack()

    def close(self) -> None:
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(where: str | Path, *, results: str | None = None, **client: Any) -> Connection:
    """A data directory, of which everything is seen, or the URL of a server, where it is what the caller's key may see.

    `results` is where a server's Athena leaves its answers, `s3://bucket/prefix`, if the workgroup does not say so;
    further arguments go to the boto3 client.
    """
    if str(where).startswith(("http://", "https://")):
        return _Served(str(where), results, client)
    return _Directory(Path(where))


@contextlib.contextmanager
def opened(directory: Path, bounds: Bounds = BOUNDS) -> Iterator[Lake]:
    """The lake of a data directory, beside the running server or without one; NothingThere."""
    with contextlib.ExitStack() as stack:
        lines: Reading | None = None
        with contextlib.suppress(NothingRecorded):
            lines = Reading(directory)
            stack.callback(lines.close)
        objects = DiskObjects(directory, RealWorld())
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trailstate-lake-")))
        lake = Lake(objects, lines, scratch, bounds)
        stack.callback(lake.close)
        if lines is None and not lake.manifest.state().segments:
            raise NothingThere(f"'{directory}' holds no records. Start `trailstate up`, or `trailstate import`.")
        yield lake


class _Directory(_Closing):
    """For the thread that opened it."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        if not directory.is_dir():
            raise NothingThere(f"There is no directory '{directory}'.")
        self._lake = self._opened.enter_context(opened(directory))

    def sql(self, text: str) -> "pa.Table":
        with self._lake.ask(text, Scope(), RealWorld().now()) as reader:
            return reader.read_all()


class _Served(_Closing):
    def __init__(self, url: str, results: str | None, client: Mapping[str, Any]) -> None:
        import boto3

        super().__init__()
        self._athena: Any = boto3.client("athena", endpoint_url=url, **client)
        self._opened.callback(self._athena.close)
        self._place = {"ResultConfiguration": {"OutputLocation": results}} if results else {}

    def sql(self, text: str) -> "pa.Table":
        name = self._athena.start_query_execution(QueryString=text, **self._place)["QueryExecutionId"]
        status = self._ended(name)
        if status["State"] != "SUCCEEDED":
            raise QueryFailed(status.get("StateChangeReason", status["State"]))
        return self._table(name)

    def _ended(self, name: str) -> Mapping[str, Any]:
        while True:
            found = self._athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]["Status"]
            if found["State"] not in ("QUEUED", "RUNNING"):
                return dict(found)
            sleep(ASK_AGAIN_SECONDS)

    def _table(self, name: str) -> "pa.Table":
        pages = list(self._athena.get_paginator("get_query_results").paginate(QueryExecutionId=name))
        columns = pages[0]["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        rows = [
            [cell.get("VarCharValue") for cell in row["Data"]] for each in pages for row in each["ResultSet"]["Rows"]
        ]
        return _arrow(columns, rows[1:] if rows and rows[0] == [each["Name"] for each in columns] else rows)


def _arrow(columns: Sequence[Mapping[str, str]], rows: Sequence[Sequence[str | None]]) -> "pa.Table":
    """Texts as the types that Athena names; what has no plain counterpart stays text."""
    import pyarrow as pa

    types = {
        "boolean": pa.bool_(),
        "tinyint": pa.int8(),
        "smallint": pa.int16(),
        "integer": pa.int32(),
        "bigint": pa.int64(),
        "float": pa.float32(),
        "double": pa.float64(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("ms"),
    }
    arrays = [
        pa.array([row[number] for row in rows], pa.string()).cast(types.get(column["Type"], pa.string()))
        for number, column in enumerate(columns)
    ]
    return pa.Table.from_arrays(arrays, names=[column["Name"] for column in columns])


__all__ = ["BOUNDS", "Connection", "NothingThere", "QueryFailed", "Refused", "connect", "opened"]
