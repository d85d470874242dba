"""The demo's output as a person at a terminal sees it."""

from collections.abc import Sequence

import pytest

from trailstate.cli.demo import INDENT, ROWS_MAX, Asked, _scene
from trailstate.cli.terminal import sentence
from trailstate.incidents import INCIDENTS, Answer

WIDTH = 80
LONG = "root (Root, access key AKIAEXAMPLEEXAMPLE00) called DeleteBucket at 2026-01-15T19:31:07Z from 203.0.113.7."
COMMAND = "aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=payroll-exports-1"


def a_scene(rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    answer = Answer(COMMAND, ("time (UTC)", "event", "who"), rows, LONG, is_right=True)
    return _scene(4, Asked(INCIDENTS["deleted-bucket"], answer, 0.0042), width).splitlines()


def test_everything_fits_the_terminal_but_the_command_which_is_there_to_be_copied() -> None:
    lines = a_scene([("01-15 19:31:07", "DeleteBucket", "root")], WIDTH)
    assert [line for line in lines if len(line) > WIDTH] == [f"{INDENT}$ {COMMAND}"]
    told = " ".join(line.strip() for line in lines)
    assert f"=> {LONG} (4 ms)" in told


def test_in_a_pipe_a_sentence_is_a_line() -> None:
    assert f"{INDENT}=> {LONG} (4 ms)" in a_scene([("01-15 19:31:07", "DeleteBucket", "root")], None)


def test_no_more_rows_than_a_glance_takes() -> None:
    lines = a_scene([("01-15 19:31:07", "DeleteBucket", f"user-{number}") for number in range(9)], WIDTH)
    assert sum("user-" in line for line in lines) == ROWS_MAX


@pytest.mark.parametrize("width", [20, 40])
def test_a_sentence_goes_on_after_its_indent_and_breaks_no_word(width: int) -> None:
    lines = sentence("one AWSServiceRoleForConfigRemediation three", indent="  ", width=width).splitlines()
    assert "AWSServiceRoleForConfigRemediation" in " ".join(lines).split()
    assert all(line.startswith("  ") for line in lines[1:])
