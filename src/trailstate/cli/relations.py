"""What a resource is related to, both ways: as a tree, as a Mermaid graph, as JSON."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from trailstate.cli.items import json_text
from trailstate.cli.terminal import visible

if TYPE_CHECKING:
    from trailstate.configuration.line import Recorded


class GraphForm(StrEnum):
    TREE = "tree"
    MERMAID = "mermaid"
    JSON = "json"


Edge = tuple[str, str, str]
"""From, text, to; a resource is told as its type and id."""


def _edges(recorded: "Recorded", everything: "Sequence[Recorded]") -> list[Edge]:
    own = _node(recorded.item)
    names = {each.item["resourceName"]: each.item for each in everything}
    outward = [(own, each["name"].strip(), _target(each, names)) for each in recorded.item["relationships"]]
    inward = [
        (_node(other.item), each["name"].strip(), own)
        for other in everything
        for each in other.item["relationships"]
        if _points_at(each, recorded.item)
    ]
    return [*outward, *inward]


def _node(item: Mapping[str, Any]) -> str:
    return f"{item['resourceType']} {item['resourceId']}"


def _target(relation: Mapping[str, Any], names: Mapping[str, Mapping[str, Any]]) -> str:
    if relation["resourceId"] is None and relation["resourceName"] in names:
        return _node(names[relation["resourceName"]])
    return f"{relation['resourceType']} {relation['resourceId'] or relation['resourceName']}"


def _points_at(relation: Mapping[str, Any], item: Mapping[str, Any]) -> bool:
    if relation["resourceType"] != item["resourceType"]:
        return False
    if relation["resourceId"] is not None:
        return bool(relation["resourceId"] == item["resourceId"])
    return bool(relation["resourceName"] == item["resourceName"])


def _as_tree(recorded: "Recorded", everything: "Sequence[Recorded]") -> str:
    own, edges = _node(recorded.item), _edges(recorded, everything)
    outward = [f"  {text}: {target}\n" for source, text, target in edges if source == own]
    inward = [f"  {source}: {text}\n" for source, text, _ in edges if source != own]
    lines = [f"{own}\n", *outward, *(["named by\n", *inward] if inward else [])]
    return "".join(visible(line.rstrip("\n")) + "\n" for line in lines)


def _as_mermaid(recorded: "Recorded", everything: "Sequence[Recorded]") -> str:
    edges = _edges(recorded, everything)
    nodes = list(dict.fromkeys([_node(recorded.item), *(each for edge in edges for each in (edge[0], edge[2]))]))
    numbers = {node: f"n{number}" for number, node in enumerate(nodes)}
    boxes = [f'  {numbers[node]}["{_mermaid(node)}"]\n' for node in nodes]
    arrows = [f'  {numbers[source]} -->|"{_mermaid(text)}"| {numbers[target]}\n' for source, text, target in edges]
    return "graph LR\n" + "".join(boxes) + "".join(arrows)


def _mermaid(text: str) -> str:
    return visible(text).replace('"', "#quot;")


def _as_edges(recorded: "Recorded", everything: "Sequence[Recorded]") -> str:
    members = ("from", "relation", "to")
    return json_text([dict(zip(members, edge, strict=True)) for edge in _edges(recorded, everything)])


GRAPHS = {GraphForm.TREE: _as_tree, GraphForm.MERMAID: _as_mermaid, GraphForm.JSON: _as_edges}
