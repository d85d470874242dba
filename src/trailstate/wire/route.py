"""Which service and operation a request means, for every service in botocore's models.

In this order: the path of Smithy RPC v2 CBOR, the X-Amz-Target header, the Action parameter of the query protocols,
method and path of the rest protocols. The scope of the signature decides between services that look alike; where
several share a signing name, the Host, then what the client says of itself (`api/dynamodb` in its User-Agent), then
the larger service.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trailstate.wire import paths
from trailstate.wire.call import WireRequest
from trailstate.wire.fault import Fault
from trailstate.wire.form import MalformedForm, pairs, parameters
from trailstate.wire.host import read_host
from trailstate.wire.model import has_operation, operation_model
from trailstate.wire.services import Service, Signers, by_query_version, by_target_prefix, services, signers
from trailstate.wire.signature import ANONYMOUS, Signature, UnreadableSignature, read_signature, version_2
from trailstate.wire.spelling import incomplete_signature, missing_action, serialization_error, unknown_operation

CBOR = "smithy-rpc-v2-cbor"
FORM = "application/x-www-form-urlencoded"
FORM_BYTES_MAX = 4 * 1024 * 1024
"""The largest form a service of the query protocol takes: SQS's messages with everything escaped."""

DIRECTORY_SCOPE = "s3express"
"""GET / under this scope lists directory buckets; under `s3`, general ones. Nothing else tells them apart."""

S3_CONTROL_PATH = "/v20180820/"
S3_CONTROL_HEADERS = frozenset({"x-amz-account-id", "x-amz-outpost-id"})


@dataclass(frozen=True, slots=True)
class Route:
    """A request's destination."""

    service: str
    """botocore's service name."""
    operation: str
    """The API's operation name, as the model's key."""
    protocol: str
    region: str
    signature: Signature = ANONYMOUS
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    """The labels of a rest path, unquoted; a virtual host's bucket among them."""
    form: Mapping[str, str] = field(default_factory=dict)
    """The parameters of a query request, Action and Version among them."""
    virtual_host: bool = False
    """Whether the bucket stood in the Host."""

    @property
    def operation_model(self) -> Any:
        return operation_model(self.service, self.operation)


class Unrouted(Fault):
    """No operation answers the request; says as much of its destination as is known, for the answer and the record."""

    def __init__(self, fault: Fault, protocol: str, operation: str, region: str, signature: Signature) -> None:
        super().__init__(fault.code, fault.message, fault.status, fault.service)
        self.protocol = protocol
        self.operation = operation
        """What the client asked for by name; empty when it named nothing."""
        self.region = region
        self.signature = signature


def route(request: WireRequest, default_region: str = "us-east-1") -> Route:
    """The request's service and operation. Raises Unrouted."""
    asked = _Asked(request, default_region)
    try:
        asked.query = dict(pairs(request.query))
        asked.signature = read_signature(asked.headers, asked.query)
    except MalformedForm as error:
        raise asked.unrouted(serialization_error(None, "rest-json", str(error)), "rest-json", "") from None
    except UnreadableSignature as error:
        raise _unsigned(asked, str(error)) from None
    return _find(asked)


def _unsigned(asked: "_Asked", message: str) -> Unrouted:
    """A signature that cannot be read, told in the protocol of the service it was for, as far as that can be seen."""
    try:
        found = _find(asked)
    except Unrouted as unrouted:
        return asked.unrouted(incomplete_signature(unrouted.service, unrouted.protocol, message), unrouted.protocol, "")
    fault = incomplete_signature(found.service, found.protocol, message)
    return asked.unrouted(fault, found.protocol, found.operation)


class _Asked:
    """A request, with what routing looks at read once."""

    __slots__ = ("default_region", "headers", "host", "is_form", "path", "query", "request", "signature")

    def __init__(self, request: WireRequest, default_region: str) -> None:
        self.request = request
        self.default_region = default_region
        self.path = request.path
        self.headers = dict(reversed(request.headers))
        self.host = read_host(self.headers.get("host", ""))
        self.is_form = self.headers.get("content-type", "").lower().startswith(FORM)
        self.query: dict[str, str] = {}
        self.signature = ANONYMOUS

    @property
    def region(self) -> str:
        return self.signature.region or self.host.region or self.default_region

    @property
    def signers(self) -> Signers:
        return signers(self.signature.service)

    def unrouted(self, fault: Fault, protocol: str, operation: str) -> Unrouted:
        return Unrouted(fault, protocol, operation, self.region, self.signature)

    def unknown(self, service: str | None, protocol: str, operation: str) -> Unrouted:
        return self.unrouted(unknown_operation(service, protocol, operation), protocol, operation)


