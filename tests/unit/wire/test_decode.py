"""What is read from each protocol's body, and what is refused before anybody acts on it."""

import math
import tempfile
from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest

from trailstate.wire.call import WireRequest
from trailstate.wire.decode import DOCUMENT_BYTES_MAX, decode, streamed_member
from trailstate.wire.fault import Fault
from trailstate.wire.model import operation_model
from trailstate.wire.route import Route, route


def json_call(target: str, body: bytes) -> dict[str, Any]:
    request = WireRequest("POST", "/", (("host", "localhost"), ("x-amz-target", target)), body)
    return decode(request, route(request))


def cbor_call(operation: str, body: bytes) -> dict[str, Any]:
    path = f"/service/GraniteServiceVersion20100801/operation/{operation}"
    request = WireRequest("POST", path, (("host", "localhost"), ("smithy-protocol", "rpc-v2-cbor")), body)
    return decode(request, route(request))


def query_call(body: bytes) -> dict[str, Any]:
    headers = (("host", "localhost"), ("content-type", "application/x-www-form-urlencoded"))
    request = WireRequest("POST", "/", headers, body)
    return decode(request, route(request))


def s3_call(method: str, target: str, body: bytes = b"", *headers: tuple[str, str]) -> dict[str, Any]:
    request = WireRequest(method, target, (("host", "localhost"), *headers), body)
    return decode(request, route(request))


LOOKUP = "CloudTrail_20131101.LookupEvents"


@pytest.mark.parametrize("seconds", [b"1700000000", b"1700000000.0", b'"2023-11-14T22:13:20Z"'])
def test_a_json_timestamp_may_be_whole_fractional_or_text(seconds: bytes) -> None:
    assert json_call(LOOKUP, b'{"StartTime":' + seconds + b"}") == {
        "StartTime": datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    }


def test_milliseconds_of_a_timestamp_are_kept() -> None:
    (moment,) = json_call(LOOKUP, b'{"StartTime":1700000000.123}').values()
    assert moment.microsecond == 123000


def test_members_unknown_or_null_are_dropped() -> None:
    assert json_call(LOOKUP, b'{"MaxResults":5,"Nope":{"a":1},"NextToken":null}') == {"MaxResults": 5}


def test_no_body_means_no_parameters() -> None:
    assert json_call(LOOKUP, b"") == {}


def test_blobs_are_bytes_and_structures_may_hold_themselves() -> None:
    body = b'{"TableName":"t","Item":{"a":{"M":{"b":{"L":[{"B":"AQI="},{"S":"x"}]}}}}}'
    found = json_call("DynamoDB_20120810.PutItem", body)
    assert found["Item"]["a"]["M"]["b"]["L"] == [{"B": b"\x01\x02"}, {"S": "x"}]


NESTED = 65


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'"x"',
        b"{",
        b"{}x",
        b'\xef\xbb\xbf{"MaxResults":5}',
        b'{"NextToken":"\xff"}',
        b'{"NextToken":"\\ud800"}',
        b'{"MaxResults":5,"MaxResults":50}',
        b'{"x":{"a":1,"a":2}}',
        b'{"x":{"\\u0061":1,"a":2}}',
        b'{"x":NaN}',
        b'{"x":Infinity}',
        b'{"x":1e400}',
        b'{"MaxResults":' + b"9" * 400 + b"}",
        b'{"MaxResults":2147483648}',
        b'{"MaxResults":1.5}',
        b'{"MaxResults":"5"}',
        b'{"MaxResults":true}',
        b'{"NextToken":5}',
        b'{"NextToken":{}}',
        b'{"LookupAttributes":{}}',
        b'{"LookupAttributes":["x"]}',
        b'{"StartTime":"yesterday"}',
        b'{"StartTime":1e300}',
        b'{"x":' * NESTED + b"1" + b"}" * NESTED,
        b'{"x":' + b"[" * 100_000,
    ],
    ids=lambda body: body[:24],
)
def test_json_that_could_mislead_is_refused(body: bytes) -> None:
    with pytest.raises(Fault) as caught:
        json_call(LOOKUP, body)
    assert (caught.value.code, caught.value.status) == ("SerializationException", 400)


def test_braces_in_a_string_do_not_nest() -> None:
    token = '{[\\"' * 200
    body = b'{"NextToken":"' + token.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"}'
    assert json_call(LOOKUP, body) == {"NextToken": token}


