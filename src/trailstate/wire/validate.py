"""Parameters held against the model's constraints, refused in the words of AWS's own front end.

Follows the constraint traits of the Smithy specification (required, length, range, pattern, enum, union) and the
messages AWS's services answer with. A wrong type is a serialization error, a broken constraint a validation error.

An operation's checks are compiled once into closures: a check takes (value, path, findings) and adds a sentence to the
findings. A path is a chain of pairs (parent, name), put into words only when something is wrong.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any

import re2

from trailstate.wire.fault import Fault, missing_parameter, serialization_error, validation_error

DEPTH_MAX = 64
FINDINGS_MAX = 20
SHOWN_CHARACTERS_MAX = 1024

Path = tuple[Any, str] | None
Findings = list[str]
Check = Callable[[Any, Path, Findings], None]


class WrongType(Exception):
    """A value whose type the model does not allow; the message is AWS's."""


NAMES_THE_MISSING = frozenset({"ec2", "sqs", "s3"})
"""Services that answer MissingParameter (or their word for it) instead of a list of violations."""


def validate(
    service: str,
    operation_model: Any,
    parameters: Mapping[str, Any],
    protocol: str | None = None,
    judged: Collection[str] = (),
) -> None:
    """Return if the parameters satisfy the model. Raises the Fault AWS would answer, whatever the values are.

    Of the members in `judged` only the types are held against the model, and that no list holds a null: the
    operation refuses bad values by an exception of its own.
    """
    check = _compiled(operation_model)
    if check is None:
        return
    spoken = protocol or operation_model.service_model.resolved_protocol
    findings: Findings = []
    try:
        check(parameters, None, findings)
    except WrongType as error:
        raise serialization_error(service, spoken, str(error)) from None
    if findings and judged:
        findings = _unjudged(check, parameters, judged)
    if findings:
        raise _refusal(service, spoken, operation_model, parameters, findings)


def _unjudged(check: Check, parameters: Mapping[str, Any], judged: Collection[str]) -> Findings:
    """The findings without those about judged members; that one is missing, or holds a null, is still found."""
    given = {name for name in judged if parameters.get(name) is not None}
    left_out = {_null((None, _small(name))) for name in given}
    findings: Findings = []
    check({name: value for name, value in parameters.items() if name not in given}, None, findings)
    nulls = [each for name in sorted(given) for each in _nulls_in(parameters[name], (None, _small(name)))]
    return [each for each in findings if each not in left_out] + nulls[:FINDINGS_MAX]


def _nulls_in(value: Any, path: Path) -> Findings:
    """What is said of the nulls of a list."""
    if isinstance(value, list):
        return [_null(((path, str(index)), "member")) for index, item in enumerate(value, 1) if item is None]
    return []


def _refusal(service: str, protocol: str, operation: Any, parameters: Mapping[str, Any], findings: Findings) -> Fault:
    if service in NAMES_THE_MISSING or protocol == "ec2":
        absent = next((name for name in operation.input_shape.required_members if parameters.get(name) is None), None)
        if absent is not None:
            return missing_parameter(
                service, protocol, _wire_name(operation.input_shape.members[absent], absent, protocol)
            )
    count = len(findings)
    heading = f"{count} validation error{'s' if count > 1 else ''} detected: "
    return validation_error(service, protocol, heading + "; ".join(findings))


def _wire_name(shape: Any, member: str, protocol: str) -> str:
    """The parameter as the client wrote it: EC2 sends `InstanceId` for the member `InstanceIds`."""
    if protocol != "ec2":
        return member
    name = str(shape.serialization.get("queryName") or shape.serialization.get("name") or member)
    return name[:1].upper() + name[1:]


@cache
def _compiled(operation_model: Any) -> Check | None:
    shape = operation_model.input_shape
    return None if shape is None else _Compiler().structure(shape)


# ---- words ----


def spoken_path(path: Path) -> str:
    """`tagsList.1.member.key`: AWS begins each member's name with a small letter."""
    names = []
    while path is not None:
        path, name = path
        names.append(name)
    return ".".join(reversed(names))


