"""The actions that call any operation of any service as the execution's role, and say what its answer must hold:
aws:executeAwsApi, aws:assertAwsResourceProperty, aws:waitForAwsResourceProperty.

https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-executeawsapi.html
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from trailstate.remediation.action import Done, Outcome, StepFailed, StepRun, Waiting, action
from trailstate.values.jsonpath import Absent, BadPath, find
from trailstate.wire import model
from trailstate.wire.validate import validate

POLL_SECONDS = 2.0


@action("aws:executeAwsApi")
def execute_aws_api(step: StepRun, /, *, Service: str, Api: str, **parameters: Any) -> Outcome:
    """Call the operation; the selectors of the step's outputs read its answer."""
    return Done(source=answer(step, Service, Api, parameters))


@action("aws:assertAwsResourceProperty")
def assert_aws_resource_property(
    step: StepRun, /, *, Service: str, Api: str, PropertySelector: str, DesiredValues: Any, **parameters: Any
) -> Outcome:
    """Fail at once unless the property has one of the desired values."""
    found = _property(answer(step, Service, Api, parameters), PropertySelector)
    if not _is_desired(found, DesiredValues):
        raise StepFailed(
            f"the property {PropertySelector} is {_told(found)}, which is none of {DesiredValues}", "AssertionFailed"
        )
    return Done()


@action("aws:waitForAwsResourceProperty")
def wait_for_aws_resource_property(
    step: StepRun, /, *, Service: str, Api: str, PropertySelector: str, DesiredValues: Any, **parameters: Any
) -> Outcome:
    """Ask again and again, until the property has one of the desired values or the step's time is over."""
    found = _property(answer(step, Service, Api, parameters), PropertySelector)
    if _is_desired(found, DesiredValues):
        return Done()
    return Waiting(POLL_SECONDS, {"found": _told(found)})


def answer(step: StepRun, service: str, api: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The operation's answer as plain values: times as ISO 8601, bytes as base64."""
    operation = operation_named(service, api)
    described = model.operation_model(service, operation)
    shape = described.input_shape
    given = {} if shape is None else _fitted(shape, parameters, operation)
    validate(service, described, given)
    found: dict[str, Any] = plain(step.hands.call(service, operation, given))
    return found


def operation_named(service: str, api: str) -> str:
    """The operation's name in AWS's model, however it is written: `DescribeInstances` or `describe_instances`."""
    try:
        names = _names(service)
    except LookupError as error:
        raise StepFailed(f"there is no service '{service}'", "InvalidInput") from error
    found = names.get(api.replace("_", "").lower())
    if found is None:
        raise StepFailed(f"the service '{service}' has no operation '{api}'", "InvalidInput")
    return found


@cache
def _names(service: str) -> Mapping[str, str]:
    return {name.lower(): name for name in model.service_model(service).operation_names}


def plain(value: Any) -> Any:
    """The value as JSON can hold it."""
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items() if name != "ResponseMetadata"}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _property(found: Any, selector: str) -> Any:
    try:
        return find(selector, found)
    except Absent:
        return None
    except BadPath as error:
        raise StepFailed(str(error), "InvalidInput") from error


def _is_desired(found: Any, desired: Any) -> bool:
    """Booleans are written "True" or "true" in documents, numbers as text."""
    wanted = {_told(each).lower() for each in (desired if isinstance(desired, list) else [desired])}
    return any(_told(each).lower() in wanted for each in (found if isinstance(found, list) and found else [found]))


def _told(value: Any) -> str:
    return str(value)


# ---- a document's values made to fit the model: texts for numbers, times and bytes ----


def _fitted(shape: Any, value: Any, where: str) -> Any:
    fit = _FITTERS.get(shape.type_name)
    try:
        return value if fit is None else fit(shape, value, where)
    except (ValueError, TypeError) as error:
        raise StepFailed(f"{where} must be a {shape.type_name}; got {value!r}", "InvalidInput") from error


def _structure(shape: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        return value
    unknown = sorted(set(value) - set(shape.members))
    if unknown:
        raise StepFailed(
            f"{where} has no member {', '.join(unknown)}; it has {', '.join(shape.members)}", "InvalidInput"
        )
    return {name: _fitted(shape.members[name], each, f"{where}.{name}") for name, each in value.items()}


def _list(shape: Any, value: Any, where: str) -> Any:
    items: Sequence[Any] = value if isinstance(value, list) else [value]
    return [_fitted(shape.member, each, f"{where}[{place}]") for place, each in enumerate(items)]


def _map(shape: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {name: _fitted(shape.value, each, f"{where}.{name}") for name, each in value.items()}


def _text(_: Any, value: Any, __: str) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _boolean(_: Any, value: Any, __: str) -> Any:
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value


def _integer(_: Any, value: Any, __: str) -> Any:
    return int(value) if isinstance(value, str) else value


def _number(_: Any, value: Any, __: str) -> Any:
    return float(value) if isinstance(value, str) else value


def _blob(_: Any, value: Any, __: str) -> Any:
    return value.encode() if isinstance(value, str) else value


def _time(_: Any, value: Any, __: str) -> Any:
    if not isinstance(value, str):
        return value
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_FITTERS: Mapping[str, Callable[[Any, Any, str], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _text,
    "boolean": _boolean,
    "integer": _integer,
    "long": _integer,
    "float": _number,
    "double": _number,
    "blob": _blob,
    "timestamp": _time,
}
