"""Event buses: made, described, opened to others and deleted.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html and the pages of its neighbours
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trailstate.services.events.found import fault, find_bus, invalid, paged, read_tags
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.values.policy import MalformedPolicy, read_policy, statements
from trailstate.watch.bus import BUS, DEFAULT, BusName, policy_of
from trailstate.wire.call import Call
from trailstate.wire.spelling import NOT_SUPPORTED
from trailstate.world import World

NAME = re.compile(r"[A-Za-z0-9._-]{1,256}")
BUSES_MAX = 100
POLICY_BYTES_MAX = 10_240


@operation("events")
def create_event_bus(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    Name: str,
    EventSourceName: str | None = None,
    Description: str | None = None,
    KmsKeyIdentifier: str | None = None,
    DeadLetterConfig: Mapping[str, str] | None = None,
    LogConfig: Mapping[str, str] | None = None,
    Tags: Sequence[Mapping[str, str]] | None = None,
) -> dict[str, Any]:
    """A bus of the account; those of partners are not made here."""
    if EventSourceName or Name.startswith("aws."):
        raise invalid(f"A partner event bus {NOT_SUPPORTED}")
    if KmsKeyIdentifier or DeadLetterConfig or LogConfig:
        raise invalid(f"KmsKeyIdentifier, DeadLetterConfig or LogConfig of an event bus {NOT_SUPPORTED}")
    if not NAME.fullmatch(Name):
        raise invalid(f"Value '{Name}' at 'name' failed to satisfy constraint: [/\\.\\-_A-Za-z0-9]+")
    named = BusName(call.account, call.region, Name)
    if Name == DEFAULT or shelf.get(named.key) is not None:
        raise fault.ResourceAlreadyExistsException(f"Event bus {Name} already exists.")
    if sum(1 for _ in shelf.documents(call.account, call.region, BUS)) >= BUSES_MAX:
        raise fault.LimitExceededException(f"An account has at most {BUSES_MAX} event buses.")
    told = {"Description": Description} if Description else {}
    moment = call.now.isoformat()
    held = {"Revision": world.uuid(), "Statements": [], "Tags": read_tags(Tags or ()), "Created": moment, **told}
    shelf.put(named.key, {**held, "Modified": moment})
    return {"EventBusArn": named.arn, **told}


@operation("events")
def delete_event_bus(call: Call, shelf: StagedShelf, *, Name: str) -> dict[str, Any]:
    """A bus that is not there is no error; one with rules is."""
    named = BusName(call.account, call.region, Name)
    if Name == DEFAULT:
        raise invalid("Cannot delete event bus default.")
    if any(True for _ in shelf.documents(call.account, call.region, named.rule_key("").kind)):
        raise invalid("Event bus can't be deleted since it has rules.")
    shelf.delete(named.key)
    return {}


@operation("events")
def update_event_bus(
    call: Call,
    shelf: StagedShelf,
    *,
    Name: str | None = None,
    KmsKeyIdentifier: str | None = None,
    Description: str | None = None,
    DeadLetterConfig: Mapping[str, str] | None = None,
    LogConfig: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The description is replaced: without one there is none."""
    named, held = find_bus(call, shelf, Name)
    if KmsKeyIdentifier or DeadLetterConfig or LogConfig:
        raise invalid(f"KmsKeyIdentifier, DeadLetterConfig or LogConfig of an event bus {NOT_SUPPORTED}")
    told = {"Description": Description} if Description else {}
    kept = {name: value for name, value in held.items() if name != "Description"}
    shelf.put(named.key, {**kept, **told, "Modified": call.now.isoformat()})
    return {"Arn": named.arn, "Name": named.name, **told}


@operation("events")
def describe_event_bus(call: Call, shelf: StagedShelf, *, Name: str | None = None) -> dict[str, Any]:
    named, held = find_bus(call, shelf, Name)
    return _told(named, held)


@operation("events")
def list_event_buses(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    NamePrefix: str | None = None,
    NextToken: str | None = None,
    Limit: int | None = None,
) -> dict[str, Any]:
    """The default bus is always among them."""
    held = {key.name: value for key, value in shelf.documents(call.account, call.region, BUS)}
    held.setdefault(DEFAULT, {"Revision": "", "Statements": []})
    told = [
        _told(BusName(call.account, call.region, name), held[name])
        for name in sorted(held)
        if name.startswith(NamePrefix or "")
    ]
    found, following = paged(tokens, call, told, Limit, NextToken, NamePrefix)
    return {"EventBuses": found, **following}


def _told(named: BusName, held: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"Name": named.name, "Arn": named.arn}
    policy = policy_of(held)
    if policy is not None:
        told["Policy"] = json.dumps(policy, separators=(",", ":"))
    if held.get("Description"):
        told["Description"] = held["Description"]
    for member, name in (("CreationTime", "Created"), ("LastModifiedTime", "Modified")):
        if name in held:
            told[member] = datetime.fromisoformat(held[name])
    return told


@operation("events")
def put_permission(
    call: Call,
    shelf: StagedShelf,
    *,
    EventBusName: str | None = None,
    Action: str | None = None,
    Principal: str | None = None,
    StatementId: str | None = None,
    Condition: Mapping[str, str] | None = None,
    Policy: str | None = None,
) -> dict[str, Any]:
    """A statement is added, or the whole policy given."""
    named, held = find_bus(call, shelf, EventBusName)
    if Policy is not None:
        try:
            given = statements(read_policy(Policy))
        except MalformedPolicy as error:
            raise invalid(f"This policy is not valid: {error}.") from error
    else:
        if not (Action and Principal and StatementId):
            raise invalid("Parameter Action, Principal and StatementId, or Policy, must be specified.")
        statement = _statement(named, Action, Principal, StatementId, Condition)
        given = [*(each for each in held["Statements"] if each.get("Sid") != StatementId), statement]
    if len(json.dumps(given)) > POLICY_BYTES_MAX:
        raise fault.PolicyLengthExceededException(f"A policy has at most {POLICY_BYTES_MAX} bytes.")
    shelf.put(named.key, {**held, "Statements": given})
    return {}


def _statement(
    named: BusName, action: str, principal: str, sid: str, condition: Mapping[str, str] | None
) -> dict[str, Any]:
    who: Any = "*" if principal == "*" else {"AWS": f"arn:aws:iam::{principal}:root"}
    statement = {"Sid": sid, "Effect": "Allow", "Principal": who, "Action": action, "Resource": named.arn}
    if condition:
        statement["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
    return statement


@operation("events")
def remove_permission(
    call: Call,
    shelf: StagedShelf,
    *,
    StatementId: str | None = None,
    RemoveAllPermissions: bool | None = None,
    EventBusName: str | None = None,
) -> dict[str, Any]:
    """One statement of the bus's policy, or all of them."""
    named, held = find_bus(call, shelf, EventBusName)
    left = [] if RemoveAllPermissions else [each for each in held["Statements"] if each.get("Sid") != StatementId]
    if not RemoveAllPermissions and len(left) == len(held["Statements"]):
        raise fault.ResourceNotFoundException("Statement with the provided id does not exist.")
    shelf.put(named.key, {**held, "Statements": left})
    return {}
