"""Results and faults as HTTP responses, in every protocol AWS speaks; the mirror image of what the SDKs parse.

Follows the Smithy specification's AWS protocols (awsJson1_0/1_1, awsQuery, ec2Query, restJson1, restXml, rpcv2Cbor).
Content-Length is the server's business.
"""

from collections.abc import Mapping
from typing import Any

from trailstate.wire import encode_error
from trailstate.wire.call import Headers, WireResponse
from trailstate.wire.encode_headers import bound_parts, request_id_headers, typed
from trailstate.wire.encode_tree import CborTree, JsonTree, cbor_bytes, json_bytes
from trailstate.wire.encode_xml import XML_DECLARATION, XmlWriter, element, namespace
from trailstate.wire.fault import Fault
from trailstate.wire.model import service_model

_BODILESS = frozenset({204, 304})
EC2_VERSION = "2016-11-15"
_JSON = JsonTree()
_CBOR = CborTree()


def encode_result(
    service: str, operation_model: Any, protocol: str, result: Mapping[str, Any] | None, request_id: str
) -> WireResponse:
    """A success. `result` holds output members in the API's spelling; TypeError for one the model does not have."""
    value = result or {}
    ids = request_id_headers(service, request_id)
    status, headers, body = _RESULTS[protocol](service, operation_model, value, request_id)
    if status in _BODILESS or operation_model.http.get("method") == "HEAD":
        body = b""
        headers = tuple(line for line in headers if line[0] != "content-type")
    return WireResponse(status, ids + headers, body)


def encode_fault(
    service: str | None, protocol: str, fault: Fault, request_id: str, *, head: bool = False, model: Any = None
) -> WireResponse:
    """A failure, with the modelled members of the fault's class. `head` leaves out the body, for an answer to HEAD;
    `model` stands for the service's model where it is not botocore's."""
    lines = list(request_id_headers(service, request_id))
    if fault.retry_after_seconds is not None:
        lines.append(("retry-after", str(fault.retry_after_seconds)))
    known = model if model is not None or service is None else service_model(service)
    headers, body = encode_error.WRITERS[protocol](encode_error.Failed(service, known, fault, request_id))
    if head:
        return WireResponse(fault.status, tuple(lines), b"")
    return WireResponse(fault.status, (*lines, *headers), body)


_Parts = tuple[int, Headers, bytes]


def _json_result(_service: str, operation: Any, value: Mapping[str, Any], _request_id: str) -> _Parts:
    tree = _JSON.members(_plain(operation), value) if operation.output_shape else {}
    return 200, (("content-type", _json_type(operation.service_model)),), json_bytes(tree)


def _json_type(model: Any) -> str:
    return f"application/x-amz-json-{model.metadata.get('jsonVersion', '1.1')}"


def _cbor_result(_service: str, operation: Any, value: Mapping[str, Any], _request_id: str) -> _Parts:
    protocol = (("smithy-protocol", "rpc-v2-cbor"),)
    if operation.output_shape is None:
        return 200, protocol, b""
    headers = (*protocol, ("content-type", "application/cbor"))
    return 200, headers, cbor_bytes(_CBOR.members(_plain(operation), value))


def _query_result(service: str, operation: Any, value: Mapping[str, Any], request_id: str) -> _Parts:
    name, shape = operation.name, operation.output_shape
    inner = ""
    if shape is not None:
        writer = XmlWriter(service)
        wrapper = shape.serialization.get("resultWrapper")
        content = writer.members(shape, value)
        inner = f"<{wrapper}>{content}</{wrapper}>" if wrapper else content
    metadata = f"<ResponseMetadata>{element('RequestId', request_id)}</ResponseMetadata>"
    declared = namespace(operation.service_model.metadata.get("xmlNamespace"))
    document = f"<{name}Response{declared}>{inner}{metadata}</{name}Response>"
    return 200, (("content-type", "text/xml"),), document.encode()


def _ec2_result(service: str, operation: Any, value: Mapping[str, Any], request_id: str) -> _Parts:
    name, shape = operation.name, operation.output_shape
    inner = "<return>true</return>" if shape is None else XmlWriter(service).members(shape, value)
    declared = namespace(
        f"http://ec2.amazonaws.com/doc/{operation.service_model.metadata.get('apiVersion', EC2_VERSION)}/"
    )
    document = f"{XML_DECLARATION}<{name}Response{declared}>{element('requestId', request_id)}{inner}</{name}Response>"
    return 200, (("content-type", "text/xml;charset=UTF-8"),), document.encode()


def _rest_json_result(_service: str, operation: Any, value: Mapping[str, Any], _request_id: str) -> _Parts:
    shape = _plain(operation)
    status, headers = bound_parts(operation, shape, value)
    if shape is None:
        return status, typed(headers, "application/json"), b"{}"
    payload = shape.serialization.get("payload")
    if payload is None:
        return status, typed(headers, "application/json"), json_bytes(_JSON.members(shape, value))
    member, item = shape.members[payload], value.get(payload)
    if member.type_name in ("string", "blob"):
        return status, *_raw_payload(headers, member, item)
    if item is None:
        empty = b"{}" if member.type_name == "structure" and not member.is_tagged_union else b""
        return status, typed(headers, "application/json"), empty
    return status, typed(headers, "application/json"), json_bytes(_JSON.write(member, item))


def _rest_xml_result(service: str, operation: Any, value: Mapping[str, Any], _request_id: str) -> _Parts:
    shape = _plain(operation)
    if shape is None:
        return operation.http.get("responseCode", 200), (), b""
    status, headers = bound_parts(operation, shape, value)
    writer = XmlWriter(service)
    payload = shape.serialization.get("payload")
    if payload is None:
        return status, *_xml_body(service, operation, shape, headers, writer, value)
    member, item = shape.members[payload], value.get(payload)
    if member.type_name in ("string", "blob"):
        return status, *_raw_payload(headers, member, item)
    if item is None:
        return status, headers, b""
    name = str(member.serialization.get("name", member.name))
    return status, typed(headers, _xml_type(service)), (XML_DECLARATION + writer.write(member, item, name)).encode()


def _xml_body(
    service: str, operation: Any, shape: Any, headers: Headers, writer: XmlWriter, value: Mapping[str, Any]
) -> tuple[Headers, bytes]:
    content = writer.members(shape, value)
    if not content and all(member.serialization.get("location") for member in shape.members.values()):
        return headers, b""
    name = shape.serialization.get("name", shape.name)
    declared = writer.attributes(shape, value) or namespace(operation.service_model.metadata.get("xmlNamespace"))
    document = f"{XML_DECLARATION}<{name}{declared}>{content}</{name}>"
    return typed(headers, _xml_type(service)), document.encode()


def _xml_type(service: str | None) -> str:
    return "application/xml" if service in ("s3", "s3control") else "text/xml"


def _plain(operation: Any) -> Any:
    """The output shape; TypeError for an event stream, which is no single document."""
    if operation.has_event_stream_output:
        raise TypeError(f"{operation.name} answers with an event stream, which cannot be encoded as one response")
    return operation.output_shape


def _raw_payload(headers: Headers, member: Any, item: Any) -> tuple[Headers, bytes]:
    if item is None:
        return headers, b""
    body = item.encode("utf-8", "replace") if isinstance(item, str) else bytes(item)
    return typed(headers, "text/plain" if member.type_name == "string" else "application/octet-stream"), body


_RESULTS = {
    "json": _json_result,
    "smithy-rpc-v2-cbor": _cbor_result,
    "query": _query_result,
    "ec2": _ec2_result,
    "rest-json": _rest_json_result,
    "rest-xml": _rest_xml_result,
}
