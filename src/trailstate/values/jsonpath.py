"""JSONPath as Automation selects with it: `$.Groups[0].Id`, `$.Items[*].Name`, `$..Arn`, `$.Tags[?(@.Key == 'Env')]`.

The subset follows RFC 9535: names, quoted names, indices, slices, wildcards, descent, and a filter that compares one
member with one literal. A definite path gives its value, any other path the list of what it finds.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

PATH_CHARACTERS_MAX = 1024
NODES_MAX = 100_000


class BadPath(ValueError):
    """The text is no path of this subset; the message says where it stops being one."""


class Absent(LookupError):
    """A definite path that leads nowhere."""


Step = Callable[[Any], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path."""

    text: str
    steps: tuple[Step, ...]
    is_definite: bool

    def find(self, value: Any) -> Any:
        """The value of a definite path (Absent if there is none), or the list of everything another path finds."""
        found = list(self._walk(value))
        if not self.is_definite:
            return found
        if not found:
            raise Absent(f"'{self.text}' leads to nothing")
        return found[0]

    def _walk(self, value: Any) -> Iterable[Any]:
        nodes = [value]
        for step in self.steps:
            nodes = [each for node in nodes for each in step(node)]
            if len(nodes) > NODES_MAX:
                raise BadPath(f"'{self.text}' finds more than {NODES_MAX} values")
        return nodes


_DESCENT = re.compile(r"\.\.")
_NAME = re.compile(r"\.?([A-Za-z_][\w:-]*)")
_DOTTED_ANY = re.compile(r"\.\*")
_QUOTED = re.compile(r"\[\s*(?:'([^']*)'|\"([^\"]*)\")\s*\]")
_INDEX = re.compile(r"\[\s*(-?\d{1,9})\s*\]")
_SLICE = re.compile(r"\[\s*(-?\d{1,9})?\s*:\s*(-?\d{1,9})?\s*\]")
_ANY = re.compile(r"\[\s*\*\s*\]")
_FILTER = re.compile(
    r"\[\?\(?\s*@\.([\w.:-]+)\s*(?:(==|!=)\s*(?:'([^']*)'|\"([^\"]*)\"|(true|false|null|-?\d+(?:\.\d+)?)))?\s*\)?\]"
)


@lru_cache(maxsize=1024)
def compiled(text: str) -> Path:
    """The path that `text` writes; BadPath for anything else."""
    if not text.startswith("$") or len(text) > PATH_CHARACTERS_MAX:
        raise BadPath(f"a path begins with '$' and has at most {PATH_CHARACTERS_MAX} characters; found '{text[:80]}'")
    steps: list[Step] = []
    definite, place = True, 1
    while place < len(text):
        step, is_definite, place = _next(text, place)
        steps.append(step)
        definite = definite and is_definite
    return Path(text, tuple(steps), definite)


def find(text: str, value: Any) -> Any:
    """What the path finds in the value. See `Path.find`."""
    return compiled(text).find(value)


def _next(text: str, place: int) -> tuple[Step, bool, int]:
    for pattern, make, is_definite in _FORMS:
        matched = pattern.match(text, place)
        if matched is not None:
            return make(matched), is_definite, matched.end()
    raise BadPath(f"'{text}' is not a path: found '{text[place : place + 20]}' at character {place}")


def _name(name: str) -> Step:
    return lambda node: (node[name],) if isinstance(node, dict) and name in node else ()


def _index(index: int) -> Step:
    return lambda node: node[index : index + 1 or None] if isinstance(node, list) else ()


def _slice(low: str | None, high: str | None) -> Step:
    bounds = slice(int(low) if low else None, int(high) if high else None)
    return lambda node: node[bounds] if isinstance(node, list) else ()


def _children(node: Any) -> Iterable[Any]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


def _descendants(node: Any) -> Iterator[Any]:
    pending = [node]
    while pending:
        each = pending.pop()
        yield each
        pending.extend(reversed(list(_children(each))))


_ABSENT = object()
_LITERALS = {"true": True, "false": False, "null": None}


def _filter(matched: re.Match[str]) -> Step:
    names, operator = matched.group(1).split("."), matched.group(2)
    literal = next((text for text in matched.group(3, 4) if text is not None), _ABSENT)
    wanted = literal if literal is not _ABSENT else _literal(matched.group(5))

    def keeps(node: Any) -> bool:
        for name in names:
            node = node.get(name, _ABSENT) if isinstance(node, dict) else _ABSENT
        if operator is None:
            return node is not _ABSENT
        return bool((node == wanted) is (operator == "=="))

    return lambda node: [each for each in _children(node) if keeps(each)]


def _literal(text: str | None) -> Any:
    if text is None or text in _LITERALS:
        return _LITERALS.get(text or "")
    return float(text) if "." in text else int(text)


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Step], bool], ...] = (
    (_DESCENT, lambda _: _descendants, False),
    (_DOTTED_ANY, lambda _: _children, False),
    (_NAME, lambda matched: _name(matched.group(1)), True),
    (_QUOTED, lambda matched: _name(next(each for each in matched.groups() if each is not None)), True),
    (_INDEX, lambda matched: _index(int(matched.group(1))), True),
    (_SLICE, lambda matched: _slice(matched.group(1), matched.group(2)), False),
    (_ANY, lambda _: _children, False),
    (_FILTER, _filter, False),
)
