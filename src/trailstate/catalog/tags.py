"""Tags as `supplementaryConfiguration` repeats them for some classic types: a list of key and value."""

from collections.abc import Sequence
from typing import Any

from trailstate.configuration.form import Part


def tags_part(member: str = "Tags") -> Part:
    """The part `Tags`, of the tags that stand at that member of the raw resource."""
    return Part("Tags", lambda look: look.raw.get(member) or [], shape=_pairs, plain=True)


def _pairs(tags: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"key": each.get("Key"), "value": each.get("Value")} for each in tags]
