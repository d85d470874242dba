"""Readers of values, one made for each shape of a model and kept: what turns a parsed body into parameters.

Each protocol has a table of builders by type name. A structure makes the readers of its members when it first meets a
value, so shapes may hold themselves.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Read = Callable[[Any], Any]
Builder = Callable[[Any, "Readers"], Read]
WireNames = Callable[[Any, str], Sequence[str]]
"""The names a member goes by, the proper one first; a proper name of another member wins over the rest."""


class Readers:
    """The readers of one service in one protocol."""

    def __init__(self, builders: Mapping[str, Builder]) -> None:
        self._builders = builders
        self._made: dict[tuple[str, str], Read] = {}

    def of(self, shape: Any) -> Read:
        """The reader for a shape, with the traits of the member that refers to it."""
        key = (shape.name, str(shape.serialization))
        read = self._made.get(key)
        if read is None:
            read = self._made[key] = self._builders[shape.type_name](shape, self)
        return read


class Members:
    """The members of a structure by their wire names, made at first use."""

    def __init__(self, shape: Any, readers: Readers, wire_names: WireNames) -> None:
        self._shape = shape
        self._readers = readers
        self._wire_names = wire_names
        self._by_wire_name: dict[str, tuple[str, Read]] | None = None

    def by_wire_name(self) -> dict[str, tuple[str, Read]]:
        """Wire name to member name and reader. Streams of events are no values and are left out."""
        if self._by_wire_name is None:
            self._by_wire_name = self._made()
        return self._by_wire_name

    def _made(self) -> dict[str, tuple[str, Read]]:
        firsts: dict[str, tuple[str, Read]] = {}
        others: dict[str, tuple[str, Read]] = {}
        for name, member in self._shape.members.items():
            if not is_event_stream(member):
                first, *more = self._wire_names(member, name)
                entry = (name, self._readers.of(member))
                firsts[first] = entry
                others |= dict.fromkeys(more, entry)
        return others | firsts


def is_event_stream(shape: Any) -> bool:
    return bool(shape.serialization.get("eventstream"))


def located_name(member: Any, name: str) -> str:
    """The name on the wire: locationName, else the member's own."""
    return str(member.serialization.get("name", name))
