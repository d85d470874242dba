"""What answers look like on the wire, protocol by protocol."""

import json
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from trailstate.wire.call import WireResponse
from trailstate.wire.encode import encode_fault, encode_result
from trailstate.wire.encode_headers import host_id
from trailstate.wire.fault import Fault, faults
from trailstate.wire.model import operation_model
from trailstate.wire.spelling import internal_failure, service_unavailable

MOMENT = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


def header(response: WireResponse, name: str) -> str | None:
    return dict(response.headers).get(name)


def test_json() -> None:
    operation = operation_model("cloudtrail", "LookupEvents")
    response = encode_result("cloudtrail", operation, "json", {"Events": [{"EventTime": MOMENT}]}, "request-1")
    assert json.loads(response.body) == {"Events": [{"EventTime": 1768469400}]}
    assert header(response, "content-type") == "application/x-amz-json-1.1"
    assert header(response, "x-amzn-requestid") == "request-1"


def test_query_wraps_the_result_and_names_the_request() -> None:
    operation = operation_model("sts", "GetCallerIdentity")
    response = encode_result("sts", operation, "query", {"Account": "111122223333"}, "request-1")
    assert response.body.decode() == (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        "<Account>111122223333</Account></GetCallerIdentityResult>"
        "<ResponseMetadata><RequestId>request-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    )


def test_ec2_says_true_when_there_is_nothing_to_say() -> None:
    response = encode_result("ec2", operation_model("ec2", "DeleteVpc"), "ec2", {}, "request-1")
    assert b"<requestId>request-1</requestId><return>true</return>" in response.body


def test_s3_errors_stand_alone_and_carry_two_identifiers() -> None:
    fault = faults("s3").NoSuchBucket("The specified bucket does not exist")
    fault.fields = {"BucketName": "b", "Resource": "/b"}
    response = encode_fault("s3", "rest-xml", fault, "0123456789ABCDEF")
    root = ET.fromstring(response.body)
    assert {child.tag: child.text for child in root} == {
        "Code": "NoSuchBucket",
        "Message": "The specified bucket does not exist",
        "BucketName": "b",
        "Resource": "/b",
        "RequestId": "0123456789ABCDEF",
        "HostId": host_id("0123456789ABCDEF"),
    }
    assert header(response, "x-amz-id-2") == host_id("0123456789ABCDEF")
    assert len(host_id("0123456789ABCDEF")) == 76


def test_answers_to_head_have_no_body() -> None:
    response = encode_result("s3", operation_model("s3", "HeadObject"), "rest-xml", {"ETag": '"x"'}, "request-1")
    assert (response.body, header(response, "etag")) == (b"", '"x"')
    assert encode_fault("s3", "rest-xml", faults("s3").NoSuchKey(""), "request-1", head=True).body == b""


def test_rest_json_names_the_error_in_a_header() -> None:
    response = encode_fault("lambda", "rest-json", faults("lambda").ResourceNotFoundException("no"), "request-1")
    assert header(response, "x-amzn-errortype") == "ResourceNotFoundException"
    assert json.loads(response.body)["Message"] == "no"


@pytest.mark.parametrize("protocol", ["json", "query", "ec2", "rest-json", "rest-xml", "smithy-rpc-v2-cbor"])
def test_faults_of_an_unknown_service_can_be_written(protocol: str) -> None:
    response = encode_fault(None, protocol, internal_failure(None, protocol), "request-1")
    assert response.status == 500
    assert b"internal error" in response.body


def test_retry_after() -> None:
    response = encode_fault("sts", "query", service_unavailable("sts", "query"), "request-1")
    assert (response.status, header(response, "retry-after")) == (503, "2")


@pytest.mark.parametrize("evil", ["a\x00b", "a\x1bb", "a\ud800b", "a\ufffeb", "</Message><Code>x</Code>", "]]>&"])
@pytest.mark.parametrize("protocol", ["query", "ec2", "rest-xml"])
def test_no_text_breaks_the_document(protocol: str, evil: str) -> None:
    response = encode_fault(None, protocol, Fault("Code", evil), "request-1")
    found = ET.fromstring(response.body).findall(".//Message")
    assert len(found) == 1
    assert found[0].text == "".join(c if c.isprintable() else "\ufffd" for c in evil).replace("\ufffe", "\ufffd")


@pytest.mark.parametrize("evil", ["a\r\nset-cookie: x", "a\nb", "a\x00b", "ü"])
def test_no_value_breaks_the_header_block(evil: str) -> None:
    operation = operation_model("s3", "HeadObject")
    response = encode_result("s3", operation, "rest-xml", {"CacheControl": evil, "Metadata": {"k": evil}}, "request-1")
    for name in ("cache-control", "x-amz-meta-k"):
        value = header(response, name)
        assert value is not None
        assert value.startswith("=?UTF-8?B?")
        assert value.isprintable()
        assert value.isascii()


def test_a_header_name_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a header name"):
        encode_result("s3", operation_model("s3", "HeadObject"), "rest-xml", {"Metadata": {"a\r\nb": "x"}}, "request-1")


def test_a_member_the_model_lacks_is_refused() -> None:
    with pytest.raises(TypeError, match="has no member 'Colour'"):
        encode_result("cloudtrail", operation_model("cloudtrail", "GetTrail"), "json", {"Colour": 1}, "request-1")


def test_times_have_a_fraction_where_the_service_writes_one() -> None:
    keys = {"AccessKeyMetadata": [{"CreateDate": MOMENT}]}
    iam = encode_result("iam", operation_model("iam", "ListAccessKeys"), "query", keys, "request-1")
    s3 = encode_result(
        "s3", operation_model("s3", "ListBuckets"), "rest-xml", {"Buckets": [{"CreationDate": MOMENT}]}, "r"
    )
    assert b"<CreateDate>2026-01-15T09:30:00Z<" in iam.body
    assert b"<CreationDate>2026-01-15T09:30:00.000Z<" in s3.body
