"""Results and faults as HTTP responses, in every protocol AWS speaks; the mirror image of what the SDKs parse.

Follows the Smithy specification's AWS protocols (awsJson1_0/1_1, awsQuery, ec2Query, restJson1, restXml, rpcv2Cbor,
awsQueryCompatible), and "Error responses" of the S3 and EC2 API references. Content-Length is the server's business.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from trailstate.wire.call import Headers, WireResponse
from trailstate.wire.encode_tree import CborTree, JsonTree, cbor_bytes, json_bytes
from trailstate.wire.encode_xml import XmlWriter, element, namespace
from trailstate.wire.fault import Fault
from trailstate.wire.model import service_model
from trailstate.wire.scalar import boolean_text, header_name, header_value, number_text, timestamp_text, whole_text

XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_BODILESS = frozenset({204, 304})
_HOST_ID_BYTES = 56
EC2_VERSION = "2016-11-15"
_JSON = JsonTree()
_CBOR = CborTree()

QUERY_CODES: Mapping[tuple[str, str], str] = {
    ("sqs", "BatchEntryIdsNotDistinct"): "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
    ("sqs", "BatchRequestTooLong"): "AWS.SimpleQueueService.BatchRequestTooLong",
    ("sqs", "EmptyBatchRequest"): "AWS.SimpleQueueService.EmptyBatchRequest",
    ("sqs", "InvalidBatchEntryId"): "AWS.SimpleQueueService.InvalidBatchEntryId",
    ("sqs", "MessageNotInflight"): "AWS.SimpleQueueService.MessageNotInflight",
    ("sqs", "PurgeQueueInProgress"): "AWS.SimpleQueueService.PurgeQueueInProgress",
    ("sqs", "QueueDeletedRecently"): "AWS.SimpleQueueService.QueueDeletedRecently",
    ("sqs", "QueueDoesNotExist"): "AWS.SimpleQueueService.NonExistentQueue",
    ("sqs", "QueueNameExists"): "QueueAlreadyExists",
    ("sqs", "TooManyEntriesInBatchRequest"): "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
    ("sqs", "UnsupportedOperation"): "AWS.SimpleQueueService.UnsupportedOperation",
}
"""What `x-amzn-query-error` says where the model no longer holds the code of the query protocol's days."""


def host_id(request_id: str) -> str:
    """S3's second identifier (x-amz-id-2, HostId): 76 characters, one for each request id."""
    return base64.b64encode(hashlib.sha512(request_id.encode()).digest()[:_HOST_ID_BYTES]).decode()


def request_id_headers(service: str | None, request_id: str) -> Headers:
    """The header lines that tell a client the request's id: S3 has names of its own."""
    if service in ("s3", "s3control"):
        return ("x-amz-request-id", header_value(request_id)), ("x-amz-id-2", host_id(request_id))
    return (("x-amzn-requestid", header_value(request_id)),)


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
    headers, body = _FAULTS[protocol](_Failed(service, known, fault, request_id))
    if head:
        return WireResponse(fault.status, tuple(lines), b"")
    return WireResponse(fault.status, (*lines, *headers), body)


# ---- results ----

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
    status, headers = _bound_parts(operation, shape, value)
    if shape is None:
        return status, _typed(headers, "application/json"), b"{}"
    payload = shape.serialization.get("payload")
    if payload is None:
        return status, _typed(headers, "application/json"), json_bytes(_JSON.members(shape, value))
    member, item = shape.members[payload], value.get(payload)
    if member.type_name in ("string", "blob"):
        return status, *_raw_payload(headers, member, item)
    if item is None:
        empty = b"{}" if member.type_name == "structure" and not member.is_tagged_union else b""
        return status, _typed(headers, "application/json"), empty
    return status, _typed(headers, "application/json"), json_bytes(_JSON.write(member, item))


def _rest_xml_result(service: str, operation: Any, value: Mapping[str, Any], _request_id: str) -> _Parts:
    shape = _plain(operation)
    if shape is None:
        return operation.http.get("responseCode", 200), (), b""
    status, headers = _bound_parts(operation, shape, value)
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
    return status, _typed(headers, _xml_type(service)), (XML_DECLARATION + writer.write(member, item, name)).encode()


