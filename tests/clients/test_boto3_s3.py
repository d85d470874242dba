"""S3 through boto3: odd keys, large bodies, both address styles, presigned URLs."""

import json
import urllib.request
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from botocore.config import Config

from tests.clients.calls import only_record, recorded_during
from trailstate.testing import Lab, lab

BUCKET = "odd-things"
ODD_KEYS = [
    "a b",
    "a/b/../c",
    "..",
    "//lead",
    "trail/",
    "a+b&c=d?e#f",
    "%41",
    "a'b\"c<d>",
    "a\tb",
    "ü/é",
    "\N{GRINNING FACE}",
    "x" * 1000,
]


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab(data_events="all") as started:
        started.client("s3").create_bucket(Bucket=BUCKET)
        yield started


@pytest.fixture(scope="module")
def by_host(aws: Lab) -> Any:
    """A client that names the bucket in the host, as it does with AWS.

    Not every resolver knows `*.localhost`, so the connection goes to the address and the Host header keeps the name.
    """
    endpoint = aws.endpoint.replace("127.0.0.1", "localhost")
    client = aws.client("s3", endpoint_url=endpoint, config=Config(s3={"addressing_style": "virtual"}))

    def to_address(request: Any, **_: Any) -> None:
        host = request.url.partition("//")[2].partition("/")[0]
        request.headers["Host"] = host
        request.url = request.url.replace(f"//{host}", f"//127.0.0.1:{host.rpartition(':')[2]}", 1)

    client.meta.events.register("before-send.s3", to_address)
    return client


@pytest.mark.parametrize("key", ODD_KEYS, ids=ascii)
def test_a_key_is_stored_and_recorded_as_meant(aws: Lab, key: str) -> None:
    s3 = aws.client("s3")
    record = only_record(recorded_during(aws, partial(s3.put_object, Bucket=BUCKET, Key=key, Body=key.encode())))
    assert record["requestParameters"]["key"] == key
    assert record["responseElements"] is None, "S3 answers no header that the record would show"
    assert {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{BUCKET}/{key}"} in record["resources"]
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == key.encode()
    assert key in [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    s3.delete_object(Bucket=BUCKET, Key=key)
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


@pytest.mark.parametrize("key", ["a b", "ü/é", "a/b/../c", "//lead"], ids=ascii)
def test_the_bucket_may_stand_in_the_host(aws: Lab, by_host: Any, key: str) -> None:
    record = only_record(recorded_during(aws, partial(by_host.put_object, Bucket=BUCKET, Key=key, Body=b"x")))
    shown = record["requestParameters"]
    assert (shown["bucketName"], shown["key"]) == (BUCKET, key)
    assert shown["Host"].startswith(f"{BUCKET}.localhost:")
    assert [each["Key"] for each in by_host.list_objects_v2(Bucket=BUCKET)["Contents"]] == [key]
    assert aws.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"x"
    by_host.delete_object(Bucket=BUCKET, Key=key)


def test_a_bucket_is_made_and_deleted_by_its_host(aws: Lab, by_host: Any) -> None:
    for call, event in ((by_host.create_bucket, "CreateBucket"), (by_host.delete_bucket, "DeleteBucket")):
        record = only_record(recorded_during(aws, partial(call, Bucket="by-host")))
        assert (record["eventName"], record["requestParameters"]["bucketName"]) == (event, "by-host")


def test_more_than_one_page_of_objects(aws: Lab) -> None:
    s3 = aws.client("s3")
    keys = [f"page/{number:02}" for number in range(7)]
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="page/", PaginationConfig={"PageSize": 3}
    )
    assert [each["Key"] for page in pages for each in page["Contents"]] == keys
    shown = aws.recorded(eventName="ListObjects")[-1]["requestParameters"]
    assert (shown["bucketName"], shown["list-type"], shown["prefix"], shown["max-keys"]) == (BUCKET, "2", "page/", "3")
    done = recorded_during(
        aws, partial(s3.delete_objects, Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys]})
    )
    assert only_record(done)["eventName"] == "DeleteObjects"
    assert len(done.answer["Deleted"]) == len(keys)


