"""Queries under way: an execution that is queued is work of the outbox, and is run to its end.

The answer is kept twice: as an object of the house, which GetQueryResults pages through, and as the CSV file in the
customer's bucket that Athena leaves there. An execution that a crash cut off runs again: it changes nothing.
"""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from trailstate.lake import statement, tables
from trailstate.lake.ddl import Definitions
from trailstate.lake.engine import QueryFailed
from trailstate.lake.execution import ENDED, QUEUE, database_of, keep_result, key_of, with_end, with_state
from trailstate.lake.files import BucketFiles, Unreadable
from trailstate.lake.gate import Refused, TableName
from trailstate.lake.lake import Lake, Scope, Table
from trailstate.lake.prepared import Deallocate, Execute, Preparations, Prepare, bound
from trailstate.lake.result import column_info, csv_line, rows_of, text_columns
from trailstate.lake.shape import EVENT_DATA_STORE
from trailstate.lake.unload import Unload, Unloading
from trailstate.stores.interface import Commit, Objects, OutboxRow, ShelfChange, ShelfKey, Store
from trailstate.values.timestamp import record_time
from trailstate.wire.call import Door, service_principal
from trailstate.wire.fault import Fault
from trailstate.world import World

if TYPE_CHECKING:
    import pyarrow as pa

SERVICE = "athena.amazonaws.com"
RESULT_BYTES_MAX = 64 * 1024 * 1024
VIEWS_DEEP = 10

Scopes = Callable[[str], Scope]
"""Whose data an account may ask about: its own, and as its organization's manager its members' too."""


STORE = TableName("default", "event_data_store")
STORE_TABLE = Table(EVENT_DATA_STORE)
"""What a query of CloudTrail Lake reads, and how it looks there."""


class Stopped(Exception):
    """Somebody cancelled the execution."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer at hand: the columns, and the lines of its result file."""

    columns: list[dict[str, Any]]
    lines: list[str]
    scanned_bytes: int = 0
    places: list[str] | None = None
    """The files that an UNLOAD wrote; None for other answers."""

    def body(self) -> bytes:
        return "".join(self.lines).encode()


