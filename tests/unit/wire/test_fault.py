"""Faults by name, and the shared ones in each service's spelling."""

import pytest

from trailstate.wire.fault import Fault, faults
from trailstate.wire.spelling import (
    access_denied,
    missing_parameter,
    not_supported,
    service_unavailable,
    throttling,
    unknown_operation,
    validation_error,
)


def test_a_modelled_fault_knows_its_code_and_status() -> None:
    fault = faults("iam").NoSuchEntityException("The user with name x cannot be found.")
    assert (fault.code, fault.shape, fault.status, fault.service) == (
        "NoSuchEntity",
        "NoSuchEntityException",
        404,
        "iam",
    )
    assert fault.sender
    with pytest.raises(Fault, match="NoSuchEntity: The user"):
        raise fault


def test_a_misspelt_fault_names_what_comes_close() -> None:
    with pytest.raises(AttributeError, match="did you mean TrailNotFoundException"):
        faults("cloudtrail").TrailNotFound  # noqa: B018


def test_further_members_must_be_in_the_model() -> None:
    fault = faults("athena").InvalidRequestException("no", AthenaErrorCode="X")
    assert fault.fields == {"AthenaErrorCode": "X"}
    with pytest.raises(TypeError, match="has no member"):
        faults("athena").InvalidRequestException("no", Colour="red")


def test_the_exceptions_of_a_service_can_be_listed() -> None:
    assert "TrailNotFoundException" in dir(faults("cloudtrail"))


@pytest.mark.parametrize(
    ("service", "protocol", "code", "status"),
    [
        ("cloudtrail", "json", "UnknownOperationException", 400),
        ("cloudwatch", "smithy-rpc-v2-cbor", "UnknownOperationException", 400),
        ("sts", "query", "InvalidAction", 400),
        ("ec2", "ec2", "InvalidAction", 400),
        ("lambda", "rest-json", "UnknownOperationException", 404),
        ("s3", "rest-xml", "MethodNotAllowed", 405),
        (None, "json", "UnknownOperationException", 400),
    ],
)
def test_unknown_operations(service: str | None, protocol: str, code: str, status: int) -> None:
    fault = unknown_operation(service, protocol, "DoThings")
    assert (fault.code, fault.status) == (code, status)


def test_what_nobody_serves_yet_has_the_same_code_and_says_so() -> None:
    fault = not_supported("sts", "query", "GetThings")
    assert fault.code == unknown_operation("sts", "query", "GetThings").code
    assert fault.message.endswith("is not supported by Trailstate yet")


def test_spellings_differ_by_service() -> None:
    assert throttling("s3", "rest-xml").code == "SlowDown"
    assert throttling("sns", "query").code == "Throttling"
    assert access_denied("ec2", "ec2").code == "UnauthorizedOperation"
    assert validation_error("logs", "json", "no").code == "InvalidParameterException"
    assert missing_parameter("ec2", "ec2", "InstanceId").message == "The request must contain the parameter InstanceId"


def test_unavailable_says_when_to_come_again() -> None:
    fault = service_unavailable("sts", "query")
    assert (fault.status, fault.retry_after_seconds, fault.sender) == (503, 2, False)
