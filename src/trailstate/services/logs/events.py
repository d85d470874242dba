"""PutLogEvents, GetLogEvents, FilterLogEvents.

CloudWatch Logs API reference. What is put is durable with the call's record; a read first has it kept, so that one sees
one's own events.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from trailstate.follow import Runner
from trailstate.services.logs.found import existing_group, existing_stream, fault, milliseconds, named_group
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import InvalidToken, PageTokens
from trailstate.watch.arrival import LOGS, Events, logs_queue, logs_row
from trailstate.watch.filter import MalformedPattern, Message, Pattern, pattern
from trailstate.watch.group import DAY_MS, streams
from trailstate.watch.log import AFTER_ALL, BEFORE_ALL, EVENT_OVERHEAD_BYTES, LogEvent, LogEvents, Place
from trailstate.wire.call import Call

BATCH_EVENTS_MAX = 10_000
BATCH_BYTES_MAX = 1_048_576
EVENT_BYTES_MAX = 1_048_576
FUTURE_MAX_MS = 2 * 3600 * 1000
PAST_MAX_MS = 14 * DAY_MS
ANSWER_BYTES_MAX = 1_048_576
ANSWER_EVENTS_MAX = 10_000
SCANNED_MAX = 100_000
"""Events that one FilterLogEvents looks at before it answers with what it has and a token."""


@operation("logs")
def put_log_events(
    call: Call,
    shelf: StagedShelf,
    *,
    logGroupName: str,
    logStreamName: str,
    logEvents: Sequence[Mapping[str, Any]],
    sequenceToken: str | None = None,
    entity: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Keep events in order of time; those too old or too far ahead are told and not kept."""
    group = existing_group(call, shelf, logGroupName)
    existing_stream(call, shelf, logGroupName, logStreamName)
    _hold_batch(logEvents)
    now = milliseconds(call)
    kept, rejected = _sorted_out(logEvents, now, group.get("retentionInDays"))
    if kept:
        arrived = Events(call.account, call.region, logGroupName, group["id"], logStreamName, now, kept)
        shelf.send(logs_row(arrived, call.event_id))
    token = f"{now:056d}"
    return {"nextSequenceToken": token} | ({"rejectedLogEventsInfo": rejected} if rejected else {})


def _hold_batch(events: Sequence[Mapping[str, Any]]) -> None:
    times = [each["timestamp"] for each in events]
    size = sum(len(each["message"].encode()) + EVENT_OVERHEAD_BYTES for each in events)
    if len(events) > BATCH_EVENTS_MAX:
        raise fault.InvalidParameterException(f"A batch has at most {BATCH_EVENTS_MAX} events; found {len(events)}.")
    if size > BATCH_BYTES_MAX:
        raise fault.InvalidParameterException(f"Upload too large: {size} bytes exceeds limit of {BATCH_BYTES_MAX}")
    if any(before > after for before, after in pairwise(times)):
        raise fault.InvalidParameterException(
            "Log events in a single PutLogEvents request must be in chronological order."
        )
    if times[-1] - times[0] > DAY_MS:
        raise fault.InvalidParameterException(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )


def _sorted_out(
    events: Sequence[Mapping[str, Any]], now: int, retention_days: int | None
) -> tuple[list[tuple[int, str]], dict[str, int]]:
    """What is kept, and where the events begin and end that are not."""
    oldest = now - PAST_MAX_MS
    expired = oldest if retention_days is None else now - retention_days * DAY_MS
    times = [each["timestamp"] for each in events]
    too_old = sum(1 for time in times if time < oldest)
    expiring = sum(1 for time in times if time < expired)
    in_time = sum(1 for time in times if time <= now + FUTURE_MAX_MS)
    rejected: dict[str, int] = {}
    if too_old:
        rejected["tooOldLogEventEndIndex"] = too_old
    if expiring > too_old:
        rejected["expiredLogEventEndIndex"] = expiring
    if in_time < len(times):
        rejected["tooNewLogEventStartIndex"] = in_time
    chosen = events[max(too_old, expiring) : in_time]
    return [(each["timestamp"], each["message"]) for each in chosen], rejected


@operation("logs")
def get_log_events(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    events: LogEvents,
    runner: Runner,
    *,
    logStreamName: str,
    logGroupName: str | None = None,
    logGroupIdentifier: str | None = None,
    startTime: int | None = None,
    endTime: int | None = None,
    nextToken: str | None = None,
    limit: int | None = None,
    startFromHead: bool | None = None,
    unmask: bool | None = None,
) -> dict[str, Any]:
    """One stream's events; at the end a token answers nothing and itself."""
    name = named_group(logGroupName, logGroupIdentifier)
    group = existing_group(call, shelf, name)
    existing_stream(call, shelf, name, logStreamName)
    runner.drain(LOGS, logs_queue(call.account, call.region, name))
    first = _from(startTime, call, group)
    last = AFTER_ALL if endTime is None else Place(endTime, 0)
    question = [call.account, call.region, name, logStreamName]
    backward, place = _opened(tokens, question, nextToken, startFromHead=bool(startFromHead))
    if place is not None and backward:
        last = min(last, place)
    elif place is not None:
        first = max(first, place)
    wanted = min(limit or ANSWER_EVENTS_MAX, ANSWER_EVENTS_MAX)
    found = events.page(group["id"], logStreamName, first, last, wanted, backward=backward)
    found = _within_bytes(found, backward=backward)
    ends = (found[0].place, found[-1].place) if found else ((place or first), (place or first))
    if not found and place is None and not startFromHead:
        ends = (last, first) if endTime is not None else (first, first)
    return {
        "events": [_told(each) for each in found],
        "nextForwardToken": f"f/{tokens.seal(question, ends[1])}",
        "nextBackwardToken": f"b/{tokens.seal(question, ends[0])}",
    }


