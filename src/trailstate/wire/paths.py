"""Which operation of a rest service a method, path and query name: request URI templates, compiled to a tree.

Follows Smithy's http trait: a template's segments are literals, labels (`{Bucket}`) or one greedy label (`{Key+}`),
and it may ask for literal query parts (`?acl`, `?list-type=2`). The most specific template wins: literal before
label before greedy, segment by segment; then more literal query parts; then the operation whose required query
and header members are all there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote

from trailstate.wire.model import service_model

LITERAL, LABEL, GREEDY = 2, 1, 0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation at one template."""

    operation: str
    labels: tuple[str, ...]
    literals: tuple[tuple[str, str], ...]
    required_query: tuple[str, ...]
    required_headers: tuple[str, ...]
    deprecated: bool


@dataclass(frozen=True, slots=True)
class Match:
    """An operation that a request names; `rank` orders matches, greater is better."""

    operation: str
    path_parameters: Mapping[str, str]
    rank: tuple[Any, ...]
    complete: bool
    """Whether all required query and header members are there."""


@dataclass(slots=True)
class Endpoints:
    """The operations of one method at one place, in the model's order. S3 has forty of them at a bucket."""

    every: list[Endpoint] = field(default_factory=list)
    plain: list[Endpoint] = field(default_factory=list)
    """Those that ask for no literal query part: all there is to choose from when a request has no query."""

    def add(self, endpoint: Endpoint) -> None:
        self.every.append(endpoint)
        if not endpoint.literals:
            self.plain.append(endpoint)

    def asked(self, query: Mapping[str, str]) -> Sequence[Endpoint]:
        """Those whose literal query parts are all there."""
        if not query:
            return self.plain
        likely = (each for each in self.every if not each.literals or each.literals[0][0] in query)
        return [each for each in likely if all(_is_asked(part, query) for part in each.literals)]


def _is_asked(literal: tuple[str, str], query: Mapping[str, str]) -> bool:
    name, value = literal
    return name in query and value in ("", query[name])


_NO_ENDPOINTS = Endpoints()


@dataclass(slots=True)
class Node:
    """The place in the tree after some segments."""

    literals: dict[str, "Node"] = field(default_factory=dict)
    label: "Node | None" = None
    greedy: list[tuple[tuple[str, ...], "Node"]] = field(default_factory=list)
    """What must follow the greedy label, and the end; longer tails first."""
    endpoints: dict[str, "Endpoints"] = field(default_factory=dict)
    """By method."""


def match(root: Node, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Match | None:
    """The operation in a tree that the request names, or None. Raises UnicodeDecodeError for a path not UTF-8."""
    segments = path.split("/")[1:] or [""]
    best: tuple[tuple[Any, ...], Endpoint, list[str]] | None = None
    for node, shape, values in _walk(root, segments, 0, (), []):
        for endpoint in node.endpoints.get(method, _NO_ENDPOINTS).asked(query):
            rank = (shape, *_rank(endpoint, query, headers))
            if best is None or rank > best[0]:
                best = (rank, endpoint, values)
    if best is None:
        return None
    rank, endpoint, values = best
    labels = {name: unquote(value, errors="strict") for name, value in zip(endpoint.labels, values, strict=True)}
    return Match(endpoint.operation, labels, rank, _complete(endpoint, query, headers))


def _rank(endpoint: Endpoint, query: Mapping[str, str], headers: Mapping[str, str]) -> tuple[Any, ...]:
    complete = _complete(endpoint, query, headers)
    asked = len(endpoint.required_query) + len(endpoint.required_headers)
    return (
        len(endpoint.literals),
        query.get("x-id") == endpoint.operation,
        complete,
        asked if complete else -asked,
        not endpoint.deprecated,
    )


def _complete(endpoint: Endpoint, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    return all(name in query for name in endpoint.required_query) and all(
        name in headers for name in endpoint.required_headers
    )


_Found = tuple[Node, tuple[int, ...], list[str]]


def _walk(node: Node, segments: Sequence[str], at: int, shape: tuple[int, ...], values: list[str]) -> Iterator[_Found]:
    """Every node that the segments lead to, with the kinds of segments taken and the labels' raw values."""
    rest = len(segments) - at
    if rest == 0 or (rest == 1 and not segments[at]):  # a slash at the end means nothing, but to a greedy label
        yield node, shape, values
        if rest == 0:
            return
    else:
        literal = node.literals.get(segments[at])
        if literal is not None:
            yield from _walk(literal, segments, at + 1, (*shape, LITERAL), values)
        if node.label is not None and segments[at]:
            yield from _walk(node.label, segments, at + 1, (*shape, LABEL), [*values, segments[at]])
    for tail, end in node.greedy:
        taken = _greedy(segments[at:], tail)
        if taken is not None:
            yield end, (*shape, GREEDY, *(LITERAL for _ in tail)), [*values, *taken]


def _greedy(segments: Sequence[str], tail: tuple[str, ...]) -> list[str] | None:
    """What a greedy label and the labels of its tail take of the segments; None when the tail does not fit."""
    split = len(segments) - len(tail)
    taken = "/".join(segments[:split]) if split > 0 else ""
    if not taken:
        return None
    values = [taken]
    for wanted, got in zip(tail, segments[split:], strict=True):
        if wanted.startswith("{"):
            values.append(got)
        elif wanted != got:
            return None
    return values


@cache
def tree(service: str) -> Node:
    """The service's templates; compiled when first asked for."""
    model = service_model(service)
    return planted(model.operation_model(name) for name in model.operation_names)


def planted(operations: Iterable[Any]) -> Node:
    """The tree of some OperationModels of botocore's."""
    root = Node()
    for operation in operations:
        _plant(root, operation)
    return root


def _plant(root: Node, operation: Any) -> None:
    path, _, query = operation.http["requestUri"].partition("?")
    segments = [segment for segment in path.split("/") if segment]
    node = root
    for position, segment in enumerate(segments):
        if segment.endswith("+}"):
            node = _greedy_end(node, tuple(segments[position + 1 :]))
            break
        if segment.startswith("{"):
            node.label = node.label or Node()
            node = node.label
        else:
            node = node.literals.setdefault(segment, Node())
    labels = tuple(segment.strip("{+}") for segment in segments if segment.startswith("{"))
    node.endpoints.setdefault(operation.http["method"], Endpoints()).add(_endpoint(operation, labels, query))


def _greedy_end(node: Node, tail: tuple[str, ...]) -> Node:
    for known, end in node.greedy:
        if known == tail:
            return end
    end = Node()
    node.greedy.append((tail, end))
    node.greedy.sort(key=lambda entry: -len(entry[0]))
    return end


def _endpoint(operation: Any, labels: tuple[str, ...], query: str) -> Endpoint:
    literals = [part.partition("=") for part in query.split("&") if part]
    shape = operation.input_shape
    required = shape.required_members if shape is not None else []
    placed = [(shape.members[name].serialization, name) for name in required]

    def wire_names(location: str) -> list[str]:
        return [traits.get("name", name) for traits, name in placed if traits.get("location") == location]

    return Endpoint(
        operation=operation.name,
        labels=labels,
        literals=tuple((name, value) for name, _, value in literals),
        required_query=tuple(wire_names("querystring")),
        required_headers=tuple(name.lower() for name in wire_names("header")),
        deprecated=bool(operation.deprecated),
    )
