"""Where requests go, in the forms that real clients send them."""

from typing import Any

import pytest

from trailstate.wire.call import WireRequest
from trailstate.wire.route import Route, Unrouted, route


def scope(service: str, region: str = "eu-west-1") -> tuple[str, str]:
    credential = f"AKID/20260115/{region}/{service}/aws4_request"
    return "authorization", f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"


FORM = ("content-type", "application/x-www-form-urlencoded; charset=utf-8")


def sent(method: str, target: str, *headers: tuple[str, str], body: bytes = b"", host: str = "localhost:4566") -> Route:
    return route(WireRequest(method, target, (("host", host), *headers), body))


def named(found: Route) -> tuple[str, str, str]:
    return found.service, found.operation, found.protocol


@pytest.mark.parametrize("prefix", ["com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", "CloudTrail_20131101"])
def test_cloudtrail_has_two_target_prefixes(prefix: str) -> None:
    found = sent("POST", "/", ("x-amz-target", f"{prefix}.LookupEvents"), scope("cloudtrail"))
    assert named(found) == ("cloudtrail", "LookupEvents", "json")
    assert (found.region, found.signature.access_key_id) == ("eu-west-1", "AKID")


def test_cloudwatch_is_asked_in_three_protocols() -> None:
    cbor = ("smithy-protocol", "rpc-v2-cbor")
    path = "/service/GraniteServiceVersion20100801/operation/ListMetrics"
    target = ("x-amz-target", "GraniteServiceVersion20100801.ListMetrics")
    body = b"Action=ListMetrics&Version=2010-08-01"
    found = [
        named(sent("POST", path, cbor, scope("monitoring"))),
        named(sent("POST", "/", target, scope("monitoring"))),
        named(sent("POST", "/", FORM, scope("monitoring"), body=body)),
    ]
    protocols = ("smithy-rpc-v2-cbor", "json", "query")
    assert found == [("cloudwatch", "ListMetrics", protocol) for protocol in protocols]


@pytest.mark.parametrize(("version", "service"), [("2012-06-01", "elb"), ("2015-12-01", "elbv2")])
def test_the_version_tells_load_balancers_apart(version: str, service: str) -> None:
    body = f"Action=DescribeLoadBalancers&Version={version}".encode()
    assert sent("POST", "/", FORM, scope("elasticloadbalancing"), body=body).service == service


def test_ec2_takes_older_versions_and_query_strings() -> None:
    found = sent("GET", "/?Action=DescribeInstances&Version=2014-10-01", scope("ec2"))
    assert named(found) == ("ec2", "DescribeInstances", "ec2")
    assert found.form["Version"] == "2014-10-01"


def test_an_unsigned_request_needs_action_and_version() -> None:
    body = b"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=a"
    found = sent("POST", "/", FORM, body=body)
    assert named(found) == ("sts", "AssumeRoleWithWebIdentity", "query")
    assert found.signature.access_key_id is None


def test_a_version_2_signature_may_stand_in_the_form() -> None:
    body = b"Action=ListDomains&Version=2009-04-15&AWSAccessKeyId=AKID&SignatureVersion=2&Signature=x"
    found = sent("POST", "/", FORM, body=body)
    assert (found.service, found.signature.access_key_id, found.signature.version) == ("sdb", "AKID", "SigV2")


