"""Query executions: started, told of, stopped, and their answers page by page (Athena API reference)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trailstate.lake import statement
from trailstate.lake.execute import Executions
from trailstate.lake.execution import (
    ENDED,
    EXECUTIONS,
    executions,
    kept_columns,
    kept_lines,
    key_of,
    row_of,
)
from trailstate.lake.gate import Refused
from trailstate.lake.result import csv_rows
from trailstate.services.athena.listing import listed, refused
from trailstate.services.athena.workgroup import PRIMARY, found_workgroup
from trailstate.services.operation import operation
from trailstate.services.paging import page
from trailstate.stores.interface import Objects, ShelfKey, Store
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call
from trailstate.world import World

RESULTS_MAX = 1000
TIMES = ("SubmissionDateTime", "CompletionDateTime")
ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}


@operation("athena")
def start_query_execution(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    QueryString: str,
    ClientRequestToken: str | None = None,
    QueryExecutionContext: Mapping[str, str] | None = None,
    ResultConfiguration: Mapping[str, Any] | None = None,
    WorkGroup: str | None = None,
    ExecutionParameters: Sequence[str] | None = None,
    ResultReuseConfiguration: Mapping[str, Any] | None = None,
    EngineConfiguration: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Queue a query; the same token with the same query is the same execution."""
    workgroup = found_workgroup(call, shelf, WorkGroup or PRIMARY)
    if workgroup["State"] != "ENABLED":
        raise refused(f"WorkGroup {workgroup['Name']} is disabled.")
    if EngineConfiguration:
        raise refused("EngineConfiguration is not supported by Trailstate yet.")
    if ClientRequestToken is not None:
        known = _started_with(call, shelf, ClientRequestToken, QueryString)
        if known:
            return {"QueryExecutionId": known}
    context = dict(QueryExecutionContext or {})
    kind = _kind(QueryString, context.get("Database", "default"))
    if ExecutionParameters and kind != "DML":
        raise refused("ExecutionParameters fill the places of a question; this statement is none.")
    name = world.uuid()
    execution = {
        "QueryExecutionId": name,
        "Query": QueryString,
        "StatementType": kind,
        "ResultConfiguration": _results(workgroup, ResultConfiguration or {}, name, kind),
        "ResultReuseConfiguration": dict(ResultReuseConfiguration or {}),
        "QueryExecutionContext": context,
        "Status": {"State": "QUEUED", "SubmissionDateTime": call.now.isoformat()},
        "Statistics": {},
        "WorkGroup": workgroup["Name"],
        "EngineVersion": ENGINE,
        "ClientRequestToken": ClientRequestToken,
        **({"ExecutionParameters": list(ExecutionParameters)} if ExecutionParameters else {}),
    }
    key = key_of(call.account, call.region, name)
    shelf.put(key, execution)
    shelf.send(row_of(key))
    return {"QueryExecutionId": name}


def _started_with(call: Call, shelf: StagedShelf, token: str, query: str) -> str:
    for _, each in shelf.documents(call.account, call.region, EXECUTIONS):
        if each.get("ClientRequestToken") == token:
            if each["Query"] != query:
                raise refused("Idempotent parameters do not match: the token was used with another query.")
            return str(each["QueryExecutionId"])
    return ""


def _kind(query: str, database: str) -> str:
    """DML for questions; DDL, and UTILITY for what only tells. A query that cannot be read fails when it runs."""
    try:
        asked = statement.read(query, database)
    except Refused:
        return "DDL"
    if isinstance(asked, statement.Asking):
        return "DML"
    return "UTILITY" if isinstance(asked, statement.Show) else "DDL"


def _results(workgroup: Mapping[str, Any], given: Mapping[str, Any], name: str, kind: str) -> dict[str, Any]:
    """Where the answer goes: the workgroup's place if it says so, else the caller's, else the workgroup's."""
    settings = workgroup["Configuration"]
    own = settings.get("ResultConfiguration") or {}
    enforced = settings.get("EnforceWorkGroupConfiguration", False)
    chosen = own if enforced or not given.get("OutputLocation") else given
    place = chosen.get("OutputLocation")
    if not place:
        raise refused(
            "No output location provided. An output location is required either through the Workgroup result "
            "configuration setting or as an API input."
        )
    if not place.startswith("s3://"):
        raise refused(f"outputLocation is not a valid S3 path: {place}")
    ending = ".csv" if kind == "DML" else ".txt"
    return {**chosen, "OutputLocation": f"{place.rstrip('/')}/{name}{ending}"}


@operation("athena")
def get_query_execution(call: Call, shelf: StagedShelf, *, QueryExecutionId: str) -> dict[str, Any]:
    """How one execution stands."""
    return {"QueryExecution": told(_found(call, shelf, QueryExecutionId))}


@operation("athena")
def batch_get_query_execution(call: Call, shelf: StagedShelf, *, QueryExecutionIds: Sequence[str]) -> dict[str, Any]:
    """How several executions stand, and which are none."""
    found, unknown = [], []
    for name in QueryExecutionIds:
        document = shelf.get(key_of(call.account, call.region, name))
        if document is None:
            unknown.append({"QueryExecutionId": name, "ErrorCode": "NOT_FOUND", "ErrorMessage": _missing(name)})
        else:
            found.append(told(document))
    return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": unknown}


