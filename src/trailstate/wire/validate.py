"""Parameters held against the model's constraints, refused in the words of AWS's own front end.

A wrong type is a serialization error, a broken constraint a validation error (`constraint`, `violation`).
"""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from trailstate.wire.constraint import Check, Compiler, Findings
from trailstate.wire.fault import Fault
from trailstate.wire.spelling import missing_parameter, serialization_error, validation_error
from trailstate.wire.violation import FINDINGS_MAX, Path, WrongType, null, small

NAMES_THE_MISSING = frozenset({"ec2", "sqs", "s3"})
"""Services that answer MissingParameter (or their word for it) instead of a list of violations."""


def validate(
    service: str,
    operation_model: Any,
    parameters: Mapping[str, Any],
    protocol: str | None = None,
    judged: Collection[str] = (),
) -> None:
    """Return if the parameters satisfy the model. Raises the Fault AWS would answer, whatever the values are.

    Of the members in `judged` only the types are held against the model, and that no list holds a null: the
    operation refuses bad values by an exception of its own.
    """
    check = _compiled(operation_model)
    if check is None:
        return
    spoken = protocol or operation_model.service_model.resolved_protocol
    findings: Findings = []
    try:
        check(parameters, None, findings)
    except WrongType as error:
        raise serialization_error(service, spoken, str(error)) from None
    if findings and judged:
        findings = _unjudged(check, parameters, judged)
    if findings:
        raise _refusal(service, spoken, operation_model, parameters, findings)


def _unjudged(check: Check, parameters: Mapping[str, Any], judged: Collection[str]) -> Findings:
    """The findings without those about judged members; that one is missing, or holds a null, is still found."""
    given = {name for name in judged if parameters.get(name) is not None}
    left_out = {null((None, small(name))) for name in given}
    findings: Findings = []
    check({name: value for name, value in parameters.items() if name not in given}, None, findings)
    nulls = [each for name in sorted(given) for each in _nulls_in(parameters[name], (None, small(name)))]
    return [each for each in findings if each not in left_out] + nulls[:FINDINGS_MAX]


def _nulls_in(value: Any, path: Path) -> Findings:
    """What is said of the nulls of a list."""
    if isinstance(value, list):
        return [null(((path, str(index)), "member")) for index, item in enumerate(value, 1) if item is None]
    return []


def _refusal(service: str, protocol: str, operation: Any, parameters: Mapping[str, Any], findings: Findings) -> Fault:
    if service in NAMES_THE_MISSING or protocol == "ec2":
        absent = next((name for name in operation.input_shape.required_members if parameters.get(name) is None), None)
        if absent is not None:
            return missing_parameter(
                service, protocol, _wire_name(operation.input_shape.members[absent], absent, protocol)
            )
    count = len(findings)
    heading = f"{count} validation error{'s' if count > 1 else ''} detected: "
    return validation_error(service, protocol, heading + "; ".join(findings))


def _wire_name(shape: Any, member: str, protocol: str) -> str:
    """The parameter as the client wrote it: EC2 sends `InstanceId` for the member `InstanceIds`."""
    if protocol != "ec2":
        return member
    name = str(shape.serialization.get("queryName") or shape.serialization.get("name") or member)
    return name[:1].upper() + name[1:]


@cache
def _compiled(operation_model: Any) -> Check | None:
    shape = operation_model.input_shape
    return None if shape is None else Compiler().structure(shape)
