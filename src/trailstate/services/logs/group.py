"""CreateLogGroup, DeleteLogGroup, DescribeLogGroups, ListLogGroups and the retention of groups."""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.services.logs.found import existing_group, fault, group_arn, group_key, milliseconds, name_of, page
from trailstate.services.logs.tags import hold_tags
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.watch.arrival import Events, logs_row
from trailstate.watch.group import GROUP, RETENTION_DAYS, metric_filters, streams, subscription_filters
from trailstate.watch.log import LogEvents
from trailstate.wire.call import Call
from trailstate.wire.spelling import NOT_SUPPORTED
from trailstate.world import World

ID_CHARACTERS = 16
STANDARD = "STANDARD"


@operation("logs")
def create_log_group(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    logGroupName: str,
    kmsKeyId: str | None = None,
    tags: Mapping[str, str] | None = None,
    logGroupClass: str | None = None,
    deletionProtectionEnabled: bool | None = None,
) -> dict[str, Any]:
    """An empty group whose events never expire."""
    if logGroupName.startswith("aws/"):
        raise fault.InvalidParameterException("Log groups starting with AWS/ are reserved for AWS.")
    if shelf.get(group_key(call, logGroupName)) is not None:
        raise fault.ResourceAlreadyExistsException("The specified log group already exists")
    document: dict[str, Any] = {
        "id": world.token(ID_CHARACTERS),
        "logGroupName": logGroupName,
        "creationTime": milliseconds(call),
        "tags": hold_tags({}, tags or {}),
        "logGroupClass": logGroupClass or STANDARD,
        "deletionProtectionEnabled": bool(deletionProtectionEnabled),
    }
    if kmsKeyId is not None:
        document["kmsKeyId"] = kmsKeyId
    shelf.put(group_key(call, logGroupName), document)
    return {}


@operation("logs")
def delete_log_group(call: Call, shelf: StagedShelf, *, logGroupName: str) -> dict[str, Any]:
    """The group with its streams, events and filters."""
    group = existing_group(call, shelf, logGroupName)
    if group["deletionProtectionEnabled"]:
        raise fault.ValidationException("The log group has deletion protection enabled.")
    for kind in (streams(logGroupName), metric_filters(logGroupName), subscription_filters(logGroupName)):
        for key, _ in list(shelf.documents(call.account, call.region, kind)):
            shelf.delete(key)
    shelf.delete(group_key(call, logGroupName))
    gone = Events(call.account, call.region, logGroupName, group["id"], "", milliseconds(call))
    shelf.send(logs_row(gone, call.event_id))
    return {}


@operation("logs")
def describe_log_groups(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    events: LogEvents,
    *,
    accountIdentifiers: Sequence[str] | None = None,
    logGroupNamePrefix: str | None = None,
    logGroupNamePattern: str | None = None,
    nextToken: str | None = None,
    limit: int | None = None,
    includeLinkedAccounts: bool | None = None,
    logGroupClass: str | None = None,
    logGroupIdentifiers: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The account's groups, by name."""
    if includeLinkedAccounts or accountIdentifiers:
        raise fault.InvalidParameterException(f"Looking into linked accounts {NOT_SUPPORTED}")
    if logGroupNamePrefix is not None and logGroupNamePattern is not None:
        raise fault.InvalidParameterException("LogGroup name prefix and LogGroup name pattern are mutually exclusive.")
    found = [
        (key, value)
        for key, value in shelf.documents(call.account, call.region, GROUP)
        if key.name.startswith(logGroupNamePrefix or "")
        and _holds(key.name, logGroupNamePattern)
        and logGroupClass in (None, value["logGroupClass"])
        and (not logGroupIdentifiers or key.name in {name_of(each) for each in logGroupIdentifiers})
    ]
    question = [call.account, call.region, logGroupNamePrefix, logGroupNamePattern, logGroupClass, logGroupIdentifiers]
    shown, more = page(tokens, question, found, limit=limit, token=nextToken)
    return {"logGroups": [_described(call, shelf, events, key, value) for key, value in shown], **more}


def _holds(name: str, part: str | None) -> bool:
    return part is None or part.lower() in name.lower()


def _described(
    call: Call, shelf: StagedShelf, events: LogEvents, key: ShelfKey, value: Mapping[str, Any]
) -> dict[str, Any]:
    told = {name: value[name] for name in ("retentionInDays", "kmsKeyId") if name in value}
    arn = group_arn(call, key.name)
    return {
        "logGroupName": key.name,
        "creationTime": value["creationTime"],
        "metricFilterCount": sum(1 for _ in shelf.documents(call.account, call.region, metric_filters(key.name))),
        "arn": f"{arn}:*",
        "storedBytes": events.stored_bytes(value["id"]),
        "logGroupClass": value["logGroupClass"],
        "logGroupArn": arn,
        "deletionProtectionEnabled": value["deletionProtectionEnabled"],
        **told,
    }


@operation("logs")
def put_retention_policy(call: Call, shelf: StagedShelf, *, logGroupName: str, retentionInDays: int) -> dict[str, Any]:
    """Events older than that are let go."""
    group = existing_group(call, shelf, logGroupName)
    if retentionInDays not in RETENTION_DAYS:
        raise fault.InvalidParameterException(
            f"retentionInDays must be one of {', '.join(map(str, RETENTION_DAYS))}; found {retentionInDays}."
        )
    shelf.put(group_key(call, logGroupName), group | {"retentionInDays": retentionInDays})
    return {}


@operation("logs")
def delete_retention_policy(call: Call, shelf: StagedShelf, *, logGroupName: str) -> dict[str, Any]:
    """From now on nothing expires."""
    group = existing_group(call, shelf, logGroupName)
    shelf.put(group_key(call, logGroupName), {k: v for k, v in group.items() if k != "retentionInDays"})
    return {}


@operation("logs")
def associate_kms_key(
    call: Call,
    shelf: StagedShelf,
    *,
    kmsKeyId: str,
    logGroupName: str | None = None,
    resourceIdentifier: str | None = None,
) -> dict[str, Any]:
    """Name the key that the group's events are encrypted with; here it is told and nothing is encrypted."""
    name = _named(logGroupName, resourceIdentifier)
    shelf.put(group_key(call, name), existing_group(call, shelf, name) | {"kmsKeyId": kmsKeyId})
    return {}


@operation("logs")
def disassociate_kms_key(
    call: Call, shelf: StagedShelf, *, logGroupName: str | None = None, resourceIdentifier: str | None = None
) -> dict[str, Any]:
    name = _named(logGroupName, resourceIdentifier)
    group = existing_group(call, shelf, name)
    shelf.put(group_key(call, name), {k: v for k, v in group.items() if k != "kmsKeyId"})
    return {}


def _named(name: str | None, identifier: str | None) -> str:
    if (name is None) == (identifier is None):
        raise fault.InvalidParameterException("Exactly one of logGroupName and resourceIdentifier must be given.")
    return name if name is not None else name_of(identifier or "")
