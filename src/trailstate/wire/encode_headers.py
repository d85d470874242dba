"""An answer's header lines: the request's ids, and the members that the rest protocols send there or as the status.

https://smithy.io/2.0/spec/http-bindings.html
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from trailstate.wire.call import Headers
from trailstate.wire.encode_tree import json_bytes
from trailstate.wire.scalar import boolean_text, header_name, header_value, number_text, timestamp_text

_HOST_ID_BYTES = 56


def host_id(request_id: str) -> str:
    """S3's second identifier (x-amz-id-2, HostId): 76 characters, one for each request id."""
    return base64.b64encode(hashlib.sha512(request_id.encode()).digest()[:_HOST_ID_BYTES]).decode()


def request_id_headers(service: str | None, request_id: str) -> Headers:
    """The header lines that tell a client the request's id: S3 has names of its own."""
    if service in ("s3", "s3control"):
        return ("x-amz-request-id", header_value(request_id)), ("x-amz-id-2", host_id(request_id))
    return (("x-amzn-requestid", header_value(request_id)),)


def bound_parts(operation: Any, shape: Any, value: Mapping[str, Any]) -> tuple[int, Headers]:
    """The status, and the header lines of an answer."""
    status = operation.http.get("responseCode", 200)
    if shape is None:
        return status, ()
    for name, member in shape.members.items():
        if member.serialization.get("location") == "statusCode" and value.get(name) is not None:
            status = int(value[name])
    return status, bound_headers(shape, value)


def bound_headers(shape: Any, value: Mapping[str, Any]) -> Headers:
    """The header lines that the members of a result or a fault are bound to."""
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


def typed(headers: Headers, content_type: str) -> Headers:
    return headers if any(name == "content-type" for name, _ in headers) else (*headers, ("content-type", content_type))
