"""Makes of a raw API answer what an item holds: keys in the item's casing, values typed, and nothing unknown.

The published schema of the type decides: a raw key becomes the schema's key that equals it but for case; a key that the
schema does not have, that no rename gives and that is not kept, is dropped. Where the schema wraps a value
(`state.value`), it is wrapped. A type without a schema keeps everything.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec

from trailstate.configuration.form import Part, ResourceType
from trailstate.configuration.schema import Node, schema_of

WRAPPED = "value"
KEYS_ARE_DATA = "{}"
"""Ends the path of a kept map whose keys are no members but data: they keep their spelling."""


def moment_text(moment: datetime) -> str:
    """A time as items write it: UTC, milliseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


class Projection:
    """One place of a type's raw answer, and how it goes into the item. Learns the keys it meets."""

    __slots__ = ("_is_free", "_keeps", "_known", "_node", "_pascal", "_path", "_read", "_renames", "_wrap")

    def __init__(
        self,
        node: Node | None,
        *,
        pascal: bool,
        renames: Mapping[str, str],
        keeps: frozenset[str],
        path: str = "",
    ) -> None:
        self._node = node
        self._is_free = node is not None and bool(node.leaf) and not node.below
        self._wrap, leaf = _wrapped(node)
        self._read = _LEAVES.get(leaf, plain)
        self._pascal = pascal
        self._renames = renames
        self._keeps = keeps
        self._path = path
        self._known: dict[str, tuple[str, Projection] | None] = {}

    def value(self, raw: Any) -> Any:
        """The raw value as an item holds it."""
        if isinstance(raw, dict):
            return self._map(raw)
        if isinstance(raw, list | tuple):
            return [self.value(each) for each in raw]
        return self._scalar(raw)

    def _map(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        if self._is_free:
            return {name: plain(each) for name, each in raw.items()}  # the keys of a free-form map are data
        if self._path + KEYS_ARE_DATA in self._keeps:
            within = self._below(None, self._path + KEYS_ARE_DATA)
            return {name: within.value(each) for name, each in raw.items()}
        found: dict[str, Any] = {}
        for key, each in raw.items():
            if key not in self._known:
                self._known[key] = self._learn(key)
            known = self._known[key]
            if known is not None:
                found[known[0]] = known[1].value(each)
        return found

    def _learn(self, key: str) -> "tuple[str, Projection] | None":
        path = f"{self._path}.{key}" if self._path else key
        renamed = self._renames.get(path)
        if self._node is None or path in self._keeps or path + KEYS_ARE_DATA in self._keeps:
            return renamed or self._cased(key), self._below(None, path)
        known = self._node.below.get((renamed or key).lower())
        if known is not None:
            return renamed or known[0], self._below(known[1], path)
        return (renamed, self._below(None, path)) if renamed else None

    def _below(self, node: Node | None, path: str) -> "Projection":
        return Projection(node, pascal=self._pascal, renames=self._renames, keeps=self._keeps, path=path)

    def _cased(self, key: str) -> str:
        return key[:1].upper() + key[1:] if self._pascal else key[:1].lower() + key[1:]

    def _scalar(self, raw: Any) -> Any:
        if raw is None:
            return None
        return {self._wrap: self._read(raw)} if self._wrap else self._read(raw)


def _wrapped(node: Node | None) -> tuple[str, str]:
    """The name that a plain value is wrapped in (empty: none), and the type of the value."""
    if node is None or node.leaf or WRAPPED not in node.below:
        return "", "" if node is None else node.leaf
    name, below = node.below[WRAPPED]
    return name, below.leaf


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


def plain(raw: Any) -> Any:
    """A raw value as plain JSON, whatever it is."""
    if raw is None or isinstance(raw, str | bool | int | float):
        return raw
    if isinstance(raw, dict):
        return {str(name): plain(each) for name, each in raw.items()}
    if isinstance(raw, list | tuple):
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
