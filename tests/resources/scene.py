"""What one does to a resource to see it discovered, changed and deleted: one generator for each resource type.

A scene makes its resource and yields the id that Config gives it; then changes it and yields which value must now stand
where in the item; then deletes it and yields `GONE`. A scene of something that cannot be deleted ends after the change.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

Aws = Callable[[str], Any]
"""A boto3 client of a service."""

Scene = Callable[[Aws], Iterator[Any]]

GONE = "gone"
SCENES: dict[str, Scene] = {}


def scene(resource_type: str) -> Callable[[Scene], Scene]:
    """This generator is the scene of that type."""

    def register(function: Scene) -> Scene:
        assert resource_type not in SCENES, resource_type
        SCENES[resource_type] = function
        return function

    return register


def policy(action: str, effect: str = "Allow", **more: Any) -> str:
    """A policy document of one statement, as text."""
    statement = {"Effect": effect, "Action": action} | more
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(service: str) -> str:
    """A document that lets that service assume a role."""
    return policy("sts:AssumeRole", Principal={"Service": service})


def a_role(aws: Aws, name: str, service: str) -> str:
    """The ARN of a new role for that service."""
    made = aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))
    return str(made["Role"]["Arn"])


def a_network(aws: Aws, block: str, zones: tuple[str, ...] = ("us-east-1a",)) -> tuple[str, list[str]]:
    """A new VPC of that /16 and a subnet in each zone: their ids."""
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock=f"{block}.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"{block}.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(zones)
    ]
    return vpc, subnets


def a_program() -> bytes:
    """A zip file with one small Lambda handler."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(
            zipfile.ZipInfo("index.py", (2026, 1, 15, 0, 0, 0)), "def handler(event, context):\n    return event\n"
        )
    return held.getvalue()