def test_a_copy_names_its_source(aws: Lab) -> None:
    s3 = aws.client("s3")
    s3.put_object(Bucket=BUCKET, Key="from here", Body=b"same")
    source = {"Bucket": BUCKET, "Key": "from here"}
    record = only_record(recorded_during(aws, partial(s3.copy_object, Bucket=BUCKET, Key="copy", CopySource=source)))
    assert record["eventName"] == "CopyObject"
    assert record["requestParameters"]["x-amz-copy-source"] == f"{BUCKET}/from%20here"
    assert s3.get_object(Bucket=BUCKET, Key="copy")["Body"].read() == b"same"


def test_a_large_object_in_parts(aws: Lab) -> None:
    s3 = aws.client("s3")
    first, second = b"1" * (6 * 1024 * 1024), b"2" * 10
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="large")["UploadId"]
    given = {"Bucket": BUCKET, "Key": "large", "UploadId": upload}
    parts = []
    for number, body in ((1, first), (2, second)):
        done = recorded_during(aws, partial(s3.upload_part, **given, PartNumber=number, Body=body))
        record = only_record(done)
        assert record["requestParameters"]["partNumber"] == str(number)
        assert record["additionalEventData"]["bytesTransferredIn"] >= len(body)
        parts.append({"PartNumber": number, "ETag": done.answer["ETag"]})
    done = recorded_during(aws, partial(s3.complete_multipart_upload, **given, MultipartUpload={"Parts": parts}))
    assert only_record(done)["eventName"] == "CompleteMultipartUpload"
    assert s3.get_object(Bucket=BUCKET, Key="large")["Body"].read() == first + second


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_whoever_holds_a_presigned_url_acts_as_its_maker(aws: Lab, version: str) -> None:
    s3 = aws.client("s3", config=Config(signature_version=version))
    given = {"Bucket": BUCKET, "Key": f"signed by {version}"}
    put, get = (s3.generate_presigned_url(method, Params=given) for method in ("put_object", "get_object"))

    def fetch(request: urllib.request.Request | str) -> Any:
        with urllib.request.urlopen(request) as answer:
            told = {"RequestId": answer.headers["x-amz-request-id"]}
            return {"ResponseMetadata": told, "body": answer.read()}

    upload = urllib.request.Request(put, data=b"held", method="PUT", headers={"User-Agent": "holder/1"})
    written = only_record(recorded_during(aws, partial(fetch, upload)))
    read = recorded_during(aws, partial(fetch, get))
    assert read.answer["body"] == b"held"
    for record, event in ((written, "PutObject"), (only_record(read), "GetObject")):
        assert record["eventName"] == event
        assert record["userIdentity"]["accessKeyId"] == aws.account
        assert record["additionalEventData"]["AuthenticationMethod"] == "QueryString"
        assert record["additionalEventData"]["SignatureVersion"] == {"s3": "SigV2", "s3v4": "SigV4"}[version]
        assert not {"X-Amz-Signature", "Signature"} & record["requestParameters"].keys()
    assert written["userAgent"] == "[holder/1]"


def test_a_bucket_policy_is_recorded_as_a_document(aws: Lab) -> None:
    policy = {"Version": "2012-10-17", "Statement": []}
    s3 = aws.client("s3")
    record = only_record(recorded_during(aws, partial(s3.put_bucket_policy, Bucket=BUCKET, Policy=json.dumps(policy))))
    assert record["requestParameters"]["bucketPolicy"] == policy


def test_what_is_not_there_is_refused_in_s3s_words(aws: Lab) -> None:
    done = recorded_during(aws, partial(aws.client("s3").head_object, Bucket=BUCKET, Key="never"))
    (record,) = done.records
    assert done.answer["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert record["eventName"] == "HeadObject"
    assert record["errorCode"] in {"NoSuchKey", "404"}
