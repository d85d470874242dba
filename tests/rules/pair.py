"""Pairs: calls that make a resource break a rule, and calls that make it keep the rule. One entry is one story.

    - rules: {S3_BUCKET_VERSIONING_ENABLED: {}}         # each with the parameters it is put with
      resource: versions                                # the id that Config gives the resource
      given: [{s3.create_bucket: {Bucket: versions}}]   # once, before all
      bad: [{s3.put_bucket_versioning: {Bucket: versions, VersioningConfiguration: {Status: Suspended}}}]
      good: [{s3.put_bucket_versioning: {Bucket: versions, VersioningConfiguration: {Status: Enabled}}}]

A call may keep parts of its answer: `{ec2.create_vpc: {CidrBlock: 10.0.0.0/16}, keep: {vpc: Vpc.VpcId}}`; `$vpc` stands
for it afterwards, `$account` for the account. `{json: ...}` in place of a value is its JSON text, `{zip: ...}` a zip
file of a small program. `once: true` says that what is bad cannot be made bad a second time.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import yaml

from tests.resources.scene import a_program

PAIRS = Path(__file__).parent / "pairs"
ACTS = ("given", "bad", "good")


@dataclass
class Pair:
    """One story with what its calls have answered so far."""

    story: str
    rules: Mapping[str, Mapping[str, str]]
    resource: str
    given: list[Any] = field(default_factory=list)
    bad: list[Any] = field(default_factory=list)
    good: list[Any] = field(default_factory=list)
    once: bool = False
    kept: dict[str, str] = field(default_factory=dict)
    refused: str = ""
    """The first call of the story that failed, and how; the other stories go on."""

    def play(self, act: str, client: Callable[[str], Any]) -> None:
        for call in getattr(self, act):
            self._call(dict(call), client)

    def resource_id(self) -> str:
        return str(self._filled(self.resource))

    def _call(self, call: dict[str, Any], client: Callable[[str], Any]) -> None:
        keep = call.pop("keep", {})
        ((name, parameters),) = call.items()
        service, _, operation = name.partition(".")
        answer = getattr(client(service), operation)(**self._filled(parameters or {}))
        self.kept |= {what: _at(answer, path) for what, path in keep.items()}

    def _filled(self, value: Any) -> Any:
        """The value with names in the place of `$name`, and documents and programs in the place of their makers."""
        if isinstance(value, str):
            return Template(value).safe_substitute(self.kept)
        if isinstance(value, list):
            return [self._filled(each) for each in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"json"}:
            return json.dumps(self._filled(value["json"]))
        return a_program() if set(value) == {"zip"} else {name: self._filled(each) for name, each in value.items()}


def every_pair() -> Iterator[Pair]:
    for path in sorted(PAIRS.glob("*.yaml")):
        for number, entry in enumerate(yaml.load(path.read_text(), Loader=yaml.CSafeLoader)):
            yield Pair(story=f"{path.stem} {number}", **entry)


def _at(answer: Any, path: str) -> str:
    for step in path.split("."):
        answer = answer[int(step)] if isinstance(answer, list) else answer[step]
    return str(answer)
