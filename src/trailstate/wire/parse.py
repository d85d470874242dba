"""Responses read back: what an answer of the estate says, and the same answer with our request id in it.

Reading is botocore's own (`botocore.parsers`), so it is what every Python client would have understood; successes of
the query protocols are read by `read_answer`, which is held against it. Whatever the bytes are, nothing is raised: an
answer nobody can read is a Failure with the code UNREADABLE.
"""

import re
import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from http.client import responses
from typing import Any

from botocore.awsrequest import HeadersDict
from botocore.parsers import ResponseParserError, ResponseParserFactory
from botocore.utils import parse_timestamp

from trailstate.wire.call import Failure, WireResponse
from trailstate.wire.encode_headers import host_id, request_id_headers
from trailstate.wire.encode_xml import escape
from trailstate.wire.read_answer import read_answer

UNREADABLE = "UnreadableResponse"
"""The code of a Failure that says: the status is a success, and the body is not what the model promises."""

_FIRST_ERROR_STATUS = 301
_RAW = frozenset({"blob", "string"})
_ID_HEADERS = frozenset({"x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id", "x-amz-id-2", "x-amz-requestid"})

_ODD_BYTES = (
    ResponseParserError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    MemoryError,
    OSError,
    struct.error,
)
"""All that botocore's parsers raise over bytes that are not what they expect (found by trying)."""


@cache
def _parser(protocol: str) -> Any:
    factory = ResponseParserFactory()
    factory.set_parser_defaults(timestamp_parser=_moment)
    return factory.create_parser(protocol)


def _moment(value: Any) -> datetime:
    """A time in any form botocore reads; numbers and ISO 8601 with its zone, which are nearly all, without its search
    through every form there is."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else datetime.fromtimestamp(value, UTC)
        if moment.tzinfo is not None:
            return moment
    except _NOT_USUAL:
        pass
    read: datetime = parse_timestamp(value)
    return read


_NOT_USUAL = (ValueError, TypeError, OverflowError, OSError)


def parse(
    service: str, operation_model: Any, protocol: str, response: WireResponse
) -> tuple[dict[str, Any] | None, Failure | None]:
    """The output members, or why there are none; exactly one of the two.

    A streamed body is not read, and its member is absent; an event stream's likewise.
    """
    if response.status >= _FIRST_ERROR_STATUS:
        return None, _failure(protocol, response)
    try:
        return _result(operation_model, protocol, response), None
    except _ODD_BYTES as error:
        text = f"the answer of {service} to {operation_model.name} could not be read: {type(error).__name__}"
        return None, Failure(UNREADABLE, text, response.status)


def _result(operation: Any, protocol: str, response: WireResponse) -> dict[str, Any]:
    shape = operation.output_shape
    if shape is None:
        return {}
    if operation.name in _ROOTS:
        return _root(_ROOTS[operation.name], response.body)
    if operation.has_event_stream_output:
        return {}
    if protocol in ("query", "ec2"):
        return read_answer(operation, response.body, _moment)
    payload = shape.members.get(shape.serialization.get("payload")) if "payload" in shape.serialization else None
    is_raw = payload is not None and payload.type_name in _RAW
    body: Any = memoryview(response.body) if is_raw else response.body
    parsed = _parser(protocol).parse(_as_botocore(response, body), shape)
    if not isinstance(parsed, dict):
        raise TypeError(f"expected a structure, found {type(parsed).__name__}")
    parsed.pop("ResponseMetadata", None)
    if payload is not None and is_raw:
        _settle_payload(parsed, shape.serialization["payload"], payload, response.body)
    return parsed


def streamed(operation_model: Any, response: WireResponse) -> dict[str, bytes]:
    """The member whose streamed body `parse` leaves out, for a caller of the house that wants it; else nothing."""
    shape = operation_model.output_shape
    name = None if shape is None else shape.serialization.get("payload")
    if name is None or not shape.members[name].serialization.get("streaming"):
        return {}
    return {name: response.body}


_ROOTS = {"GetBucketLocation": "LocationConstraint"}
"""Operations whose answer is one element with the member's value, where the model has an element around it (S3)."""


def _root(member: str, body: bytes) -> dict[str, Any]:
    found = re.search(rf"<{member}(?:\s[^>]*)?>([^<]*)</{member}>", body.decode())
    return {member: found[1]} if found and found[1] else {}


