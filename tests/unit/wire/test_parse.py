"""Answers read back, and our request id put into them."""

import random
from datetime import UTC, datetime

import pytest

from trailstate.wire.call import Failure, WireResponse
from trailstate.wire.encode import encode_fault, encode_result
from trailstate.wire.encode_headers import host_id
from trailstate.wire.fault import faults
from trailstate.wire.model import operation_model
from trailstate.wire.parse import UNREADABLE, parse, with_request_id

IDENTITY = operation_model("sts", "GetCallerIdentity")


def test_a_result_is_read_without_metadata() -> None:
    response = encode_result("sts", IDENTITY, "query", {"Account": "111122223333"}, "request-1")
    assert parse("sts", IDENTITY, "query", response) == ({"Account": "111122223333"}, None)


def test_a_failure_is_read() -> None:
    response = encode_fault("iam", "query", faults("iam").NoSuchEntityException("gone"), "request-1")
    failure = parse("iam", operation_model("iam", "GetUser"), "query", response)[1]
    assert failure == Failure("NoSuchEntity", "gone", 404)


def test_a_streamed_body_is_not_read() -> None:
    response = WireResponse(200, (("etag", '"x"'),), b"\xff\x00 any bytes")
    result, failure = parse("s3", operation_model("s3", "GetObject"), "rest-xml", response)
    assert (result, failure) == ({"ETag": '"x"', "Metadata": {}}, None)


def test_the_location_of_a_bucket_is_the_answers_only_element() -> None:
    location = operation_model("s3", "GetBucketLocation")
    namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
    away = f"<LocationConstraint {namespace}>eu-west-1</LocationConstraint>".encode()
    assert parse("s3", location, "rest-xml", WireResponse(200, (), away)) == ({"LocationConstraint": "eu-west-1"}, None)
    home = f"<LocationConstraint {namespace} />".encode()
    assert parse("s3", location, "rest-xml", WireResponse(200, (), home)) == ({}, None)


def test_an_error_without_body_tells_its_status() -> None:
    failure = parse("s3", operation_model("s3", "HeadObject"), "rest-xml", WireResponse(404, ()))[1]
    assert failure == Failure("404", "Not Found", 404)


def test_a_success_nobody_can_read_is_a_failure_of_its_own_kind() -> None:
    result, failure = parse("sts", IDENTITY, "query", WireResponse(200, (), b"<html>"))
    assert result is None
    assert failure is not None
    assert failure.code == UNREADABLE


SPOKEN = [
    ("cloudtrail", "LookupEvents", "json"),
    ("sts", "GetCallerIdentity", "query"),
    ("ec2", "DescribeInstances", "ec2"),
    ("lambda", "ListFunctions", "rest-json"),
    ("s3", "ListBuckets", "rest-xml"),
    ("cloudwatch", "ListMetrics", "smithy-rpc-v2-cbor"),
]
ODD = [
    b"",
    b"null",
    b"[]",
    b"5",
    b'{"Events": 5}',
    b'{"Error": []}',
    b"<a>",
    b"<a/>",
    b"\xff\xfe",
    b"\xbb" + b"\xff" * 9,
    b"[" * 5000,
]


@pytest.mark.parametrize("spoken", SPOKEN, ids=lambda spoken: spoken[2])
@pytest.mark.parametrize("status", [200, 301, 400, 404, 500, 503])
def test_odd_bytes_raise_nothing(spoken: tuple[str, str, str], status: int) -> None:
    service, name, protocol = spoken
    draw = random.Random(status)
    for body in ODD + [draw.randbytes(draw.randint(1, 60)) for _ in range(60)]:
        response = WireResponse(status, (("x-amzn-errortype", "\x00"), ("x-amzn-query-error", ";;")), body)
        result, failure = parse(service, operation_model(service, name), protocol, response)
        assert (result is None) != (failure is None)
        with_request_id(response, service, protocol, "request-2")


def test_only_the_request_id_changes() -> None:
    body = (
        b"<DescribeEventsResponse><DescribeEventsResult><RequestId>theirs</RequestId></DescribeEventsResult>\n"
        b"<ResponseMetadata>\n <RequestId>old</RequestId></ResponseMetadata></DescribeEventsResponse>"
    )
    response = WireResponse(200, (("X-Amzn-RequestId", "old"), ("Content-Length", str(len(body)))), body)
    ours = with_request_id(response, "elasticbeanstalk", "query", "new-id")
    assert ours.body == body.replace(b"<RequestId>old<", b"<RequestId>new-id<")
    assert ours.headers == (("x-amzn-requestid", "new-id"), ("Content-Length", str(len(ours.body))))


def test_ec2_keeps_ids_deeper_down() -> None:
    body = b"<XResponse xmlns='u'><requestId>old</requestId><set><requestId>theirs</requestId></set></XResponse>"
    ours = with_request_id(WireResponse(200, (), body), "ec2", "ec2", "new")
    assert ours.body == body.replace(b">old<", b">new<")
    last = b"<XResponse><set><requestId>theirs</requestId></set><requestId>old</requestId></XResponse>"
    assert with_request_id(WireResponse(200, (), last), "ec2", "ec2", "new").body == last.replace(b">old<", b">new<")


def test_s3_errors_get_both_identifiers() -> None:
    body = b"<Error><Code>NoSuchKey</Code><RequestId>old</RequestId><HostId>old</HostId></Error>"
    ours = with_request_id(WireResponse(404, (("x-amz-id-2", "old"),), body), "s3", "rest-xml", "NEW")
    assert b"<RequestId>NEW</RequestId><HostId>" + host_id("NEW").encode() in ours.body
    assert ours.headers == (("x-amz-request-id", "NEW"), ("x-amz-id-2", host_id("NEW")))


def test_an_object_that_looks_like_an_answer_is_left_alone() -> None:
    body = b"<Error><RequestId>part of the object</RequestId></Error>"
    assert with_request_id(WireResponse(200, (), body), "s3", "rest-xml", "NEW").body is body


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-15T09:30:00Z", datetime(2026, 1, 15, 9, 30, tzinfo=UTC)),
        ("2026-01-15T10:30:00.250+01:00", datetime(2026, 1, 15, 9, 30, 0, 250_000, tzinfo=UTC)),
        ("Thu, 15 Jan 2026 09:30:00 GMT", datetime(2026, 1, 15, 9, 30, tzinfo=UTC)),
        ("1768469400", datetime(2026, 1, 15, 9, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_every_form_that_is_in_use(text: str, moment: datetime) -> None:
    body = f"<R><GetUserResult><User><CreateDate>{text}</CreateDate></User></GetUserResult></R>".encode()
    result, _ = parse("iam", operation_model("iam", "GetUser"), "query", WireResponse(200, (), body))
    assert result == {"User": {"CreateDate": moment}}


def test_a_time_far_away_is_read_from_a_number() -> None:
    answer = WireResponse(200, (), b'{"KeyMetadata": {"ValidTo": 64060588800}}')
    result, _ = parse("kms", operation_model("kms", "CreateKey"), "json", answer)
    assert result == {"KeyMetadata": {"ValidTo": datetime(4000, 1, 1, tzinfo=UTC)}}
