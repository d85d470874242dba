"""CloudTrail Lake's queries over the one event data store that every account has in each Region.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-event-data-store.html

A statement names the store by its id where SQL names a table. Queries run like Athena's, over the same records; the
store's columns have the types that the Lake gives them.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trailstate.lake import gate
from trailstate.lake.execute import STORE, Executions
from trailstate.lake.execution import (
    ENDED,
    executions,
    kept_lines,
    key_of,
    row_of,
)
from trailstate.lake.gate import Refused
from trailstate.lake.result import csv_rows
from trailstate.services.operation import operation
from trailstate.services.paging import page
from trailstate.stores.interface import Objects, Store
from trailstate.stores.staged import StagedShelf
from trailstate.trail.channel import STORE_ID, event_data_store_arn
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call
from trailstate.wire.fault import faults
from trailstate.world import World

fault = faults("cloudtrail")

RESULTS_MAX = 1000
STATES = {
    "QUEUED": "QUEUED",
    "RUNNING": "RUNNING",
    "SUCCEEDED": "FINISHED",
    "FAILED": "FAILED",
    "CANCELLED": "CANCELLED",
}
"""Athena's states as CloudTrail Lake calls them."""

_STORE_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_FROM = re.compile(rf"(\b(?:FROM|JOIN)\s+)[\"`]?({_STORE_ID.pattern})[\"`]?", re.IGNORECASE)


@operation("cloudtrail")
def start_query(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    QueryStatement: str | None = None,
    DeliveryS3Uri: str | None = None,
    QueryAlias: str | None = None,
    QueryParameters: Sequence[str] | None = None,
    EventDataStoreOwnerAccountId: str | None = None,
) -> dict[str, Any]:
    """Queue a query."""
    if QueryAlias or QueryParameters or not QueryStatement:
        raise fault.InvalidParameterException(
            "Expected a QueryStatement; QueryAlias is for dashboards, which are not yet."
        )
    name = world.uuid()
    document: dict[str, Any] = {
        "QueryExecutionId": name,
        "EventDataStore": event_data_store_arn(call.account, call.region),
        "Query": QueryStatement,
        "Asked": asked(QueryStatement),
        "StatementType": "DML",
        "ResultConfiguration": _delivery(DeliveryS3Uri, name),
        "QueryExecutionContext": {},
        "Status": {"State": "QUEUED", "SubmissionDateTime": call.now.isoformat()},
        "Statistics": {},
        "WorkGroup": "",
    }
    key = key_of(call.account, call.region, name)
    shelf.put(key, document)
    shelf.send(row_of(key))
    return {"QueryId": name, "EventDataStoreOwnerAccountId": call.account}


def asked(statement: str) -> str:
    """The statement with the store under the name it has here; refused if it is no query of that store."""
    for found in _FROM.finditer(statement):
        _hold_store(found[2].lower())
    text = _FROM.sub(rf"\g<1>{STORE.name}", statement)
    try:
        tables = gate.admit(gate.parsed(text), lambda name: name.name == STORE.name)
    except Refused as refusal:
        raise fault.InvalidQueryStatementException(
            f"{refusal}. A query reads FROM the id of an event data store."
        ) from None
    if not tables:
        raise fault.InvalidQueryStatementException("The query must read FROM the id of an event data store.")
    return text


def _hold_store(name: str) -> None:
    if name != STORE_ID:
        raise fault.EventDataStoreNotFoundException(
            f"There is no event data store {name}; every account has one in each Region: {STORE_ID}."
        )


def _delivery(uri: str | None, name: str) -> dict[str, str]:
    if uri is None:
        return {}
    if not uri.startswith("s3://"):
        raise fault.InvalidS3BucketNameException(f"Expected s3://bucket/prefix; found {uri}.")
    return {"OutputLocation": f"{uri.rstrip('/')}/{name}.csv"}


@operation("cloudtrail")
def describe_query(
    call: Call,
    shelf: StagedShelf,
    *,
    EventDataStore: str | None = None,
    QueryId: str | None = None,
    QueryAlias: str | None = None,
    RefreshId: str | None = None,
    EventDataStoreOwnerAccountId: str | None = None,
) -> dict[str, Any]:
    """How a query stands."""
    if QueryId is None:
        raise fault.InvalidParameterException("Expected a QueryId; QueryAlias is for dashboards, which are not yet.")
    document = _found(call, shelf, QueryId)
    delivered = document["ResultConfiguration"].get("OutputLocation")
    told = {
        "QueryId": document["QueryExecutionId"],
        "QueryString": document["Query"],
        "QueryStatus": _state(document),
        "QueryStatistics": _statistics(document)
        | {"CreationTime": datetime.fromisoformat(document["Status"]["SubmissionDateTime"])},
        "ErrorMessage": document["Status"].get("StateChangeReason"),
        "DeliveryS3Uri": delivered,
        "DeliveryStatus": "SUCCESS" if delivered and _state(document) == "FINISHED" else None,
    }
    return {name: value for name, value in told.items() if value is not None}


