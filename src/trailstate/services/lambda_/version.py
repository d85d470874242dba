"""Published versions of a function, and the aliases that point to them.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
"""

from collections.abc import Mapping
from typing import Any

from trailstate.functions.function import LATEST, NoQualifier, version_of
from trailstate.services.lambda_.found import fault, find, hold_revision
from trailstate.services.operation import operation
from trailstate.services.paging import page
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call
from trailstate.world import World

PAGE_SIZE = 50
UNPUBLISHED = ("Version", "FunctionArn", "RevisionId", "LastModified", "Description")
"""What may differ between two versions that are otherwise the same."""


def published(function: dict[str, Any], description: str | None) -> Mapping[str, Any]:
    """Freeze `$LATEST` as a version, unless the newest version is the same; the version."""
    versions: dict[str, Mapping[str, Any]] = function["versions"]
    newest = versions[max(versions, key=int)] if versions else None
    if newest is not None and newest["code"] == function["code"] and _same(newest["config"], function["config"]):
        return newest
    number = str(int(max(versions, key=int, default="0")) + 1)
    number = str(max(int(number), int(function.get("last_version", 0)) + 1))
    config = function["config"] | {"Version": number, "FunctionArn": f"{function['config']['FunctionArn']}:{number}"}
    if description is not None:
        config["Description"] = description
    function |= {
        "versions": {**versions, number: {"config": config, "code": function["code"]}},
        "last_version": int(number),
    }
    made: Mapping[str, Any] = function["versions"][number]
    return made


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(name) == other.get(name) for name in {*one, *other} - set(UNPUBLISHED))


@operation("lambda")
def publish_version(
    call: Call,
    shelf: StagedShelf,
    *,
    FunctionName: str,
    CodeSha256: str | None = None,
    Description: str | None = None,
    RevisionId: str | None = None,
    PublishTo: str | None = None,
) -> dict[str, Any]:
    """What $LATEST is now, kept under the next number; the last one again if nothing has changed."""
    who, function = find(call, shelf, FunctionName)
    hold_revision(function, RevisionId)
    if CodeSha256 not in (None, function["config"]["CodeSha256"]):
        raise fault.InvalidParameterValueException(
            f"CodeSHA256 ({CodeSha256}) is different from current CodeSHA256 in $LATEST "
            f"({function['config']['CodeSha256']}). Please try again with the CodeSHA256 in $LATEST."
        )
    made = published(function, Description)
    shelf.put(who.key, function)
    return dict(made["config"])


@operation("lambda")
def list_versions_by_function(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    FunctionName: str,
    Marker: str | None = None,
    MaxItems: int | None = None,
) -> dict[str, Any]:
    """`$LATEST`, and every version from the first on."""
    who, function = find(call, shelf, FunctionName)
    numbers = sorted(function["versions"], key=int)
    found = [function["config"], *(function["versions"][number]["config"] for number in numbers)]
    limit = min(MaxItems or PAGE_SIZE, PAGE_SIZE)
    question = ["versions", who.arn]
    shown, token = page(tokens, question, found, limit=limit, token=Marker, refuse=fault.InvalidParameterValueException)
    return {"Versions": shown} | ({"NextMarker": token} if token else {})


@operation("lambda")
def create_alias(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    FunctionName: str,
    Name: str,
    FunctionVersion: str,
    Description: str | None = None,
    RoutingConfig: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A name for a version that is there."""
    who, function = find(call, shelf, FunctionName)
    if Name in function["aliases"]:
        raise fault.ResourceConflictException(f"Alias already exists: {who.arn}:{Name}", Type="User")
    alias = {
        "AliasArn": f"{who.arn}:{Name}",
        "Name": Name,
        "FunctionVersion": _existing(function, FunctionVersion),
        "Description": Description or "",
        "RevisionId": world.uuid(),
    }
    _keep(shelf, who, function, alias | ({} if RoutingConfig is None else {"RoutingConfig": dict(RoutingConfig)}))
    return alias


@operation("lambda")
def update_alias(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    FunctionName: str,
    Name: str,
    FunctionVersion: str | None = None,
    Description: str | None = None,
    RoutingConfig: Mapping[str, Any] | None = None,
    RevisionId: str | None = None,
) -> dict[str, Any]:
    """Only what is given changes."""
    who, function = find(call, shelf, FunctionName)
    alias = dict(_alias(function, who.arn, Name))
    if RevisionId not in (None, alias["RevisionId"]):
        raise fault.PreconditionFailedException("The Revision Id provided does not match the latest one.", Type="User")
    changes = {
        "FunctionVersion": None if FunctionVersion is None else _existing(function, FunctionVersion),
        "Description": Description,
        "RoutingConfig": RoutingConfig,
        "RevisionId": world.uuid(),
    }
    alias |= {name: value for name, value in changes.items() if value is not None}
    _keep(shelf, who, function, alias)
    return alias


@operation("lambda")
def get_alias(call: Call, shelf: StagedShelf, *, FunctionName: str, Name: str) -> dict[str, Any]:
    who, function = find(call, shelf, FunctionName)
    return dict(_alias(function, who.arn, Name))


@operation("lambda")
def list_aliases(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    FunctionName: str,
    FunctionVersion: str | None = None,
    Marker: str | None = None,
    MaxItems: int | None = None,
) -> dict[str, Any]:
    """The aliases by name, or those of one version."""
    who, function = find(call, shelf, FunctionName)
    found = [alias for _, alias in sorted(function["aliases"].items())]
    found = [alias for alias in found if FunctionVersion in (None, alias["FunctionVersion"])]
    limit = min(MaxItems or PAGE_SIZE, PAGE_SIZE)
    question = ["aliases", who.arn, FunctionVersion]
    shown, token = page(tokens, question, found, limit=limit, token=Marker, refuse=fault.InvalidParameterValueException)
    return {"Aliases": shown} | ({"NextMarker": token} if token else {})


@operation("lambda")
def delete_alias(call: Call, shelf: StagedShelf, *, FunctionName: str, Name: str) -> dict[str, Any]:
    who, function = find(call, shelf, FunctionName)
    left = {name: alias for name, alias in function["aliases"].items() if name != Name}
    shelf.put(who.key, function | {"aliases": left})
    return {}


def _alias(function: Mapping[str, Any], arn: str, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = function["aliases"].get(name)
    if found is None:
        raise fault.ResourceNotFoundException(f"Cannot find alias arn: {arn}:{name}", Type="User")
    return found


def _existing(function: Mapping[str, Any], version: str) -> str:
    try:
        return version if version == LATEST else version_of({**function, "aliases": {}}, version)
    except NoQualifier as error:
        raise fault.ResourceNotFoundException(f"Function version does not exist: {version}", Type="User") from error


def _keep(shelf: StagedShelf, who: Any, function: Mapping[str, Any], alias: Mapping[str, Any]) -> None:
    shelf.put(who.key, {**function, "aliases": {**function["aliases"], alias["Name"]: alias}})
