"""Whole records, member by member: each scene still gives the file that was reviewed."""

import pytest

from .golden_records import GOLDEN, SCENES, text


@pytest.mark.parametrize("name", SCENES)
def test_the_record_is_the_one_that_was_reviewed(name: str) -> None:
    assert text(name) == (GOLDEN / f"{name}.json").read_text(), "python -m tests.unit.trail.golden_records --write"


def test_every_file_has_a_scene() -> None:
    assert {file.stem for file in GOLDEN.glob("*")} == set(SCENES)
