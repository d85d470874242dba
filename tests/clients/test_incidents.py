"""Every incident of the demo, played through real clients: the API must name exactly who did it."""

from datetime import timedelta

import pytest

from trailstate.cli.demo import INDENT, ROWS_MAX
from trailstate.cli.terminal import table
from trailstate.incidents import INCIDENTS, Stage
from trailstate.incidents.stage import Identity
from trailstate.testing import Lab


@pytest.fixture
def stage(lab: Lab) -> Stage:
    def advance(by: timedelta) -> None:
        lab.advance(by)

    return Stage(lab.endpoint, lab.account, Identity(*lab.root_key, password=lab.root_password), advance)


@pytest.mark.parametrize("name", INCIDENTS)
def test_the_answer_names_who_did_it(stage: Stage, name: str) -> None:
    incident = INCIDENTS[name]
    planted = incident.play(stage)
    answer = incident.ask(stage, planted)
    assert answer.is_right, answer.sentence
    assert planted["resource"] in answer.command
    if incident.is_of_exam:
        shown = table(answer.columns, answer.rows[:ROWS_MAX], width=80 - len(INDENT)).splitlines()
        assert shown[0].split() == " ".join(answer.columns).split(), "the columns do not fit a terminal of 80"


def test_both_verifiers_answers_are_shown_beside_one_another(stage: Stage) -> None:
    incident = INCIDENTS["touched-evidence"]
    rows = incident.ask(stage, incident.play(stage)).rows[:ROWS_MAX]
    assert {verifier for verifier, _ in rows} == {"aws cloudtrail validate-logs", "trailstate verify"}
    assert [found.partition(":")[0] for verifier, found in rows if verifier == "trailstate verify"] == [
        "log-altered",
        "tail-missing",
    ]


@pytest.mark.parametrize("name", INCIDENTS)
def test_before_it_happened_nobody_did_it(stage: Stage, name: str) -> None:
    answer = INCIDENTS[name].ask(stage, {"resource": "nothing-of-that-name", "event": "DeleteBucket", "who": "root"})
    assert not answer.is_right
    assert answer.sentence.startswith("Nobody")


@pytest.mark.parametrize("name", INCIDENTS)
def test_it_can_be_played_again(stage: Stage, name: str) -> None:
    incident = INCIDENTS[name]
    incident.play(stage)
    stage.advance(timedelta(minutes=1))
    assert incident.ask(stage, incident.play(stage)).is_right
