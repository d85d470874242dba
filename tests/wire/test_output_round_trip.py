"""Results and errors made from the models of real services come back through botocore as they went in."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser

from trailstate.wire.call import WireResponse
from trailstate.wire.encode import encode_fault, encode_result
from trailstate.wire.encode_error import QUERY_CODES
from trailstate.wire.fault import faults, modelled_faults
from trailstate.wire.model import operation_model, service_model
from trailstate.wire.parse import parse, with_request_id

SPOKEN = [
    ("cloudtrail", "json"),
    ("config", "json"),
    ("athena", "json"),
    ("logs", "json"),
    ("events", "json"),
    ("ssm", "json"),
    ("organizations", "json"),
    ("sqs", "json"),
    ("cloudwatch", "json"),
    ("cloudwatch", "query"),
    ("cloudwatch", "smithy-rpc-v2-cbor"),
    ("sns", "query"),
    ("sts", "query"),
    ("iam", "query"),
    ("ec2", "ec2"),
    ("lambda", "rest-json"),
    ("s3", "rest-xml"),
    ("route53", "rest-xml"),
]
OPERATIONS_PER_SERVICE = 40
DEPTH_MAX = 5

FAULTY = [
    ("cloudtrail", "json"),
    ("sqs", "json"),
    ("sts", "query"),
    ("iam", "query"),
    ("sns", "query"),
    ("s3", "rest-xml"),
    ("cloudwatch", "json"),
    ("cloudwatch", "query"),
    ("cloudwatch", "smithy-rpc-v2-cbor"),
    ("lambda", "rest-json"),
]

TEXT = 'Ünïcode <&> "quoted"\r\n\t]]> 日本 \U0001f512 end'
HEADER_TEXT = "plain; text=1"


class Maker:
    """Draws values for a shape; all that a place (header, XML attribute) cannot hold is left out."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def value(self, shape: Any, depth: int = 0, *, in_header: bool = False) -> Any:
        draw = self._random
        kind = shape.type_name
        if kind == "structure":
            return self.structure(shape, depth)
        if kind == "list":
            return [self.value(shape.member, depth + 1, in_header=in_header) for _ in range(draw.randint(1, 2))]
        if kind == "map":
            return {
                self.key(shape.key, index): self.value(shape.value, depth + 1, in_header=in_header)
                for index in range(1, draw.randint(2, 3))
            }
        if kind == "timestamp":
            return datetime.fromtimestamp(draw.randint(0, 2**31), UTC)
        if kind in ("string", "character"):
            allowed = shape.metadata.get("enum")
            return draw.choice(allowed) if allowed else (HEADER_TEXT if in_header else TEXT)
        plain = {
            "boolean": draw.random() < 0.5,
            "blob": draw.randbytes(5),
            "float": 0.5,
            "double": draw.uniform(-1e9, 1e9),
        }
        return plain[kind] if kind in plain else draw.randint(0, 2**31 - 1)

    def key(self, shape: Any, index: int) -> str:
        allowed = shape.metadata.get("enum")
        return str(allowed[index % len(allowed)]) if allowed else f"key-{index}"

    def structure(self, shape: Any, depth: int) -> Any:
        if shape.is_document_type:
            return {"free": ["form", 1]}
        names = list(shape.members)
        if shape.is_tagged_union:
            names = [self._random.choice(names)]
        elif depth >= DEPTH_MAX:
            names = []
        made = {}
        for name in names:
            member = shape.members[name]
            where = member.serialization.get("location")
            if where == "statusCode":
                made[name] = 200
                continue
            if depth >= DEPTH_MAX - 1 and _is_deep(member):
                continue
            in_header = where is not None or bool(member.serialization.get("xmlAttribute"))
            made[name] = self.value(member, depth + 1, in_header=in_header)
        return made


def _is_deep(shape: Any) -> bool:
    return shape.type_name in ("structure", "list", "map")


def is_streamed(operation: Any) -> bool:
    return operation.has_event_stream_output or operation.has_streaming_output


def operations(service: str) -> list[str]:
    """A sample over the whole alphabet, the same each time."""
    names = [name for name in service_model(service).operation_names if not is_streamed(operation_model(service, name))]
    return names[:: max(1, len(names) // OPERATIONS_PER_SERVICE)]


@pytest.mark.parametrize(("service", "protocol"), SPOKEN)
def test_results_come_back(service: str, protocol: str) -> None:
    sent = 0
    for name in operations(service):
        operation = operation_model(service, name)
        shape = operation.output_shape
        if operation.http.get("method") == "HEAD":
            continue
        result = {} if shape is None else Maker(f"{service}.{name}").value(shape)
        response = with_request_id(
            encode_result(service, operation, protocol, result, "request-1"), service, protocol, "request-2"
        )
        assert parse(service, operation, protocol, response) == (result, None), name
        assert b"request-1" not in response.body
        sent += 1
    assert sent >= 10 or service == "sts"


@pytest.mark.parametrize(("service", "protocol"), FAULTY)
def test_every_modelled_error_comes_back(service: str, protocol: str) -> None:
    model = service_model(service)
    for name, modelled in modelled_faults(service).items():
        shape = model.shape_for(name)
        fields = {
            key: value
            for key, value in Maker(name).value(shape).items()
            if key.lower() not in ("message", "code", "type")
        }
        fault = getattr(faults(service), name)("What went <wrong> & why", **fields)
        response = encode_fault(service, protocol, fault, "request-1")
        parsed = read_error(protocol, response, None)
        assert parsed["Error"]["Code"] == QUERY_CODES.get((service, name), modelled.code)
        assert parsed["Error"].get("QueryErrorCode", name) == name
        assert parsed["Error"]["Message"] == "What went <wrong> & why"
        assert response.status == modelled.status
        assert parsed["ResponseMetadata"]["RequestId"] == "request-1"
        members = read_error(protocol, response, shape)
        assert {key: value for key, value in members.items() if key in fields} == fields, name


def read_error(protocol: str, response: WireResponse, shape: Any) -> Any:
    raw = {"status_code": response.status, "headers": HeadersDict(response.headers), "body": response.body}
    return create_parser(protocol).parse(raw | {"context": {}}, shape)


def test_query_services_write_the_code_not_the_class() -> None:
    fault = faults("iam").NoSuchEntityException("The user with name x cannot be found.")
    error = read_error("query", encode_fault("iam", "query", fault, "request-1"), None)["Error"]
    assert (error["Code"], error["Type"]) == ("NoSuchEntity", "Sender")


@pytest.mark.parametrize("protocol", ["json", "smithy-rpc-v2-cbor"])
def test_services_that_spoke_query_still_tell_the_old_code(protocol: str) -> None:
    response = encode_fault("cloudwatch", protocol, faults("cloudwatch").DashboardNotFoundError("no"), "request-1")
    assert dict(response.headers)["x-amzn-query-error"] == "ResourceNotFound;Sender"
    error = read_error(protocol, response, None)["Error"]
    assert (error["Code"], error["QueryErrorCode"]) == ("ResourceNotFound", "DashboardNotFoundError")