class Executions:
    """Runs queued executions; a Shipper. Safe from several threads."""

    prefix = QUEUE

    def __init__(
        self, store: Store, objects: Objects, lake: Lake, files: BucketFiles, door: Door, world: World, scopes: Scopes
    ) -> None:
        self._store = store
        self._objects = objects
        self._lake = lake
        self._files = files
        self._door = door
        self._world = world
        self._scopes = scopes
        self._lock = threading.Lock()
        self._cancelled: set[str] = set()

    def cancel(self, execution: str) -> None:
        """Let a running execution end at its next step."""
        with self._lock:
            self._cancelled.add(execution)

    def ship(self, row: OutboxRow) -> Commit:
        """Run one execution to its end; its document says how that went."""
        _, account, region, name = row.queue.split("/", 3)
        key = key_of(account, region, name)
        document = self._store.get(key)
        if document is None or document.value["Status"]["State"] in ENDED:
            return Commit()
        started = self._world.now()
        self._store.commit(Commit(shelf=[ShelfChange(key, with_state(document.value, "RUNNING"))]))
        ended = self._ended(key, document.value, started)
        with self._lock:
            self._cancelled.discard(name)
        return replace(ended[1], shelf=[*ended[1].shelf, ShelfChange(key, ended[0])])

    def _ended(self, key: ShelfKey, execution: dict[str, Any], started: datetime) -> tuple[dict[str, Any], Commit]:
        try:
            answer, changes = self._answer(key, execution)
            self._hold_cancelled(key.name)
            self._keep(key, execution, answer)
        except Stopped:
            return with_end(execution, started, self._world.now(), "CANCELLED", "Query was cancelled"), Commit()
        except (Refused, Unreadable) as refusal:
            return with_end(execution, started, self._world.now(), "FAILED", f"SYNTAX_ERROR: {refusal}"), Commit()
        except QueryFailed as failure:
            return with_end(execution, started, self._world.now(), "FAILED", f"GENERIC_USER_ERROR: {failure}"), Commit()
        except Fault as refusal:
            told = f"Unable to write to output location: {refusal.code}: {refusal.message}"
            return with_end(execution, started, self._world.now(), "FAILED", told), Commit()
        ended = with_end(execution, started, self._world.now(), "SUCCEEDED", "", answer.scanned_bytes)
        if answer.places is not None:
            ended["Statistics"]["DataManifestLocation"] = manifest_name(
                execution["ResultConfiguration"]["OutputLocation"]
            )
        return ended, changes

    def _answer(self, key: ShelfKey, execution: dict[str, Any]) -> tuple[Answer, Commit]:
        asked = statement.read(execution["Query"], database_of(execution))
        values = execution.get("ExecutionParameters") or ()
        preparations = Preparations(self._store, key.account, key.region, execution["WorkGroup"])
        match asked:
            case statement.Question():
                return self._questioned(key, execution, str(execution.get("Asked") or asked.text), values), Commit()
            case Execute():
                query = preparations.query(asked.name)
                return self._questioned(key, execution, query, asked.values or values), Commit()
            case Unload():
                return self._unloaded(key, execution, asked, values), Commit()
            case Prepare():
                change = preparations.prepared(asked, self._world.now().isoformat())
                return Answer([], []), Commit(shelf=[change])
            case Deallocate():
                return Answer([], []), Commit(shelf=[preparations.deallocated(asked)])
        columns, rows, changes = self._definitions(key).do(asked)
        return Answer(text_columns(columns), ["\t".join(each) + "\n" for each in rows]), Commit(shelf=changes)

    def _definitions(self, key: ShelfKey) -> Definitions:
        return Definitions(self._store, key.account, key.region, record_time(self._world.now()))

    @contextlib.contextmanager
    def _rows(
        self, key: ShelfKey, execution: dict[str, Any], text: str, values: Sequence[str]
    ) -> Iterator["pa.RecordBatchReader"]:
        """The answer to a question, to be read inside the block."""
        definitions = self._definitions(key)
        query = definitions.with_views(bound(text, values), database_of(execution), VIEWS_DEEP)

        def made(name: TableName) -> Table | None:
            if "EventDataStore" in execution:
                return STORE_TABLE if name == STORE else None
            document = definitions.table(name)
            return None if document is None else self._table(key, document)

        with self._lake.ask(query, self._scopes(key.account), self._world.now(), made) as reader:
            yield reader

    def _until_cancelled(self, key: ShelfKey, batches: "Iterable[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
        for batch in batches:
            self._hold_cancelled(key.name)
            yield batch

    def _questioned(self, key: ShelfKey, execution: dict[str, Any], text: str, values: Sequence[str]) -> Answer:
        with self._rows(key, execution, text, values) as reader:
            lines = [csv_line(reader.schema.names)]
            size = 0
            for batch in self._until_cancelled(key, reader):
                fresh = [csv_line(row) for row in rows_of(batch)]
                size += sum(map(len, fresh))
                if size > RESULT_BYTES_MAX:
                    raise QueryFailed(f"the answer is larger than {RESULT_BYTES_MAX} bytes; ask for less, or UNLOAD it")
                lines += fresh
            columns = column_info(reader.schema)
        return Answer(columns, lines, self._lake.size_bytes(self._scopes(key.account)))

    def _unloaded(self, key: ShelfKey, execution: dict[str, Any], asked: Unload, values: Sequence[str]) -> Answer:
        s3 = partial(self._s3, key, execution)
        unloading = Unloading(asked, key.name, s3)
        with self._rows(key, execution, asked.query, values) as reader:
            places = unloading.run(self._until_cancelled(key, reader))
        return Answer([], [], self._lake.size_bytes(self._scopes(key.account)), places)

    def _table(self, key: ShelfKey, document: dict[str, Any]) -> Table:
        """Over the lake where it holds what the bucket holds; over the bucket's own files otherwise."""
        bucket, prefix = tables.bucket_of(document)
        table = tables.table_of(document)
        if self._files.is_in_lake(key.account, bucket):
            return table
        return replace(table, files=self._files.fetched(key.account, key.region, bucket, prefix))

    def _hold_cancelled(self, execution: str) -> None:
        with self._lock:
            if execution in self._cancelled:
                raise Stopped

    def _keep(self, key: ShelfKey, execution: dict[str, Any], answer: Answer) -> None:
        """Both copies of the answer. The columns go beside the house's own."""
        body, columns = answer.body(), msgspec.json.encode(answer.columns)
        keep_result(self._objects, key.name, body, columns)
        place = execution["ResultConfiguration"].get("OutputLocation")
        if place is None:
            return
        bucket, _, path = place.removeprefix("s3://").partition("/")
        beside = {path: body, f"{path}.metadata": columns}
        if answer.places is not None:
            beside = {manifest_name(path): "".join(f"{each}\n" for each in answer.places).encode()}
        for name, content in beside.items():
            self._s3(key, execution, "PutObject", Bucket=bucket, Key=name, Body=content)

    def _s3(self, key: ShelfKey, execution: dict[str, Any], operation: str, /, **parameters: Any) -> Mapping[str, Any]:
        """A call of the service for the account; what is put is encrypted as the execution says."""
        if operation == "PutObject":
            parameters |= _encryption(execution)
        principal = service_principal(SERVICE, key.account)
        return self._door.call("s3", operation, parameters, account=key.account, region=key.region, as_=principal)


def manifest_name(result: str) -> str:
    """Where the list of an UNLOAD's files lies, by where other answers' rows would."""
    return f"{result.removesuffix('.csv')}-manifest.csv"


def _encryption(execution: dict[str, Any]) -> dict[str, str]:
    wanted = execution["ResultConfiguration"].get("EncryptionConfiguration") or {}
    if wanted.get("EncryptionOption") == "SSE_S3":
        return {"ServerSideEncryption": "AES256"}
    if wanted.get("EncryptionOption") == "SSE_KMS":
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": str(wanted.get("KmsKey", ""))}
    return {}
