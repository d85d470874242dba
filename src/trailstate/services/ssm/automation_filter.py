"""Filters of automation executions and their steps, as the Describe operations take them.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AutomationExecutionFilter.html
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from trailstate.wire.fault import faults

fault = faults("ssm")

Filter = Callable[[Mapping[str, Any], str], bool]


def _equals(member: str) -> Filter:
    return lambda each, value: str(each.get(member)) == value


def _begun_before(each: Mapping[str, Any], value: str) -> bool:
    return bool(each["ExecutionStartTime"] < _moment(value))


def _begun_after(each: Mapping[str, Any], value: str) -> bool:
    return bool(each["ExecutionStartTime"] > _moment(value))


EXECUTION_FILTERS: Mapping[str, Filter] = {
    "DocumentNamePrefix": lambda each, value: str(each["DocumentName"]).startswith(value),
    "ExecutionStatus": _equals("AutomationExecutionStatus"),
    "ExecutionId": _equals("AutomationExecutionId"),
    "ParentExecutionId": _equals("ParentAutomationExecutionId"),
    "CurrentAction": _equals("CurrentAction"),
    "StartTimeBefore": _begun_before,
    "StartTimeAfter": _begun_after,
    "AutomationType": lambda _, value: value == "Local",
}
STEP_FILTERS: Mapping[str, Filter] = {
    "StepExecutionStatus": _equals("StepStatus"),
    "StepExecutionId": _equals("StepExecutionId"),
    "StepName": _equals("StepName"),
    "Action": _equals("Action"),
    "StartTimeBefore": _begun_before,
    "StartTimeAfter": _begun_after,
}


def passes(each: Mapping[str, Any], filters: Sequence[Mapping[str, Any]], known: Mapping[str, Filter]) -> bool:
    """Whether every filter has a value that fits; InvalidFilterKey for one that is not known."""
    for wanted in filters:
        if wanted["Key"] not in known:
            raise fault.InvalidFilterKey(f"The filter key '{wanted['Key']}' is not one of {', '.join(known)}.")
        if not any(known[wanted["Key"]](each, str(value)) for value in wanted["Values"]):
            return False
    return True


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise fault.InvalidFilterValue(f"A time is written as 2026-01-15T09:30:00Z; found '{value}'.") from error
    if moment.tzinfo is None:
        raise fault.InvalidFilterValue(f"A time has its offset, such as Z; found '{value}'.")
    return moment


def plain_filters(filters: Sequence[Mapping[str, Any]] | None) -> list[Any]:
    return [[each["Key"], list(each["Values"])] for each in filters or ()]
