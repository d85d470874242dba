"""A slow, plain reading of JSON conditions: the oracle that the compiled ones are held against.

A condition is a tree of tuples; `said` writes it as a pattern, `holds` decides it by walking the document step by step.
"""

import fnmatch
import re
from typing import Any

Tree = tuple[Any, ...]
NAMES = ("a", "b", "c")
GONE = object()


def said(tree: Tree) -> str:
    kind = tree[0]
    if kind in ("&&", "||"):
        return "(" + f" {kind} ".join(said(each) for each in tree[1]) + ")"
    path = "$" + "".join(f"[{step}]" if isinstance(step, int) or step == "*" else f".{step}" for step in tree[1])
    if kind == "state":
        return f"{path} {tree[2]}"
    return f"{path} {kind} {tree[2]}"


def values(document: Any, path: tuple[Any, ...]) -> list[Any]:
    found = [document]
    for step in path:
        further: list[Any] = []
        for each in found:
            if step == "*":
                further += each if isinstance(each, list) else []
            elif isinstance(step, int):
                further += [each[step]] if isinstance(each, list) and step < len(each) else []
            else:
                further += [each[step]] if isinstance(each, dict) and step in each else []
        found = further
    return found


def holds(tree: Tree, document: Any) -> bool:
    kind = tree[0]
    if kind == "&&":
        return all(holds(each, document) for each in tree[1])
    if kind == "||":
        return any(holds(each, document) for each in tree[1])
    found = values(document, tree[1])
    if kind == "state":
        wanted = {"IS NULL": None, "IS TRUE": True, "IS FALSE": False}
        return not found if tree[2] == "NOT EXISTS" else any(each is wanted[tree[2]] for each in found)
    return any(compares(kind, each, tree[2]) for each in found)


def compares(sign: str, value: Any, written: str) -> bool:
    if isinstance(value, dict | list) or value is None:
        return False
    if sign == "=":
        return same(value, written)
    if sign == "!=":
        return not same(value, written)
    if isinstance(value, str | bool):
        return False
    number = float(written)
    return {"<": value < number, "<=": value <= number, ">": value > number, ">=": value >= number}[sign]


def same(value: Any, written: str) -> bool:
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    if written.startswith('"'):
        return isinstance(value, str) and wild(text, written[1:-1])
    if written.startswith("%"):
        return re.search(written[1:-1], text) is not None
    if re.fullmatch(r"-?[0-9]+", written) and isinstance(value, int) and not isinstance(value, bool):
        return bool(value == int(written))
    return wild(text, written)


def wild(text: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(text, pattern)