def _xml_body(
    service: str, operation: Any, shape: Any, headers: Headers, writer: XmlWriter, value: Mapping[str, Any]
) -> tuple[Headers, bytes]:
    content = writer.members(shape, value)
    if not content and all(member.serialization.get("location") for member in shape.members.values()):
        return headers, b""
    name = shape.serialization.get("name", shape.name)
    declared = writer.attributes(shape, value) or namespace(operation.service_model.metadata.get("xmlNamespace"))
    document = f"{XML_DECLARATION}<{name}{declared}>{content}</{name}>"
    return _typed(headers, _xml_type(service)), document.encode()


def _xml_type(service: str | None) -> str:
    return "application/xml" if service in ("s3", "s3control") else "text/xml"


def _plain(operation: Any) -> Any:
    """The output shape; TypeError for an event stream, which is no single document."""
    if operation.has_event_stream_output:
        raise TypeError(f"{operation.name} answers with an event stream, which cannot be encoded as one response")
    return operation.output_shape


_RESULTS = {
    "json": _json_result,
    "smithy-rpc-v2-cbor": _cbor_result,
    "query": _query_result,
    "ec2": _ec2_result,
    "rest-json": _rest_json_result,
    "rest-xml": _rest_xml_result,
}


# ---- REST: the members that travel in the status line and in headers ----


def _bound_parts(operation: Any, shape: Any, value: Mapping[str, Any]) -> tuple[int, Headers]:
    status = operation.http.get("responseCode", 200)
    if shape is None:
        return status, ()
    for name, member in shape.members.items():
        if member.serialization.get("location") == "statusCode" and value.get(name) is not None:
            status = int(value[name])
    return status, _bound_headers(shape, value)


def _bound_headers(shape: Any, value: Mapping[str, Any]) -> Headers:
    lines: list[tuple[str, str]] = []
    for name, member in shape.members.items():
        item = value.get(name)
        location = member.serialization.get("location")
        if item is None:
            continue
        if location == "header":
            text = _header_text(member, item)
            lines.append((header_name(member.serialization.get("name", name)), header_value(text)))
        elif location == "headers":
            prefix = member.serialization.get("name", "")
            lines += [(header_name(prefix + key), header_value(str(text))) for key, text in item.items()]
    return tuple(lines)


def _header_text(shape: Any, value: Any) -> str:
    kind = shape.type_name
    if shape.serialization.get("jsonvalue"):
        return base64.b64encode(json_bytes(value)).decode()
    if kind == "list":
        return ", ".join(_quoted(_header_text(shape.member, item)) for item in value)
    if kind == "timestamp":
        return timestamp_text(value, shape.serialization.get("timestampFormat", "rfc822"))
    if kind == "blob":
        return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()
    if kind == "boolean":
        return boolean_text(value)
    return value if isinstance(value, str) else number_text(value)


def _quoted(text: str) -> str:
    """A list item of a header. A comma is left alone in times, which the SDKs know to read."""
    if '"' in text or ("," in text and not text.endswith(" GMT")):
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return text


def _typed(headers: Headers, content_type: str) -> Headers:
    return headers if any(name == "content-type" for name, _ in headers) else (*headers, ("content-type", content_type))


def _raw_payload(headers: Headers, member: Any, item: Any) -> tuple[Headers, bytes]:
    if item is None:
        return headers, b""
    body = item.encode("utf-8", "replace") if isinstance(item, str) else bytes(item)
    return _typed(headers, "text/plain" if member.type_name == "string" else "application/octet-stream"), body


# ---- faults ----

_FaultParts = tuple[Headers, bytes]


class _Failed(NamedTuple):
    """A fault and all that its writing needs; `model` is None when nobody knows which service was meant."""

    service: str | None
    model: Any
    fault: Fault
    request_id: str

    def shape(self) -> Any:
        """The modelled exception behind the fault, if there is one."""
        if self.model is None:
            return None
        if self.fault.shape:
            return self.model.shape_for(self.fault.shape)
        return self.model.shape_for_error_code(self.fault.code)

    def metadata(self, name: str) -> Any:
        return None if self.model is None else self.model.metadata.get(name)

    def blame(self) -> str:
        return "Sender" if self.fault.sender else "Receiver"

    def name(self) -> str:
        shape = self.shape()
        return self.fault.code if shape is None else str(shape.name)

    def fields(self) -> dict[str, Any]:
        """The modelled members, the message under the model's name for it."""
        shape, fault = self.shape(), self.fault
        if shape is None:
            return {}
        name = _message_name(shape)
        known = {key: value for key, value in fault.fields.items() if key in shape.members}
        return {name: fault.message, **known} if name else known


