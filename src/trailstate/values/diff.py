"""What differs between two plain JSON values: the fewest places that, changed in the first, give the second.

Maps are compared by key. Lists are aligned on equal elements; where as many went as came between two of those, they are
taken for the same elements and compared within, otherwise some were removed and others added. So an element's step in a
path is its index in the list where it can be seen: in the old one if it was removed, in the new one otherwise.

Laws: `diff(a, a)` is empty; `apply(a, diff(a, b)) == b`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

import msgspec

Step = str | int
_encode = msgspec.json.Encoder(order="sorted").encode


class Kind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One place that differs. `before` of what was added and `after` of what was removed are None."""

    path: tuple[Step, ...]
    kind: Kind
    before: Any = None
    after: Any = None


def diff(before: Any, after: Any) -> list[Change]:
    """The changes from `before` to `after`, in the order of the new value, removals first within a list."""
    return list(_differences((), before, after))


def text_of_path(path: Sequence[Step]) -> str:
    """A path as people write it: `ipPermissions[0].fromPort`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _differences(path: tuple[Step, ...], before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _in_maps(path, before, after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _in_lists(path, before, after)
    elif _encode(before) != _encode(after):  # as JSON: true is not 1
        yield Change(path, Kind.CHANGED, before, after)


def _in_maps(path: tuple[Step, ...], before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name, value in before.items():
        if name not in after:
            yield Change((*path, name), Kind.REMOVED, before=value)
    for name, value in after.items():
        if name in before:
            yield from _differences((*path, name), before[name], value)
        else:
            yield Change((*path, name), Kind.ADDED, after=value)


def _in_lists(path: tuple[Step, ...], before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    matcher = SequenceMatcher(None, [_encode(each) for each in before], [_encode(each) for each in after], False)
    blocks = [block for block in matcher.get_opcodes() if block[0] != "equal"]
    for _, start, end, new_start, new_end in blocks:
        if end - start != new_end - new_start:
            yield from (Change((*path, at), Kind.REMOVED, before=before[at]) for at in range(start, end))
    for _, start, end, new_start, new_end in blocks:
        if end - start != new_end - new_start:
            yield from (Change((*path, at), Kind.ADDED, after=after[at]) for at in range(new_start, new_end))
        else:
            for old, new in zip(range(start, end), range(new_start, new_end), strict=True):
                yield from _differences((*path, new), before[old], after[new])


# ---- back again ----


def apply(before: Any, changes: Sequence[Change]) -> Any:
    """The value that the changes make of `before`."""
    return _applied(before, [(change.path, change) for change in changes])


_Rest = tuple[tuple[Step, ...], Change]


def _applied(before: Any, changes: Sequence[_Rest]) -> Any:
    if not changes:
        return before
    if changes[0][0] == ():
        return changes[0][1].after
    if isinstance(before, list):
        return _applied_to_list(before, changes)
    return _applied_to_map(before, changes)


def _applied_to_map(before: Mapping[str, Any], changes: Sequence[_Rest]) -> dict[str, Any]:
    result = dict(before)
    for name, below in _by_step(changes).items():
        path, change = below[0]
        assert isinstance(name, str), "a step into a map is a name"
        if path == () and change.kind is Kind.REMOVED:
            del result[name]
        else:
            result[name] = _applied(before.get(name), below)
    return result


def _applied_to_list(before: Sequence[Any], changes: Sequence[_Rest]) -> list[Any]:
    removed = {path[0] for path, change in changes if len(path) == 1 and change.kind is Kind.REMOVED}
    kept = iter([value for at, value in enumerate(before) if at not in removed])
    others = [each for each in changes if not (len(each[0]) == 1 and each[1].kind is Kind.REMOVED)]
    by_step = _by_step(others)
    added = {path[0] for path, change in others if len(path) == 1 and change.kind is Kind.ADDED}
    length = len(before) - len(removed) + len(added)
    return [
        by_step[at][0][1].after if at in added else _applied(next(kept), by_step.get(at, ())) for at in range(length)
    ]


def _by_step(changes: Sequence[_Rest]) -> dict[Step, list[_Rest]]:
    found: dict[Step, list[_Rest]] = {}
    for path, change in changes:
        found.setdefault(path[0], []).append((path[1:], change))
    return found
