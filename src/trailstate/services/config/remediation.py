"""Remediation configurations and executions: which document repairs what a rule finds.

https://docs.aws.amazon.com/config/latest/APIReference/API_PutRemediationConfigurations.html
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from trailstate.remediation.execution import key_of
from trailstate.remediation.library import Library, NoDocument
from trailstate.remediation.place import CONFIGURATION, REPAIR, UNDER_WAY, Place, queued
from trailstate.services.config.paged import paged
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call
from trailstate.wire.fault import faults
from trailstate.world import World

fault = faults("config")

PAGE_SIZE = 100
ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
STATES: Mapping[str, str] = {
    "Success": "SUCCEEDED",
    "Failed": "FAILED",
    "TimedOut": "FAILED",
    "Cancelled": "EXITED",
    "InProgress": "IN_PROGRESS",
    "Waiting": "IN_PROGRESS",
}


@operation("config")
def put_remediation_configurations(
    call: Call,
    shelf: StagedShelf,
    library: Library,
    world: World,
    *,
    RemediationConfigurations: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Keep each, replacing the rule's former one; where repair is automatic, what is non-compliant already wants it."""
    for given in RemediationConfigurations:
        _check(call, shelf, library, given)
    for given in RemediationConfigurations:
        key = ShelfKey(call.account, call.region, CONFIGURATION, given["ConfigRuleName"])
        former = shelf.get(key)
        arn = former["Arn"] if former else _arn(call, given["ConfigRuleName"], world)
        shelf.put(key, {**given, "Arn": arn})
        if given.get("Automatic"):
            sweep = Place(call.account, call.region, given["ConfigRuleName"], "", "")
            shelf.send(sweep.row("sweep", world.uuid()))
    return {"FailedBatches": []}


def _arn(call: Call, rule: str, world: World) -> str:
    identifier = world.token(6, ID_ALPHABET)
    return f"arn:aws:config:{call.region}:{call.account}:remediation-configuration/{rule}/{identifier}"


def _check(call: Call, shelf: StagedShelf, library: Library, given: Mapping[str, Any]) -> None:
    try:
        library.find(shelf.get, call.account, call.region, given["TargetId"])
    except NoDocument as error:
        raise fault.InvalidParameterValueException(
            f"The remediation of {given['ConfigRuleName']} names no document that exists: {given['TargetId']}."
        ) from error
    if given.get("Automatic") and not (given.get("MaximumAutomaticAttempts") and given.get("RetryAttemptSeconds")):
        raise fault.InvalidParameterValueException(
            "An automatic remediation says MaximumAutomaticAttempts and RetryAttemptSeconds."
        )
    for name, value in (given.get("Parameters") or {}).items():
        asked = value.get("ResourceValue", {}).get("Value", "RESOURCE_ID")
        if ("ResourceValue" in value) == ("StaticValue" in value) or asked != "RESOURCE_ID":
            raise fault.InvalidParameterValueException(
                f"The parameter '{name}' has either a StaticValue or the ResourceValue RESOURCE_ID."
            )


@operation("config")
def describe_remediation_configurations(
    call: Call, shelf: StagedShelf, *, ConfigRuleNames: Sequence[str]
) -> dict[str, Any]:
    found = (shelf.get(ShelfKey(call.account, call.region, CONFIGURATION, name)) for name in ConfigRuleNames)
    return {"RemediationConfigurations": [each for each in found if each is not None]}


@operation("config")
def delete_remediation_configuration(
    call: Call, shelf: StagedShelf, *, ConfigRuleName: str, ResourceType: str | None = None
) -> dict[str, Any]:
    """Unless one of its repairs is under way."""
    _configuration(call, shelf, ConfigRuleName)
    for _, repair in shelf.documents(call.account, call.region, REPAIR):
        if repair["rule"] == ConfigRuleName and repair["state"] in UNDER_WAY:
            raise fault.RemediationInProgressException(
                f"The remediation of {ConfigRuleName} is under way for {repair['resourceId']}."
            )
    shelf.delete(ShelfKey(call.account, call.region, CONFIGURATION, ConfigRuleName))
    return {}


def _configuration(call: Call, shelf: StagedShelf, rule: str) -> Mapping[str, Any]:
    found = shelf.get(ShelfKey(call.account, call.region, CONFIGURATION, rule))
    if found is None:
        raise fault.NoSuchRemediationConfigurationException(f"No RemediationConfiguration for rule {rule} exists.")
    return found


