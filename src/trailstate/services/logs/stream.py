"""CreateLogStream, DeleteLogStream, DescribeLogStreams."""

import re
from typing import Any

from trailstate.follow import Runner
from trailstate.services.logs.found import (
    existing_group,
    existing_stream,
    fault,
    group_arn,
    milliseconds,
    named_group,
    page,
    stream_key,
)
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.watch.arrival import LOGS, Events, logs_queue, logs_row
from trailstate.watch.group import STREAMS_MAX, streams
from trailstate.watch.log import LogEvents, StreamFacts
from trailstate.wire.call import Call

STREAM_NAME = re.compile(r"[^:*]{1,512}")
BY_TIME = "LastEventTime"


@operation("logs")
def create_log_stream(call: Call, shelf: StagedShelf, *, logGroupName: str, logStreamName: str) -> dict[str, Any]:
    """An empty stream."""
    existing_group(call, shelf, logGroupName)
    if not STREAM_NAME.fullmatch(logStreamName):
        raise fault.InvalidParameterException("The name of a stream has 1 to 512 characters other than ':' and '*'.")
    if shelf.get(stream_key(call, logGroupName, logStreamName)) is not None:
        raise fault.ResourceAlreadyExistsException("The specified log stream already exists")
    if sum(1 for _ in shelf.documents(call.account, call.region, streams(logGroupName))) >= STREAMS_MAX:
        raise fault.LimitExceededException(f"A log group has at most {STREAMS_MAX} streams here.")
    shelf.put(stream_key(call, logGroupName, logStreamName), {"creationTime": milliseconds(call)})
    return {}


@operation("logs")
def delete_log_stream(call: Call, shelf: StagedShelf, *, logGroupName: str, logStreamName: str) -> dict[str, Any]:
    """The stream with its events."""
    group = existing_group(call, shelf, logGroupName)
    existing_stream(call, shelf, logGroupName, logStreamName)
    shelf.delete(stream_key(call, logGroupName, logStreamName))
    gone = Events(call.account, call.region, logGroupName, group["id"], logStreamName, milliseconds(call))
    shelf.send(logs_row(gone, call.event_id))
    return {}


@operation("logs")
def describe_log_streams(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    events: LogEvents,
    runner: Runner,
    *,
    logGroupName: str | None = None,
    logGroupIdentifier: str | None = None,
    logStreamNamePrefix: str | None = None,
    orderBy: str | None = None,
    descending: bool | None = None,
    nextToken: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """A group's streams, by name or by the time of their last event."""
    name = named_group(logGroupName, logGroupIdentifier)
    group = existing_group(call, shelf, name)
    if orderBy == BY_TIME and logStreamNamePrefix is not None:
        raise fault.InvalidParameterException("Cannot order by LastEventTime with a logStreamNamePrefix.")
    runner.drain(LOGS, logs_queue(call.account, call.region, name))
    facts = events.streams(group["id"])
    found = [
        {
            "logStreamName": key.name,
            "creationTime": value["creationTime"],
            "arn": f"{group_arn(call, name)}:log-stream:{key.name}",
            "storedBytes": 0,
            **_times(facts.get(key.name)),
        }
        for key, value in shelf.documents(call.account, call.region, streams(name))
        if key.name.startswith(logStreamNamePrefix or "")
    ]
    if orderBy == BY_TIME:
        found.sort(key=lambda each: each.get("lastEventTimestamp", 0))
    if descending:
        found.reverse()
    question = [call.account, call.region, name, logStreamNamePrefix, orderBy, descending]
    shown, more = page(tokens, question, found, limit=limit, token=nextToken)
    return {"logStreams": list(shown), **more}


def _times(known: StreamFacts | None) -> dict[str, Any]:
    """What its events say of a stream; nothing before the first one."""
    if known is None:
        return {}
    return {
        "firstEventTimestamp": known.first,
        "lastEventTimestamp": known.last,
        "lastIngestionTime": known.ingested,
        "uploadSequenceToken": f"{known.ingested:056d}",
    }
