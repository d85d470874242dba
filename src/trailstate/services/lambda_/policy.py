"""Who may invoke a function, what it is tagged with, and how many of it may run at once.

https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.functions.function import LATEST
from trailstate.services.lambda_.found import Function, absent, fault, find, find_version, hold_revision
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.arn import ACCOUNT
from trailstate.wire.call import Call
from trailstate.world import World

POLICY_BYTES_MAX = 20_480
CONCURRENCY = 1000
UNRESERVED_MIN = 100


@operation("lambda")
def add_permission(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    FunctionName: str,
    StatementId: str,
    Action: str,
    Principal: str,
    SourceArn: str | None = None,
    FunctionUrlAuthType: str | None = None,
    InvokedViaFunctionUrl: bool | None = None,
    SourceAccount: str | None = None,
    EventSourceToken: str | None = None,
    Qualifier: str | None = None,
    RevisionId: str | None = None,
    PrincipalOrgID: str | None = None,
) -> dict[str, Any]:
    """One more statement of the policy of the function, or of one of its versions or aliases."""
    who, function, _ = find_version(call, shelf, FunctionName, Qualifier)
    hold_revision(function, RevisionId)
    place = who.qualifier or ""
    statements: list[Mapping[str, Any]] = function["policies"].get(place, [])
    if any(each["Sid"] == StatementId for each in statements):
        raise fault.ResourceConflictException(
            f"The statement id ({StatementId}) provided already exists. Please provide a new statement id, or remove "
            "the existing statement.",
            Type="User",
        )
    conditions = {
        "ArnLike": {"AWS:SourceArn": SourceArn},
        "StringEquals": {
            "AWS:SourceAccount": SourceAccount,
            "lambda:EventSourceToken": EventSourceToken,
            "lambda:FunctionUrlAuthType": FunctionUrlAuthType,
            "aws:PrincipalOrgID": PrincipalOrgID,
        },
    }
    statement: dict[str, Any] = {
        "Sid": StatementId,
        "Effect": "Allow",
        "Principal": _principal(Principal),
        "Action": Action,
        "Resource": f"{who.arn}:{place}" if place else who.arn,
    }
    kept = {test: {k: v for k, v in each.items() if v is not None} for test, each in conditions.items()}
    kept = {test: each for test, each in kept.items() if each}
    if kept:
        statement["Condition"] = kept
    _keep(shelf, who, function, world, place, [*statements, statement])
    return {"Statement": json.dumps(statement, separators=(",", ":"))}


def _principal(given: str) -> Any:
    if given == "*":
        return "*"
    if ACCOUNT.fullmatch(given):
        return {"AWS": f"arn:aws:iam::{given}:root"}
    return {"AWS" if given.startswith("arn:") else "Service": given}


@operation("lambda")
def remove_permission(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    FunctionName: str,
    StatementId: str,
    Qualifier: str | None = None,
    RevisionId: str | None = None,
) -> dict[str, Any]:
    """One statement of the policy of a function, a version or an alias."""
    who, function, _ = find_version(call, shelf, FunctionName, Qualifier)
    hold_revision(function, RevisionId)
    place = who.qualifier or ""
    statements: list[Mapping[str, Any]] = function["policies"].get(place, [])
    left = [each for each in statements if each["Sid"] != StatementId]
    if len(left) == len(statements):
        raise fault.ResourceNotFoundException(f"Statement {StatementId} is not found in resource policy.", Type="User")
    _keep(shelf, who, function, world, place, left)
    return {}


def _keep(
    shelf: StagedShelf, who: Any, function: Function, world: World, place: str, statements: Sequence[Mapping[str, Any]]
) -> None:
    if len(json.dumps(statements)) > POLICY_BYTES_MAX:
        raise fault.PolicyLengthExceededException(f"A policy has at most {POLICY_BYTES_MAX} bytes.")
    config = function["config"] | {"RevisionId": world.uuid()}
    shelf.put(who.key, function | {"config": config, "policies": {**function["policies"], place: list(statements)}})


@operation("lambda")
def get_policy(call: Call, shelf: StagedShelf, *, FunctionName: str, Qualifier: str | None = None) -> dict[str, Any]:
    """The policy as text; the fault when no statement is left."""
    who, function, _ = find_version(call, shelf, FunctionName, Qualifier)
    statements = function["policies"].get(who.qualifier or "", [])
    if not statements:
        raise fault.ResourceNotFoundException("The resource you requested does not exist.", Type="User")
    policy = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    return {"Policy": json.dumps(policy, separators=(",", ":")), "RevisionId": function["config"]["RevisionId"]}


@operation("lambda")
def tag_resource(call: Call, shelf: StagedShelf, *, Resource: str, Tags: Mapping[str, str]) -> dict[str, Any]:
    who, function = find(call, shelf, Resource)
    shelf.put(who.key, function | {"tags": {**function["tags"], **Tags}})
    return {}


@operation("lambda")
def untag_resource(call: Call, shelf: StagedShelf, *, Resource: str, TagKeys: Sequence[str]) -> dict[str, Any]:
    who, function = find(call, shelf, Resource)
    left = {name: value for name, value in function["tags"].items() if name not in TagKeys}
    shelf.put(who.key, function | {"tags": left})
    return {}


@operation("lambda")
def list_tags(call: Call, shelf: StagedShelf, *, Resource: str) -> dict[str, Any]:
    return {"Tags": find(call, shelf, Resource)[1]["tags"]}


@operation("lambda")
def put_function_concurrency(
    call: Call, shelf: StagedShelf, *, FunctionName: str, ReservedConcurrentExecutions: int
) -> dict[str, Any]:
    """With 0 the function is switched off; it is the only figure that an invocation is held against here."""
    who, function = find(call, shelf, FunctionName)
    if ReservedConcurrentExecutions > CONCURRENCY - UNRESERVED_MIN:
        raise fault.InvalidParameterValueException(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{UNRESERVED_MIN}]."
        )
    shelf.put(who.key, function | {"reserved": ReservedConcurrentExecutions})
    return {"ReservedConcurrentExecutions": ReservedConcurrentExecutions}


@operation("lambda")
def get_function_concurrency(call: Call, shelf: StagedShelf, *, FunctionName: str) -> dict[str, Any]:
    reserved = find(call, shelf, FunctionName)[1]["reserved"]
    return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}


@operation("lambda")
def delete_function_concurrency(call: Call, shelf: StagedShelf, *, FunctionName: str) -> dict[str, Any]:
    who, function = find(call, shelf, FunctionName)
    shelf.put(who.key, function | {"reserved": None})
    return {}


@operation("lambda")
def get_function_code_signing_config(call: Call, shelf: StagedShelf, *, FunctionName: str) -> dict[str, Any]:
    """No function has one: it is refused when a function is made."""
    return {"CodeSigningConfigArn": "", "FunctionName": find(call, shelf, FunctionName)[0].name}


@operation("lambda")
def get_function_url_config(
    call: Call, shelf: StagedShelf, *, FunctionName: str, Qualifier: str | None = None
) -> dict[str, Any]:
    """No function has one: they cannot be made here yet."""
    who = find_version(call, shelf, FunctionName, Qualifier)[0]
    raise (
        absent(who)
        if who.qualifier == LATEST
        else fault.ResourceNotFoundException("The resource you requested does not exist.", Type="User")
    )
