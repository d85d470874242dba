"""A value of its own in every member that AWS's model marks sensitive, or should: one found says where it stood."""

import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.wire.sample import smallest
from trailstate.wire import model

MARK = "Zq7Canary"
PATTERN = re.compile(rb"Zq7Canary[0-9]{6}")
BASE64 = re.compile(rb"WnE3Q2FuYXJ5[A-Za-z0-9+/]{8}")
"""The same in base64: three bytes are four characters, and the mark has nine."""

NAMED = re.compile("(?:Password|Passphrase|(?<!Remove)PrivateKey|SecretKey|AuthToken|ClientSecret)$", re.IGNORECASE)
"""Members that hold a secret although AWS's model does not say so."""

DEPTH_MAX = 8
INNER = {"list": ("member",), "map": ("key", "value")}


@dataclass(frozen=True, slots=True)
class Planted:
    """One operation's parameters (or its result), with a canary at each sensitive path."""

    service: str
    operation: str
    parameters: dict[str, Any]
    canaries: dict[str, str]
    """Canary -> path of the member it stands in."""


class Planter:
    """Hands out canaries, each once."""

    def __init__(self) -> None:
        self._count = 0
        self._bare: dict[Any, dict[str, bool]] = {}

    def planted(self, service: str) -> Iterator[Planted]:
        """Every operation of the service whose input has a sensitive member."""
        return self._planted(service, "input_shape")

    def results(self, service: str) -> Iterator[Planted]:
        """The same of outputs."""
        return self._planted(service, "output_shape")

    def _planted(self, service: str, side: str) -> Iterator[Planted]:
        for name in model.service_model(service).operation_names:
            shape = getattr(model.operation_model(service, name), side)
            if shape is None:
                continue
            if self._is_bare(shape):
                continue
            canaries: dict[str, str] = {}
            found = self._structure(shape, "", False, (), canaries)
            if canaries:
                yield Planted(service, name, _merged(smallest(shape), found), canaries)

    def _value(self, shape: Any, path: str, secret: bool, above: tuple[str, ...], canaries: dict[str, str]) -> Any:
        """A value with a canary at each sensitive place in it; None when it has none."""
        if not secret and self._is_bare(shape):
            return None
        secret = secret or bool(shape.metadata.get("sensitive"))
        kind = shape.type_name
        if kind == "structure":
            if shape.name in above or len(above) > DEPTH_MAX:
                return None
            return self._structure(shape, path, secret, (*above, shape.name), canaries) or None
        if kind == "list":
            inner = self._value(shape.member, f"{path}[]", secret, above, canaries)
            return None if inner is None else [inner]
        if kind == "map":
            return self._map(shape, path, secret, above, canaries)
        if not secret or kind not in ("string", "blob"):
            return None
        canary = self._canary(path, canaries)
        return canary.encode() if kind == "blob" else canary

    def _is_bare(self, shape: Any) -> bool:
        """Whether nothing sensitive can be reached from a shape; so it is of most, and asked again and again."""
        known = self._bare.setdefault(shape._shape_resolver, {})
        if shape.name not in known:
            reached = {shape.name}
            known[shape.name] = _reaches_nothing(shape, reached)
            if known[shape.name]:
                known.update(dict.fromkeys(reached, True))
        return known[shape.name]

    def _structure(
        self, shape: Any, path: str, secret: bool, above: tuple[str, ...], canaries: dict[str, str]
    ) -> dict[str, Any]:
        found = {}
        for name, member in shape.members.items():
            named = member.type_name == "string" and NAMED.search(name) is not None
            value = self._value(member, f"{path}.{name}".lstrip("."), secret or named, above, canaries)
            if value is not None:
                found[name] = _merged(smallest(member), value) if member.type_name == "structure" else value
        return found

    def _map(self, shape: Any, path: str, secret: bool, above: tuple[str, ...], canaries: dict[str, str]) -> Any:
        key_is_secret = secret or bool(shape.key.metadata.get("sensitive"))
        inner = self._value(shape.value, f"{path}{{}}", secret, above, canaries)
        if inner is None and not (key_is_secret and shape.value.type_name == "string"):
            return None
        key = self._canary(f"{path} key", canaries) if key_is_secret else (shape.key.enum or ["key"])[0]
        return {key: "x" if inner is None else inner}

    def _canary(self, path: str, canaries: dict[str, str]) -> str:
        self._count += 1
        canary = f"{MARK}{self._count:06d}"
        canaries[canary] = path
        return canary


def _reaches_nothing(shape: Any, reached: set[str]) -> bool:
    """Whether neither the shape nor any below it holds a secret; `reached` gets the names of those looked at."""
    left = [("", shape)]
    while left:
        name, found = left.pop()
        if found.metadata.get("sensitive") or (found.type_name == "string" and NAMED.search(name)):
            return False
        for inner_name, inner in _inner(found):
            is_told = inner.metadata.get("sensitive") or (inner.type_name == "string" and NAMED.search(inner_name))
            if is_told or inner.name not in reached:
                reached.add(inner.name)
                left.append((inner_name, inner))
    return True


def _inner(shape: Any) -> list[tuple[str, Any]]:
    if shape.type_name == "structure":
        return list(shape.members.items())
    return [("", getattr(shape, role)) for role in INNER.get(shape.type_name, ())]


def _merged(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {**below, **{name: _merged(below.get(name), value) for name, value in above.items()}}


def canaries_in(text: bytes) -> set[str]:
    """Those that stand in the text, plainly or in base64."""
    plain = {each.decode() for each in PATTERN.findall(text)}
    return plain | {b64decode(each).decode() for each in BASE64.findall(text)}
