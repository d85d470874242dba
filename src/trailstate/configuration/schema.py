"""AWS's published resource schema: for each type its shape, and every searchable path with the type of its value.

Source: github.com/awslabs/aws-config-resource-schema, as compact data in `data/schema.json`: per type `shape` (classic:
names of the describe call, camelCase; cfn: CloudFormation's, PascalCase) and paths below `c`onfiguration,
`s`upplementaryConfiguration and `o`ther members, grouped by value type (`s`tring, `i`nteger, `b`oolean, `d`ate,
`f`loat, i`p`, `c`idr block).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from trailstate.wire import model

CLASSIC = "classic"


@dataclass(slots=True)
class Node:
    """A place in a schema: what stands below it by lower-case name, and the type of its value if it is a leaf."""

    leaf: str = ""
    below: dict[str, tuple[str, "Node"]] = field(default_factory=dict)

    def step(self, name: str) -> "Node":
        """The place below, made if need be."""
        return self.below.setdefault(name.lower(), (name, Node()))[1]


@dataclass(frozen=True, slots=True)
class Schema:
    """The published schema of one type."""

    is_pascal: bool
    configuration: Node
    supplementary: Node


@cache
def schema_of(type_name: str) -> Schema | None:
    """The schema; None for a type that has none."""
    known = _types().get(type_name)
    if known is None:
        return None
    return Schema(known["shape"] != CLASSIC, _tree(known.get("c", {})), _tree(known.get("s", {})))


@cache
def is_published(type_name: str) -> bool:
    """Whether AWS Config knows the type, or it is somebody else's. What is neither is recorded for the rules alone, and
    AWS's artefacts never show it."""
    return (
        not type_name.startswith("AWS::") or type_name in model.service_model("config").shape_for("ResourceType").enum
    )


def published_types() -> list[str]:
    """Every type that AWS Config knows."""
    return sorted(model.service_model("config").shape_for("ResourceType").enum)


def leaves(node: Node, before: str = "") -> Iterator[tuple[str, str]]:
    """Every path below with the type of its value."""
    for name, below in node.below.values():
        path = f"{before}.{name}" if before else name
        if below.leaf:
            yield path, below.leaf
        yield from leaves(below, path)


def _tree(grouped: dict[str, list[str]]) -> Node:
    root = Node()
    for leaf, paths in grouped.items():
        for path in paths:
            node = root
            for name in path.split("."):
                node = node.step(name)
            node.leaf = leaf
    return root


@cache
def _types() -> dict[str, Any]:
    text = resources.files("trailstate.configuration").joinpath("data", "schema.json").read_bytes()
    content: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
    return content