def _settle_payload(parsed: dict[str, Any], name: str, payload: Any, body: bytes) -> None:
    if payload.serialization.get("streaming"):
        del parsed[name]
    else:
        parsed[name] = body if payload.type_name == "blob" else body.decode()


def _as_botocore(response: WireResponse, body: Any) -> Mapping[str, Any]:
    return {"body": body, "headers": HeadersDict(response.headers), "status_code": response.status, "context": {}}


def _failure(protocol: str, response: WireResponse) -> Failure:
    fallback = Failure(str(response.status), responses.get(response.status, ""), response.status)
    try:
        error = _parser(protocol).parse(_as_botocore(response, response.body), None)["Error"]
        code, message = error.get("Code"), error.get("Message")
    except _ODD_BYTES:
        return fallback
    if not isinstance(code, str) or not code:
        return fallback
    return Failure(code, message if isinstance(message, str) else "", response.status)


# ---- our request id in somebody's answer ----

_QUERY_ID = re.compile(rb"(<ResponseMetadata>\s*)<RequestId(?:\s*/>|>[^<]*</RequestId>)")
_EC2_ID = re.compile(rb"<requestId(?:\s*/>|>[^<]*</requestId>)")
_EC2_ROOT = re.compile(rb"\s*(?:<\?xml[^>]*\?>)?\s*<\w+[^>]*>\s*(?=<requestId)")
_EC2_END = re.compile(rb"<requestId(?:\s*/>|>[^<]*</requestId>)\s*</\w+>\s*\Z")
_EC2_HEAD_BYTES = 1024
_ERROR_TAIL_BYTES = 4096
_ERROR_ID = re.compile(rb"<(RequestId|RequestID|requestId|HostId)(?:\s*/>|>[^<]*</\1>)")


def with_request_id(response: WireResponse, service: str, protocol: str, request_id: str) -> WireResponse:
    """The same answer under our request id, in the headers and where its protocol writes one in the body; every other
    byte stays. A document without an id gets none."""
    kept = [line for line in response.headers if line[0].lower() not in _ID_HEADERS]
    headers = (*request_id_headers(service, request_id), *kept)
    body = _rewritten(response, protocol, escape(request_id).encode())
    if len(body) != len(response.body):
        headers = tuple(
            (name, str(len(body))) if name.lower() == "content-length" else (name, value) for name, value in headers
        )
    return WireResponse(response.status, headers, body)


def _rewritten(response: WireResponse, protocol: str, request_id: bytes) -> bytes:
    body = response.body
    if response.status >= _FIRST_ERROR_STATUS and protocol in ("query", "ec2", "rest-xml"):
        return _error_rewritten(body, request_id)
    if protocol == "query":
        return _query_rewritten(body, request_id)
    if protocol == "ec2":
        return _ec2_rewritten(body, request_id)
    return body


def _query_rewritten(body: bytes, request_id: bytes) -> bytes:
    start = body.rfind(b"<ResponseMetadata>")
    found = _QUERY_ID.match(body, start) if start >= 0 else None
    if found is None:
        return body
    return body[: found.start()] + found[1] + _tagged(b"RequestId", request_id) + body[found.end() :]


def _ec2_rewritten(body: bytes, request_id: bytes) -> bytes:
    """EC2's id is the root's first child, in some estates the last; ids deeper down belong to the answer itself."""
    root = _EC2_ROOT.match(body, 0, _EC2_HEAD_BYTES)
    found = _EC2_ID.match(body, root.end() if root else _last_child(body))
    if found is None:
        return body
    return body[: found.start()] + _tagged(b"requestId", request_id) + body[found.end() :]


def _last_child(body: bytes) -> int:
    found = _EC2_END.search(body, max(0, len(body) - _EC2_HEAD_BYTES))
    return found.start() if found else len(body)


def _error_rewritten(body: bytes, request_id: bytes) -> bytes:
    """An error document is small; the ids stand near its end."""
    if not body.lstrip().startswith(b"<"):
        return body
    start = max(0, len(body) - _ERROR_TAIL_BYTES)
    values = {b"HostId": host_id(request_id.decode()).encode()}
    return body[:start] + _ERROR_ID.sub(lambda found: _tagged(found[1], values.get(found[1], request_id)), body[start:])


def _tagged(name: bytes, value: bytes) -> bytes:
    return b"<" + name + b">" + value + b"</" + name + b">"
