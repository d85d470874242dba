"""From the raw answers of a type's calls follows exactly its item, and nothing in it is unknown to AWS's schema."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from tests.resources.answers import Answering, described, file_of
from trailstate.catalog.resources import resource_types
from trailstate.configuration.discover import Discovery
from trailstate.configuration.form import ResourceType, Seen
from trailstate.configuration.schema import Node, schema_of

TYPES = list(resource_types().values())

every_type = pytest.mark.parametrize("declared", TYPES, ids=lambda each: each.name)


@cache
def kept(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.load(file_of(name).read_text(), Loader=yaml.CSafeLoader)
    return content


def looked_at(declared: ResourceType) -> Seen:
    file = kept(declared.name)
    seen = Discovery(Answering(file["calls"])).one(declared, file["key"], file["account"], file["region"])
    assert seen is not None
    return seen


@every_type
def test_the_item_follows_from_the_answers(declared: ResourceType) -> None:
    file = kept(declared.name)
    assert described(declared, looked_at(declared)) == {"item": file["item"], "facts": file["facts"]}


# ---- against the published schema ----

BEYOND = {
    "AWS::S3::Bucket": {"owner"},
    "AWS::AutoScaling::AutoScalingGroup": {"vpczoneIdentifier"},
    "AWS::EC2::VPCPeeringConnection": {"status"},
}
"""Members of published items that neither the schema nor the type's `keeps` name."""

PARTS_BEYOND = {
    "AWS::DynamoDB::Table": {"Tags"},
    "AWS::ACM::Certificate": {"Tags"},
    "AWS::CloudTrail::Trail": {"Tags"},
    "AWS::ElasticLoadBalancing::LoadBalancer": {"LoadBalancerAttributes", "Tags"},
    "AWS::ElasticLoadBalancingV2::LoadBalancer": {"LoadBalancerAttributes", "Tags"},
    "AWS::Elasticsearch::Domain": {"Tags"},
    "AWS::KMS::Key": {"Policy"},
    "AWS::Lambda::Function": {"Policy", "Tags"},
    "AWS::RDS::DBCluster": {"Tags"},
    "AWS::RDS::DBClusterSnapshot": {"Tags"},
    "AWS::RDS::DBInstance": {"Tags"},
    "AWS::RDS::DBSnapshot": {"Tags"},
    "AWS::RDS::DBSubnetGroup": {"Tags"},
    "AWS::S3::Bucket": {
        "AccessControlList",
        "BucketLifecycleConfiguration.rules.filter.predicate.operands.tag",
        "BucketNotificationConfiguration",
        "BucketPolicy",
        "BucketTaggingConfiguration",
    },
}
"""Parts of published items that the schema, which lists what can be searched, leaves out."""

LEAVES: dict[str, tuple[type, ...]] = {
    "s": (str,),
    "i": (int,),
    "f": (float, int),
    "b": (bool,),
    "d": (str, int, float),
    "p": (str,),
    "c": (str,),
}


def misfits(node: Node, value: Any, place: str) -> Iterator[str]:
    """Places below that the schema does not know, or knows as of another type."""
    if isinstance(value, list):
        for each in value:
            yield from misfits(node, each, place)
    elif isinstance(value, dict) and not (node.leaf and not node.below):
        for name, each in value.items():
            known = node.below.get(name.lower())
            if known is None or known[0] != name:
                yield f"{place}.{name}".lstrip(".")
            else:
                yield from misfits(known[1], each, f"{place}.{name}".lstrip("."))
    elif value is not None and node.leaf and not isinstance(value, LEAVES[node.leaf]):
        yield place


def is_kept(declared: ResourceType, place: str) -> bool:
    """Whether the type says that it keeps what stands there, or what it stands in."""
    kept_places = {each.removesuffix("{}").lower() for each in declared.keeps}
    parts = place.lower().split(".")
    return any(".".join(parts[:end]) in kept_places for end in range(1, len(parts) + 1))


@every_type
def test_every_key_is_in_the_published_schema(declared: ResourceType) -> None:
    schema = schema_of(declared.name)
    if schema is None:
        pytest.skip("AWS publishes no schema of it")
    beyond = BEYOND.get(declared.name, set())
    found = misfits(schema.configuration, kept(declared.name)["item"]["configuration"], "")
    assert [each for each in found if not is_kept(declared, each) and each.split(".")[0] not in beyond] == []


@every_type
def test_every_part_is_in_the_published_schema(declared: ResourceType) -> None:
    schema = schema_of(declared.name)
    if schema is None:
        pytest.skip("AWS publishes no schema of it")
    beyond = PARTS_BEYOND.get(declared.name, set())
    found = misfits(schema.supplementary, kept(declared.name)["item"]["supplementaryConfiguration"], "")
    assert [each for each in found if each not in beyond] == []
