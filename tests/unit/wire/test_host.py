import pytest

from trailstate.wire.host import read_host


@pytest.mark.parametrize(
    ("header", "bucket", "region"),
    [
        ("logs.s3.amazonaws.com", "logs", ""),
        ("logs.s3.eu-west-1.amazonaws.com:443", "logs", "eu-west-1"),
        ("logs.s3-eu-west-1.amazonaws.com", "logs", "eu-west-1"),
        ("my.dotted.logs.s3.us-gov-west-1.amazonaws.com", "my.dotted.logs", "us-gov-west-1"),
        ("logs.s3.dualstack.eu-west-1.amazonaws.com", "logs", "eu-west-1"),
        ("logs.s3-accelerate.amazonaws.com", "logs", ""),
        ("logs.s3.cn-north-1.amazonaws.com.cn", "logs", "cn-north-1"),
        ("logs.s3.localhost.localstack.cloud:4566", "logs", ""),
        ("logs.s3.localhost:4566", "logs", ""),
        ("s3.eu-west-1.amazonaws.com", None, "eu-west-1"),
        ("123456789012.s3-control.eu-west-1.amazonaws.com", None, "eu-west-1"),
        ("127.0.0.1:4566", None, ""),
    ],
)
def test_a_virtual_host_names_its_bucket(header: str, bucket: str | None, region: str) -> None:
    found = read_host(header)
    assert (found.bucket, found.region) == (bucket, region)


def test_a_name_under_localhost_may_be_a_bucket() -> None:
    assert read_host("logs.localhost:4566").local_bucket == "logs"
    assert read_host("localhost:4566").local_bucket is None


@pytest.mark.parametrize(
    ("header", "prefix"),
    [
        ("api.sagemaker.us-east-1.amazonaws.com", "api.sagemaker"),
        ("monitoring.us-east-1.amazonaws.com", "monitoring"),
        ("data-ats.iot.us-east-1.amazonaws.com", "data-ats.iot"),
        ("iam.amazonaws.com", "iam"),
        ("example.org", ""),
    ],
)
def test_an_aws_host_names_its_endpoint(header: str, prefix: str) -> None:
    assert read_host(header).endpoint_prefix == prefix


def test_an_operation_may_put_its_own_word_before_the_endpoint() -> None:
    assert read_host("verification.signer.us-east-1.amazonaws.com").names("signer")