def test_cbor_has_its_own_types() -> None:
    moment = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    data = {"MetricName": "m", "Timestamp": cbor2.CBORTag(1, 1700000000), "Value": math.inf, "Counts": [1, 2.5]}
    found = cbor_call("PutMetricData", cbor2.dumps({"Namespace": "n", "MetricData": [data]}))
    assert found["MetricData"] == [{"MetricName": "m", "Timestamp": moment, "Value": math.inf, "Counts": [1.0, 2.5]}]


def test_cbor_of_indefinite_length_is_read() -> None:
    assert cbor_call("ListMetrics", b"\xbf\x69Namespace\x7f\x61a\x61b\xff\xff") == {"Namespace": "ab"}


@pytest.mark.parametrize(
    "body",
    [
        b"\x80",
        b"\xa1",
        b"\xff",
        b"\xbf",
        b"\xa0\xa0",
        b"\xa2\x61a\x01\x61a\x02",
        b"\xa1\x61a\xc2\x41\x01",
        b"\xa1\x61a\xc4\x82\x1b\x00\x00\x00\x00\xff\xff\xff\xff\x01",
        b"\xa1\x61a\xd8\x1c\x80",
        b"\xa1\x61a\xd8\x63\x01",
        b"\xa1\x69Namespace\x61\xff",
        b"\xa1\x69Namespace\x41x",
        b"\xa1\x69StartTime\xc1\xf9\x7e\x00",
        b"\xa1\x61a" + b"\x81" * 65 + b"\x01",
        b"\xa1\x61a" + b"\x9f" * 100_000,
        b"\xa1\x61a\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xa1\x61a\x5b\x00\x00\x00\xff\xff\xff\xff\xff",
    ],
    ids=lambda body: body[:8].hex(),
)
def test_cbor_that_could_mislead_is_refused(body: bytes) -> None:
    with pytest.raises(Fault) as caught:
        cbor_call("GetMetricStatistics", body)
    assert caught.value.code == "SerializationException"


def test_query_lists_are_ordered_by_number_and_may_have_gaps() -> None:
    body = b"Action=DescribeInstances&Version=2016-11-15&InstanceId.10=c&InstanceId.2=b&InstanceId.1=a"
    assert query_call(body) == {"InstanceIds": ["a", "b", "c"]}


def test_query_lists_have_members_and_maps_entries() -> None:
    tagged = b"Action=CreateUser&Version=2010-05-08&UserName=u&Tags.member.1.Key=a&Tags.member.1.Value=b"
    entries = b"Action=CreatePlatformEndpoint&Version=2010-03-31&Attributes.entry.1.key=a&Attributes.entry.1.value=b"
    assert query_call(tagged) == {"UserName": "u", "Tags": [{"Key": "a", "Value": "b"}]}
    assert query_call(entries) == {"Attributes": {"a": "b"}}


def test_old_clients_of_sqs_use_names_that_its_model_has_forgotten() -> None:
    attributes = b"Action=SetQueueAttributes&Version=2012-11-05&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5"
    batch = b"Action=SendMessageBatch&Version=2012-11-05&SendMessageBatchRequestEntry.1.Id=a"
    tags = b"Action=TagQueue&Version=2012-11-05&Tag.1.Key=a&Tag.1.Value=b"
    assert query_call(attributes) == {"Attributes": {"DelaySeconds": "5"}}
    assert query_call(batch) == {"Entries": [{"Id": "a"}]}
    assert query_call(tags) == {"Tags": {"a": "b"}}


@pytest.mark.parametrize(
    "parameter",
    [b"InstanceId=x", b"InstanceId.a=x", b"DryRun=perhaps", b"MaxResults=1e3", b"MaxResults.1=5", b"a" + b".a" * 64],
)
def test_query_values_of_another_shape_are_refused(parameter: bytes) -> None:
    with pytest.raises(Fault) as caught:
        query_call(b"Action=DescribeInstances&Version=2016-11-15&" + parameter)
    assert (caught.value.code, caught.value.status) == ("InvalidParameterValue", 400)


TAGGING = b"<Tagging><TagSet><Tag><Key>a</Key><Value>&lt;b&gt;</Value></Tag></TagSet></Tagging>"


def test_xml_with_and_without_namespaces() -> None:
    expected = {"Bucket": "logs", "Tagging": {"TagSet": [{"Key": "a", "Value": "<b>"}]}}
    spaced = TAGGING.replace(b"<Tagging>", b'<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/">')
    assert s3_call("PUT", "/logs?tagging", TAGGING) == expected
    assert s3_call("PUT", "/logs?tagging", spaced) == expected


