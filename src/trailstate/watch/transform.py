"""What a target is given of an event: all of it, a part, a constant, or a template filled from it.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from trailstate.values import jsonpath

VARIABLE = re.compile(r"<([A-Za-z0-9_.-]{1,256})>")
RESERVED = (
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event.ingestion-time",
    "aws.events.event",
    "aws.events.event.json",
)


class BadInput(ValueError):
    """The message says what is wrong with a target's input."""


def check_input(target: Mapping[str, Any]) -> None:
    """Refuse what could not be applied later; BadInput."""
    given = [name for name in ("Input", "InputPath", "InputTransformer") if target.get(name)]
    if len(given) > 1:
        raise BadInput(f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}.")
    if "Input" in given and not _is_json(target["Input"]):
        raise BadInput(f"JSON syntax error in input for target {target['Id']} .")
    transformer = target.get("InputTransformer") or {}
    for path in (target.get("InputPath"), *(transformer.get("InputPathsMap") or {}).values()):
        if path:
            _check_path(path, target["Id"])
    known = {*(transformer.get("InputPathsMap") or {}), *RESERVED}
    unknown = [name for name in VARIABLE.findall(transformer.get("InputTemplate", "")) if name not in known]
    if unknown:
        raise BadInput(
            f"InputTemplate for target {target['Id']} contains placeholder {unknown[0]} that is not defined."
        )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _check_path(path: str, target: str) -> None:
    try:
        jsonpath.compiled(path)
    except jsonpath.BadPath:
        raise BadInput(f"InputPath for target {target} is invalid.") from None


def input_of(target: Mapping[str, Any], event: Mapping[str, Any], text: str, reserved: Mapping[str, str]) -> str:
    """What the target gets. `text` is the event as it stands, `reserved` what the rule says for reserved variables."""
    if target.get("Input"):
        return str(target["Input"])
    if target.get("InputPath"):
        return _text(_found(target["InputPath"], event))
    transformer = target.get("InputTransformer")
    if not transformer:
        return text
    values: dict[str, Any] = {
        name: _found(path, event) for name, path in (transformer.get("InputPathsMap") or {}).items()
    }
    whole = {"aws.events.event": {**event}, "aws.events.event.json": {**event}}
    return fill(transformer["InputTemplate"], {**values, **whole, **reserved})


def fill(template: str, values: Mapping[str, Any]) -> str:
    """The template with its variables replaced: within quotes by their text, elsewhere by their JSON."""
    parts: list[str] = []
    quoted, at = False, 0
    for found in VARIABLE.finditer(template):
        between = template[at : found.start()]
        quoted ^= _quotes(between) % 2 == 1
        parts.append(between)
        parts.append(_filled(found.group(), values.get(found.group(1)), quoted=quoted, known=found.group(1) in values))
        at = found.end()
    return "".join((*parts, template[at:]))


def _quotes(text: str) -> int:
    """How many quotes open or close a text there."""
    return len(re.findall(r'"', re.sub(r"\\.", "", text, flags=re.DOTALL)))


def _filled(written: str, value: Any, *, quoted: bool, known: bool) -> str:
    if not known:
        return written
    if not quoted:
        return '""' if value is None else _text(value)
    if value is None:
        return ""
    return json.dumps(value if isinstance(value, str) else _text(value), ensure_ascii=False)[1:-1]


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _found(path: str, event: Mapping[str, Any]) -> Any:
    try:
        return jsonpath.find(path, event)
    except (jsonpath.Absent, jsonpath.BadPath):
        return None
