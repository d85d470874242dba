"""Targets of rules: put, listed and removed.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.services.events.found import fault, find_bus, find_rule, invalid, keep_rule, paged
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.watch.target import is_possible, service_of
from trailstate.watch.transform import BadInput, check_input
from trailstate.wire.call import Call
from trailstate.wire.spelling import NOT_SUPPORTED
from trailstate.world import World

TARGETS_MAX = 5


@operation("events")
def put_targets(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    Rule: str,
    Targets: Sequence[Mapping[str, Any]],
    EventBusName: str | None = None,
) -> dict[str, Any]:
    """A target whose Id the rule has replaces that one."""
    named, held = find_bus(call, shelf, EventBusName)
    _, rule = find_rule(call, shelf, Rule, EventBusName)
    for target in Targets:
        _check(target)
    merged = {**rule["Targets"], **{each["Id"]: dict(each) for each in Targets}}
    if len(merged) > TARGETS_MAX:
        raise fault.LimitExceededException("The requested resource exceeds the maximum number allowed.")
    keep_rule(shelf, world, named, held, Rule, {**rule, "Targets": merged})
    return {"FailedEntryCount": 0, "FailedEntries": []}


def _check(target: Mapping[str, Any]) -> None:
    arn = target["Arn"]
    if arn.count(":") < 5 or not arn.startswith("arn:"):
        raise invalid(f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format.")
    if not is_possible(arn):
        raise invalid(f"A target of the service '{service_of(arn)}' {NOT_SUPPORTED}")
    if arn.endswith(".fifo") and not (target.get("SqsParameters") or {}).get("MessageGroupId"):
        raise invalid(f"Parameter(s) SqsParameters must be specified for target: {target['Id']}.")
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if queue and service_of(queue) != "sqs":
        raise invalid(f"Parameter {queue} is not valid. Reason: the dead-letter target must be an SQS queue.")
    try:
        check_input(target)
    except BadInput as error:
        raise invalid(str(error)) from error


@operation("events")
def remove_targets(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    Rule: str,
    Ids: Sequence[str],
    EventBusName: str | None = None,
    Force: bool | None = None,
) -> dict[str, Any]:
    """An Id that the rule does not have is a failed entry."""
    named, held = find_bus(call, shelf, EventBusName)
    _, rule = find_rule(call, shelf, Rule, EventBusName)
    left = {name: each for name, each in rule["Targets"].items() if name not in Ids}
    unknown = [each for each in Ids if each not in rule["Targets"]]
    keep_rule(shelf, world, named, held, Rule, {**rule, "Targets": left})
    failed = [
        {
            "TargetId": each,
            "ErrorCode": "ResourceNotFoundException",
            "ErrorMessage": f"Rule {Rule} does not have a target with the Id {each}.",
        }
        for each in unknown
    ]
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}


@operation("events")
def list_targets_by_rule(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    Rule: str,
    EventBusName: str | None = None,
    NextToken: str | None = None,
    Limit: int | None = None,
) -> dict[str, Any]:
    """In the order in which they were put first."""
    named, rule = find_rule(call, shelf, Rule, EventBusName)
    found, following = paged(tokens, call, list(rule["Targets"].values()), Limit, NextToken, named.arn, Rule)
    return {"Targets": found, **following}
