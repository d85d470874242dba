"""Which parts of a resource a query names, as a tree; and a reader of JSON that builds nothing else."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, TypedDict, cast

import msgspec

from trailstate.configuration.query.tree import Property

Tree = dict[str, Any]
"""Below each name what is named there, or True for all of it."""

READERS_KEPT = 256

_SCALAR = str | float | int | bool | None

_whole = msgspec.json.Decoder().decode


def shape(named: Iterable[Property]) -> Tree:
    """The tree of these properties."""
    tree: Tree = {}
    for each in named:
        _plant(tree, each.path)
    return tree


def _plant(tree: Tree, path: Sequence[str]) -> None:
    name, *rest = path
    if not rest:
        tree[name] = True
    elif tree.get(name) is not True:
        _plant(tree.setdefault(name, {}), rest)


def reader(wanted: Any) -> Callable[[str], Any]:
    """Decodes a JSON text to the part of it that a tree names; True stands for all of it."""
    return _whole if wanted is True else _reader(_names(wanted))


def _names(tree: Tree) -> tuple[Any, ...]:
    """The tree as a value that can be a key."""
    return tuple((name, below if below is True else _names(below)) for name, below in sorted(tree.items()))


@lru_cache(maxsize=READERS_KEPT)
def _reader(names: tuple[Any, ...]) -> Callable[[str], Any]:
    return msgspec.json.Decoder(_type(names)).decode


def _type(names: tuple[Any, ...]) -> Any:
    """An object with these members, or a list of such, or whatever else stands there."""
    members = {name: Any if below is True else _type(below) for name, below in names}
    below = cast("Any", TypedDict)("Below", members, total=False)
    element = below | list[Any] | _SCALAR
    return below | cast("Any", list).__class_getitem__(element) | _SCALAR
