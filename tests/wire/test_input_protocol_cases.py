"""botocore's input cases turned round: the request that a case expects to be written, we must read back.

The cases are botocore's tests/unit/protocols; TRAILSTATE_PROTOCOL_CASES names the directory.
"""

import base64
import json
import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.model import OperationModel, ServiceModel

from trailstate.wire import paths
from trailstate.wire.call import WireRequest
from trailstate.wire.decode import decode_as, streamed_member
from trailstate.wire.form import pairs, parameters
from trailstate.wire.route import Route

DIRECTORY = os.environ.get("TRAILSTATE_PROTOCOL_CASES") or None
PASSING_MIN = 0.98

_CLAIMED_TWICE = "a map of query parameters holds what a named member holds too; we give it to the member alone"
_OVERRIDDEN = "the map's value was overridden by a named member, so the request does not show it"
_CLIENT_DEFAULT = "the header is the client's default, no parameter"

NOT_TURNABLE: dict[str, str] = {
    "rest-json:RestJsonAllQueryStringTypes": _CLAIMED_TWICE,
    "rest-json:RestJsonQueryStringEscaping": _CLAIMED_TWICE,
    "rest-json:RestJsonSupportsNaNFloatQueryValues": _CLAIMED_TWICE,
    "rest-json:RestJsonSupportsInfinityFloatQueryValues": _CLAIMED_TWICE,
    "rest-json:RestJsonSupportsNegativeInfinityFloatQueryValues": _CLAIMED_TWICE,
    "rest-json:RestJsonZeroAndFalseQueryValues": _CLAIMED_TWICE,
    "rest-json:RestJsonQueryPrecedence": _OVERRIDDEN,
    "rest-xml:RestXmlQueryPrecedence": _OVERRIDDEN,
    "legacy/rest-json:25:7": _CLIENT_DEFAULT,
}
"""Cases that fail, each with its reason. This list may only shrink."""


def load_cases() -> list[Any]:
    """Every input case but the suites that botocore's own runner leaves out: their requests do not show parameters."""
    if DIRECTORY is None:
        return []
    ignored = json.loads((Path(DIRECTORY) / "protocol-tests-ignore-list.json").read_text())["general"]["input"]
    return [
        pytest.param(suite, case, id=case_name(path, number, index, case))
        for path in sorted(Path(DIRECTORY).glob("**/input/*.json"))
        for number, suite in enumerate(json.loads(path.read_text()))
        for index, case in enumerate(suite["cases"])
        if suite["description"] not in ignored["suites"]
    ]


def case_name(path: Path, suite_number: int, index: int, case: dict[str, Any]) -> str:
    era = "legacy/" if path.parts[-3] == "legacy" else ""
    return f"{era}{path.stem}:{case.get('id') or f'{suite_number}:{index}'}"


CASES = load_cases()
needs_cases = pytest.mark.skipif(
    DIRECTORY is None, reason="TRAILSTATE_PROTOCOL_CASES does not name botocore's tests/unit/protocols"
)


@needs_cases
@pytest.mark.parametrize(("suite", "case"), CASES)
def test_input_case_decodes_to_its_parameters(suite: Any, case: Any, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    fits = decodes_back(suite, case)
    assert fits != (name in NOT_TURNABLE), f"{name}: {'passes now, take it off the list' if fits else 'does not fit'}"


@needs_cases
def test_enough_cases_pass() -> None:
    assert 1 - len(NOT_TURNABLE) / len(CASES) >= PASSING_MIN
    assert NOT_TURNABLE.keys() <= {case.id for case in CASES}


def decodes_back(suite: Any, case: Any) -> bool:
    operation = model_of(suite, case)
    decoded = decode_as(operation, wire_request(case), route_of(operation, case))
    expected = typed(operation.input_shape, case.get("params", {}))
    expected.pop(streamed_member(operation), None)
    unwritten = [name for name, value in expected.items() if value in ([], {}) and not writes_empty(operation, name)]
    unwritten = [name for name in unwritten if name not in decoded]
    return same(decoded, {name: value for name, value in expected.items() if name not in unwritten})


def writes_empty(operation: Any, name: str) -> bool:
    """Whether a list or map without items always leaves a trace in the request."""
    member = operation.input_shape.members[name]
    written = {"query": member.type_name == "list", "ec2": False}
    in_head = member.serialization.get("location") in {"header", "headers", "querystring"}
    return written.get(operation.service_model.metadata["protocol"], not in_head)


def model_of(suite: Any, case: Any) -> Any:
    description = {**suite, "operations": {case["given"]["name"]: case["given"]}}
    del description["cases"]
    return OperationModel(case["given"], ServiceModel(description, "case"), case["given"]["name"])


def wire_request(case: Any) -> WireRequest:
    sent = case["serialized"]
    body = sent.get("body", "")
    protocol_headers = tuple((key.lower(), value) for key, value in sent.get("headers", {}).items())
    is_cbor = dict(protocol_headers).get("smithy-protocol") == "rpc-v2-cbor"
    return WireRequest(
        sent.get("method") or case["given"].get("http", {}).get("method", "POST"),
        sent.get("uri", "/"),
        protocol_headers,
        base64.b64decode(body) if is_cbor else body.encode(),
    )


def route_of(operation: Any, case: Any) -> Route:
    request, protocol = wire_request(case), operation.service_model.metadata["protocol"]
    form = parameters("", request.body) if protocol in {"query", "ec2"} else {}
    labels = labels_of(operation, request) if protocol.startswith("rest") else {}
    return Route("case", operation.name, protocol, "us-east-1", path_parameters=labels, form=form)


def labels_of(operation: Any, request: WireRequest) -> Mapping[str, str]:
    root = paths.planted([operation])
    found = paths.match(root, request.method, request.path, dict(pairs(request.query)), dict(request.headers))
    assert found is not None, f"{request.method} {request.target} does not fit {operation.http}"
    return found.path_parameters


def typed(shape: Any, value: Any) -> Any:
    """A case's parameter in the types that we decode to: cases write timestamps as seconds and blobs as text."""
    if value is None or shape is None:
        return value if shape is not None else {}
    if shape.type_name == "structure" and not shape.is_document_type:
        return {name: typed(shape.members[name], item) for name, item in value.items() if item is not None}
    if shape.type_name == "list":
        return [typed(shape.member, item) for item in value]
    if shape.type_name == "map":
        return {key: typed(shape.value, item) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return datetime.fromtimestamp(value, UTC)
    if shape.type_name == "blob":
        return value.encode()
    if shape.type_name in {"float", "double"}:
        return float(value)
    return value


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return type(one) is type(other) and bool(one == other)