def test_an_xml_attribute_is_a_member_whatever_its_prefix() -> None:
    space = b'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
    grant = b"<Grant><Grantee " + space + b' i:type="Group"><URI>u</URI></Grantee></Grant>'
    body = b"<AccessControlPolicy><AccessControlList>" + grant + b"</AccessControlList></AccessControlPolicy>"
    found = s3_call("PUT", "/logs?acl", body)
    assert found["AccessControlPolicy"]["Grants"] == [{"Grantee": {"Type": "Group", "URI": "u"}}]


@pytest.mark.parametrize(
    "body",
    [
        b"<Tagging>",
        b"{}",
        b"<Tagging/><Tagging/>",
        b"<Tags/>",
        b'<!DOCTYPE Tagging [<!ENTITY a "b">]>' + TAGGING,
        b'<!DOCTYPE Tagging SYSTEM "file:///etc/passwd"><Tagging/>',
        b"<Tagging><TagSet><Tag><Key><a/></Key></Tag></TagSet></Tagging>",
        b"<a>" * 65 + b"</a>" * 65,
        b"<Tagging>\xff</Tagging>",
        b"<Tagging>" + b"<a/>" * 100_000 + b"</Tagging>",
    ],
    ids=lambda body: body[:24],
)
def test_xml_that_could_mislead_is_refused(body: bytes) -> None:
    with pytest.raises(Fault) as caught:
        s3_call("PUT", "/logs?tagging", body)
    assert (caught.value.code, caught.value.status) == ("MalformedXML", 400)


def test_headers_and_query_parameters_have_types() -> None:
    headers = (("x-amz-meta-colour", "blue"), ("if-modified-since", "Tue, 14 Nov 2023 22:13:20 GMT"))
    found = s3_call("GET", "/logs/a?versionId=3&partNumber=2&response-content-type=text%2Fplain", b"", *headers)
    assert found == {
        "Bucket": "logs",
        "Key": "a",
        "VersionId": "3",
        "PartNumber": 2,
        "ResponseContentType": "text/plain",
        "IfModifiedSince": datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
    }


def test_the_body_of_an_object_is_left_out_and_named() -> None:
    metadata = (("x-amz-meta-a", "1"), ("x-amz-meta-b", "2"))
    found = s3_call("PUT", "/logs/a", b"contents", *metadata)
    assert found == {"Bucket": "logs", "Key": "a", "Metadata": {"a": "1", "b": "2"}}
    assert streamed_member(operation_model("s3", "PutObject")) == "Body"
    assert streamed_member(operation_model("s3", "PutBucketPolicy")) is None


LAMBDA = b"AWS4-HMAC-SHA256 Credential=AKIA/20260115/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"


@pytest.mark.parametrize(
    ("headers", "path", "body", "member"),
    [
        (
            (("authorization", LAMBDA.decode()),),
            "/2015-03-31/functions",
            b'{"FunctionName":"f"}',
            {"FunctionName": "f"},
        ),
        ((("x-amz-target", LOOKUP),), "/", b'{"MaxResults":5}', {"MaxResults": 5}),
        (
            (("content-type", "application/x-www-form-urlencoded"),),
            "/",
            b"Action=Publish&Version=2010-03-31&Message=m",
            {"Message": "m"},
        ),
    ],
    ids=["rest-json", "json", "query"],
)
def test_a_document_that_waits_in_a_file_is_read(
    headers: tuple[tuple[str, str], ...], path: str, body: bytes, member: dict[str, Any]
) -> None:
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(body)
        request = WireRequest("POST", path, (("host", "localhost"), *headers), body_file=file, body_size=len(body))
        assert decode(request, route(request)) == member
        assert file.tell() == len(body), "whoever reads the file next finds it as it was"


def test_a_document_larger_than_any_service_takes_is_refused_unread() -> None:
    with tempfile.TemporaryFile(buffering=0) as file:
        request = WireRequest(
            "PUT", "/logs?policy", (("host", "localhost"),), body_file=file, body_size=DOCUMENT_BYTES_MAX + 1
        )
        with pytest.raises(Fault, match="at most"):
            decode(request, route(request))


def test_a_text_payload_is_the_body() -> None:
    assert s3_call("PUT", "/logs?policy", b'{"Version":1}')["Policy"] == '{"Version":1}'


def test_a_route_of_an_operation_without_input_has_no_parameters() -> None:
    request = WireRequest("POST", "/", (), b"ignored")
    assert decode(request, Route("sts", "GetCallerIdentity", "query", "us-east-1")) == {}
