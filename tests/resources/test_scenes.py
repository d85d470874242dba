"""Every resource type from a call to its history: made, and its item is recorded; changed, and the next item shows it
with the call behind it; deleted, and it is ResourceDeleted. One lab plays the scenes of all types, act by act."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.resources.scene import GONE, SCENES
from tests.resources.stage import REGION, Stage, recording_lab
from trailstate.catalog.resources import resource_types
from trailstate.configuration.history import ConfigurationHistory
from trailstate.configuration.line import Recorded


@dataclass
class Shown:
    """What one scene has shown."""

    resource_id: str = ""
    wanted: dict[str, Any] = field(default_factory=dict)
    outcome: Any = None
    made: Recorded | None = None
    changed: Recorded | None = None
    ended: Recorded | None = None


@pytest.fixture(scope="module")
def shown() -> dict[str, Shown]:
    """The scenes of all types, each played to its end."""
    scenes: dict[str, Shown] = defaultdict(Shown)
    with recording_lab() as aws:
        history = aws._running.house.provided(ConfigurationHistory)
        stage = Stage(aws)

        def latest(name: str) -> Recorded | None:
            return history.latest(aws.account, REGION, name, scenes[name].resource_id)

        def see_made(name: str, told: Any) -> None:
            scenes[name].resource_id = told
            scenes[name].made = latest(name)

        def see_changed(name: str, told: Any) -> None:
            scenes[name].wanted, scenes[name].changed = told, latest(name)

        def see_ended(name: str, told: Any) -> None:
            scenes[name].outcome, scenes[name].ended = told, latest(name)

        for see in (see_made, see_changed, see_ended):
            stage.act(see)
    return scenes


STEPS = re.compile(r"\[([^=\]]+)=([^\]]*)\]|([^.\[]+)")


def value_at(value: Any, path: str) -> Any:
    """What stands at a path of names, numbers and `[name=value]`, the element that says so."""
    for name, wanted, step in STEPS.findall(path):
        if name:
            value = next(each for each in value if str(each.get(name)) == wanted)
        else:
            value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def test_every_type_has_a_scene() -> None:
    assert set(SCENES) == set(resource_types())


@pytest.mark.parametrize("name", sorted(SCENES))
def test_what_is_made_is_recorded(shown: dict[str, Shown], name: str) -> None:
    made = shown[name].made
    assert made is not None, f"no item of {shown[name].resource_id}"
    assert made.item["configurationItemStatus"] in ("ResourceDiscovered", "OK")


@pytest.mark.parametrize("name", sorted(SCENES))
def test_what_is_changed_shows_in_the_next_item(shown: dict[str, Shown], name: str) -> None:
    changed = shown[name].changed
    assert changed is not None
    seen = {**changed.item, "facts": changed.facts}
    assert {path: value_at(seen, path) for path in shown[name].wanted} == shown[name].wanted
    assert changed.cause is not None or changed.news == "facts"


@pytest.mark.parametrize("name", sorted(SCENES))
def test_what_is_deleted_ends_its_history(shown: dict[str, Shown], name: str) -> None:
    if shown[name].outcome != GONE:
        pytest.skip("cannot be deleted at once")
    ended = shown[name].ended
    assert ended is not None
    assert ended.item["configurationItemStatus"] == "ResourceDeleted"
