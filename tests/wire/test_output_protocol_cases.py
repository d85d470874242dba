"""botocore's output cases turned round: what a case expects to be read, we write, and botocore must read it back.

The cases are botocore's tests/unit/protocols; TRAILSTATE_PROTOCOL_CASES names the directory.
"""

import copy
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import HeadersDict
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import create_parser
from botocore.utils import parse_timestamp

from trailstate.wire.call import WireResponse
from trailstate.wire.encode import encode_fault, encode_result
from trailstate.wire.fault import Fault

DIRECTORY = os.environ.get("TRAILSTATE_PROTOCOL_CASES") or None
PASSING_MIN = 0.98

_STREAM = "event streams are several documents; we serve none"
_UNKNOWN_MEMBER = "the case reads a union member that the model lacks; we refuse to write one"
_OUR_HEADERS = "the map takes every header, also our request id and content type"

NOT_TURNABLE: dict[str, str] = {
    "legacy/json:6:0": _STREAM,
    "legacy/rest-xml:14:0": _STREAM,
    "legacy/rest-xml:14:1": _STREAM,
    "legacy/rest-xml:14:2": _STREAM,
    "legacy/rest-json:17:2": _UNKNOWN_MEMBER,
    "legacy/rest-xml:16:2": _UNKNOWN_MEMBER,
    "legacy/rest-json:9:0": _OUR_HEADERS,
    "rest-json:HttpPrefixHeadersResponse": _OUR_HEADERS,
}
"""Cases that fail, each with its reason. This list may only shrink."""

FAILURES_MAX = 8


def load_cases() -> list[Any]:
    """Every output case but those that botocore's own runner leaves out because its parsers do not read them."""
    if DIRECTORY is None:
        return []
    found = []
    unread = json.loads((Path(DIRECTORY) / "protocol-tests-ignore-list.json").read_text())["protocols"]
    for path in sorted(Path(DIRECTORY).glob("**/output/*.json")):
        left_out = unread.get(path.stem, {}).get("output", {}).get("cases", [])
        for number, suite in enumerate(json.loads(path.read_text())):
            found += [
                pytest.param(suite, case, id=case_name(path, number, index, case))
                for index, case in enumerate(suite["cases"])
                if case.get("id") not in left_out
            ]
    return found


def case_name(path: Path, suite: int, index: int, case: dict[str, Any]) -> str:
    legacy = "legacy/" if "legacy" in path.parts else ""
    return f"{legacy}{path.stem}:{case.get('id', f'{suite}:{index}')}"


CASES = load_cases()


def models(suite: dict[str, Any], case: dict[str, Any]) -> tuple[ServiceModel, OperationModel]:
    description = copy.deepcopy({key: value for key, value in suite.items() if key != "cases"})
    given = copy.deepcopy(case["given"])
    name = given.setdefault("name", "OperationName")
    description["operations"] = {name: given}
    service = ServiceModel(description, "example")
    operation = OperationModel(given, service, name)
    shape = operation.output_shape
    if description["metadata"]["protocol"] == "query" and shape and shape.members:
        shape.serialization["resultWrapper"] = f"{name}Result"
    return service, operation


def seconds(value: Any) -> float:
    moment: datetime = parse_timestamp(value)
    return moment.astimezone(UTC).timestamp()


def read(protocol: str, response: WireResponse, shape: Any) -> dict[str, Any]:
    parser = create_parser(protocol)
    parser._timestamp_parser = seconds
    raw = {"status_code": response.status, "headers": HeadersDict(response.headers), "body": response.body}
    parsed: dict[str, Any] = parser.parse(raw | {"context": {}}, shape)
    parsed.pop("ResponseMetadata", None)
    return parsed


def plain(value: Any) -> Any:
    """Bytes as text and special floats as words, as the cases write them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}[str(value)]
    return value


@pytest.mark.skipif(DIRECTORY is None, reason="TRAILSTATE_PROTOCOL_CASES does not name botocore's tests/unit/protocols")
@pytest.mark.parametrize(("suite", "case"), CASES)
def test_case(suite: dict[str, Any], case: dict[str, Any], request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    if name in NOT_TURNABLE:
        request.applymarker(pytest.mark.xfail(reason=NOT_TURNABLE[name], strict=True))
    service, operation = models(suite, case)
    protocol = suite["metadata"]["protocol"]
    if "error" in case:
        error_comes_back(service, protocol, case)
    else:
        response = encode_result("example", operation, protocol, copy.deepcopy(case["result"]), "request-1")
        assert plain(read(protocol, response, operation.output_shape)) == case["result"]


def error_comes_back(service: ServiceModel, protocol: str, case: dict[str, Any]) -> None:
    fields = copy.deepcopy(case["error"])
    message = case.get("errorMessage", "")
    code = case.get("errorCode", "")
    fault = Fault(code, message, case["response"]["status_code"])
    fault.fields = fields
    response = encode_fault("example", protocol, fault, "request-1", model=service)
    error = read(protocol, response, None)["Error"]
    assert (error["Code"], error.get("Message") or "") == (code, message)
    shape = service.shape_for_error_code(code)
    if shape is not None:
        assert plain(read(protocol, response, shape)) == fields


@pytest.mark.skipif(DIRECTORY is None, reason="TRAILSTATE_PROTOCOL_CASES does not name botocore's tests/unit/protocols")
def test_the_list_of_failures_is_short_and_true() -> None:
    names = {case.id for case in CASES}
    assert set(NOT_TURNABLE) <= names, "a listed case no longer exists"
    assert len(NOT_TURNABLE) <= FAILURES_MAX
    assert 1 - len(NOT_TURNABLE) / len(names) >= PASSING_MIN
