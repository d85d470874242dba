"""Every declaration is of one piece: its calls exist, its events too, and its templates name what can be known."""

import pytest

from trailstate.catalog.resources import resource_types
from trailstate.configuration.form import Describe, ResourceType
from trailstate.wire import model

TYPES = list(resource_types().values())


def sources(declared: ResourceType) -> list[object]:
    more = [declared.listing, declared.describe, *declared.more.values()]
    return [*more, *(each.source for each in (*declared.parts, *declared.facts))]


@pytest.mark.parametrize("declared", TYPES, ids=lambda each: each.name)
def test_every_call_of_a_type_exists(declared: ResourceType) -> None:
    calls = [each for each in sources(declared) if isinstance(each, Describe)]
    assert [each for each in calls if not model.has_operation(each.service, each.operation)] == []


@pytest.mark.parametrize("declared", TYPES, ids=lambda each: each.name)
def test_every_parameter_of_a_call_exists(declared: ResourceType) -> None:
    wrong = [
        (each.operation, name)
        for each in sources(declared)
        if isinstance(each, Describe)
        for name in each.parameters
        if name not in model.operation_model(each.service, each.operation).input_shape.members
    ]
    assert wrong == []
