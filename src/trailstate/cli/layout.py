"""JSON laid out for people: on several lines, but what is short stands on one."""

import json
from typing import Any

from trailstate.cli.terminal import visible

LINE_CHARACTERS = 72


def visible_json(value: Any) -> str:
    """Indented by two, and safe for a terminal."""
    return "".join(f"  {visible(line)}\n" for line in _lines(value))


def _lines(value: Any, before: str = "", after: str = "") -> list[str]:
    """The lines of a value, with what stands before it on the first and after it on the last."""
    flat = before + json.dumps(value, ensure_ascii=False) + after
    if len(flat) <= LINE_CHARACTERS or not value:
        return [flat]
    if isinstance(value, dict):
        opening, closing = "{}"
        parts = [(f"{json.dumps(name, ensure_ascii=False)}: ", each) for name, each in value.items()]
    elif isinstance(value, list):
        opening, closing = "[]"
        parts = [("", each) for each in value]
    else:
        return [flat]
    lines = []
    for at, (name, each) in enumerate(parts, start=1):
        lines += [f"  {line}" for line in _lines(each, name, "," if at < len(parts) else "")]
    return [before + opening, *lines, closing + after]
