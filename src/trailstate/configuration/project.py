"""Makes of a raw API answer what an item holds: keys in the item's casing, values typed, and nothing unknown.

The published schema of the type decides: a raw key becomes the schema's key that equals it but for case; a key that the
schema does not have, that no rename gives and that is not kept, is dropped. Where the schema wraps a value
(`state.value`), it is wrapped. A type without a schema keeps everything.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import msgspec

from trailstate.configuration.form import Part, ResourceType
from trailstate.configuration.schema import Node, schema_of
from trailstate.values.timestamp import moment_text

WRAPPED = "value"
KEYS_ARE_DATA = "{}"
"""Ends the path of a kept map whose keys are no members but data: they keep their spelling."""


class Projection:
    """One place of a type's raw answer, and how it goes into the item. Learns the keys it meets."""

    __slots__ = ("_keeps", "_keys_are_data", "_known", "_node", "_pascal", "_path", "_read", "_renames", "name")

    def __init__(
        self,
        node: Node | None,
        *,
        pascal: bool,
        renames: Mapping[str, str],
        keeps: frozenset[str],
        path: str = "",
        name: str = "",
    ) -> None:
        """`name` is the key that the place has in the item."""
        self.name = name
        self._node = node
        self._read = _reader(node)
        self._keys_are_data = path + KEYS_ARE_DATA in keeps or (node is not None and bool(node.leaf) and not node.below)
        self._pascal = pascal
        self._renames = renames
        self._keeps = keeps
        self._path = path
        self._known: dict[str, Projection | None] = {}

    def value(self, raw: Any) -> Any:
        """The raw value as an item holds it."""
        kind = type(raw)
        if kind is dict:
            return self._with_data_keys(raw) if self._keys_are_data else self._map(raw)
        if kind is list or kind is tuple:
            return [self.value(each) for each in raw]
        return None if raw is None else self._read(raw)

    def _map(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        known, found = self._known, {}
        for key, each in raw.items():
            try:
                below = known[key]
            except KeyError:
                below = known[key] = self._learn(key)
            if below is not None:
                found[below.name] = below.value(each)
        return found

    def _with_data_keys(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        within = self._below(None, self._path + KEYS_ARE_DATA, "")
        return {name: within.value(each) for name, each in raw.items()}

    def _learn(self, key: str) -> "Projection | None":
        """The place of a raw key; None for one that is dropped."""
        path = f"{self._path}.{key}" if self._path else key
        renamed = self._renames.get(path)
        if self._node is None or path in self._keeps or path + KEYS_ARE_DATA in self._keeps:
            return self._below(None, path, renamed or self._cased(key))
        known = self._node.below.get((renamed or key).lower())
        if known is not None:
            return self._below(known[1], path, renamed or known[0])
        return self._below(None, path, renamed) if renamed else None

    def _below(self, node: Node | None, path: str, name: str) -> "Projection":
        return Projection(node, pascal=self._pascal, renames=self._renames, keeps=self._keeps, path=path, name=name)

    def _cased(self, key: str) -> str:
        return key[:1].upper() + key[1:] if self._pascal else key[:1].lower() + key[1:]


def _reader(node: Node | None) -> Callable[[Any], Any]:
    """What makes an item's value of a plain one: by the type the schema gives it, wrapped where the schema wraps it."""
    if node is None or node.leaf or WRAPPED not in node.below:
        return _LEAVES.get("" if node is None else node.leaf, plain)
    name, below = node.below[WRAPPED]
    read = _LEAVES.get(below.leaf, plain)
    return lambda raw: {name: read(raw)}


@cache
def projection(declared: ResourceType) -> Projection:
    """How the type's raw answer becomes `configuration`."""
    schema = schema_of(declared.name)
    pascal = declared.pascal if declared.pascal is not None else schema is not None and schema.is_pascal
    node = schema.configuration if schema else None
    return Projection(node, pascal=pascal, renames=declared.renames, keeps=frozenset(declared.keeps))


@cache
def part_projection(declared: ResourceType, part: Part) -> Projection:
    """How the answer of a part's call becomes its value in `supplementaryConfiguration`."""
    schema = schema_of(declared.name)
    known = schema.supplementary.below.get(part.name.lower()) if schema else None
    pascal = declared.pascal if declared.pascal is not None else schema is not None and schema.is_pascal
    node = known[1] if known else None
    return Projection(node, pascal=pascal, renames=part.renames, keeps=frozenset(part.keeps))


def part_value(declared: ResourceType, part: Part, answer: Any) -> Any:
    """The value of one entry of `supplementaryConfiguration`."""
    shaped = part.shape(answer) if part.shape else answer
    value = plain(shaped) if part.plain else part_projection(declared, part).value(shaped)
    return msgspec.json.encode(value).decode() if part.as_text else value


# ---- values ----

_SCALARS = (str, bool, int, float)
_LISTS = (list, tuple)


def plain(raw: Any) -> Any:
    """A raw value as plain JSON, whatever it is."""
    if raw is None or isinstance(raw, _SCALARS):
        return raw
    if isinstance(raw, dict):
        return {str(name): plain(each) for name, each in raw.items()}
    if isinstance(raw, _LISTS):
        return [plain(each) for each in raw]
    if isinstance(raw, datetime):
        return moment_text(raw)
    return base64.b64encode(raw).decode() if isinstance(raw, bytes) else raw


def _text(raw: Any) -> Any:
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool):
        return str(raw).lower()
    return str(raw) if isinstance(raw, int | float) else plain(raw)


def _integer(raw: Any) -> Any:
    try:
        return int(raw)
    except (TypeError, ValueError):
        return plain(raw)


def _float(raw: Any) -> Any:
    try:
        return float(raw)
    except (TypeError, ValueError):
        return plain(raw)


def _boolean(raw: Any) -> Any:
    return {"true": True, "false": False}.get(raw.lower(), raw) if isinstance(raw, str) else plain(raw)


_LEAVES: Mapping[str, Callable[[Any], Any]] = {"s": _text, "i": _integer, "f": _float, "b": _boolean}