def _opened(
    tokens: PageTokens, question: Sequence[Any], token: str | None, *, startFromHead: bool
) -> tuple[bool, Place | None]:
    """Whether to go backward, and from where."""
    if token is None:
        return not startFromHead, None
    way, _, sealed = token.partition("/")
    try:
        place = Place(*tokens.open(question, sealed))
    except (InvalidToken, TypeError):
        raise fault.InvalidParameterException("The specified nextToken is invalid.") from None
    return way == "b", place


def _from(start: int | None, call: Call, group: Mapping[str, Any]) -> Place:
    """Just before the first moment asked for that is not past the group's retention."""
    days = group.get("retentionInDays")
    kept = 0 if days is None else milliseconds(call) - days * DAY_MS
    first = max(start or 0, kept)
    return Place(first, -1) if first > 0 else BEFORE_ALL


def _within_bytes(found: list[LogEvent], *, backward: bool) -> list[LogEvent]:
    """As many as one answer holds, at least one, from the end that was asked for."""
    size = 0
    kept: list[LogEvent] = []
    for each in reversed(found) if backward else found:
        size += len(each.message.encode()) + EVENT_OVERHEAD_BYTES
        if kept and size > ANSWER_BYTES_MAX:
            break
        kept.append(each)
    return kept[::-1] if backward else kept


def _told(event: LogEvent) -> dict[str, Any]:
    return {"timestamp": event.place.time, "message": event.message, "ingestionTime": event.ingested}


@operation("logs")
def filter_log_events(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    events: LogEvents,
    runner: Runner,
    *,
    logGroupName: str | None = None,
    logGroupIdentifier: str | None = None,
    logStreamNames: Sequence[str] | None = None,
    logStreamNamePrefix: str | None = None,
    startTime: int | None = None,
    endTime: int | None = None,
    filterPattern: str | None = None,
    nextToken: str | None = None,
    limit: int | None = None,
    startFromHead: bool | None = None,
    interleaved: bool | None = None,
    unmask: bool | None = None,
) -> dict[str, Any]:
    """A group's events that match, oldest first."""
    name = named_group(logGroupName, logGroupIdentifier)
    group = existing_group(call, shelf, name)
    if logStreamNames is not None and logStreamNamePrefix is not None:
        raise fault.InvalidParameterException("logStreamNames and logStreamNamePrefix are mutually exclusive.")
    if startFromHead is False:
        raise fault.InvalidParameterException("Reading from the newest event on is not supported by Trailstate yet")
    wanted = readable(filterPattern or "")
    chosen = _chosen(call, shelf, name, logStreamNames, logStreamNamePrefix)
    runner.drain(LOGS, logs_queue(call.account, call.region, name))
    question = [call.account, call.region, name, logStreamNames, logStreamNamePrefix, startTime, endTime, filterPattern]
    first = _from(startTime, call, group)
    if nextToken is not None:
        first = _opened(tokens, question, f"f/{nextToken}", startFromHead=True)[1] or first
    last = AFTER_ALL if endTime is None else Place(endTime + 1, 0)
    found, stopped = _search(events, group["id"], wanted, chosen, first, last, limit or ANSWER_EVENTS_MAX)
    shown = [_told(each) | {"logStreamName": each.stream, "eventId": each.id} for each in found]
    more = {} if stopped is None else {"nextToken": tokens.seal(question, stopped)}
    return {"events": shown, "searchedLogStreams": [], **more}


def readable(text: str) -> Pattern:
    """The pattern, read; InvalidParameterException that says what is wrong with it."""
    try:
        return pattern(text)
    except MalformedPattern as malformed:
        raise fault.InvalidParameterException(f"Invalid filter pattern: {malformed}") from None


def _chosen(
    call: Call, shelf: StagedShelf, group: str, names: Sequence[str] | None, prefix: str | None
) -> frozenset[str] | None:
    """The streams to look into; None for all."""
    if names is not None:
        for each in names:
            existing_stream(call, shelf, group, each)
        return frozenset(names)
    if prefix is None:
        return None
    known = shelf.documents(call.account, call.region, streams(group))
    return frozenset(key.name for key, _ in known if key.name.startswith(prefix))


def _search(
    events: LogEvents,
    group: str,
    wanted: Pattern,
    chosen: frozenset[str] | None,
    first: Place,
    last: Place,
    limit: int,
) -> tuple[list[LogEvent], Place | None]:
    """The matching events up to the limits of one answer, and the place where it stopped before the end."""
    found: list[LogEvent] = []
    size = 0
    for scanned, each in enumerate(events.walk(group, first, last)):
        if (chosen is None or each.stream in chosen) and wanted.matches(Message(each.message)):
            size += len(each.message.encode()) + EVENT_OVERHEAD_BYTES
            found.append(each)
        if len(found) >= limit or size >= ANSWER_BYTES_MAX or scanned + 1 >= SCANNED_MAX:
            return found, each.place
    return found, None