@operation("athena")
def list_query_executions(
    call: Call,
    shelf: StagedShelf,
    store: Store,
    tokens: PageTokens,
    *,
    NextToken: str | None = None,
    MaxResults: int | None = None,
    WorkGroup: str | None = None,
) -> dict[str, Any]:
    """The ids of a workgroup's executions, the newest first."""
    workgroup = found_workgroup(call, shelf, WorkGroup or PRIMARY)["Name"]
    found = [
        each["QueryExecutionId"]
        for each in executions(store, call.account, call.region)
        if each["WorkGroup"] == workgroup
    ]
    return listed(
        call, tokens, "QueryExecutionIds", ["executions", workgroup], found, limit=MaxResults, token=NextToken
    )


@operation("athena")
def stop_query_execution(
    call: Call, shelf: StagedShelf, running: Executions, *, QueryExecutionId: str
) -> dict[str, Any]:
    """Cancel an execution; one that has ended stays as it is."""
    document = _found(call, shelf, QueryExecutionId)
    if document["Status"]["State"] in ENDED:
        return {}
    running.cancel(QueryExecutionId)
    if document["Status"]["State"] == "QUEUED":
        status = document["Status"] | {
            "State": "CANCELLED",
            "CompletionDateTime": call.now.isoformat(),
            "StateChangeReason": "Query was cancelled",
        }
        shelf.put(_key(call, QueryExecutionId), document | {"Status": status})
    return {}


@operation("athena", judges=("MaxResults",))
def get_query_results(
    call: Call,
    shelf: StagedShelf,
    objects: Objects,
    tokens: PageTokens,
    *,
    QueryExecutionId: str,
    NextToken: str | None = None,
    MaxResults: int | None = None,
    QueryResultType: str | None = None,
) -> dict[str, Any]:
    """A page of the answer; the first one of a question begins with the names of its columns."""
    document = _found(call, shelf, QueryExecutionId)
    if QueryResultType not in (None, "DATA_ROWS"):
        raise refused("QueryResultType DATA_MANIFEST is not supported by Trailstate yet.")
    if MaxResults is not None and not 1 <= MaxResults <= RESULTS_MAX:
        raise refused(f"MaxResults is more than maximum allowed length {RESULTS_MAX}.")
    state = document["Status"]["State"]
    if state != "SUCCEEDED":
        ended = "did not finish successfully" if state in ENDED else "has not yet finished"
        raise refused(
            f"Query {ended}. Final query state: {state}" if state in ENDED else f"Query {ended}. Current state: {state}"
        )
    lines = kept_lines(objects, QueryExecutionId) or ()
    rows = list(csv_rows("".join(lines))) if document["StatementType"] == "DML" else [_tabbed(line) for line in lines]
    some, token = page(
        tokens,
        ["results", call.account, QueryExecutionId],
        rows,
        limit=MaxResults or RESULTS_MAX,
        token=NextToken,
        refuse=refused,
    )
    return {
        "UpdateCount": 0,
        "ResultSet": {
            "Rows": [{"Data": [{} if cell is None else {"VarCharValue": cell} for cell in row]} for row in some],
            "ResultSetMetadata": {"ColumnInfo": kept_columns(objects, QueryExecutionId)},
        },
        **({"NextToken": token} if token else {}),
    }


def _tabbed(line: str) -> list[str | None]:
    return list(line.rstrip("\n").split("\t"))


@operation("athena")
def get_query_runtime_statistics(call: Call, shelf: StagedShelf, *, QueryExecutionId: str) -> dict[str, Any]:
    """The times and sizes of an execution."""
    statistics = _found(call, shelf, QueryExecutionId)["Statistics"]
    timeline = {
        "QueryQueueTimeInMillis": statistics.get("QueryQueueTimeInMillis", 0),
        "EngineExecutionTimeInMillis": statistics.get("EngineExecutionTimeInMillis", 0),
        "TotalExecutionTimeInMillis": statistics.get("TotalExecutionTimeInMillis", 0),
    }
    scanned = {"InputBytes": statistics.get("DataScannedInBytes", 0)}
    return {"QueryRuntimeStatistics": {"Timeline": timeline, "Rows": scanned}}


def told(document: Mapping[str, Any]) -> dict[str, Any]:
    """An execution as the API shows it."""
    status = dict(document["Status"])
    status |= {name: datetime.fromisoformat(status[name]) for name in TIMES if name in status}
    return {name: value for name, value in document.items() if name != "ClientRequestToken"} | {"Status": status}


def _key(call: Call, name: str) -> ShelfKey:
    return key_of(call.account, call.region, name)


def _found(call: Call, shelf: StagedShelf, name: str) -> dict[str, Any]:
    document = shelf.get(_key(call, name))
    if document is None or "EventDataStore" in document:
        raise refused(_missing(name))
    return document


def _missing(name: str) -> str:
    return f"QueryExecution {name} was not found"
