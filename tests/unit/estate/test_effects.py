"""What commits an intent first."""

import botocore.session
import pytest

from trailstate.estate.effects import EFFECT_DESPITE_VERB, NO_EFFECT_DESPITE_VERB, has_effect


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("ec2", "RunInstances"),
        ("iam", "GenerateCredentialReport"),
        ("kms", "GenerateDataKey"),
        ("secretsmanager", "PutSecretValue"),
        ("sqs", "ReceiveMessage"),
        ("ses", "VerifyEmailIdentity"),
        ("sts", "AssumeRole"),
        ("sts", "GetSessionToken"),
        ("support", "ResolveCase"),
        ("nobody", "Getaway"),
        ("nobody", "Unknown"),
    ],
)
def test_has_an_effect(service: str, operation: str) -> None:
    assert has_effect(service, operation)


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("cloudformation", "ValidateTemplate"),
        ("dynamodb", "BatchGetItem"),
        ("dynamodb", "Scan"),
        ("ec2", "DescribeInstances"),
        ("iam", "SimulatePrincipalPolicy"),
        ("kms", "Decrypt"),
        ("logs", "FilterLogEvents"),
        ("s3", "HeadObject"),
        ("s3", "ListObjectsV2"),
        ("sts", "GetCallerIdentity"),
    ],
)
def test_has_none(service: str, operation: str) -> None:
    assert not has_effect(service, operation)


@pytest.mark.parametrize("row", sorted(EFFECT_DESPITE_VERB | NO_EFFECT_DESPITE_VERB), ids=":".join)
def test_every_row_names_an_operation_that_exists(row: tuple[str, str]) -> None:
    service, operation = row
    assert operation in models().get_service_model(service).operation_names


@pytest.mark.parametrize("row", sorted(EFFECT_DESPITE_VERB), ids=":".join)
def test_every_exception_contradicts_its_verb(row: tuple[str, str]) -> None:
    service, operation = row
    assert has_effect(service, operation)
    assert not has_effect("another", operation)


def models() -> botocore.session.Session:
    return botocore.session.get_session()
