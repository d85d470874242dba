"""Event source, name, category and readOnly of operations, by example."""

import pytest

from trailstate.trail.category import classify, region_of


@pytest.mark.parametrize(
    ("service", "operation", "source", "name", "read_only"),
    [
        ("cloudwatch", "PutMetricAlarm", "monitoring", "PutMetricAlarm", False),
        ("stepfunctions", "CreateActivity", "states", "CreateActivity", False),
        ("ses", "ListIdentities", "ses", "ListIdentities", True),
        ("elbv2", "CreateRule", "elasticloadbalancing", "CreateRule", False),
        ("lambda", "ListFunctions", "lambda", "ListFunctions20150331", True),
        ("lambda", "UpdateFunctionCode", "lambda", "UpdateFunctionCode20150331v2", False),
        ("lambda", "GetFunctionCodeSigningConfig", "lambda", "GetFunctionCodeSigningConfig", True),
        ("cloudfront", "CreateDistribution", "cloudfront", "CreateDistribution2020_05_31", False),
        ("s3", "ListObjectsV2", "s3", "ListObjects", True),
        ("s3", "PutBucketLifecycleConfiguration", "s3", "PutBucketLifecycle", False),
        ("kms", "Decrypt", "kms", "Decrypt", True),
        ("sts", "GetSessionToken", "sts", "GetSessionToken", False),
        ("sts", "AssumeRole", "sts", "AssumeRole", True),
    ],
)
def test_operations_become_events(service: str, operation: str, source: str, name: str, read_only: bool) -> None:
    found = classify(service, operation)
    assert (found.event_source, found.event_name, found.read_only) == (f"{source}.amazonaws.com", name, read_only)


def test_data_events_carry_their_resource_type() -> None:
    assert classify("dynamodb", "PutItem").resource_type == "AWS::DynamoDB::Table"
    assert classify("dynamodb", "CreateTable").category == "Management"
    assert classify("kms", "Decrypt").category == "Management"


def test_global_services_record_in_us_east_1_but_regional_sts_does_not() -> None:
    assert region_of(classify("iam", "CreateUser"), "iam.amazonaws.com", "eu-west-1") == "us-east-1"
    assert region_of(classify("sts", "AssumeRole"), "sts.eu-west-1.amazonaws.com", "eu-west-1") == "eu-west-1"
    assert region_of(classify("sts", "AssumeRole"), "sts.amazonaws.com", "eu-west-1") == "us-east-1"


def test_an_operation_the_model_does_not_know_goes_by_its_name() -> None:
    assert classify("ec2", "DescribeDreams").read_only
    assert classify("nosuchservice", "Dream").event_source == "nosuchservice.amazonaws.com"
