"""Which of many patterns an event meets: one reading of the event, and few patterns looked at.

Only fields that some pattern names are read: a Struct made from the patterns tells the JSON decoder so. Each pattern
hangs on the field whose exact values (or prefixes) are rarest among all patterns, so that an event meets few
candidates. What candidates ask of a field is asked once an event, however many share it. An event with a list where
patterns expect an object goes the plain way of `pattern`, where one and the same element must meet a pattern.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from operator import attrgetter
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from trailstate.values.comparison import Comparison, token
from trailstate.values.pattern import Branch, Pattern, leaves

Name = TypeVar("Name")
Path: TypeAlias = tuple[str, ...]
Ask: TypeAlias = tuple[int, int, Comparison]
"""The place of a field's value, the number of the comparison there, and the comparison."""

PREFIX_CHARACTERS_MAX = 32
"""What longer prefixes hang on: their beginning."""


@dataclass(slots=True, eq=False)
class _Rule(Generic[Name]):
    """One pattern, flattened: all asks, and any group of each alternative. What it hangs on is not asked again."""

    name: Name
    pattern: Pattern
    asks: Sequence[Ask]
    groups: tuple[Any, ...]


@dataclass(slots=True)
class _Place:
    """One step of the patterns' fields: a value that is asked for, an object with more below, or both."""

    slot: int = -1
    below: dict[str, "_Place"] = field(default_factory=dict)


class PatternIndex(Generic[Name]):
    """Patterns by name, ready for events. Safe from any thread."""

    def __init__(self, patterns: Iterable[tuple[Name, Pattern]]) -> None:
        self._root = _Place()
        self._slots: dict[Path, int] = {}
        self._numbers: dict[tuple[int, Comparison], int] = {}
        rules = [_Rule(name, each, *self._flat(each.root, ())) for name, each in patterns]
        self._exact: dict[int, dict[Any, list[_Rule[Name]]]] = {}
        self._prefix: dict[int, dict[str, list[_Rule[Name]]]] = {}
        self._always: list[_Rule[Name]] = []
        self._hang(rules)
        self._lengths = {slot: sorted(set(map(len, held))) for slot, held in self._prefix.items()}
        self._shelves = tuple(self._exact.items())
        self._decode = msgspec.json.Decoder(_struct(self._root)).decode if rules else None
        self._values = _reader(self._root, len(self._slots))

    def match(self, event: bytes) -> list[Name]:
        """The names of the patterns that the event meets; msgspec.DecodeError for what is no JSON object."""
        if self._decode is None:
            return []
        read = self._decode(event)
        try:
            values = self._values(read)
        except AttributeError:  # what is null, a list or a text has no fields: look closer
            values = [msgspec.UNSET] * len(self._slots)
            if not _gather(self._root, read, values):
                whole = msgspec.json.decode(event)
                return [rule.name for rule in self._everything() if rule.pattern.matches(whole)]
        candidates = self._candidates(values)
        if not candidates:
            return []
        known: dict[int, bool] = {}
        return [rule.name for rule in candidates if _meets(rule.asks, rule.groups, values, known)]

    # ---- building ----

    def _flat(self, branch: Branch, path: Path) -> tuple[tuple[Ask, ...], tuple[Any, ...]]:
        asks: list[Ask] = []
        groups: list[Any] = [tuple(self._flat(each, path) for each in group) for group in branch.alternatives]
        for name, node in branch.fields:
            if isinstance(node, Comparison):
                asks.append(self._ask((*path, name), node))
            else:
                below, more = self._flat(node, (*path, name))
                asks.extend(below)
                groups.extend(more)
        return tuple(asks), tuple(groups)

    def _ask(self, path: Path, comparison: Comparison) -> Ask:
        place = self._root
        for name in path:
            place = place.below.setdefault(name, _Place())
        if place.slot < 0:
            place.slot = self._slots[path] = len(self._slots)
        number = self._numbers.setdefault((place.slot, comparison), len(self._numbers))
        return place.slot, number, comparison

    def _hang(self, rules: Sequence[_Rule[Name]]) -> None:
        """Put each pattern under its rarest ask, and ask the others in the order of how rare they are."""
        counts = Counter(key for rule in rules for ask in rule.asks for key in _handles(ask))

        def commonness(ask: Ask) -> float:
            handles = _handles(ask)
            return sum(counts[key] for key in handles) if handles else inf

        for rule in rules:
            rule.asks = sorted(rule.asks, key=commonness)
            handles = _handles(rule.asks[0]) if rule.asks else ()
            if not handles:
                self._always.append(rule)
                continue
            if all(len(value) < PREFIX_CHARACTERS_MAX for _, kind, value in handles if kind == "prefix"):
                rule.asks = rule.asks[1:]
            for slot, kind, value in handles:
                shelf = self._exact if kind == "exact" else self._prefix
                shelf.setdefault(slot, {}).setdefault(value, []).append(rule)

    # ---- asking ----

    def _everything(self) -> Iterable[_Rule[Name]]:
        shelves = (rules for shelf in (self._exact, self._prefix) for held in shelf.values() for rules in held.values())
        return dict.fromkeys(rule for rules in (self._always, *shelves) for rule in rules)

    def _candidates(self, values: Sequence[Any]) -> Collection[_Rule[Name]]:
        """Those that may be met, each once."""
        found, is_sure = list(self._always), True
        for slot, held in self._shelves:
            value = values[slot]
            if type(value) is str:
                if value in held:
                    found += held[value]
            elif value is not msgspec.UNSET:
                is_sure = False
                for each in _values(value):
                    found += held.get(token(each), ())
        for slot, beginnings in self._prefix.items():
            for value in _values(values[slot]):
                if isinstance(value, str):
                    is_sure = False
                    for length in self._lengths[slot]:
                        found += beginnings.get(value[:length], ())
        return found if is_sure else dict.fromkeys(found)


