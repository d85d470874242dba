"""Rules: put, described, switched, deleted, tagged.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html and the pages of its neighbours
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trailstate.services.events.found import (
    Document,
    fault,
    find_bus,
    find_rule,
    invalid,
    keep_rule,
    paged,
    read_tags,
)
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.values.pattern import BadPattern, read_pattern
from trailstate.watch.bus import BUS, DEFAULT, ENABLED, SCHEDULE, BusName
from trailstate.watch.schedule import BadSchedule, read_schedule
from trailstate.wire.call import Call
from trailstate.world import World

RULES_MAX = 10_000
"""Of a bus. AWS begins with 300 and grants more."""
SHOWN = ("EventPattern", "ScheduleExpression", "State", "Description", "RoleArn")


@operation("events")
def put_rule(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    Name: str,
    ScheduleExpression: str | None = None,
    EventPattern: str | None = None,
    State: str | None = None,
    Description: str | None = None,
    RoleArn: str | None = None,
    Tags: Sequence[Mapping[str, str]] | None = None,
    EventBusName: str | None = None,
) -> dict[str, Any]:
    """A rule is replaced whole but for its targets and tags."""
    named, held = find_bus(call, shelf, EventBusName)
    if not EventPattern and not ScheduleExpression:
        raise invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if EventPattern:
        check_pattern(EventPattern)
    known = shelf.get(named.rule_key(Name))
    told = {
        "EventPattern": EventPattern,
        "ScheduleExpression": ScheduleExpression,
        "State": State or ENABLED,
        "Description": Description,
        "RoleArn": RoleArn,
    }
    rule: Document = {name: value for name, value in told.items() if value}
    rule["Targets"] = {} if known is None else known["Targets"]
    rule["Tags"] = read_tags(Tags or ()) if known is None else known["Tags"]
    rule["CreatedBy"] = call.account
    if (
        known is None
        and sum(1 for _ in shelf.documents(named.account, named.region, named.rule_key("").kind)) >= RULES_MAX
    ):
        raise fault.LimitExceededException(f"The event bus {named.name} has {RULES_MAX} rules, as many as it may.")
    _schedule(call, shelf, named, Name, rule, known)
    keep_rule(shelf, world, named, held, Name, rule)
    return {"RuleArn": named.rule_arn(Name)}


def check_pattern(text: str) -> None:
    try:
        read_pattern(text)
    except BadPattern as error:
        raise fault.InvalidEventPatternException(f"Event pattern is not valid. Reason: {error}") from error


def _schedule(
    call: Call, shelf: StagedShelf, bus: BusName, name: str, rule: Document, known: Mapping[str, Any] | None
) -> None:
    """Have the clock run the rule, or no longer; an unchanged schedule goes on as it was."""
    expression = rule.get("ScheduleExpression")
    key = ShelfKey(bus.account, bus.region, SCHEDULE, name)
    if expression and bus.name != DEFAULT:
        raise invalid("ScheduleExpression is supported only on the default event bus.")
    if bus.name != DEFAULT:
        return
    if not expression or rule["State"] == "DISABLED":
        if shelf.get(key) is not None:
            shelf.delete(key)
        return
    following = _first(expression, call.now)
    if known is None or known.get("ScheduleExpression") != expression or shelf.get(key) is None:
        shelf.put(key, {"Next": "" if following is None else following.isoformat()})


def _first(expression: str, now: datetime) -> datetime | None:
    try:
        return read_schedule(expression).after(now)
    except BadSchedule:
        raise invalid("Parameter ScheduleExpression is not valid.") from None


@operation("events")
def delete_rule(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    Name: str,
    EventBusName: str | None = None,
    Force: bool | None = None,
) -> dict[str, Any]:
    """Its targets must be gone; a rule that is not there is no error."""
    named, held = find_bus(call, shelf, EventBusName)
    rule = shelf.get(named.rule_key(Name))
    if rule is None:
        return {}
    if rule["Targets"]:
        raise invalid("Rule can't be deleted since it has targets.")
    if rule.get("ScheduleExpression"):
        shelf.delete(ShelfKey(named.account, named.region, SCHEDULE, Name))
    keep_rule(shelf, world, named, held, Name, None)
    return {}


@operation("events")
def describe_rule(call: Call, shelf: StagedShelf, *, Name: str, EventBusName: str | None = None) -> dict[str, Any]:
    named, rule = find_rule(call, shelf, Name, EventBusName)
    return {**_told(named, Name, rule), "CreatedBy": rule["CreatedBy"]}


def _told(bus: BusName, name: str, rule: Mapping[str, Any]) -> dict[str, Any]:
    shown = {member: rule[member] for member in SHOWN if member in rule}
    return {"Name": name, "Arn": bus.rule_arn(name), "EventBusName": bus.name, **shown}


@operation("events")
def enable_rule(
    call: Call, shelf: StagedShelf, world: World, *, Name: str, EventBusName: str | None = None
) -> dict[str, Any]:
    return _switch(call, shelf, world, Name, EventBusName, ENABLED)


@operation("events")
def disable_rule(
    call: Call, shelf: StagedShelf, world: World, *, Name: str, EventBusName: str | None = None
) -> dict[str, Any]:
    return _switch(call, shelf, world, Name, EventBusName, "DISABLED")


def _switch(call: Call, shelf: StagedShelf, world: World, name: str, bus: str | None, state: str) -> dict[str, Any]:
    named, held = find_bus(call, shelf, bus)
    _, rule = find_rule(call, shelf, name, bus)
    changed = {**rule, "State": state}
    _schedule(call, shelf, named, name, changed, rule)
    keep_rule(shelf, world, named, held, name, changed)
    return {}


@operation("events")
def list_rules(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    NamePrefix: str | None = None,
    EventBusName: str | None = None,
    NextToken: str | None = None,
    Limit: int | None = None,
) -> dict[str, Any]:
    """The rules of a bus by name."""
    named, _ = find_bus(call, shelf, EventBusName)
    told = [
        _told(named, key.name, rule)
        for key, rule in shelf.documents(named.account, named.region, named.rule_key("").kind)
        if key.name.startswith(NamePrefix or "")
    ]
    found, following = paged(tokens, call, told, Limit, NextToken, named.arn, NamePrefix)
    return {"Rules": found, **following}


@operation("events")
def list_rule_names_by_target(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    TargetArn: str,
    EventBusName: str | None = None,
    NextToken: str | None = None,
    Limit: int | None = None,
) -> dict[str, Any]:
    """The rules of a bus that send to the target."""
    named, _ = find_bus(call, shelf, EventBusName)
    names = [
        key.name
        for key, rule in shelf.documents(named.account, named.region, named.rule_key("").kind)
        if any(each["Arn"] == TargetArn for each in rule["Targets"].values())
    ]
    found, following = paged(tokens, call, names, Limit, NextToken, named.arn, TargetArn)
    return {"RuleNames": found, **following}


# ---- tags, of rules and buses ----


@operation("events")
def list_tags_for_resource(call: Call, shelf: StagedShelf, *, ResourceARN: str) -> dict[str, Any]:
    _, document = _tagged(call, shelf, ResourceARN)
    return {"Tags": [{"Key": name, "Value": value} for name, value in document.get("Tags", {}).items()]}


@operation("events")
def tag_resource(
    call: Call, shelf: StagedShelf, *, ResourceARN: str, Tags: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    key, document = _tagged(call, shelf, ResourceARN)
    shelf.put(key, {**document, "Tags": read_tags(Tags, document.get("Tags"))})
    return {}


@operation("events")
def untag_resource(call: Call, shelf: StagedShelf, *, ResourceARN: str, TagKeys: Sequence[str]) -> dict[str, Any]:
    key, document = _tagged(call, shelf, ResourceARN)
    left = {name: value for name, value in document.get("Tags", {}).items() if name not in TagKeys}
    shelf.put(key, {**document, "Tags": left})
    return {}


def _tagged(call: Call, shelf: StagedShelf, arn: str) -> tuple[ShelfKey, Document]:
    """The rule or bus of an ARN; ResourceNotFoundException."""
    kind, _, rest = arn.split(":", 5)[-1].partition("/")
    bus, _, rule = rest.rpartition("/")
    named = BusName(call.account, call.region, rest if kind == "event-bus" else bus or DEFAULT)
    key = named.key if kind == "event-bus" else named.rule_key(rule)
    found = shelf.get(key)
    if found is None and key != ShelfKey(call.account, call.region, BUS, DEFAULT):
        raise fault.ResourceNotFoundException(f"Resource {arn} does not exist.")
    return key, dict(found or {"Revision": "", "Statements": []})
