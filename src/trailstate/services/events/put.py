"""Events are put: checked, given their envelope, and on their way to every rule's targets when the call is answered.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html

Only AWS's own services may put events whose source begins with `aws.`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from trailstate.services.events.found import bus_name, fault, invalid, may_put
from trailstate.services.events.rule import check_pattern
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.pattern import read_pattern
from trailstate.watch.bus import DEFAULT, Buses, BusName, Event
from trailstate.wire.call import Call
from trailstate.wire.spelling import NOT_SUPPORTED
from trailstate.world import World

REQUEST_BYTES_MAX = 262_144
TIME_BYTES = 14
DETAIL_DEPTH_MAX = 300
ENVELOPE = ("id", "account", "source", "time", "region", "resources", "detail-type")
Entry = Mapping[str, Any]


class _Refused(Exception):
    """An entry that is not taken: code and message."""


@operation("events")
def put_events(
    call: Call,
    shelf: StagedShelf,
    world: World,
    buses: Buses,
    *,
    Entries: Sequence[Entry],
    EndpointId: str | None = None,
) -> dict[str, Any]:
    """Each entry is taken or refused by itself."""
    if EndpointId:
        raise invalid(f"A global endpoint {NOT_SUPPORTED}")
    if sum(map(_size, Entries)) > REQUEST_BYTES_MAX:
        raise invalid("Total size of the entries in the request is over the limit.")
    answers: list[dict[str, str]] = []
    for entry in Entries:
        try:
            bus, event = _event(call, shelf, world, entry)
        except _Refused as refusal:
            answers.append({"ErrorCode": refusal.args[0], "ErrorMessage": refusal.args[1]})
            continue
        for row in buses.arrivals(bus, event, call.now):
            shelf.send(row)
        answers.append({"EventId": event.id})
    return {"FailedEntryCount": sum("ErrorCode" in each for each in answers), "Entries": answers}


def _size(entry: Entry) -> int:
    texts = (entry.get("Source"), entry.get("DetailType"), entry.get("Detail"), *(entry.get("Resources") or ()))
    return sum(len(each.encode()) for each in texts if each) + (TIME_BYTES if "Time" in entry else 0)


def _event(call: Call, shelf: StagedShelf, world: World, entry: Entry) -> tuple[BusName, Event]:
    for member in ("Source", "DetailType", "Detail"):
        if not entry.get(member):
            raise _Refused(
                "InvalidArgument", f"Parameter {member} is not valid. Reason: {member} is a required argument."
            )
    if entry["Source"].startswith("aws.") and call.principal.type != "AWSService":
        raise _Refused("NotAuthorizedForSourceException", "Not authorized for the source.")
    event = Event(
        version="0",
        id=world.uuid(),
        detail_type=entry["DetailType"],
        source=entry["Source"],
        account=call.account,
        time=f"{entry.get('Time') or call.now:%Y-%m-%dT%H:%M:%SZ}",
        region=call.region,
        resources=tuple(entry.get("Resources") or ()),
        detail=msgspec.Raw(_detail(entry["Detail"])),
    )
    return _bus(call, shelf, entry.get("EventBusName")), event


def _detail(text: str) -> bytes:
    """The detail as it was given; one that is no JSON object, or too deep for every rule to read, is malformed."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        found = None
    may_be_deep = text.count("{") + text.count("[") > DETAIL_DEPTH_MAX
    if not isinstance(found, dict) or (may_be_deep and _is_deep(found)):
        raise _Refused("MalformedDetail", "Detail is malformed.")
    return text.encode()


def _is_deep(found: Any) -> bool:
    """Whether something is nested deeper than may be; level by level, since a call for each would not come back."""
    level = [found]
    for _ in range(DETAIL_DEPTH_MAX):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _bus(call: Call, shelf: StagedShelf, given: str | None) -> BusName:
    named = bus_name(call, given)
    held = shelf.get(named.key)
    if (named.account, named.region) != (call.account, call.region) and not may_put(call, named, held, "PutEvents"):
        raise _Refused("AccessDeniedException", f"User is not authorized to perform: events:PutEvents on {named.arn}")
    if held is None and named.name != DEFAULT:
        raise _Refused("ResourceNotFoundException", f"Event bus {named.name} does not exist.")
    return named


@operation("events")
def test_event_pattern(call: Call, *, EventPattern: str, Event: str) -> dict[str, Any]:
    """Whether the pattern matches the event, which has all members of an envelope."""
    check_pattern(EventPattern)
    try:
        event = json.loads(Event)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise fault.InvalidEventPatternException("Event is not valid. Reason: Event is not a JSON object")
    missing = [name for name in ENVELOPE if name not in event]
    if missing:
        raise invalid(f"Parameter Event is not valid. Reason: the event lacks {', '.join(missing)}.")
    return {"Result": read_pattern(EventPattern).matches(event)}
