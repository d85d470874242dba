"""Values made from a model: the smallest that an operation accepts, or full ones drawn at random."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

DEPTH_MAX = 4
TEXTS = ("x", "a b", "ä/ö", "a&b=c", '"quoted", twice', "line\nbreak", "a+b%20c", "日本")
PLAIN = ("x", "web-1", "a.b_c~d")


def smallest(shape: Any) -> dict[str, Any]:
    """Required members only."""
    return {name: _least(shape.members[name]) for name in shape.required_members} if shape is not None else {}


def _least(shape: Any, depth: int = 0) -> Any:
    if shape.type_name == "structure":
        if depth > DEPTH_MAX or shape.is_document_type:
            return {}
        return {name: _least(shape.members[name], depth + 1) for name in shape.required_members}
    if shape.type_name == "list":
        return [_least(shape.member, depth + 1)] if depth <= DEPTH_MAX else []
    if shape.type_name == "map":
        return {}
    return _LEAST[shape.type_name](shape)


def _word(shape: Any) -> str:
    return str((shape.enum or ["x" * max(1, int(shape.metadata.get("min", 1)))])[0])


_LEAST = {
    "string": _word,
    "character": lambda _: "x",
    "integer": lambda _: 1,
    "long": lambda _: 1,
    "float": lambda _: 1.5,
    "double": lambda _: 1.5,
    "boolean": lambda _: True,
    "blob": lambda _: b"x",
    "timestamp": lambda _: datetime(2026, 1, 15, 9, 30, tzinfo=UTC),
}


class Drawn:
    """Full values, each member in or out at random; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def parameters(self, shape: Any) -> dict[str, Any]:
        return {} if shape is None else self._structure(shape, 0)

    def _structure(self, shape: Any, depth: int) -> dict[str, Any]:
        if shape.is_document_type:
            return {"a": [1, None, "b"]}
        required = set(shape.required_members)
        names = list(shape.members)
        if getattr(shape, "is_tagged_union", False):
            names = [self._random.choice(names)]
        return {
            name: self._value(shape.members[name], depth + 1)
            for name in names
            if (name in required or self._random.random() < 0.6) and self._fits(shape.members[name], depth)
        }

    def _fits(self, member: Any, depth: int) -> bool:
        return not member.serialization.get("eventstream") and (
            depth < DEPTH_MAX or member.type_name not in {"structure", "list", "map"}
        )

    def _value(self, shape: Any, depth: int) -> Any:
        kind = shape.type_name
        if kind == "structure":
            return self._structure(shape, depth)
        if kind == "list":
            return [self._value(shape.member, depth + 1) for _ in range(self._random.randint(1, 3))]
        if kind == "map":
            keys = self._random.sample(PLAIN, self._random.randint(1, 3))
            return {key: self._value(shape.value, depth + 1) for key in keys}
        if shape.serialization.get("jsonvalue") and shape.serialization.get("location") == "header":
            return {"a": [1, "ä"]}
        return _DRAWN[kind](self._random, shape)


def _text(random_: random.Random, shape: Any) -> str:
    if shape.enum:
        return str(random_.choice(shape.enum))
    return random_.choice(PLAIN if shape.serialization.get("location") in {"header", "headers", "uri"} else TEXTS)


def _moment(random_: random.Random, shape: Any) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=random_.randrange(10**7))


_DRAWN: dict[str, Any] = {
    "string": _text,
    "integer": lambda random_, _: random_.choice((0, 1, -1, 2**31 - 1, -(2**31))),
    "long": lambda random_, _: random_.choice((0, 1, -1, 2**63 - 1, -(2**63))),
    "float": lambda random_, _: random_.choice((0.0, 1.5, -0.25)),
    "double": lambda random_, _: random_.choice((0.0, 1.5, -0.1, 1e300)),
    "boolean": lambda random_, _: random_.random() < 0.5,
    "blob": lambda random_, _: random_.randbytes(random_.randrange(1, 40)),
    "timestamp": _moment,
}


def without_empties(value: Any) -> Any:
    """The value as the query protocols can write it: structures, lists and maps that are empty leave no trace."""
    if isinstance(value, dict):
        kept = {key: without_empties(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in ({}, [])}
    if isinstance(value, list):
        return [item for item in map(without_empties, value) if item not in ({}, [])]
    return value
