"""PutResourcePolicy, GetResourcePolicy and DeleteResourcePolicy: who else may send events through a channel."""

from typing import Any

from trailstate.services.cloudtrail.found import fault
from trailstate.services.cloudtrail.resource import Channel, resource_of
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.trail.channel import POLICY, beside
from trailstate.values.policy import MalformedPolicy, read_policy, statements, texts
from trailstate.wire.call import Call
from trailstate.wire.fault import Fault

ACTION = "cloudtrail-data:PutAuditEvents"


@operation("cloudtrail")
def put_resource_policy(call: Call, shelf: StagedShelf, *, ResourceArn: str, ResourcePolicy: str) -> dict[str, Any]:
    """The policy replaces the one that the channel had."""
    key = _channel(call, shelf, ResourceArn)
    try:
        _check(ResourceArn, ResourcePolicy)
    except MalformedPolicy as wrong:
        raise fault.ResourcePolicyNotValidException(f"The resource policy is not valid: {wrong}.") from wrong
    shelf.put(beside(key, POLICY), {"Policy": ResourcePolicy})
    return {"ResourceArn": ResourceArn, "ResourcePolicy": ResourcePolicy}


@operation("cloudtrail")
def get_resource_policy(call: Call, shelf: StagedShelf, *, ResourceArn: str) -> dict[str, Any]:
    """The policy exactly as it was put."""
    document = shelf.get(beside(_channel(call, shelf, ResourceArn), POLICY))
    if document is None:
        raise _none(ResourceArn)
    return {"ResourceArn": ResourceArn, "ResourcePolicy": document["Policy"]}


@operation("cloudtrail")
def delete_resource_policy(call: Call, shelf: StagedShelf, *, ResourceArn: str) -> dict[str, Any]:
    """Nobody but the owner may send events from now on."""
    key = beside(_channel(call, shelf, ResourceArn), POLICY)
    if shelf.get(key) is None:
        raise _none(ResourceArn)
    shelf.delete(key)
    return {}


def _none(arn: str) -> Fault:
    return fault.ResourcePolicyNotFoundException(f"{arn} has no resource policy.")


def _channel(call: Call, shelf: StagedShelf, arn: str) -> ShelfKey:
    """The key of the caller's channel of that ARN."""
    try:
        resource = resource_of(arn)
    except Fault as wrong:
        if wrong.code == "ResourceTypeNotSupportedException":
            raise
        raise fault.ResourceARNNotValidException(wrong.message) from wrong
    if not isinstance(resource, Channel):
        raise fault.ResourceTypeNotSupportedException("Trails have no resource policy; channels have.")
    key = resource.key(call)
    if key.account != call.account or shelf.get(key) is None:
        raise fault.ResourceNotFoundException(f"There is no channel {arn} in the account {call.account}.")
    return key


def _check(arn: str, text: str) -> None:
    """Each statement must name who, the one action that channels know, and this channel."""
    for statement in statements(read_policy(text)):
        if not statement.get("Principal"):
            raise MalformedPolicy("a statement has no Principal")
        actions, resources = texts(statement.get("Action")), texts(statement.get("Resource"))
        if not actions or any(each != ACTION for each in actions):
            raise MalformedPolicy(f"a statement's Action must be {ACTION}")
        if resources != [arn]:
            raise MalformedPolicy(f"a statement's Resource must be {arn}")
