"""The data tables of this package, read once: facts about recorded events, each with its source beside it."""

from functools import cache
from importlib import resources
from typing import Any

import msgspec


@cache
def table(name: str) -> dict[str, Any]:
    """The table `data/<name>.json`; a shared object, to be read only."""
    text = resources.files("trailstate.trail").joinpath("data", f"{name}.json").read_bytes()
    content: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
    return content