def _place(call: Call, rule: str, resource_type: str, resource_id: str) -> Place:
    return Place(call.account, call.region, rule, resource_type, resource_id)


# The model's list of resource types lacks AWS::::Account, which results of account-wide rules carry; so the keys are
# judged here.


@operation("config", judges=("ResourceKeys",))
def start_remediation_execution(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    ConfigRuleName: str,
    ResourceKeys: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    """Queue a repair of each resource that is not under repair already."""
    configuration = _configuration(call, shelf, ConfigRuleName)
    _hold_count(ResourceKeys)
    failed = []
    for key in ResourceKeys:
        if configuration.get("ResourceType") not in (None, "", key["resourceType"]):
            raise fault.InvalidParameterValueException(
                f"{ConfigRuleName} remediates {configuration['ResourceType']}, not {key['resourceType']}."
            )
        place = _place(call, ConfigRuleName, key["resourceType"], key["resourceId"])
        repair = shelf.get(place.repair)
        if repair is not None and repair["state"] in UNDER_WAY:
            failed.append(dict(key))
            continue
        begun = queued(place, world.uuid(), call.now, automatic=False)
        for change in begun.shelf:
            assert change.value is not None
            shelf.put(change.key, change.value)
        for row in begun.outbox:
            shelf.send(row)
    answer: dict[str, Any] = {"FailedItems": failed}
    if failed:
        answer["FailureMessage"] = "These resources are under remediation already."
    return answer


@operation("config", judges=("ResourceKeys",))
def describe_remediation_execution_status(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    ConfigRuleName: str,
    ResourceKeys: Sequence[Mapping[str, str]] | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The latest repair of each resource, step by step."""
    _configuration(call, shelf, ConfigRuleName)
    _hold_count(ResourceKeys)
    wanted = {(key["resourceType"], key["resourceId"]) for key in ResourceKeys or ()}
    repairs = [
        each
        for _, each in shelf.documents(call.account, call.region, REPAIR)
        if each["rule"] == ConfigRuleName and (not wanted or (each["resourceType"], each["resourceId"]) in wanted)
    ]
    limit, shape = Limit or PAGE_SIZE, partial(_status, call, shelf)
    return paged(call, tokens, "RemediationExecutionStatuses", repairs, limit=limit, token=NextToken, shape=shape)


def _hold_count(keys: Sequence[Mapping[str, str]] | None) -> None:
    if keys is not None and not 1 <= len(keys) <= PAGE_SIZE:
        raise fault.InvalidParameterValueException(f"ResourceKeys has 1 to {PAGE_SIZE} keys; got {len(keys)}.")
    for key in keys or ():
        if not (key.get("resourceType") and key.get("resourceId")):
            raise fault.InvalidParameterValueException("Each of ResourceKeys has a resourceType and a resourceId.")


def _status(call: Call, shelf: StagedShelf, repair: Mapping[str, Any]) -> dict[str, Any]:
    execution = shelf.get(key_of(call.account, call.region, repair["execution"])) if repair["execution"] else None
    return {
        "ResourceKey": {"resourceType": repair["resourceType"], "resourceId": repair["resourceId"]},
        "State": repair["state"],
        "StepDetails": _unstarted(repair) if execution is None else _steps(execution),
        "InvocationTime": datetime.fromisoformat(repair["invoked"]),
        "LastUpdatedTime": datetime.fromisoformat(repair["updated"]),
    }


def _unstarted(repair: Mapping[str, Any]) -> list[dict[str, Any]]:
    if repair["reason"] is None:
        return []
    return [{"Name": "StartAutomationExecution", "State": "FAILED", "ErrorMessage": repair["reason"]}]


def _steps(execution: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What has run, and while it goes on also what may still come."""
    told = []
    for step in execution["StepExecutions"]:
        shown = {
            "Name": step["StepName"],
            "State": STATES.get(step["StepStatus"], "UNKNOWN"),
            "ErrorMessage": step.get("FailureMessage"),
            "StartTime": datetime.fromisoformat(step["ExecutionStartTime"]),
            "StopTime": datetime.fromisoformat(step["ExecutionEndTime"]) if "ExecutionEndTime" in step else None,
        }
        told.append({name: value for name, value in shown.items() if value is not None})
    if "ExecutionEndTime" not in execution:
        begun = {step["Name"] for step in told}
        pending = (str(step["name"]) for step in execution["state"]["content"]["mainSteps"])
        told += [{"Name": name, "State": "PENDING"} for name in pending if name not in begun]
    return told
