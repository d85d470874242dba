"""Parameters made from the models, written by botocore's serializer and read by us, are the same parameters."""

import pytest

from tests.wire.sample import Drawn, without_empties
from trailstate.wire import model
from trailstate.wire.decode import decode, streamed_member
from trailstate.wire.route import route
from trailstate.wire.serialize import serialize

SERVICES = [
    ("cloudtrail", None),
    ("config", None),
    ("dynamodb", None),
    ("sqs", None),
    ("iam", None),
    ("sns", None),
    ("autoscaling", None),
    ("ec2", None),
    ("lambda", None),
    ("eks", None),
    ("s3", None),
    ("route53", None),
    ("cloudwatch", "smithy-rpc-v2-cbor"),
    ("cloudwatch", "query"),
    ("cloudwatch", "json"),
]

DRAWS = 2
OPERATIONS_MAX = 90

SAME_REQUEST_AS_ANOTHER = {
    "GetBucketLifecycle",
    "PutBucketLifecycle",
    "GetBucketNotification",
    "PutBucketNotification",
    "ListDirectoryBuckets",
}
"""S3's operations that only their newer name, or the scope of the signature, tells apart: see `test_input_routing`."""

TRANSPORT = {"ContentLength"}
"""Members bound to headers that the transport writes."""


def operations(service: str) -> list[str]:
    """At most so many, evenly from the whole alphabet."""
    names = [name for name in model.service_model(service).operation_names if name not in SAME_REQUEST_AS_ANOTHER]
    return names[:: max(1, len(names) // OPERATIONS_MAX)]


@pytest.mark.parametrize(("service", "protocol"), SERVICES)
def test_parameters_survive_the_wire(service: str, protocol: str | None) -> None:
    changed = [
        f"{operation} (seed {seed}): {difference}"
        for operation in operations(service)
        for seed in range(DRAWS)
        if (difference := over_the_wire(service, operation, seed, protocol))
    ]
    assert not changed


def over_the_wire(service: str, operation: str, seed: int, protocol: str | None) -> str:
    """What came out differently; empty when nothing did."""
    described = model.operation_model(service, operation)
    sent = Drawn(seed).parameters(described.input_shape)
    if described.input_shape is not None:
        sent = {name: value for name, value in sent.items() if name not in TRANSPORT}
    if (protocol or model.protocol(service)) in {"query", "ec2"}:
        sent = without_empties(sent)
    request = serialize(service, operation, sent, region="us-east-1", protocol=protocol)
    found = route(request)
    read = {name: value for name, value in decode(request, found).items() if name not in TRANSPORT}
    sent.pop(streamed_member(described) or "", None)
    wrong = [name for name in sorted({*sent, *read}) if sent.get(name) != read.get(name)]
    return "; ".join(f"{name}: sent {sent.get(name)!r}, read {read.get(name)!r}" for name in wrong)
