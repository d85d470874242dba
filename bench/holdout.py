"""What the tables of `trailstate.trail` would not know, had half of the recorded operations never been seen.

A seeded half of the event names is held out: every row that names one of its operations is removed, and every row of
a service, or of an EC2 member, that no operation of the other half has. What then still comes out right follows from
rules. Rows taken from a guide go as well as those taken from recordings: the tables do not tell them apart.
"""

import random
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from trailstate.trail.category import classify
from trailstate.trail.tables import table
from trailstate.wire import model
from trailstate.wire.services import services

Pair = tuple[str, str]
"""A service and an operation, as botocore calls them."""

TABLES = ("classes", "ec2", "errors", "masks", "members", "resources", "s3")
SCAFFOLD = frozenset({"source", "values", "services", "members", "elements", "grouped", "flattened"})
"""Keys that hold rows rather than being one."""

ROW = re.compile(r"([a-z0-9-]+)\.(\*|[A-Z]\w*)")


def halved(pairs: Iterable[Pair], seed: int) -> tuple[set[Pair], set[Pair]]:
    """The held half and the kept half."""
    known = sorted(set(pairs))
    held = set(random.Random(seed).sample(known, len(known) // 2))
    return held, set(known) - held


def forget(held: set[Pair], kept: set[Pair]) -> int:
    """Remove the rows that only the held half teaches, from this process's tables; says how many."""
    lost = _Lost(held, kept)
    removed = sum(_pruned(table(name), name, lost.forgets) for name in TABLES)
    _clear_caches()
    return removed


class _Lost:
    """Which words of the tables only the held half teaches."""

    def __init__(self, held: set[Pair], kept: set[Pair]) -> None:
        self._held = held
        self._services = {service for service, _ in held} - {service for service, _ in kept}
        self._prefixes = _prefixes(held) - _prefixes(kept)
        self._names = _names(held) - _names(kept)
        self._ec2 = set(_members(held)) - set(_members(kept))

    def forgets(self, where: tuple[str, ...], word: str) -> bool:
        """Whether a key or list element at a place of a table is lost."""
        row = ROW.fullmatch(word)
        if row is not None and row[1] in services():
            return row[1] in self._services if row[2] == "*" else (row[1], row[2]) in self._held
        if len(where) == 1 or word in SCAFFOLD:
            return False
        if where[0] == "ec2":
            return ("ec2", word.partition(".")[0]) in self._held or word in self._ec2
        if where[-1] in ("services", "kept", "hyphenated", "event_sources", "values", "dated_paths"):
            return word in self._services or word in self._prefixes
        return any((prefix, word) in self._names for prefix in where)


def _prefixes(pairs: set[Pair]) -> set[str]:
    return {classify(*pair).event_source.partition(".")[0] for pair in pairs}


def _names(pairs: set[Pair]) -> set[Pair]:
    """Event source prefix and name: as the event says it, and as the API does."""
    found = set()
    for service, operation in pairs:
        known = classify(service, operation)
        prefix = known.event_source.partition(".")[0]
        found |= {(prefix, known.event_name), (prefix, operation)}
    return found


def _members(pairs: set[Pair]) -> Iterator[str]:
    """Every word that EC2's tables may use of these operations' members."""
    for service, operation in pairs:
        if service == "ec2":
            known = model.operation_model(service, operation)
            yield from _words(known.input_shape, set())
            yield from _words(known.output_shape, set())


def _words(shape: Any, seen: set[str]) -> Iterator[str]:
    if shape is None or shape.name in seen:
        return
    seen.add(shape.name)
    if shape.type_name == "list":
        yield from _words(shape.member, seen)
    if shape.type_name != "structure":
        return
    for member, inner in shape.members.items():
        wire = str(inner.serialization.get("name", member))
        yield from (member, wire[:1].lower() + wire[1:])
        yield from _words(inner, seen)


def _pruned(value: Any, name: str, forgets: Callable[[tuple[str, ...], str], bool], *where: str) -> int:
    """Remove what is forgotten from a table in place."""
    place = (name, *where)
    if isinstance(value, list):
        lost = [item for item in value if isinstance(item, str) and forgets(place, item)]
        value[:] = [item for item in value if item not in lost]
        return len(lost)
    if not isinstance(value, dict):
        return 0
    lost = [key for key in value if forgets(place, key)]
    for key in lost:
        del value[key]
    return len(lost) + sum(_pruned(inner, name, forgets, *where, key) for key, inner in value.items())


def _clear_caches() -> None:
    """Forget what was decided from the whole tables; the tables themselves stay as they are now."""
    for name, module in list(sys.modules.items()):
        if name.startswith("trailstate.trail."):
            for function in vars(module).values():
                if hasattr(function, "cache_clear") and function is not table:
                    function.cache_clear()
