"""The plan of an operation: how its request and its response are written, decided once from model and tables.

The hot path is a dictionary look-up and a handful of closures; botocore is asked only the first time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from trailstate.trail import shape_ec2, shape_s3
from trailstate.trail.category import classify
from trailstate.trail.mask import masks
from trailstate.trail.names import keeps_capitals, lowered, renames
from trailstate.trail.shape import Convert, Rules, compiled, plain
from trailstate.trail.tables import table
from trailstate.wire import model
from trailstate.wire.call import Call, Outcome


@dataclass(frozen=True, slots=True)
class Plan:
    """How one operation is written."""

    request: Callable[[Call], Any]
    response: Callable[[Call, Outcome], Any]
    reads_result: bool
    """Whether the response is written from the API's output members."""


@cache
def plan_of(service: str, operation: str) -> Plan:
    """The plan of an operation; one the model does not know is written by rule L alone."""
    if service == "s3":
        return Plan(shape_s3.request_parameters, _s3_response(operation), reads_result=False)
    try:
        known = model.operation_model(service, operation)
    except LookupError:
        return Plan(lambda call: _unmodelled(call.parameters), _unshown, reads_result=False)
    shown = _is_shown(service, operation)
    if service == "ec2":
        convert = shape_ec2.request_converter(known)
        return Plan(lambda call: convert(call.parameters), _ec2_response(known) if shown else _unshown, shown)
    return Plan(_request(service, known), _response(service, known) if shown else _unshown, shown)


def _is_shown(service: str, operation: str) -> bool:
    classification = classify(service, operation)
    prefix = classification.event_source.partition(".")[0]
    shown: list[str] = table("classes")["shown_reads"]["values"].get(prefix, [])
    return operation in shown or not classification.read_only


def _unshown(_call: Call, _outcome: Outcome) -> None:
    return None


def _unmodelled(parameters: Mapping[str, Any]) -> Any:
    return {lowered(name): plain(value) for name, value in parameters.items()} or None


def _s3_response(operation: str) -> Callable[[Call, Outcome], Any]:
    if classify("s3", operation).read_only:
        return _unshown
    return lambda _call, outcome: shape_s3.response_elements(outcome)


def _ec2_response(known: Any) -> Callable[[Call, Outcome], Any]:
    convert = shape_ec2.response_converter(known)
    return lambda call, outcome: convert(outcome.result or {}, call.request_id)


def _rules(service: str, known: Any, side: str) -> Rules:
    metadata = known.service_model.metadata
    protocol = str(metadata["protocol"])
    return Rules(
        protocol=protocol,
        name=str if keeps_capitals(service) else lowered,
        masks=masks(service, known.name, side),
        renames=renames(service, known.name, side),
    )


def _request(service: str, known: Any) -> Callable[[Call], Any]:
    if known.input_shape is None:
        return lambda _call: None
    convert = compiled(known.input_shape, _rules(service, known, "request"))
    if service in table("members")["writes_host"]["services"]:
        return lambda call: {"Host": call.host, **convert(call.parameters)}
    return lambda call: convert(call.parameters) or None


def _response(service: str, known: Any) -> Callable[[Call, Outcome], Any]:
    shape = known.output_shape
    if shape is None:
        return _unshown
    rules = _rules(service, known, "response")
    wrapper = dropped_wrapper(service, shape)
    if wrapper is not None:
        inner = compiled(shape.members[wrapper], rules)
        return lambda _call, outcome: inner((outcome.result or {}).get(wrapper) or {}) or None
    convert: Convert = compiled(shape, rules)
    return lambda _call, outcome: convert(outcome.result or {}) or None


def dropped_wrapper(service: str, shape: Any) -> str | None:
    """The single structure of a response whose members stand at top level in the record (RDS and its kin)."""
    if service not in table("members")["unwrapped"]["services"] or len(shape.members) != 1:
        return None
    (name, member), *_ = shape.members.items()
    return str(name) if member.type_name == "structure" else None
