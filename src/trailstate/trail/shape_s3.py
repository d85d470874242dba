"""How S3 writes its records: from the request line, headers and body rather than from an API model (S3 user guide).

`requestParameters` holds the bucket, the host, the key, the query string with its own keys and the `x-amz-` headers
of the request, and the XML body folded under its root's name; `responseElements` the `x-amz-` headers of the answer.
"""

from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import msgspec

from trailstate.trail.tables import table
from trailstate.wire.call import Call, Headers, Outcome


def request_parameters(call: Call) -> dict[str, Any]:
    """`requestParameters` of an S3 call, in S3's order: bucket, host, key, query, body, headers."""
    rules = table("s3")
    request = call.request
    parameters: dict[str, Any] = {}
    bucket, key = call.parameters.get("Bucket"), call.parameters.get("Key")
    query = parse_qsl(request.query, keep_blank_values=True)
    if bucket is not None:
        parameters["bucketName"] = str(bucket)
    parameters["Host"] = call.host or request.header("host") or ""
    if key is not None:
        parameters["key"] = str(key)
    for name, value in query:
        if name.lower() not in rules["query_left_out"]:
            parameters.setdefault(name, value)
    parameters |= _body(call)
    parameters |= _amazon_headers(request.headers, rules["request_headers_left_out"])
    return parameters


def response_elements(outcome: Outcome) -> dict[str, Any] | None:
    """The `x-amz-` headers of the answer, or None when there are none."""
    return _amazon_headers(outcome.response.headers, table("s3")["response_headers_left_out"]) or None


def additional_event_data(call: Call, outcome: Outcome) -> dict[str, Any]:
    """What S3 tells of the transfer itself."""
    data: dict[str, Any] = {}
    if call.signature:
        data["SignatureVersion"] = call.signature
    if call.tls is not None and "cipherSuite" in call.tls:
        data["CipherSuite"] = call.tls["cipherSuite"]
    data["bytesTransferredIn"] = call.request.body_size or len(call.request.body)
    encryption = _encryption(call, outcome)
    if encryption is not None:
        data["SSEApplied"] = encryption
    if call.signature:
        data["AuthenticationMethod"] = call.authentication
    extended = _header(outcome.response.headers, "x-amz-id-2")
    if extended is not None:
        data["x-amz-id-2"] = extended
    data["bytesTransferredOut"] = len(outcome.response.body)
    return data


def _encryption(call: Call, outcome: Outcome) -> str | None:
    """`SSEApplied`: which encryption a stored object got, and whether the bucket's default chose it."""
    if outcome.failure is not None:
        return None
    if _header(call.request.headers, "x-amz-server-side-encryption-customer-algorithm") is not None:
        return "SSE_C"
    applied = _header(outcome.response.headers, "x-amz-server-side-encryption")
    if applied is None:
        return None
    kind: str = table("s3")["encryption"].get(applied, "SSE_S3")
    asked = _header(call.request.headers, "x-amz-server-side-encryption")
    return kind if asked is not None else f"Default_{kind}"


def _amazon_headers(headers: Headers, left_out: list[str]) -> dict[str, Any]:
    return {name: value for name, value in headers if name.startswith("x-amz-") and name not in left_out}


def _header(headers: Headers, name: str) -> str | None:
    return next((value for key, value in headers if key == name), None)


_DEPTH_MAX = 64


def _body(call: Call) -> dict[str, Any]:
    rules = table("s3")
    if call.operation in rules["bodies_left_out"] or not call.request.body:
        return {}
    if call.operation == "PutBucketPolicy":
        return {"bucketPolicy": _json(call.request.body)}
    if not call.request.body.lstrip().startswith(b"<"):
        return {}
    root = _parsed(call.request.body)
    if root is None:
        return {}
    namespace, name = _split(root.tag)
    content = _folded(root)
    if not isinstance(content, dict):
        content = {"content": content} if content != "" else {}
    return {name: {"xmlns": namespace, **content} if namespace else content}


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body.decode("utf-8", "replace")


def _parsed(body: bytes) -> ET.Element | None:
    # S3 bodies have no document type; one that has could define entities, and is not read.
    if b"<!DOCTYPE" in body:
        return None
    try:
        return ET.fromstring(body)  # noqa: S314 - no document type, at most 1 MiB
    except (ET.ParseError, LookupError, ValueError):  # the latter two: an encoding that nobody knows
        return None


def _folded(element: ET.Element, depth: int = 0) -> Any:
    if len(element) == 0 or depth > _DEPTH_MAX:
        return _guessed(element.text or "")
    record: dict[str, Any] = {}
    for attribute, value in element.attrib.items():
        record[_prefixed(attribute)] = value
    for child in element:
        name, value = _split(child.tag)[1], _folded(child, depth + 1)
        if name not in record:
            record[name] = value
        elif isinstance(record[name], list):
            record[name].append(value)
        else:
            record[name] = [record[name], value]
    return record


def _guessed(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 and text == str(int(text)) else text


def _split(tag: str) -> tuple[str, str]:
    namespace, _brace, name = tag.rpartition("}")
    return namespace.removeprefix("{"), name


def _prefixed(attribute: str) -> str:
    namespace, name = _split(attribute)
    return f"xsi:{name}" if namespace.endswith("XMLSchema-instance") else name
