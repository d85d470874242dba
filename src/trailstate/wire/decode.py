"""A routed request → its parameters, in the API's own member names; one reader for each protocol.

Timestamps become aware datetimes in UTC, blobs bytes. Members that the model does not know are dropped, as AWS drops
them. A streaming blob (the body of PutObject) and a stream of events are left out: they stay where the request has
them, and `streamed_member` names the former.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from trailstate.wire import read_cbor, read_json, read_query, read_rest, read_xml
from trailstate.wire.call import WireRequest
from trailstate.wire.form import MalformedForm
from trailstate.wire.readers import Readers
from trailstate.wire.route import Route
from trailstate.wire.spelling import serialization_error
from trailstate.wire.text import Malformed

HOLDS_ROOTS = frozenset({"s3"})
"""Services that hold a document against their published schema, which names its root."""

EVENT_STREAM = "application/vnd.amazon.eventstream"

DOCUMENT_BYTES_MAX = 70 * 1024 * 1024
"""The largest body that is read as a document: Lambda's code, 50 MB in base64. What S3 stores may be larger."""


def decode(request: WireRequest, route: Route) -> dict[str, Any]:
    """The operation's parameters. Raises the Fault with which the protocol refuses what cannot be read."""
    return decode_as(route.operation_model, request, route)


def decode_as(operation: Any, request: WireRequest, route: Route) -> dict[str, Any]:
    """`decode` for a given OperationModel of botocore's, for models that are not in its catalogue."""
    shape = operation.input_shape
    if shape is None:
        return {}
    try:
        return _DECODERS[route.protocol](operation, shape, _in_memory(operation, request), route)
    except (Malformed, MalformedForm) as error:
        raise serialization_error(route.service, route.protocol, str(error)) from None


def _in_memory(operation: Any, request: WireRequest) -> WireRequest:
    """The request with its document at hand, although the gateway left it in a file for its size."""
    if request.body_file is None or streamed_member(operation) is not None:
        return request
    if request.body_size > DOCUMENT_BYTES_MAX:
        raise Malformed(f"A document has at most {DOCUMENT_BYTES_MAX} bytes; this one has {request.body_size}.")
    return replace(request, body=request.content(DOCUMENT_BYTES_MAX), body_file=None)


def streamed_member(operation: Any) -> str | None:
    """The member that is the request's body and is not read into memory, if the operation has one."""
    shape = operation.input_shape
    payload = shape.serialization.get("payload") if shape is not None else None
    if payload is None or not _streams(shape.members[payload]):
        return None
    return str(payload)


def _streams(member: Any) -> bool:
    return bool(member.type_name == "blob" and member.serialization.get("streaming"))


BUILDERS = {
    "json": read_json.BUILDERS,
    "rest-json": read_json.BUILDERS,
    "rest-xml": read_xml.BUILDERS,
    "smithy-rpc-v2-cbor": read_cbor.BUILDERS,
    "query": read_query.QUERY_BUILDERS,
    "ec2": read_query.EC2_BUILDERS,
}


@cache
def _readers(_service_model: Any, protocol: str) -> Readers:
    return Readers(BUILDERS[protocol])


def _read(operation: Any, shape: Any, protocol: str, value: Any) -> dict[str, Any]:
    parameters: dict[str, Any] = _readers(operation.service_model, protocol).of(shape)(value)
    return parameters


def _decode_json(operation: Any, shape: Any, request: WireRequest, _: Route) -> dict[str, Any]:
    if _is_event_stream(request):
        return {}
    return _read(operation, shape, "json", read_json.parse_object(request.body))


def _decode_cbor(operation: Any, shape: Any, request: WireRequest, _: Route) -> dict[str, Any]:
    if _is_event_stream(request):
        return {}
    return _read(operation, shape, "smithy-rpc-v2-cbor", read_cbor.parse_object(request.body))


def _is_event_stream(request: WireRequest) -> bool:
    return (request.header("content-type") or "").startswith(EVENT_STREAM)


def _decode_query(operation: Any, shape: Any, _: WireRequest, route: Route) -> dict[str, Any]:
    return _read(operation, shape, route.protocol, read_query.hang(route.form))


# ---- rest ----


@cache
def _plan(operation: Any) -> read_rest.Plan:
    return read_rest.plan(operation.input_shape, operation.http["requestUri"])


def _decode_rest(operation: Any, _: Any, request: WireRequest, route: Route) -> dict[str, Any]:
    plan = _plan(operation)
    part = read_rest.Part(
        labels=route.path_parameters,
        query=read_rest.query_values(request.query),
        headers=_joined(request),
        all_headers=request.headers,
    )
    return read_rest.read_head(plan, part) | _body(operation, plan, request, route.protocol)


def _joined(request: WireRequest) -> dict[str, str]:
    """Headers by name; a header sent in several lines is one list (RFC 9110, 5.3)."""
    headers = dict(request.headers)
    if len(headers) != len(request.headers):
        for name in headers:
            headers[name] = ", ".join(value for other, value in request.headers if other == name)
    return headers


def _body(operation: Any, plan: read_rest.Plan, request: WireRequest, protocol: str) -> dict[str, Any]:
    shape = operation.input_shape
    if plan.payload is not None:
        return _payload(operation, plan.payload, request, protocol)
    if not plan.in_body or not request.body:
        return {}
    parsed = _PARSERS[protocol](request.body)
    found = _read(operation, shape, protocol, parsed)
    return {name: value for name, value in found.items() if name in plan.in_body}


def _payload(operation: Any, name: str, request: WireRequest, protocol: str) -> dict[str, Any]:
    """The member that is the whole body; absent when the body is empty, or the `{}` that JSON clients send for none."""
    shape = operation.input_shape
    member = shape.members[name]
    if not request.body or _streams(member) or member.serialization.get("eventstream"):
        return {}
    if member.type_name == "blob":
        return {name: request.body}
    if member.type_name == "string":
        return {name: _text(request.body)}
    parse = read_json.parse_json if protocol == "rest-json" else _PARSERS[protocol]
    value = parse(request.body)
    if operation.service_model.service_name in HOLDS_ROOTS:
        _hold_root(member, value[0])
    if value == {} and name not in shape.required_members:
        return {}
    return {name: _read(operation, member, protocol, value)}


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8.") from None


def _hold_root(member: Any, root: read_xml.Element) -> None:
    expected = member.serialization.get("name", member.name)
    if root.name != expected:
        raise Malformed(f"The root of the XML must be '{expected}', found '{root.name[:100]}'.")


def _xml_root(body: bytes) -> list[read_xml.Element]:
    return [read_xml.parse_xml(body)]


_PARSERS: Mapping[str, Callable[[bytes], Any]] = {"rest-json": read_json.parse_object, "rest-xml": _xml_root}

_DECODERS: Mapping[str, Callable[[Any, Any, WireRequest, Route], dict[str, Any]]] = {
    "json": _decode_json,
    "query": _decode_query,
    "ec2": _decode_query,
    "rest-json": _decode_rest,
    "rest-xml": _decode_rest,
    "smithy-rpc-v2-cbor": _decode_cbor,
}
