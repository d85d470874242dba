"""The model's constraints as checks, compiled once for an operation's input.

Follows the constraint traits of the Smithy specification (required, length, range, pattern, enum, union). A check takes
(value, path, findings) and adds a sentence to the findings for each constraint that is broken; it raises WrongType.
https://smithy.io/2.0/spec/constraint-traits.html
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from trailstate.wire.pattern import compiled_pattern, is_whole
from trailstate.wire.violation import (
    FINDINGS_MAX,
    NUMBER_BOUNDS,
    SHOWN_CHARACTERS_MAX,
    Path,
    WrongType,
    null,
    small,
    spoken_path,
    violation,
    wrong_type,
)

DEPTH_MAX = 64

Findings = list[str]
Check = Callable[[Any, Path, Findings], None]


class Compiler:
    """Makes the checks of one operation's input; recursive shapes meet themselves through a table."""

    def __init__(self) -> None:
        self._structures: dict[str, Check] = {}
        self._under_way: set[str] = set()
        self._makers: dict[str, Callable[[Any], Check]] = {
            "structure": self.structure,
            "list": self._list,
            "map": self._map,
            "string": _string,
            "character": _string,
            "integer": _number,
            "long": _number,
            "float": _number,
            "double": _number,
            "boolean": _of_type(bool),
            "timestamp": _of_type(datetime),
            "blob": _blob,
        }

    def make(self, shape: Any) -> Check:
        if shape.serialization.get("jsonvalue") or shape.serialization.get("eventstream"):
            return _anything
        return self._makers[shape.type_name](shape)

    def structure(self, shape: Any) -> Check:
        if shape.is_document_type:
            return _anything
        name = shape.name
        if name in self._structures:
            return self._structures[name]
        if name in self._under_way:
            return self._again(name)
        self._under_way.add(name)
        members = {key: (small(key), self.make(member)) for key, member in shape.members.items()}
        required = tuple(shape.required_members)
        check = _union(members) if shape.is_tagged_union else _structure(members, required)
        self._structures[name] = check
        return check

    def _again(self, name: str) -> Check:
        def check(value: Any, path: Path, findings: Findings) -> None:
            if _depth(path) > DEPTH_MAX:
                raise WrongType(f"The request is nested more than {DEPTH_MAX} levels deep.")
            self._structures[name](value, path, findings)

        return check

    def _list(self, shape: Any) -> Check:
        item_check = self.make(shape.member)
        measure = _length(shape)

        def check(value: Any, path: Path, findings: Findings) -> None:
            if not isinstance(value, list):
                raise wrong_type("list", value)
            if measure is not None:
                measure(value, path, findings)
            for index, item in enumerate(value, 1):
                if not _held(item, item_check, ((path, str(index)), "member"), findings):
                    return

        return check

    def _map(self, shape: Any) -> Check:
        key_check, value_check = self.make(shape.key), self.make(shape.value)
        measure = _length(shape)

        def check(value: Any, path: Path, findings: Findings) -> None:
            if not isinstance(value, dict):
                raise wrong_type("map", value)
            if measure is not None:
                measure(value, path, findings)
            for key, item in value.items():
                key_check(key, (path, "key"), findings)
                place = ((path, str(key)[:SHOWN_CHARACTERS_MAX]), "member")
                if not _held(item, value_check, place, findings):
                    return

        return check


def _held(item: Any, check: Check, place: Path, findings: Findings) -> bool:
    """Check what stands in a list or map, where nothing may be null; whether there is room for further findings."""
    if item is None:
        findings.append(null(place))
    else:
        check(item, place, findings)
    return len(findings) < FINDINGS_MAX


def _depth(path: Path) -> int:
    count = 0
    while path is not None:
        path, count = path[0], count + 1
    return count


def _anything(_value: Any, _path: Path, _findings: Findings) -> None:
    """Free-form values have no constraint."""


