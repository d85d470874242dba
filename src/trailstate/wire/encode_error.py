"""Faults in every protocol AWS speaks: the code where its clients look for it, and the members its model gives it.

Follows the error serialization of the Smithy specification's AWS protocols (awsQueryCompatible too), and "Error
responses" of the S3 and EC2 API references.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from trailstate.wire.call import Headers
from trailstate.wire.encode_headers import bound_headers, host_id
from trailstate.wire.encode_tree import CborTree, JsonTree, cbor_bytes, json_bytes
from trailstate.wire.encode_xml import XML_DECLARATION, XmlWriter, element, namespace
from trailstate.wire.fault import Fault
from trailstate.wire.scalar import header_value, whole_text

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

Parts = tuple[Headers, bytes]


class Failed(NamedTuple):
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


def _json_fault(failed: Failed) -> Parts:
    version = failed.metadata("jsonVersion") or "1.1"
    headers = (("content-type", f"application/x-amz-json-{version}"), *_query_error(failed))
    return headers, json_bytes({"__type": failed.name(), **_error_members(_JSON, failed)})


def _cbor_fault(failed: Failed) -> Parts:
    headers = (("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor"), *_query_error(failed))
    is_modelled = failed.service is not None and failed.shape() is not None
    name = f"com.amazonaws.{failed.service}#{failed.name()}" if is_modelled else failed.name()
    return headers, cbor_bytes({"__type": name, **_error_members(_CBOR, failed)})


def _query_error(failed: Failed) -> Headers:
    """For services that spoke query before: the code their old clients know."""
    if failed.metadata("awsQueryCompatible") is None:
        return ()
    code = QUERY_CODES.get((failed.service or "", failed.name()), failed.fault.code)
    return (("x-amzn-query-error", header_value(f"{code};{failed.blame()}")),)


def _rest_json_fault(failed: Failed) -> Parts:
    kind = ("x-amzn-errortype", header_value(failed.fault.code))
    headers = (("content-type", "application/json"), kind, *_error_headers(failed))
    return headers, json_bytes(_error_members(_JSON, failed))


def _error_headers(failed: Failed) -> Headers:
    shape = failed.shape()
    return () if shape is None else bound_headers(shape, failed.fields())


def _error_members(tree: JsonTree, failed: Failed) -> dict[str, Any]:
    """The body of an error without its type: the message, and the modelled members."""
    shape, message = failed.shape(), whole_text(failed.fault.message)
    if shape is None:
        return {"message": message}
    members: dict[str, Any] = tree.members(shape, failed.fields())
    return members if _message_name(shape) or not message else {**members, "message": message}


def _query_fault(failed: Failed) -> Parts:
    declared = namespace(failed.metadata("xmlNamespace"))
    error = f"<Error>{element('Type', failed.blame())}{_xml_error(failed)}</Error>"
    document = f"<ErrorResponse{declared}>{error}{element('RequestId', failed.request_id)}</ErrorResponse>"
    return (("content-type", "text/xml"),), document.encode()


def _ec2_fault(failed: Failed) -> Parts:
    errors = f"<Errors><Error>{_xml_error(failed)}</Error></Errors>"
    document = f"{XML_DECLARATION}<Response>{errors}{element('RequestID', failed.request_id)}</Response>"
    return (("content-type", "text/xml;charset=UTF-8"),), document.encode()


def _rest_xml_fault(failed: Failed) -> Parts:
    bound = _error_headers(failed)
    if failed.service != "s3":
        headers, body = _query_fault(failed)
        return (*headers, *bound), body
    ids = element("RequestId", failed.request_id) + element("HostId", host_id(failed.request_id))
    document = f"{XML_DECLARATION}<Error>{_xml_error(failed)}{ids}</Error>"
    return (("content-type", "application/xml"), *bound), document.encode()


def _xml_error(failed: Failed) -> str:
    """Code, message and further members: the modelled ones by the model, others (S3's Resource, BucketName) as text."""
    shape, fault = failed.shape(), failed.fault
    written = element("Code", fault.code) + element("Message", fault.message)
    known = frozenset() if shape is None else shape.members.keys()
    if shape is not None:
        message = _message_name(shape)
        modelled = {name: value for name, value in failed.fields().items() if name != message}
        written += XmlWriter(failed.service).members(shape, modelled)
    return written + "".join(element(name, str(value)) for name, value in fault.fields.items() if name not in known)


WRITERS = {
    "json": _json_fault,
    "smithy-rpc-v2-cbor": _cbor_fault,
    "query": _query_fault,
    "ec2": _ec2_fault,
    "rest-json": _rest_json_fault,
    "rest-xml": _rest_xml_fault,
}
