"""Every operation of botocore's models, asked for in its smallest form by botocore's serializer, is found again.

A sample of services by default; TRAILSTATE_ALL_OPERATIONS=1 asks for all of them.
"""

import os
import random
from dataclasses import replace

import pytest

from tests.wire.sample import smallest
from trailstate.wire import model
from trailstate.wire.call import WireRequest
from trailstate.wire.route import Route, Unrouted, route
from trailstate.wire.serialize import serialize
from trailstate.wire.services import Service, by_signing_name, services

ALIASES = {
    ("s3", "GetBucketLifecycle"): "GetBucketLifecycleConfiguration",
    ("s3", "PutBucketLifecycle"): "PutBucketLifecycleConfiguration",
    ("s3", "GetBucketNotification"): "GetBucketNotificationConfiguration",
    ("s3", "PutBucketNotification"): "PutBucketNotificationConfiguration",
}
"""Old names of S3 for what is the same request."""

OFTEN_USED = ("s3", "s3control", "iam", "sts", "lambda", "dynamodb", "sqs", "cloudtrail", "config", "elb", "elbv2")


def sampled() -> list[str]:
    if os.environ.get("TRAILSTATE_ALL_OPERATIONS"):
        return sorted(services())
    drawn = random.Random(7).sample(sorted(services()), 40)
    return sorted({*drawn, *OFTEN_USED})


@pytest.mark.parametrize("name", sampled())
def test_every_operation_is_routed_back(name: str) -> None:
    lost = [
        f"{operation} -> {got}"
        for operation in model.service_model(name).operation_names
        if (got := answer(asked(name, operation))) not in same_requests(services()[name], operation)
    ]
    assert not lost


def asked(service: str, operation: str) -> WireRequest:
    described = model.operation_model(service, operation)
    request = serialize(service, operation, smallest(described.input_shape), region="us-east-1")
    if operation == "ListDirectoryBuckets":  # its endpoint's rules sign it with this name
        return rescoped(request, "s3", "s3express")
    return request


def rescoped(request: WireRequest, before: str, after: str) -> WireRequest:
    headers = ((name, value.replace(f"/{before}/aws4", f"/{after}/aws4")) for name, value in request.headers)
    return replace(request, headers=tuple(headers))


def answer(request: WireRequest) -> tuple[str, str]:
    try:
        found = route(request)
    except Unrouted as unrouted:
        return unrouted.service or "", unrouted.code
    return found.service, found.operation


def same_requests(service: Service, operation: str) -> set[tuple[str, str]]:
    """The operation, and those of the same name that services at the same endpoint have: the request is the same."""
    name = ALIASES.get((service.name, operation), operation)
    twins = [
        other.name
        for other in by_signing_name()[service.signing_name]
        if other.endpoint_prefix == service.endpoint_prefix or service.name == "signer"
    ]
    return {(twin, name) for twin in twins if model.has_operation(twin, name)}


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("bedrock-agent-runtime", "Retrieve"),
        ("bedrock-runtime", "Converse"),
        ("dynamodbstreams", "ListStreams"),
        ("sesv2", "ListContactLists"),
        ("ses", "ListIdentities"),
        ("cloudtrail-data", "PutAuditEvents"),
        ("elb", "DescribeLoadBalancers"),
        ("elbv2", "DescribeLoadBalancers"),
        ("es", "ListDomainNames"),
        ("opensearch", "ListDomainNames"),
        ("apigatewaymanagementapi", "PostToConnection"),
        ("s3control", "GetPublicAccessBlock"),
    ],
)
def test_a_shared_signing_name_finds_the_right_service_without_aws_host(service: str, operation: str) -> None:
    request = asked(service, operation)
    headers = tuple((name, "127.0.0.1:4566" if name == "host" else value) for name, value in request.headers)
    assert answer(replace(request, headers=headers)) == (service, operation)


def test_a_route_finds_its_model() -> None:
    found = route(asked("iam", "CreateUser"))
    assert isinstance(found, Route)
    assert found.operation_model.name == "CreateUser"