def _find(asked: _Asked) -> Route:
    for recognise in _RECOGNISERS:
        found = recognise(asked)
        if found is not None:
            return found
    raise AssertionError("the last recogniser answers or raises")


# ---- by name ----

_RPC_PATH = re.compile(r"(?:/.*)?/service/([^/]+)/operation/([^/]+)")


def _by_rpc_path(asked: _Asked) -> Route | None:
    if asked.headers.get("smithy-protocol", "").lower() != "rpc-v2-cbor":
        return None
    named = _RPC_PATH.fullmatch(asked.path)
    if named is None:
        raise asked.unknown(_only(asked.signers.every), CBOR, "")
    return _named(asked, named[1], named[2], CBOR)


def _by_target(asked: _Asked) -> Route | None:
    target = asked.headers.get("x-amz-target")
    if target is None:
        return None
    prefix, _, operation = target.rpartition(".")
    return _named(asked, prefix, operation, "json")


def _named(asked: _Asked, prefix: str, operation: str, protocol: str) -> Route:
    index = by_target_prefix()
    candidates = index.get(prefix) or index.get(prefix.rpartition(".")[2]) or ()
    for service in _preferred(asked, candidates):
        if has_operation(service.name, operation):
            return Route(service.name, operation, protocol, asked.region, asked.signature)
    raise asked.unknown(_only(candidates) or _only(asked.signers.every), protocol, operation)


def _by_action(asked: _Asked) -> Route | None:
    if not _may_be_query(asked):
        return None
    try:
        form = parameters(asked.request.query, asked.request.content(FORM_BYTES_MAX) if asked.is_form else b"")
    except MalformedForm as error:
        raise _malformed_query(asked, str(error)) from None
    if asked.signature is ANONYMOUS and "AWSAccessKeyId" in form and "Signature" in form:
        asked.signature = version_2(form)
    action = form.get("Action")
    if action is None:
        return None
    candidates = _query_services(asked, form.get("Version", ""))
    if not candidates:
        return None
    for service in candidates:
        if has_operation(service.name, action):
            return Route(service.name, action, service.query_protocol or "", asked.region, asked.signature, form=form)
    raise asked.unknown(candidates[0].name, candidates[0].query_protocol or "", action)


def _may_be_query(asked: _Asked) -> bool:
    if not asked.is_form and "Action" not in asked.query:
        return False
    return bool(asked.signers.query) or not asked.signers.every


def _query_services(asked: _Asked, version: str) -> Sequence[Service]:
    """Who answers this Version under this scope. EC2 takes older versions too, so the scope alone will do."""
    versioned = by_query_version().get(version, ())
    found = asked.signers.query
    if found:
        return _preferred(asked, [service for service in found if service in versioned] or found)
    return _preferred(asked, _hosted(asked, versioned) or versioned)


def _malformed_query(asked: _Asked, message: str) -> Unrouted:
    service = _query_signer(asked)
    fault = Fault("MalformedQueryString", message, 400, service.name if service else None)
    return asked.unrouted(fault, (service.query_protocol if service else None) or "query", "")


# ---- by path ----


def _by_path(asked: _Asked) -> Route:
    try:
        return _rest(asked)
    except (UnicodeDecodeError, MalformedForm):
        service = _only(_rest_services(asked))
        protocol = _protocol_of(asked, service)
        fault = serialization_error(service, protocol, "The request's path is not percent-encoded UTF-8.")
        raise asked.unrouted(fault, protocol, "") from None


def _rest(asked: _Asked) -> Route:
    candidates = _rest_services(asked)
    if not candidates:
        raise _nameless(asked)
    hosted = _hosted(asked, candidates)
    found = _best(asked, hosted) or _best(asked, candidates)
    if found is not None:
        return found
    if _query_signer(asked) is not None:
        raise _nameless(asked)
    service = (hosted or candidates)[0]
    protocol = service.rest_protocol or service.protocol
    raise asked.unknown(service.name, protocol, f"{asked.request.method} {asked.path}")


def _rest_services(asked: _Asked) -> Sequence[Service]:
    if asked.signature.service:
        found = asked.signers.rest
        return _preferred(asked, [each for each in found if _may_be_s3(asked, each)] if len(found) > 1 else found)
    hosted = _hosted(asked, services().values())
    if hosted:
        return [service for service in hosted if service.rest_protocol]
    unsigned = [service for service in services().values() if service.unsigned and _complete(asked, service)]
    return [*unsigned, services()["s3"]]