def _handles(ask: Ask) -> tuple[tuple[int, str, Any], ...]:
    """What a pattern can be found by, if this must be met: all of them together miss no event."""
    slot, _, comparison = ask
    if comparison.takes_absent or comparison.takes_any or comparison.tests:
        return ()
    exact = tuple((slot, "exact", each) for each in comparison.exact)
    return exact + tuple((slot, "prefix", each[:PREFIX_CHARACTERS_MAX]) for each in comparison.prefixes)


def _values(value: Any) -> Sequence[Any]:
    if type(value) is str:
        return (value,)
    return () if value is msgspec.UNSET else leaves(value)


def _meets(asks: Sequence[Ask], groups: Sequence[Any], values: Sequence[Any], known: dict[int, bool]) -> bool:
    for slot, number, comparison in asks:
        answer = known.get(number)
        if answer is None:
            held = _values(values[slot])
            answer = any(map(comparison.takes, held)) if held else comparison.takes_absent
            known[number] = answer
        if not answer:
            return False
    return not groups or all(any(_meets(below, more, values, known) for below, more in each) for each in groups)


# ---- reading an event ----


def _struct(place: _Place) -> Any:
    """The type that the decoder reads an object with: what no pattern names is skipped."""
    members: list[tuple[str, Any, Any]] = []
    rename: dict[str, str] = {}
    for number, (name, below) in enumerate(place.below.items()):
        member = f"f{number}"
        rename[member] = name
        kind: Any = Any
        default: Any = msgspec.UNSET
        if below.below and below.slot < 0:
            inner = _struct(below)
            kind, default = inner | list[Any] | str | int | float | bool | None, inner()
        members.append((member, kind, default))
    return msgspec.defstruct("Asked", members, rename=rename, frozen=True, gc=False)


def _reader(root: _Place, slots: int) -> Callable[[Any], Sequence[Any]]:
    """Takes all values from an event in one step, if nothing but objects stands where patterns expect objects."""
    paths = dict(_members(root, ""))
    if slots == 0:
        return lambda _: ()
    if slots == 1:
        only = attrgetter(paths[0])
        return lambda read: (only(read),)
    reader: Callable[[Any], Sequence[Any]] = attrgetter(*(paths[slot] for slot in range(slots)))
    return reader


def _members(place: _Place, above: str) -> Iterator[tuple[int, str]]:
    for number, below in enumerate(place.below.values()):
        path = f"{above}f{number}"
        if below.slot >= 0:
            yield below.slot, path
        yield from _members(below, f"{path}.")


def _gather(place: _Place, held: Any, values: list[Any]) -> bool:
    """Put what the event has at each place asked for; False when a list stands where an object is expected."""
    for number, (name, below) in enumerate(place.below.items()):
        value = getattr(held, f"f{number}") if isinstance(held, msgspec.Struct) else held.get(name, msgspec.UNSET)
        if below.slot >= 0:
            values[below.slot] = value
        if not below.below:
            continue
        if isinstance(value, list):
            return False
        if isinstance(value, msgspec.Struct | dict) and not _gather(below, value, values):
            return False
    return True
