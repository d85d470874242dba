"""Relations are among those that AWS documents, under the names that its items write."""

import json
from pathlib import Path
from typing import Any

import pytest

from trailstate.catalog.resources import resource_types
from trailstate.configuration.form import Relation, ResourceType

TABLE: dict[str, Any] = json.loads((Path(__file__).parent / "relationships.json").read_text())

UNDOCUMENTED = {("AWS::EC2::NetworkAcl", "AWS::EC2::VPC")}
"""Seen in published items only."""

WITH_RELATIONS = [each for each in resource_types().values() if each.relations]


def names(declared: ResourceType, relation: Relation) -> set[str]:
    """What the name may be: as published items write it, or as the page says it in the style of either age."""
    found = set()
    for documented, related, *written in TABLE["types"].get(declared.name, []):
        if related in (relation.type, "*"):
            found |= set(written)
            if documented and not written:
                noun = TABLE["shortNames"].get(relation.type, relation.type.rsplit("::", 1)[-1])
                found |= {f"{documented.capitalize()} {noun}", f"{documented.capitalize()} "}
    return found


@pytest.mark.parametrize("declared", WITH_RELATIONS, ids=lambda each: each.name)
def test_relations_have_documented_names(declared: ResourceType) -> None:
    unknown = [
        (each.type, each.name, sorted(names(declared, each)))
        for each in declared.relations
        if each.name not in names(declared, each) and (declared.name, each.type) not in UNDOCUMENTED
    ]
    assert unknown == []
