"""Verdicts flip through the real API: a resource is made to break a rule, is repaired, and is broken again.

One lab plays every story, act by act, with boto3. Rules on change judge by themselves; a day later, periodic ones.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from tests.clients.recorder import start_recorder
from tests.rules.pair import PAIRS as PAIRS_AT
from tests.rules.pair import Pair, every_pair
from trailstate.catalog.rules import load
from trailstate.compliance.catalogue import flipped_rules
from trailstate.testing import Lab, lab

RULES = load()
PAIRS = list(every_pair())
FLIPS = [(pair, identifier) for pair in PAIRS for identifier in pair.rules]
AGAIN = [(pair, identifier) for pair, identifier in FLIPS if not pair.once]
Seen = dict[tuple[str, str], tuple[str, str]]
"""By story and rule: the verdict on the resource the story is about then, and what is said of it."""


class Stage:
    """A lab with a recorder and every rule of the pairs, and what the rules say after each act."""

    def __init__(self, aws: Lab) -> None:
        self._aws = aws
        self._config = aws.client("config")
        self.acts: list[Seen] = []
        for identifier, parameters in sorted({name: one for pair in PAIRS for name, one in pair.rules.items()}.items()):
            self._put(identifier, parameters)

    def _put(self, identifier: str, parameters: Any) -> None:
        source = {"Owner": "AWS", "SourceIdentifier": identifier}
        rule: dict[str, Any] = {"ConfigRuleName": identifier, "Source": source}
        self._config.put_config_rule(ConfigRule=rule | {"InputParameters": json.dumps(parameters)})

    def client(self, service: str) -> Any:
        """A client; S3 Control's would call `ACCOUNT.host` and is led to the host itself."""
        client = self._aws.client(service)
        if service == "s3control":
            client.meta.events.register("before-sign.s3-control", self._at_host)
        return client

    def _at_host(self, request: Any, **_: Any) -> None:
        request.url = request.url.replace(f"{self._aws.account}.", "", 1)

    def play(self, *acts: str) -> None:
        for pair in PAIRS:
            pair.kept.setdefault("account", self._aws.account)
            try:
                for act in acts:
                    pair.play(act, self.client)
            except ClientError as error:
                pair.refused = pair.refused or str(error)
        self._aws.settle()
        self._aws.advance("25h")
        said = dict(self._results())
        self.acts.append(
            {
                (pair.story, identifier): said.get((identifier, pair.resource_id()), ("nothing", ""))
                for pair, identifier in FLIPS
            }
        )

    def _results(self) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
        details = self._config.get_paginator("get_compliance_details_by_config_rule")
        for identifier in {identifier for _, identifier in FLIPS}:
            for page in details.paginate(ConfigRuleName=identifier):
                for result in page["EvaluationResults"]:
                    qualifier = result["EvaluationResultIdentifier"]["EvaluationResultQualifier"]
                    said = result["ComplianceType"], result.get("Annotation", "")
                    yield (identifier, qualifier["ResourceId"]), said


@pytest.fixture(scope="module")
def acts() -> Iterator[list[Seen]]:
    with lab() as aws:
        start_recorder(aws)
        stage = Stage(aws)
        stage.play("given", "bad")
        stage.play("good")
        for pair in PAIRS:
            pair.bad = [] if pair.once else pair.bad
        stage.play("bad")
        yield stage.acts


def _named(value: Any) -> str:
    return value if isinstance(value, str) else str(getattr(value, "story", value))


def _said(seen: Seen, pair: Pair, identifier: str) -> tuple[str, str]:
    assert not pair.refused, pair.refused
    return seen[pair.story, identifier]


@pytest.mark.parametrize(("pair", "identifier"), FLIPS, ids=_named)
def test_what_breaks_the_rule_is_found(acts: list[Seen], pair: Pair, identifier: str) -> None:
    verdict, annotation = _said(acts[0], pair, identifier)
    assert verdict == "NON_COMPLIANT", annotation
    assert annotation


@pytest.mark.parametrize(("pair", "identifier"), FLIPS, ids=_named)
def test_what_is_repaired_is_compliant(acts: list[Seen], pair: Pair, identifier: str) -> None:
    verdict, annotation = _said(acts[1], pair, identifier)
    assert verdict == "COMPLIANT", annotation


@pytest.mark.parametrize(("pair", "identifier"), AGAIN, ids=_named)
def test_what_is_broken_again_is_found_again(acts: list[Seen], pair: Pair, identifier: str) -> None:
    verdict, annotation = _said(acts[2], pair, identifier)
    assert verdict == "NON_COMPLIANT", annotation


def test_the_rules_that_are_called_demonstrable_are_those_of_the_stories() -> None:
    assert sorted(flipped_rules()) == sorted({identifier for _, identifier in FLIPS})


def test_a_rule_without_a_story_has_a_reason() -> None:
    """Rules over recorded types that CIS's benchmark asks for flip, or it is written down why they cannot."""
    reasons = yaml.safe_load((PAIRS_AT.parent / "unpaired.yaml").read_text())
    told = {identifier for _, identifier in FLIPS}
    assert not told & set(reasons)
    assert set(reasons) <= set(RULES)
    wanted = {identifier for identifier, rule in RULES.items() if "CIS-1.4" in rule.managed.sets}
    assert wanted <= told | set(reasons)