def _may_be_s3(asked: _Asked, service: Service) -> bool:
    """S3 and S3 Control share paths such as `/v20180820/bucket`; Control's calls name an account or outpost."""
    is_named = not asked.headers.keys().isdisjoint(S3_CONTROL_HEADERS) or asked.host.names("s3-control")
    control = asked.path.startswith(S3_CONTROL_PATH) and is_named
    return {"s3": not control, "s3control": control}.get(service.name, True)


def _complete(asked: _Asked, service: Service) -> bool:
    found = paths.match(paths.tree(service.name), asked.request.method, asked.path, asked.query, asked.headers)
    return found is not None and found.complete


def _best(asked: _Asked, candidates: Iterable[Service]) -> Route | None:
    """The most specific match; the earlier service where two match alike."""
    best: tuple[tuple[Any, ...], Route] | None = None
    for service in candidates:
        bucket = _bucket(asked) if service.name == "s3" else None
        path = f"/{bucket}{asked.path}" if bucket else asked.path
        found = paths.match(paths.tree(service.name), asked.request.method, path, asked.query, asked.headers)
        if found is not None and (best is None or found.rank > best[0]):
            best = (found.rank, _rest_route(asked, service, found, bucket is not None))
    return best[1] if best else None


def _rest_route(asked: _Asked, service: Service, found: paths.Match, virtual_host: bool) -> Route:
    operation = found.operation
    if operation == "ListBuckets" and asked.signature.service == DIRECTORY_SCOPE:
        operation = "ListDirectoryBuckets"
    return Route(
        service.name,
        operation,
        service.rest_protocol or "",
        asked.region,
        asked.signature,
        path_parameters=found.path_parameters,
        virtual_host=virtual_host,
    )


def _bucket(asked: _Asked) -> str | None:
    """The bucket in the Host. S3 Object Lambda's answers have a route there instead, and say so in a header."""
    if "x-amz-request-route" in asked.headers:
        return None
    return asked.host.bucket or asked.host.local_bucket


def _nameless(asked: _Asked) -> Unrouted:
    """The service is known by its scope at most, and speaks no rest protocol: the operation's name is missing."""
    as_query = _query_signer(asked)
    service = as_query or next(iter(_preferred(asked, asked.signers.every)), None)
    if service is None:
        return asked.unknown(None, _protocol_of(asked, None), "")
    protocol = (as_query and as_query.query_protocol) or service.protocol
    return asked.unrouted(missing_action(service.name, protocol), protocol, "")


def _query_signer(asked: _Asked) -> Service | None:
    """The query service of the scope, when the request is a form."""
    return next(iter(asked.signers.query), None) if asked.is_form else None


def _protocol_of(asked: _Asked, service: str | None) -> str:
    """The protocol of a service, or what the content type makes likely."""
    if service is not None:
        return services()[service].protocol
    content_type = asked.headers.get("content-type", "")
    likely = (("x-amz-json", "json"), ("json", "rest-json"), ("xml", "rest-xml"), ("form", "query"), ("cbor", CBOR))
    return next((protocol for word, protocol in likely if word in content_type), "rest-json")


# ---- between services that look alike ----

_AGENT = re.compile(r"\bapi/([A-Za-z0-9_-]+)")


def _preferred(asked: _Asked, candidates: Sequence[Service]) -> Sequence[Service]:
    """The candidates, those first that the Host or the client's User-Agent names."""
    if len(candidates) < 2:
        return candidates
    named = _AGENT.search(asked.headers.get("user-agent", ""))
    agent = _letters(named[1]) if named else ""

    def claims(service: Service) -> tuple[bool, bool]:
        return not asked.host.names(service.endpoint_prefix), _letters(service.service_id) != agent

    return sorted(candidates, key=claims)


def _hosted(asked: _Asked, candidates: Iterable[Service]) -> list[Service]:
    """Those whose endpoint the Host is."""
    return [row for row in candidates if asked.host.names(row.endpoint_prefix)] if asked.host.endpoint_prefix else []


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _only(candidates: Sequence[Service]) -> str | None:
    return candidates[0].name if candidates else None


_RECOGNISERS: Sequence[Callable[[_Asked], Route | None]] = (_by_rpc_path, _by_target, _by_action, _by_path)
