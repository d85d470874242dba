"""A call in CBOR reaches the simulator in JSON, which it understands, and is answered in CBOR.

Smithy RPC v2 CBOR (https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html) and AWS's JSON protocol share
their operations, members and errors, so a call passes from one into the other, and its answer back, without loss.
"""

from dataclasses import replace

from trailstate.estate.interface import EstateRequest, EstateUnsupported
from trailstate.wire import model
from trailstate.wire.call import WireRequest, WireResponse
from trailstate.wire.decode import decode
from trailstate.wire.encode import encode_fault, encode_result
from trailstate.wire.fault import Fault
from trailstate.wire.parse import parse
from trailstate.wire.route import route
from trailstate.wire.serialize import serialize

CBOR = "smithy-rpc-v2-cbor"
JSON = "json"


def is_cbor(request: WireRequest) -> bool:
    return (request.header("smithy-protocol") or "").lower() == "rpc-v2-cbor"


def in_json(asked: EstateRequest) -> EstateRequest:
    """The same call in JSON. EstateUnsupported for a service that does not speak it."""
    if JSON not in model.service_model(asked.service).metadata.get("protocols", ()):
        raise EstateUnsupported(f"{asked.service} speaks CBOR alone, which the simulator does not")
    original = asked.request
    parameters = decode(original, route(original, asked.region))
    made = serialize(asked.service, asked.operation, parameters, region=asked.region, protocol=JSON)
    kept = tuple((name, value) for name, value in original.headers if name in ("host", "authorization", "user-agent"))
    headers = tuple(line for line in made.headers if line[0] not in dict(kept)) + kept
    request = replace(made, headers=headers, source_address=original.source_address)
    return replace(asked, request=request)


def in_cbor(asked: EstateRequest, answer: WireResponse) -> WireResponse:
    """The answer to the call in JSON, as its caller expects it."""
    operation = model.operation_model(asked.service, asked.operation)
    result, failure = parse(asked.service, operation, JSON, answer)
    if failure is not None:
        return encode_fault(asked.service, CBOR, Fault(failure.code, failure.message, answer.status, asked.service), "")
    return encode_result(asked.service, operation, CBOR, result, "")
