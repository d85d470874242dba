"""API values become record values: a converter per shape, compiled once, so that a call never consults the model.

A converter takes a value in the API's spelling and gives it in the record's: members renamed, times as text,
sensitive members hidden or dropped, JSON-ready. Shapes that nothing in the mask or rename tables names below
their path are compiled once per service and shared; that also ends recursion.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from trailstate.trail.mask import DROP, SHOW, default_for_sensitive, hidden, is_secret
from trailstate.trail.names import lowered

Convert = Callable[[Any], Any]
TYPED_VALUE = frozenset({"S", "N", "B", "BOOL", "NULL", "L", "M"})
"""The members of DynamoDB's AttributeValue, which records show without the letter of its type."""
STEPS = ("TransactWriteItem", "TransactGetItem")
"""What DynamoDB's transactions list."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Rules:
    """Everything that decides how one side of one operation is written."""

    protocol: str
    name: Callable[[str], str] = lowered
    masks: Mapping[str, str] = field(default_factory=dict)
    renames: Mapping[str, str] = field(default_factory=dict)
    time: Callable[[Any, Any], Any] | None = None
    shared: dict[str, Convert] = field(default_factory=dict)

    def concern(self, path: str) -> bool:
        """Whether a table names something at or below a record path."""
        return any(row.startswith(path) for row in self.masks) or any(row.startswith(path) for row in self.renames)


def compiled(shape: Any, rules: Rules, path: str = "") -> Convert:
    """The converter of a shape standing at a path of the record."""
    if shape.type_name not in _COMPILERS:
        return _leaf(shape, rules)
    if path and not rules.concern(path):
        return _shared(shape, rules)
    return _COMPILERS[shape.type_name](shape, rules, path)


def java_date(moment: datetime) -> str:
    """Java's default text of a date, which most services leave in their records: `Jul 29, 2021, 11:53:36 PM`."""
    moment = moment.astimezone(UTC)
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    month = _MONTHS[moment.month - 1]
    return f"{month} {moment.day}, {moment.year}, {hour}:{moment.minute:02}:{moment.second:02} {half}"


def iso_date(moment: datetime) -> str:
    """ISO 8601 in UTC, with the fraction only where there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _shared(shape: Any, rules: Rules) -> Convert:
    known = rules.shared.get(shape.name)
    if known is not None:
        return known
    # A stand-in that looks the converter up when it runs: a recursive shape meets it while it is being compiled.
    rules.shared[shape.name] = lambda value: rules.shared[shape.name](value)
    unnamed = Rules(rules.protocol, rules.name, {}, {}, rules.time, rules.shared)
    rules.shared[shape.name] = _COMPILERS[shape.type_name](shape, unnamed, "")
    return rules.shared[shape.name]


def _structure(shape: Any, rules: Rules, path: str) -> Convert:
    if shape.is_document_type:
        return plain
    if shape.name in STEPS:
        return _step(shape, rules, path)
    if shape.members.keys() >= TYPED_VALUE:
        return untyped
    plan: dict[str, tuple[str, Convert]] = {}
    for member, member_shape in shape.members.items():
        name = rules.renames.get(_join(path, member)) or rules.name(member)
        convert = _member(member_shape, rules, _join(path, name))
        if convert is not None:
            plan[member] = (name, convert)

    def convert_structure(value: Any) -> Any:
        record: dict[str, Any] = {}
        for member, item in value.items():
            entry = plan.get(member)
            if entry is not None and item is not None:
                record[entry[0]] = entry[1](item)
        return record

    return convert_structure


def _step(shape: Any, rules: Rules, path: str) -> Convert:
    """DynamoDB writes what a step of a transaction does beside what it does it with: `{"Put": {…}}` is flattened."""
    actions = {name: compiled(action, rules, path) for name, action in shape.members.items()}

    def convert_step(value: Any) -> Any:
        record: dict[str, Any] = {}
        for name, held in value.items():
            if name in actions and held is not None:
                record = {"operation": name, **record, **actions[name](held)}
        return record

    return convert_step


def _member(shape: Any, rules: Rules, path: str) -> Convert | None:
    """The converter of a member, or None for one the record leaves out: hidden ones, and the answer's status code."""
    if shape.serialization.get("location") == "statusCode":
        return None
    how = rules.masks.get(path) or sensitivity(shape, rules.protocol)
    if how == SHOW and path not in rules.masks and is_secret(path.rpartition(".")[2], shape):
        how = "hidden"
    if how == DROP:
        return None
    if how != SHOW:
        return hidden(how)
    return compiled(shape, rules, path)


def sensitivity(shape: Any, protocol: str) -> str:
    """How the model alone has a member hidden: SHOW for most, DROP for blobs."""
    if shape.type_name == "blob":
        return DROP
    if shape.metadata.get("sensitive"):
        return default_for_sensitive(protocol, shape.type_name)
    element = {"list": "member", "map": "value"}.get(shape.type_name)
    if element is None:
        return SHOW
    return sensitivity(getattr(shape, element), protocol)


def _list(shape: Any, rules: Rules, path: str) -> Convert:
    convert = compiled(shape.member, rules, f"{path}[]" if path else "")
    return lambda value: [None if item is None else convert(item) for item in value]


def _map(shape: Any, rules: Rules, path: str) -> Convert:
    convert = compiled(shape.value, rules, f"{path}{{}}" if path else "")
    if shape.key.metadata.get("sensitive"):
        return lambda _value: {}
    return lambda value: {str(key): None if item is None else convert(item) for key, item in value.items()}


_COMPILERS: dict[str, Callable[[Any, Rules, str], Convert]] = {"structure": _structure, "list": _list, "map": _map}


def _leaf(shape: Any, rules: Rules) -> Convert:
    if shape.type_name != "timestamp":
        return plain
    if rules.time is not None:
        moment_of = rules.time
        return lambda value: moment_of(value, shape) if isinstance(value, datetime) else plain(value)
    text = iso_date if shape.serialization.get("timestampFormat") == "iso8601" else java_date
    return lambda value: text(value) if isinstance(value, datetime) else plain(value)


def untyped(value: Mapping[str, Any]) -> Any:
    """What DynamoDB's typed value holds: `{"S": "blue"}` is written "blue"; bytes are not written."""
    nothing: tuple[str, Any] = ("NULL", None)
    kind, held = next(iter(value.items()), nothing)
    if kind == "M":
        return {str(name): untyped(each) for name, each in held.items()}
    if kind == "L":
        return [untyped(each) for each in held]
    return None if kind in ("B", "BS", "NULL") else plain(held)


def plain(value: Any) -> Any:
    """A value as JSON can hold it; documents (free-form members) keep their shape."""
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return java_date(value)
    if isinstance(value, (bytes, bytearray)):
        return None
    return str(value)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
