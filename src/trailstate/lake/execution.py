"""One execution: a document that moves from QUEUED to its end, and what is kept of its answer.

https://docs.aws.amazon.com/athena/latest/APIReference/API_QueryExecution.html
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from trailstate.stores.interface import ObjectExists, Objects, OutboxRow, ShelfKey, Store

EXECUTIONS = "lake.execution"
QUEUE = "athena/"
RESULTS = "lake/results/"
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
USERS_ERROR = 2
"""The category of an error that the query, or whoever asked it, is to blame for."""


def key_of(account: str, region: str, execution: str) -> ShelfKey:
    return ShelfKey(account, region, EXECUTIONS, execution)


def row_of(key: ShelfKey) -> OutboxRow:
    """The work that an execution is: a queue of its own, so that a slow query holds up no other."""
    return OutboxRow(f"{QUEUE}{key.account}/{key.region}/{key.name}", f"{QUEUE}{key.name}", b"")


def executions(store: Store, account: str, region: str) -> Iterator[dict[str, Any]]:
    """The account's executions, the newest first."""
    found = [document.value for _, document in store.documents(account, region, EXECUTIONS)]
    yield from sorted(found, key=lambda each: str(each["Status"]["SubmissionDateTime"]), reverse=True)


def database_of(execution: Mapping[str, Any]) -> str:
    """Where the names of tables in the query are looked for."""
    return str(execution["QueryExecutionContext"].get("Database") or "default").lower()


def with_state(execution: dict[str, Any], state: str) -> dict[str, Any]:
    return execution | {"Status": execution["Status"] | {"State": state}}


def with_end(
    execution: dict[str, Any], started: datetime, now: datetime, state: str, reason: str = "", scanned_bytes: int = 0
) -> dict[str, Any]:
    """The document of an execution that is over, with the reason if it did not succeed."""
    ended = with_state(execution, state)
    ended["Status"] |= {"CompletionDateTime": now.isoformat()}
    if reason:
        ended["Status"] |= {"StateChangeReason": reason}
    if state == "FAILED":
        ended["Status"]["AthenaError"] = {
            "ErrorCategory": USERS_ERROR,
            "ErrorType": 1001,
            "Retryable": False,
            "ErrorMessage": reason,
        }
    queued_since = datetime.fromisoformat(execution["Status"]["SubmissionDateTime"])
    ended["Statistics"] = {
        "EngineExecutionTimeInMillis": _milliseconds(started, now),
        "DataScannedInBytes": scanned_bytes,
        "TotalExecutionTimeInMillis": _milliseconds(started, now) + _milliseconds(queued_since, started),
        "QueryQueueTimeInMillis": _milliseconds(queued_since, started),
        "ServiceProcessingTimeInMillis": 0,
    }
    return ended


def _milliseconds(since: datetime, until: datetime) -> int:
    return int((until - since).total_seconds() * 1000)


def kept_lines(objects: Objects, execution: str) -> Sequence[str] | None:
    """The lines of a finished execution's result file; None when it left none."""
    body = objects.get(f"{RESULTS}{execution}.csv")
    return None if body is None else body.decode().splitlines(keepends=True)


def kept_columns(objects: Objects, execution: str) -> list[dict[str, Any]]:
    body = objects.get(f"{RESULTS}{execution}.columns")
    found: list[dict[str, Any]] = msgspec.json.decode(body) if body is not None else []
    return found


def keep_result(objects: Objects, execution: str, body: bytes, columns: bytes) -> None:
    """The house's own copy of an answer; what an earlier run left stays, for it is the same."""
    for name, content in ((f"{execution}.csv", body), (f"{execution}.columns", columns)):
        try:
            objects.put_if_absent(RESULTS + name, content)
        except ObjectExists:
            continue
