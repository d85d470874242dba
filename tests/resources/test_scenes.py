"""Every resource type from a call to its history: made, and its item is recorded; changed, and the next item shows it
with the call behind it; deleted, and it is ResourceDeleted. One lab plays the scenes of all types, act by act."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.resources import scenes_data, scenes_identity, scenes_network, scenes_services
from tests.resources.scene import GONE, SCENES
from trailstate.catalog.resources import resource_types
from trailstate.configuration.history import ConfigurationHistory, Recorded
from trailstate.testing import Lab, lab

PLAYED = (scenes_data, scenes_identity, scenes_network, scenes_services)
REGION = "us-east-1"


@dataclass
class Act:
    """What one scene has shown so far."""

    resource_id: str = ""
    wanted: dict[str, Any] = field(default_factory=dict)
    made: Recorded | None = None
    changed: Recorded | None = None
    ended: Recorded | None = None
    outcome: Any = None


class Stage:
    """A lab that records everything, and the scenes upon it."""

    def __init__(self, aws: Lab) -> None:
        self._aws = aws
        self._history = aws._running.house.provided(ConfigurationHistory)
        self.acts = {name: Act() for name in SCENES}
        self._scenes = {name: play(self.client) for name, play in SCENES.items()}

    def client(self, service: str) -> Any:
        """A client that reaches S3 Control, which would call `ACCOUNT.host`, at the host itself."""
        client = self._aws.client(service)
        if service == "s3control":
            client.meta.events.register("before-sign.s3-control", self._at_host)
        return client

    def _at_host(self, request: Any, **_: Any) -> None:
        request.url = request.url.replace(f"{self._aws.account}.", "", 1)

    def play(self) -> None:
        self._step(lambda act, shown: setattr(act, "resource_id", shown))
        self._see("made")
        self._step(lambda act, shown: setattr(act, "wanted", shown))
        self._see("changed")
        self._step(lambda act, shown: setattr(act, "outcome", shown))
        self._see("ended")

    def _step(self, keep: Any) -> None:
        for name, scene in self._scenes.items():
            keep(self.acts[name], next(scene, None))
        self._aws.settle()

    def _see(self, when: str) -> None:
        for name, act in self.acts.items():
            setattr(act, when, self._history.latest(self._aws.account, REGION, name, act.resource_id))


@pytest.fixture(scope="module")
def acts() -> Iterator[dict[str, Act]]:
    with lab() as aws:
        config = aws.client("config")
        aws.client("s3").create_bucket(Bucket="config-files")
        group = {"allSupported": True, "includeGlobalResourceTypes": True}
        role = f"arn:aws:iam::{aws.account}:role/config"
        config.put_configuration_recorder(
            ConfigurationRecorder={"name": "default", "roleARN": role, "recordingGroup": group}
        )
        config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "config-files"})
        config.start_configuration_recorder(ConfigurationRecorderName="default")
        aws.settle()
        stage = Stage(aws)
        stage.play()
        yield stage.acts


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
def test_what_is_made_is_recorded(acts: dict[str, Act], name: str) -> None:
    made = acts[name].made
    assert made is not None, f"no item of {acts[name].resource_id}"
    assert made.item["configurationItemStatus"] in ("ResourceDiscovered", "OK")


@pytest.mark.parametrize("name", sorted(SCENES))
def test_what_is_changed_shows_in_the_next_item(acts: dict[str, Act], name: str) -> None:
    changed = acts[name].changed
    assert changed is not None
    shown = {**changed.item, "facts": changed.facts}
    assert {path: value_at(shown, path) for path in acts[name].wanted} == acts[name].wanted
    assert changed.cause is not None or changed.news == "facts"


@pytest.mark.parametrize("name", sorted(SCENES))
def test_what_is_deleted_ends_its_history(acts: dict[str, Act], name: str) -> None:
    if acts[name].outcome != GONE:
        pytest.skip("cannot be deleted at once")
    ended = acts[name].ended
    assert ended is not None
    assert ended.item["configurationItemStatus"] == "ResourceDeleted"
