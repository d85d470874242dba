"""Our reader of query answers against botocore's: of every answer, whole or damaged, both understand the same."""

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import HeadersDict
from botocore.parsers import ResponseParserError, create_parser
from tests.wire.test_output_round_trip import Maker, operations

from trailstate.wire.call import WireResponse
from trailstate.wire.encode import encode_result
from trailstate.wire.model import operation_model
from trailstate.wire.parse import parse

SPOKEN = {"ec2": "ec2"} | dict.fromkeys(
    ("autoscaling", "cloudformation", "cloudwatch", "elbv2", "iam", "rds", "redshift", "sns", "sqs", "sts"), "query"
)
ELEMENT = re.compile(rb"<((?!key>|value>|Name>|Value>)\w+)>[^<]*</\1>")
"""One without others in it; the parts of a map's entry are left alone, for botocore mixes up entries that lack one."""


def by_botocore(operation: Any, protocol: str, body: bytes) -> dict[str, Any] | None:
    """Its members; None where it gives up."""
    raw = {"status_code": 200, "headers": HeadersDict(()), "body": body, "context": {}}
    try:
        members: dict[str, Any] = create_parser(protocol).parse(raw, operation.output_shape)
    except (ResponseParserError, ValueError, LookupError, TypeError, AttributeError, UnboundLocalError):
        return None
    members.pop("ResponseMetadata", None)
    return members


def answers(service: str, protocol: str) -> Iterator[tuple[Any, bytes]]:
    for name in operations(service):
        operation = operation_model(service, name)
        if operation.output_shape is not None:
            result = Maker(f"{service}.{name}").value(operation.output_shape)
            yield operation, encode_result(service, operation, protocol, result, "request-1").body


def damaged(body: bytes, draw: random.Random) -> bytes:
    """With an element gone, emptied or of a name that nobody knows, or cut off."""
    found = draw.choice(list(ELEMENT.finditer(body)))
    name = found[1]
    instead = draw.choice(
        [b"", b"<%b/>" % name, b"<%b></%b>" % (name, name), b"<Odd>1</Odd>", b"<%b>x</%b>" % (name, name)]
    )
    return draw.choice([body[: found.start()] + instead + body[found.end() :], body[: draw.randrange(len(body))]])


@pytest.mark.parametrize("service", SPOKEN)
def test_both_understand_the_same(service: str) -> None:
    protocol, draw = SPOKEN[service], random.Random(service)
    for operation, body in answers(service, protocol):
        for sent in (body, *(damaged(body, draw) for _ in range(4))):
            expected = by_botocore(operation, protocol, sent)
            members, failure = parse(service, operation, protocol, WireResponse(200, (), sent))
            assert members == expected, (operation.name, sent, failure)
            if expected is not None and members is not None:
                assert list(members) == list(expected), "the order is the model's too"


def test_an_entry_of_a_map_without_its_value_is_no_answer() -> None:
    entries = b"<entry><key>a</key><value>1</value></entry><entry><key>b</key></entry>"
    inner = b"<GetEndpointAttributesResult><Attributes>" + entries + b"</Attributes></GetEndpointAttributesResult>"
    operation = operation_model("sns", "GetEndpointAttributes")
    members, failure = parse("sns", operation, "query", WireResponse(200, (), b"<R>" + inner + b"</R>"))
    assert members is None
    assert failure is not None
