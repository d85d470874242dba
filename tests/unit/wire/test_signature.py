import pytest

from trailstate.wire.signature import ANONYMOUS, Signature, UnreadableSignature, read_signature

SCOPE = "AKIDEXAMPLE/20260115/eu-west-1/monitoring/aws4_request"


def header(value: str, **more: str) -> dict[str, str]:
    return {"authorization": value, **more}


def test_version_4_in_the_header() -> None:
    value = f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host;x-amz-date, Signature=abc"
    found = read_signature(header(value, **{"x-amz-security-token": "T"}), {})
    assert found == Signature("AKIDEXAMPLE", "20260115", "eu-west-1", "monitoring", "SigV4", "AuthHeader", "T")


def test_parts_may_stand_without_spaces() -> None:
    value = f"AWS4-HMAC-SHA256 Credential={SCOPE},SignedHeaders=host,Signature=abc"
    assert read_signature(header(value), {}).service == "monitoring"


def test_version_4a_has_its_regions_in_a_header() -> None:
    value = "AWS4-ECDSA-P256-SHA256 Credential=AKID/20260115/s3/aws4_request, SignedHeaders=host, Signature=abc"
    one = read_signature(header(value, **{"x-amz-region-set": "us-west-2"}), {})
    every = read_signature(header(value, **{"x-amz-region-set": "*"}), {})
    assert (one.region, one.service, every.region) == ("us-west-2", "s3", "")


def test_presigned() -> None:
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": SCOPE,
        "X-Amz-Date": "20260115T093000Z",
        "X-Amz-Signature": "abc",
        "X-Amz-Security-Token": "T",
    }
    found = read_signature({}, query)
    assert (found.access_key_id, found.via, found.version, found.token) == ("AKIDEXAMPLE", "QueryString", "SigV4", "T")


def test_version_2_in_header_and_query() -> None:
    in_header = read_signature(header("AWS AKID:c2ln"), {})
    in_query = read_signature({}, {"AWSAccessKeyId": "AKID", "Signature": "c2ln", "Expires": "1"})
    assert (in_header.access_key_id, in_header.version, in_header.via) == ("AKID", "SigV2", "AuthHeader")
    assert (in_query.access_key_id, in_query.version, in_query.via) == ("AKID", "SigV2", "QueryString")


def test_anonymous_and_bearer() -> None:
    assert read_signature({}, {}) == ANONYMOUS
    assert read_signature(header("Bearer abc"), {}) == Signature(token="abc")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Basic dXNlcjpwYXNz",
        "AWS nocolon",
        "AWS4-HMAC-SHA256",
        f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host",
        "AWS4-HMAC-SHA256 Credential=AKID, SignedHeaders=host, Signature=abc",
        "AWS4-HMAC-SHA256 Credential=AKID/20260115//s3/aws4_request, SignedHeaders=host, Signature=abc",
        "AWS4-HMAC-SHA256 Credential=AKID/20260115/r/s3/aws5_request, SignedHeaders=host, Signature=abc",
    ],
)
def test_what_is_no_signature_is_refused(value: str) -> None:
    with pytest.raises(UnreadableSignature):
        read_signature(header(value), {})


@pytest.mark.parametrize("left_out", ["X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-Algorithm"])
def test_a_presigned_request_needs_all_its_parts(left_out: str) -> None:
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": SCOPE,
        "X-Amz-Date": "20260115T093000Z",
        "X-Amz-Signature": "abc",
    }
    del query[left_out]
    with pytest.raises(UnreadableSignature):
        read_signature({}, query)