@pytest.mark.parametrize(
    ("method", "target", "host", "operation"),
    [
        ("GET", "/", "localhost:4566", "ListBuckets"),
        ("PUT", "/logs", "localhost:4566", "CreateBucket"),
        ("PUT", "/logs/", "localhost:4566", "CreateBucket"),
        ("GET", "/logs?list-type=2&prefix=a", "localhost:4566", "ListObjectsV2"),
        ("GET", "/logs?prefix=a", "localhost:4566", "ListObjects"),
        ("GET", "/logs?acl", "localhost:4566", "GetBucketAcl"),
        ("GET", "/logs/?policy=", "localhost:4566", "GetBucketPolicy"),
        ("GET", "/logs/a/b.json?acl=", "localhost:4566", "GetObjectAcl"),
        ("GET", "/logs/a/b.json?x-id=GetObject", "localhost:4566", "GetObject"),
        ("PUT", "/logs/a?partNumber=1&uploadId=2", "localhost:4566", "UploadPart"),
        ("GET", "/logs/a?uploadId=2", "localhost:4566", "ListParts"),
        ("DELETE", "/logs/a?uploadId=2", "localhost:4566", "AbortMultipartUpload"),
        ("GET", "/logs?analytics&id=1", "localhost:4566", "GetBucketAnalyticsConfiguration"),
        ("GET", "/logs?analytics", "localhost:4566", "ListBucketAnalyticsConfigurations"),
        ("GET", "/a", "logs.s3.amazonaws.com", "GetObject"),
        ("GET", "/?versions", "logs.s3.eu-west-1.amazonaws.com", "ListObjectVersions"),
        ("HEAD", "/", "logs.localhost:4566", "HeadBucket"),
        ("POST", "/?delete", "logs.s3.localhost.localstack.cloud:4566", "DeleteObjects"),
    ],
)
def test_s3(method: str, target: str, host: str, operation: str) -> None:
    found = sent(method, target, scope("s3"), host=host)
    assert named(found) == ("s3", operation, "rest-xml")
    assert operation == "ListBuckets" or found.path_parameters["Bucket"] == "logs"


def test_copying_is_told_by_its_header() -> None:
    source = ("x-amz-copy-source", "/a/b")
    assert sent("PUT", "/logs/a", source, scope("s3")).operation == "CopyObject"
    assert sent("PUT", "/logs/a?partNumber=1&uploadId=2", source, scope("s3")).operation == "UploadPartCopy"


@pytest.mark.parametrize(
    ("target", "key"),
    [("/logs/a%20b+c", "a b+c"), ("/logs/folder/", "folder/"), ("/logs//lead", "/lead"), ("/logs/%E6%97%A5", "日")],
)
def test_an_object_key_is_kept_to_the_letter(target: str, key: str) -> None:
    assert sent("GET", target, scope("s3")).path_parameters["Key"] == key


def test_an_unsigned_path_is_s3() -> None:
    found = sent("GET", "/logs/a.json")
    assert (named(found), found.signature.version) == (("s3", "GetObject", "rest-xml"), "")


def test_a_presigned_url() -> None:
    credential = "AKID%2F20260115%2Feu-west-1%2Fs3%2Faws4_request"
    signed = "X-Amz-Date=20260115T093000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=0"
    found = sent("GET", f"/logs/a?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&{signed}")
    assert (found.operation, found.signature.via, found.region) == ("GetObject", "QueryString", "eu-west-1")


def test_directory_buckets_have_their_own_scope() -> None:
    assert sent("GET", "/", scope("s3express")).operation == "ListDirectoryBuckets"


def test_a_label_may_hold_an_encoded_arn() -> None:
    arn = "arn%3Aaws%3Alambda%3Aus-east-1%3A111122223333%3Afunction%3Ax"
    found = sent("POST", f"/2015-03-31/functions/{arn}/invocations", scope("lambda"))
    assert found.operation == "Invoke"
    assert found.path_parameters["FunctionName"] == "arn:aws:lambda:us-east-1:111122223333:function:x"


def test_the_user_agent_decides_between_services_at_one_path() -> None:
    agent = ("user-agent", "aws-sdk-js/3.1162.0 ua/2.1 os/linux lang/js api/chime-sdk-meetings#3.1162.0")
    assert sent("GET", "/tags?arn=a", agent, scope("chime")).service == "chime-sdk-meetings"


def test_single_sign_on_is_called_unsigned() -> None:
    found = sent("GET", "/federation/credentials?role_name=r&account_id=1", ("x-amz-sso_bearer_token", "t"))
    assert named(found) == ("sso", "GetRoleCredentials", "rest-json")


