"""Raw answers of describe calls, kept in one file for each resource type, and the item that must follow from them.

`python -m tests.resources.answers [TYPE ...]` plays the scenes in a lab and writes the files anew; read the difference.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.resources.scene import SCENES
from tests.resources.stage import PLAYED, REGION, Stage
from trailstate.catalog.resources import resource_types
from trailstate.configuration.discover import Discovery
from trailstate.configuration.form import ResourceType, Seen
from trailstate.configuration.item import item_of
from trailstate.testing import lab
from trailstate.wire.call import Door, Principal
from trailstate.wire.fault import Fault

DIRECTORY = Path(__file__).parent / "answers"


def file_of(name: str) -> Path:
    return DIRECTORY / f"{name.replace('::', '-')}.yaml"


class Listening:
    """A door that remembers what was asked and answered."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.heard: list[dict[str, Any]] = []

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        account: str,
        region: str,
        as_: Principal,
    ) -> Mapping[str, Any]:
        heard: dict[str, Any] = {"call": f"{service} {operation}", "parameters": dict(parameters)}
        self.heard.append(heard)
        try:
            answer = self._door.call(service, operation, parameters, account=account, region=region, as_=as_)
        except Fault as fault:
            heard["fault"] = {"code": fault.code, "message": fault.message, "status": fault.status}
            raise
        heard["answer"] = dict(answer)
        return answer


class Answering:
    """A door behind which the kept answers stand."""

    def __init__(self, heard: list[dict[str, Any]]) -> None:
        self._heard = heard

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        account: str,
        region: str,
        as_: Principal,
    ) -> Mapping[str, Any]:
        asked = {"call": f"{service} {operation}", "parameters": dict(parameters)}
        found = next((each for each in self._heard if asked.items() <= each.items()), None)
        assert found is not None, f"the file has no answer to {asked}"
        if "fault" in found:
            raise Fault(found["fault"]["code"], found["fault"]["message"], found["fault"]["status"], service)
        answer: Mapping[str, Any] = found["answer"]
        return answer


def described(declared: ResourceType, seen: Seen) -> dict[str, Any]:
    """The item and its facts, as a file holds them."""
    return {"item": item_of(declared, seen), "facts": dict(seen.facts)}


def write(names: list[str]) -> None:
    """Write the files of these types."""
    DIRECTORY.mkdir(exist_ok=True)
    assert PLAYED
    with lab(clock_start="2026-01-15T09:30:00Z") as aws:
        stage, ids = Stage(aws, names), {}
        stage.act(ids.__setitem__)
        stage.act(lambda _name, _wanted: None)
        for name in names:
            file_of(name).write_text(_text(resource_types()[name], ids[name], aws.account, aws._running.house.door))
            print(file_of(name).name)


def _text(declared: ResourceType, resource_id: str, account: str, door: Door) -> str:
    every = Discovery(door).every(declared, account, REGION)
    key = next(seen.key for seen in every if item_of(declared, seen)["resourceId"] == resource_id)
    listening = Listening(door)
    seen = Discovery(listening).one(declared, key, account, REGION)
    assert seen is not None
    kept = {"type": declared.name, "key": key, "account": account, "region": REGION, "calls": listening.heard}
    whole = kept | described(declared, seen)
    return yaml.dump(whole, Dumper=Plain, sort_keys=False, width=120, allow_unicode=True)


class Plain(yaml.SafeDumper):
    """Writes a value again where it stands again, instead of pointing at it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


if __name__ == "__main__":
    write(sys.argv[1:] or sorted(SCENES))