def _message_name(shape: Any) -> str | None:
    return next((name for name in shape.members if name.lower() == "message"), None)


def _json_fault(failed: _Failed) -> _FaultParts:
    version = failed.metadata("jsonVersion") or "1.1"
    headers = (("content-type", f"application/x-amz-json-{version}"), *_query_error(failed))
    return headers, json_bytes({"__type": failed.name(), **_error_members(_JSON, failed)})


def _cbor_fault(failed: _Failed) -> _FaultParts:
    headers = (("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor"), *_query_error(failed))
    is_modelled = failed.service is not None and failed.shape() is not None
    name = f"com.amazonaws.{failed.service}#{failed.name()}" if is_modelled else failed.name()
    return headers, cbor_bytes({"__type": name, **_error_members(_CBOR, failed)})


def _query_error(failed: _Failed) -> Headers:
    """For services that spoke query before: the code their old clients know."""
    if failed.metadata("awsQueryCompatible") is None:
        return ()
    code = QUERY_CODES.get((failed.service or "", failed.name()), failed.fault.code)
    return (("x-amzn-query-error", header_value(f"{code};{failed.blame()}")),)


def _rest_json_fault(failed: _Failed) -> _FaultParts:
    kind = ("x-amzn-errortype", header_value(failed.fault.code))
    headers = (("content-type", "application/json"), kind, *_error_headers(failed))
    return headers, json_bytes(_error_members(_JSON, failed))


def _error_headers(failed: _Failed) -> Headers:
    shape = failed.shape()
    return () if shape is None else _bound_headers(shape, failed.fields())


def _error_members(tree: JsonTree, failed: _Failed) -> dict[str, Any]:
    """The body of an error without its type: the message, and the modelled members."""
    shape, message = failed.shape(), whole_text(failed.fault.message)
    if shape is None:
        return {"message": message}
    members: dict[str, Any] = tree.members(shape, failed.fields())
    return members if _message_name(shape) or not message else {**members, "message": message}


def _query_fault(failed: _Failed) -> _FaultParts:
    declared = namespace(failed.metadata("xmlNamespace"))
    error = f"<Error>{element('Type', failed.blame())}{_xml_error(failed)}</Error>"
    document = f"<ErrorResponse{declared}>{error}{element('RequestId', failed.request_id)}</ErrorResponse>"
    return (("content-type", "text/xml"),), document.encode()


def _ec2_fault(failed: _Failed) -> _FaultParts:
    errors = f"<Errors><Error>{_xml_error(failed)}</Error></Errors>"
    document = f"{XML_DECLARATION}<Response>{errors}{element('RequestID', failed.request_id)}</Response>"
    return (("content-type", "text/xml;charset=UTF-8"),), document.encode()


def _rest_xml_fault(failed: _Failed) -> _FaultParts:
    bound = _error_headers(failed)
    if failed.service != "s3":
        headers, body = _query_fault(failed)
        return (*headers, *bound), body
    ids = element("RequestId", failed.request_id) + element("HostId", host_id(failed.request_id))
    document = f"{XML_DECLARATION}<Error>{_xml_error(failed)}{ids}</Error>"
    return (("content-type", "application/xml"), *bound), document.encode()


def _xml_error(failed: _Failed) -> str:
    """Code, message and further members: the modelled ones by the model, others (S3's Resource, BucketName) as text."""
    shape, fault = failed.shape(), failed.fault
    written = element("Code", fault.code) + element("Message", fault.message)
    known = frozenset() if shape is None else shape.members.keys()
    if shape is not None:
        message = _message_name(shape)
        modelled = {name: value for name, value in failed.fields().items() if name != message}
        written += XmlWriter(failed.service).members(shape, modelled)
    return written + "".join(element(name, str(value)) for name, value in fault.fields.items() if name not in known)


_FAULTS = {
    "json": _json_fault,
    "smithy-rpc-v2-cbor": _cbor_fault,
    "query": _query_fault,
    "ec2": _ec2_fault,
    "rest-json": _rest_json_fault,
    "rest-xml": _rest_xml_fault,
}