def test_the_region_comes_from_scope_then_host_then_default() -> None:
    assert sent("GET", "/", host="s3.ap-south-1.amazonaws.com").region == "ap-south-1"
    request = WireRequest("GET", "/", (("host", "localhost"),))
    assert route(request, "eu-north-1").region == "eu-north-1"


# ---- refusals ----


def refused(method: str, target: str, *headers: tuple[str, str], body: bytes = b"") -> Unrouted:
    with pytest.raises(Unrouted) as caught:
        sent(method, target, *headers, body=body)
    return caught.value


@pytest.mark.parametrize(
    ("request_parts", "expected"),
    [
        (
            ("POST", "/", ("x-amz-target", "CloudTrail_20131101.Nope"), scope("cloudtrail")),
            ("cloudtrail", "json", "Nope", "UnknownOperationException", 400),
        ),
        (
            ("POST", "/", ("x-amz-target", "Nobody_1.Nope"), scope("athena")),
            ("athena", "json", "Nope", "UnknownOperationException", 400),
        ),
        (
            ("GET", "/?Action=Nope&Version=2010-05-08", scope("iam")),
            ("iam", "query", "Nope", "InvalidAction", 400),
        ),
        (
            ("GET", "/?Action=Nope&Version=2016-11-15", scope("ec2")),
            ("ec2", "ec2", "Nope", "InvalidAction", 400),
        ),
        (
            ("GET", "/nope", scope("lambda")),
            ("lambda", "rest-json", "GET /nope", "UnknownOperationException", 404),
        ),
        (
            ("PATCH", "/logs/a", scope("s3")),
            ("s3", "rest-xml", "PATCH /logs/a", "MethodNotAllowed", 405),
        ),
        (
            ("POST", "/service/GraniteServiceVersion20100801/operation/Nope", ("smithy-protocol", "rpc-v2-cbor")),
            ("cloudwatch", "smithy-rpc-v2-cbor", "Nope", "UnknownOperationException", 400),
        ),
        (("POST", "/", FORM, scope("iam")), ("iam", "query", "", "MissingAction", 400)),
        (
            ("POST", "/", scope("athena")),
            ("athena", "json", "", "UnknownOperationException", 400),
        ),
    ],
)
def test_an_unknown_operation_is_refused_as_its_protocol_does(
    request_parts: tuple[Any, ...], expected: tuple[Any, ...]
) -> None:
    fault = refused(*request_parts)
    assert (fault.service, fault.protocol, fault.operation, fault.code, fault.status) == expected


def test_a_scope_of_no_known_service() -> None:
    fault = refused("GET", "/", scope("nosuch"), ("accept", "*/*"))
    assert (fault.service, fault.code) == (None, "UnknownOperationException")


def test_a_broken_signature_is_told_in_the_words_of_the_service_it_was_for() -> None:
    target = ("x-amz-target", "CloudTrail_20131101.LookupEvents")
    fault = refused("POST", "/", target, ("authorization", "AWS4-HMAC-SHA256 Credential=x"))
    assert (fault.service, fault.operation, fault.code) == (
        "cloudtrail",
        "LookupEvents",
        "IncompleteSignatureException",
    )


@pytest.mark.parametrize("target", ["/logs/%ff", "/logs?prefix=%ff"])
def test_a_path_must_be_utf8(target: str) -> None:
    assert refused("GET", target, scope("s3")).status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"Action=ListUsers&Version=2010-05-08&" + b"&".join(b"a%d=" % n for n in range(10_001)),
        b"Action=ListUsers&Version=2010-05-08&PathPrefix=%ff",
        b"Action=ListUsers&Version=2010-05-08&Action=DeleteUser",
        b"Action=ListUsers\xff",
    ],
    ids=["too many", "not utf-8", "twice", "bytes"],
)
def test_a_form_that_cannot_be_read_is_refused(body: bytes) -> None:
    fault = refused("POST", "/", FORM, scope("iam"), body=body)
    assert (fault.service, fault.protocol, fault.code) == ("iam", "query", "MalformedQueryString")
