"""The paths a child is shown: enough to run Python, and nothing wide."""

import sys
from pathlib import Path

import trailstate
from trailstate.sandbox import interpreter


def test_shows_the_interpreter_and_the_package() -> None:
    shown = interpreter.readable()
    for needed in (Path(sys.executable).resolve(), Path(trailstate.__file__), Path(sys.prefix)):
        assert any(needed.is_relative_to(path) for path in shown), needed


def test_shows_nothing_wide() -> None:
    assert not {Path("/"), Path("/usr"), Path("/etc"), Path.home(), Path("/home"), Path("/tmp")} & set(
        interpreter.readable()
    )


def test_leaves_out_what_lies_inside_another() -> None:
    paths = [Path("/a/b"), Path("/a"), Path("/ab"), Path("/a/b/c")]
    assert interpreter.without_nested(paths) == [Path("/a"), Path("/ab")]
