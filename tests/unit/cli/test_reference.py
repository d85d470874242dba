"""The pages under docs/reference say what the program does: they are what the generator would write now."""

from pathlib import Path

import pytest

from trailstate.cli.reference import PAGES, commands, write

REPOSITORY = Path(__file__).parents[3]


@pytest.mark.parametrize("name", PAGES)
def test_the_generated_page_is_current(name: str) -> None:
    stored = (REPOSITORY / "docs" / "reference" / name).read_text(encoding="utf-8")

    assert stored == PAGES[name](), "run: make docs"


def test_every_verb_and_exit_code_has_its_place() -> None:
    page = commands()

    assert "\n## trailstate up\n" in page
    assert "\n## trailstate clock advance\n" in page
    assert "\n| 3 | no server answers" in page


def test_only_changed_pages_are_written(tmp_path: Path) -> None:
    assert {path.name for path in write(tmp_path)} == set(PAGES)
    assert write(tmp_path) == []

    (tmp_path / "cli.md").write_text("old")

    assert write(tmp_path) == [tmp_path / "cli.md"]
