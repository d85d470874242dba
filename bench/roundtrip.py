"""API values go over the wire and back before they are recorded, as in the gateway, but with a given answer.

Parameters are written by botocore's serializer, routed, decoded; a result or a fault is encoded and read back. The
record is made of what arrives, so a fault of the codec shows in it.
"""

from datetime import UTC, datetime
from string import Formatter
from typing import Any

from trailstate.trail import record
from trailstate.wire import model
from trailstate.wire.call import Call, Outcome, Principal, WireResponse
from trailstate.wire.decode import decode
from trailstate.wire.encode import encode_fault, encode_result
from trailstate.wire.fault import Fault, modelled_faults
from trailstate.wire.parse import parse
from trailstate.wire.route import route
from trailstate.wire.serialize import serialize

REGION = "us-east-1"
WHO = Principal(
    type="IAMUser", account="111122223333", principal_id="AIDAEXAMPLE", arn="arn:aws:iam::111122223333:user/a"
)
REQUEST_ID = "11111111-2222-4333-8444-555555555555"
STATUSES = {"AccessDenied": 403, "AccessDeniedException": 403, "UnauthorizedOperation": 403}
"""Those of the shared errors; a modelled one brings its own, the rest are 400."""

LABEL = "label"
"""Stands in a path for what a recorded call does not tell; without it there is no path."""

STUCK = (Fault, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What the codec raises over values that a recording gave in a form of its own."""


def recorded(
    service: str,
    operation: str,
    parameters: dict[str, Any],
    result: dict[str, Any] | None = None,
    failure: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """Our record of a call and its answer: a result, or the code on the wire and the message of a failure."""
    call = passed(service, operation, parameters)
    return record.build(call, answered(call, result, failure))


def passed(service: str, operation: str, parameters: dict[str, Any]) -> Call:
    """The call that a request with these parameters is understood as."""
    request = serialize(service, operation, _labels(service, operation) | parameters, region=REGION)
    found = route(request)
    invented = _labels(service, operation).keys() - parameters.keys()
    arrived = {name: value for name, value in decode(request, found).items() if name not in invented}
    return Call(
        service=found.service, operation=found.operation, parameters=arrived, account=WHO.account, region=REGION,
        principal=WHO, source_address="198.51.100.7", user_agent="bench", request_id=REQUEST_ID,
        event_id="66666666-7777-4888-9999-000000000000", now=datetime(2026, 1, 15, tzinfo=UTC), request=request,
        protocol=found.protocol, host=request.header("host") or "",
    )  # fmt: skip


def _labels(service: str, operation: str) -> dict[str, str]:
    """The members without which there is no path, or no host: those that the two name."""
    known = model.operation_model(service, operation)
    if known.input_shape is None:
        return {}
    host = (known.endpoint or {}).get("hostPrefix", "")
    named = {label for _, label, *_ in Formatter().parse(host) if label}
    placed = (m for m, shape in known.input_shape.members.items() if shape.serialization.get("location") == "uri")
    return dict.fromkeys((*named, *placed), LABEL)


def answered(call: Call, result: dict[str, Any] | None, failure: tuple[str, str] | None) -> Outcome:
    """What the gateway reads of the estate's answer."""
    known = model.operation_model(call.service, call.operation)
    if failure is not None:
        response = encode_fault(call.service, call.protocol, _fault(call.service, *failure), call.request_id)
    elif known.has_event_stream_output:
        return Outcome(WireResponse(200, ()), {})  # a stream is passed on unread
    else:
        response = encode_result(call.service, known, call.protocol, result or {}, call.request_id)
        if not record.needs_result(call):
            return Outcome(response)
    read, failed = parse(call.service, known, call.protocol, response)
    return Outcome(response, read, failed)


def _fault(service: str, code: str, message: str) -> Fault:
    for modelled in modelled_faults(service).values():
        if modelled.code == code:
            return Fault(code, message, modelled.status, service)
    return Fault(code, message, STATUSES.get(code, 400), service)