def _structure(members: Mapping[str, tuple[str, Check]], required: tuple[str, ...]) -> Check:
    def check(value: Any, path: Path, findings: Findings) -> None:
        if not isinstance(value, Mapping):
            raise wrong_type("structure", value)
        for name in required:
            if value.get(name) is None:
                findings.append(null((path, small(name))))
        for name, item in value.items():
            if item is not None and name in members:
                spoken, member_check = members[name]
                member_check(item, (path, spoken), findings)
                if len(findings) >= FINDINGS_MAX:
                    return

    return check


def _union(members: Mapping[str, tuple[str, Check]]) -> Check:
    inside = _structure(members, ())

    def check(value: Any, path: Path, findings: Findings) -> None:
        inside(value, path, findings)
        chosen = sum(1 for name, item in value.items() if item is not None and name in members)
        if chosen != 1:
            where = spoken_path(path)
            raise WrongType(f"The union '{where}' must have exactly one member set, and {chosen} are.")

    return check


def _string(shape: Any) -> Check:
    rules = [rule for rule in (_length(shape), _pattern(shape), _enum(shape)) if rule is not None]
    kind = shape.type_name
    if not rules:
        return _of_type(str)(shape)

    def check(value: Any, path: Path, findings: Findings) -> None:
        if not isinstance(value, str):
            raise wrong_type(kind, value)
        for rule in rules:
            rule(value, path, findings)

    return check


def _number(shape: Any) -> Check:
    kind = shape.type_name
    whole = kind in ("integer", "long")
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    bound = NUMBER_BOUNDS[kind]
    secret = bool(shape.metadata.get("sensitive"))

    def check(value: Any, path: Path, findings: Findings) -> None:
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            raise wrong_type(kind, value)
        if isinstance(value, int) and not -bound <= value < bound:
            raise wrong_type(kind, value)
        if low is not None and value < low:
            findings.append(violation(value, path, f"have value greater than or equal to {low}", secret=secret))
        if high is not None and value > high:
            findings.append(violation(value, path, f"have value less than or equal to {high}", secret=secret))

    return check


def _blob(shape: Any) -> Check:
    if shape.serialization.get("streaming"):
        return _anything
    measure = _length(shape)

    def check(value: Any, path: Path, findings: Findings) -> None:
        if not isinstance(value, bytes):
            raise wrong_type("blob", value)
        if measure is not None:
            measure(value, path, findings)

    return check


def _of_type(expected: type) -> Callable[[Any], Check]:
    def make(shape: Any) -> Check:
        kind = shape.type_name

        def check(value: Any, _path: Path, _findings: Findings) -> None:
            if not isinstance(value, expected):
                raise wrong_type(kind, value)

        return check

    return make


def _length(shape: Any) -> Check | None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is None and high is None:
        return None
    secret = bool(shape.metadata.get("sensitive"))

    def check(value: Any, path: Path, findings: Findings) -> None:
        size = len(value)
        if low is not None and size < low:
            findings.append(violation(value, path, f"have length greater than or equal to {low}", secret=secret))
        if high is not None and size > high:
            findings.append(violation(value, path, f"have length less than or equal to {high}", secret=secret))

    return check


def _enum(shape: Any) -> Check | None:
    allowed = shape.metadata.get("enum")
    if not allowed:
        return None
    values, words = frozenset(allowed), f"satisfy enum value set: [{', '.join(allowed)}]"
    secret = bool(shape.metadata.get("sensitive"))

    def check(value: Any, path: Path, findings: Findings) -> None:
        if value not in values:
            findings.append(violation(value, path, words, secret=secret))

    return check


def _pattern(shape: Any) -> Check | None:
    pattern = shape.metadata.get("pattern")
    compiled = compiled_pattern(pattern) if pattern else None
    if compiled is None:
        return None
    secret = bool(shape.metadata.get("sensitive"))
    matches, words = compiled.fullmatch, f"satisfy regular expression pattern: {pattern}"

    def check(value: Any, path: Path, findings: Findings) -> None:
        if not (is_whole(value) and matches(value)):
            findings.append(violation(value, path, words, secret=secret))

    return check