def _small(name: str) -> str:
    return name[:1].lower() + name[1:]


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    text = value if isinstance(value, str) else _listed(value)
    cut = text if len(text) <= SHOWN_CHARACTERS_MAX else text[:SHOWN_CHARACTERS_MAX] + "..."
    return f"'{cut}'"


def _listed(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_brief(item) for item in value[:FINDINGS_MAX]) + "]"
    if isinstance(value, dict):
        pairs = islice(value.items(), FINDINGS_MAX)
        return "{" + ", ".join(f"{_brief(key)}={_brief(item)}" for key, item in pairs) + "}"
    return _brief(value)


def _brief(value: Any) -> str:
    """An item of a list in a message. What it holds in turn is left out: nobody has looked at it yet."""
    if isinstance(value, str):
        return value[:SHOWN_CHARACTERS_MAX]
    if isinstance(value, int | float) and (not isinstance(value, int) or abs(value) < _NUMBER_BOUNDS["double"]):
        return str(value)
    return "null" if value is None else type(value).__name__


def _violation(value: Any, path: Path, constraint: str, *, secret: bool) -> str:
    value_words = "Value" if secret else f"Value {_shown(value)}"
    return f"{value_words} at '{spoken_path(path)}' failed to satisfy constraint: Member must {constraint}"


def _null(path: Path) -> str:
    return _violation(None, path, "not be null", secret=False)


_JAVA_KINDS = {str: "STRING_VALUE", bool: "TRUE_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE"}
_JAVA_TYPES = {
    "string": "String",
    "character": "String",
    "integer": "Integer",
    "long": "Long",
    "float": "Float",
    "double": "Double",
    "boolean": "Boolean",
    "timestamp": "Date",
    "blob": "Blob",
}


def _wrong_type(kind: str, value: Any) -> WrongType:
    if isinstance(value, dict):
        return WrongType("Start of structure or map found where not expected.")
    if isinstance(value, list | tuple):
        return WrongType("Start of list found where not expected")
    if kind not in _JAVA_TYPES:
        return WrongType("Unexpected field type")
    found = "FALSE_VALUE" if value is False else _JAVA_KINDS.get(type(value), "VALUE")
    return WrongType(f"{found} can not be converted to {_JAVA_TYPES[kind]}")


# ---- checks ----


class _Compiler:
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
        members = {key: (_small(key), self.make(member)) for key, member in shape.members.items()}
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
                raise _wrong_type("list", value)
            if measure is not None:
                measure(value, path, findings)
            for index, item in enumerate(value, 1):
                place = ((path, str(index)), "member")
                if item is None:
                    findings.append(_null(place))
                else:
                    item_check(item, place, findings)
                if len(findings) >= FINDINGS_MAX:
                    return

        return check

    def _map(self, shape: Any) -> Check:
        key_check, value_check = self.make(shape.key), self.make(shape.value)
        measure = _length(shape)

        def check(value: Any, path: Path, findings: Findings) -> None:
            if not isinstance(value, dict):
                raise _wrong_type("map", value)
            if measure is not None:
                measure(value, path, findings)
            for key, item in value.items():
                key_check(key, (path, "key"), findings)
                place = ((path, str(key)[:SHOWN_CHARACTERS_MAX]), "member")
                if item is None:
                    findings.append(_null(place))
                else:
                    value_check(item, place, findings)
                if len(findings) >= FINDINGS_MAX:
                    return

        return check


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
            raise _wrong_type("structure", value)
        for name in required:
            if value.get(name) is None:
                findings.append(_null((path, _small(name))))
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
            raise _wrong_type(kind, value)
        for rule in rules:
            rule(value, path, findings)

    return check


_NUMBER_BOUNDS = {"integer": 2**31, "long": 2**63, "float": 2**1023, "double": 2**1023}


