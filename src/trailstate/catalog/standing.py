"""What still stands: many services show what was deleted for a while, in a state that says so."""

from collections.abc import Callable
from typing import Any

from trailstate.configuration.form import Describe, Look
from trailstate.values.path import first


def standing(source: Describe, state: str, *ended: str) -> Callable[[Look], list[Any]]:
    """The call's answer without whatever is in one of the states `ended`, which stand at the path `state`."""

    def look_at(look: Look) -> list[Any]:
        return [each for each in look.ask(source) or () if first(each, state) not in ended]

    return look_at
