"""Hunts: the questions that investigations begin with, one file of SQL each. Its first line is what it asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Hunt:
    """A question with a name."""

    name: str
    title: str
    sql: str


@cache
def hunts() -> Mapping[str, Hunt]:
    """Every hunt by name."""
    files = resources.files(__name__).iterdir()
    found = [_hunt(each.name.removesuffix(".sql"), each.read_text()) for each in files if each.name.endswith(".sql")]
    return {each.name: each for each in sorted(found, key=lambda each: each.name)}


def _hunt(name: str, text: str) -> Hunt:
    title, _, _ = text.partition("\n")
    return Hunt(name, title.removeprefix("-- "), text)