def _number(shape: Any) -> Check:
    kind = shape.type_name
    whole = kind in ("integer", "long")
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    bound = _NUMBER_BOUNDS[kind]
    secret = bool(shape.metadata.get("sensitive"))

    def check(value: Any, path: Path, findings: Findings) -> None:
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            raise _wrong_type(kind, value)
        if isinstance(value, int) and not -bound <= value < bound:
            raise _wrong_type(kind, value)
        if low is not None and value < low:
            findings.append(_violation(value, path, f"have value greater than or equal to {low}", secret=secret))
        if high is not None and value > high:
            findings.append(_violation(value, path, f"have value less than or equal to {high}", secret=secret))

    return check


def _blob(shape: Any) -> Check:
    if shape.serialization.get("streaming"):
        return _anything
    measure = _length(shape)

    def check(value: Any, path: Path, findings: Findings) -> None:
        if not isinstance(value, bytes):
            raise _wrong_type("blob", value)
        if measure is not None:
            measure(value, path, findings)

    return check


def _of_type(expected: type) -> Callable[[Any], Check]:
    def make(shape: Any) -> Check:
        kind = shape.type_name

        def check(value: Any, _path: Path, _findings: Findings) -> None:
            if not isinstance(value, expected):
                raise _wrong_type(kind, value)

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
            findings.append(_violation(value, path, f"have length greater than or equal to {low}", secret=secret))
        if high is not None and size > high:
            findings.append(_violation(value, path, f"have length less than or equal to {high}", secret=secret))

    return check


def _enum(shape: Any) -> Check | None:
    allowed = shape.metadata.get("enum")
    if not allowed:
        return None
    values, words = frozenset(allowed), f"satisfy enum value set: [{', '.join(allowed)}]"
    secret = bool(shape.metadata.get("sensitive"))

    def check(value: Any, path: Path, findings: Findings) -> None:
        if value not in values:
            findings.append(_violation(value, path, words, secret=secret))

    return check


# ---- patterns ----


def _pattern(shape: Any) -> Check | None:
    pattern = shape.metadata.get("pattern")
    compiled = compiled_pattern(pattern) if pattern else None
    if compiled is None:
        return None
    secret = bool(shape.metadata.get("sensitive"))
    matches, words = compiled.fullmatch, f"satisfy regular expression pattern: {pattern}"

    def check(value: Any, path: Path, findings: Findings) -> None:
        if not (_is_whole(value) and matches(value)):
            findings.append(_violation(value, path, words, secret=secret))

    return check


def _is_whole(text: str) -> bool:
    """Whether the text can be written as UTF-8: half surrogates cannot, and match no pattern."""
    return text.isascii() or not _HALVES.search(text)


_HALVES = re.compile("[\ud800-\udfff]")
_JAVA_PAIR = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_JAVA_UNIT = re.compile(r"\\u([0-9a-fA-F]{4})")


def _in_re2(pattern: str) -> str:
    r"""A Java pattern in RE2's spelling: `\u0020` is `\x{20}`, two surrogates are one character."""
    whole = _JAVA_PAIR.sub(lambda found: rf"\x{{{_joined(found[1], found[2]):x}}}", pattern)
    return _JAVA_UNIT.sub(lambda found: rf"\x{{{found[1]}}}", whole)


def _joined(high: str, low: str) -> int:
    return 0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00


@cache
def compiled_pattern(pattern: str) -> Any:
    """The pattern as RE2 runs it, in linear time; None where RE2 has no such construct (look-around, long repeats)."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(_in_re2(pattern), options)
    except re2.error:
        return None


def unchecked_patterns(service_model: Any) -> dict[str, str]:
    """The shapes of a service whose pattern is not enforced, because RE2 cannot run it."""
    shapes = ((name, service_model.shape_for(name)) for name in service_model.shape_names)
    patterns = {name: shape.metadata["pattern"] for name, shape in shapes if "pattern" in shape.metadata}
    return {name: pattern for name, pattern in patterns.items() if compiled_pattern(pattern) is None}