@operation("cloudtrail", judges=("MaxQueryResults",))
def get_query_results(
    call: Call,
    shelf: StagedShelf,
    objects: Objects,
    tokens: PageTokens,
    *,
    QueryId: str,
    EventDataStore: str | None = None,
    NextToken: str | None = None,
    MaxQueryResults: int | None = None,
    EventDataStoreOwnerAccountId: str | None = None,
) -> dict[str, Any]:
    """A page of the answer; each row is a list of pairs of a column's name and its value."""
    if MaxQueryResults is not None and not 1 <= MaxQueryResults <= RESULTS_MAX:
        raise fault.InvalidMaxResultsException(f"Expected 1 to {RESULTS_MAX} results; found {MaxQueryResults}.")
    document = _found(call, shelf, QueryId)
    state = _state(document)
    if state != "FINISHED":
        reason = document["Status"].get("StateChangeReason")
        return {"QueryStatus": state, **({"ErrorMessage": reason} if reason else {})}
    names, *rows = csv_rows("".join(kept_lines(objects, QueryId) or ()))
    some, token = page(
        tokens,
        ["lake", call.account, QueryId],
        rows,
        limit=MaxQueryResults or RESULTS_MAX,
        token=NextToken,
        refuse=fault.InvalidNextTokenException,
    )
    answer = {
        "QueryStatus": state,
        "QueryStatistics": {
            "ResultsCount": len(some),
            "TotalResultsCount": len(rows),
            "BytesScanned": document["Statistics"].get("DataScannedInBytes", 0),
        },
        "QueryResultRows": [[{str(name): cell or ""} for name, cell in zip(names, row, strict=True)] for row in some],
    }
    return answer | ({"NextToken": token} if token else {})


@operation("cloudtrail")
def list_queries(
    call: Call,
    store: Store,
    tokens: PageTokens,
    *,
    EventDataStore: str,
    NextToken: str | None = None,
    MaxResults: int | None = None,
    StartTime: datetime | None = None,
    EndTime: datetime | None = None,
    QueryStatus: str | None = None,
) -> dict[str, Any]:
    """The store's queries, the newest first."""
    _hold_store(EventDataStore.rpartition("/")[2])
    if StartTime and EndTime and StartTime > EndTime:
        raise fault.InvalidDateRangeException("The start of the range is after its end.")
    found = [
        {"QueryId": each["QueryExecutionId"], "QueryStatus": _state(each), "CreationTime": created}
        for each in executions(store, call.account, call.region)
        for created in [datetime.fromisoformat(each["Status"]["SubmissionDateTime"])]
        if "EventDataStore" in each
        and QueryStatus in (None, _state(each))
        and (StartTime is None or created >= StartTime)
        and (EndTime is None or created <= EndTime)
    ]
    some, token = page(
        tokens,
        ["queries", call.account, call.region, QueryStatus, str(StartTime), str(EndTime)],
        found,
        limit=MaxResults or RESULTS_MAX,
        token=NextToken,
        refuse=fault.InvalidNextTokenException,
    )
    return {"Queries": list(some), **({"NextToken": token} if token else {})}


@operation("cloudtrail")
def cancel_query(
    call: Call,
    shelf: StagedShelf,
    running: Executions,
    *,
    QueryId: str,
    EventDataStore: str | None = None,
    EventDataStoreOwnerAccountId: str | None = None,
) -> dict[str, Any]:
    """Cancel a query that has not ended."""
    document = _found(call, shelf, QueryId)
    if document["Status"]["State"] in ENDED:
        raise fault.InactiveQueryException(f"The query {QueryId} has ended: {_state(document)}.")
    running.cancel(QueryId)
    if document["Status"]["State"] == "QUEUED":
        status = document["Status"] | {"State": "CANCELLED", "CompletionDateTime": call.now.isoformat()}
        shelf.put(key_of(call.account, call.region, QueryId), document | {"Status": status})
    return {"QueryId": QueryId, "QueryStatus": "CANCELLED"}


def _found(call: Call, shelf: StagedShelf, name: str | None) -> dict[str, Any]:
    document = shelf.get(key_of(call.account, call.region, name)) if name else None
    if document is None or "EventDataStore" not in document:
        raise fault.QueryIdNotFoundException(f"There is no query {name} of this account in {call.region}.")
    return document


def _state(document: Mapping[str, Any]) -> str:
    return STATES[document["Status"]["State"]]


def _statistics(document: Mapping[str, Any]) -> dict[str, Any]:
    found = document["Statistics"]
    return {
        "BytesScanned": found.get("DataScannedInBytes", 0),
        "ExecutionTimeInMillis": found.get("EngineExecutionTimeInMillis", 0),
    }
