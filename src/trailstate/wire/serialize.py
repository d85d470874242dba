"""Parameters → the request that botocore's client would send: for the house's own calls into an estate."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from botocore.serialize import create_serializer

from trailstate.wire import model
from trailstate.wire.call import WireRequest
from trailstate.wire.services import services

ACCESS_KEY_ID = "test"


def serialize(
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    *,
    region: str,
    host: str = "",
    access_key_id: str = ACCESS_KEY_ID,
    protocol: str | None = None,
) -> WireRequest:
    """The request, addressed to `host` (AWS's own without one) and scoped to region and service.

    Its signature says who calls and proves nothing. `protocol` chooses among those of the service.
    """
    described = model.operation_model(service, operation)
    made = _serializer(protocol or model.protocol(service)).serialize_to_request(dict(parameters), described)
    target = _target(made["url_path"], made["query_string"])
    body = _body(made["body"])
    host = host or made.get("host_prefix", "") + _aws_host(service, region)
    headers = {name.lower(): str(value) for name, value in made["headers"].items()}
    headers |= {"host": host, "content-length": str(len(body))}
    headers["authorization"] = _scope(access_key_id, region, services()[service].signing_name)
    return WireRequest(made["method"], target, tuple(headers.items()), body, body_size=len(body))


@cache
def _serializer(protocol: str) -> Any:
    return create_serializer(protocol, include_validation=False)


def _target(path: str, query: str | Mapping[str, Any]) -> str:
    encoded = query if isinstance(query, str) else urlencode(query, doseq=True, quote_via=quote, safe="-_.~")
    if not encoded:
        return path
    return f"{path}{'&' if '?' in path else '?'}{encoded}"


def _body(body: Any) -> bytes:
    if isinstance(body, Mapping):
        return urlencode(body, quote_via=quote, safe="-_.~").encode("ascii")
    if hasattr(body, "read"):
        body = body.read()
    return body.encode("utf-8") if isinstance(body, str) else bytes(body)


def _aws_host(service: str, region: str) -> str:
    metadata = model.service_model(service).metadata
    return str(metadata.get("globalEndpoint") or f"{metadata['endpointPrefix']}.{region}.amazonaws.com")


def _scope(access_key_id: str, region: str, signing_name: str) -> str:
    credential = f"{access_key_id}/19700101/{region}/{signing_name}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature={'0' * 64}"
