"""Runs advanced queries: over resources that are recorded, and over what others offer as resources."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import msgspec

from trailstate.configuration.query.answer import (
    first_value,
    group_answer,
    group_value,
    groups,
    ordered,
    projection,
    selected,
)
from trailstate.configuration.query.index import QueryIndex
from trailstate.configuration.query.match import Resource, predicate, type_may_match
from trailstate.configuration.query.narrow import narrowed
from trailstate.configuration.query.shape import Tree, shape
from trailstate.configuration.query.tree import Property, Query
from trailstate.configuration.recorder import Home

Place = tuple[int, ...]
"""Where a page ended: the source and the place in it, or how many answers came before."""

_encode = msgspec.json.Encoder(order="sorted").encode
_START: Place = (0, 0)


class Source(Protocol):
    """Whoever offers resources that nobody recorded: compliance does."""

    type: str
    """The one resource type that it offers."""

    def resources(self, homes: Sequence[Home]) -> Iterable[Resource]:
        """All of them in these accounts and regions, every property there, in a lasting order."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some answers, and where the next page begins if there is one."""

    answers: Sequence[str]
    following: Place | None


class Queries:
    """The one who answers. Safe from any thread."""

    def __init__(self, index: QueryIndex, sources: Sequence[Source] = ()) -> None:
        self.index = index
        self._sources = sources

    def run(self, query: Query, homes: Sequence[Home], limit: int, place: Place | None = None) -> Page:
        """A page of answers about these accounts and regions. Raises TooManyGroups."""
        if query.aggregates:
            return self._grouped(query, homes, limit, place)
        if query.order:
            return self._sorted(query, homes, limit, place)
        return self._plain(query, homes, limit, place or _START)

    def _plain(self, query: Query, homes: Sequence[Home], limit: int, place: Place) -> Page:
        found = list(islice(self._matching(query, homes, place), limit + 1))
        shown = found[:limit]
        answers = _told(projection(selected(query))(resource) for _, resource in shown)
        return Page(answers, shown[-1][0] if len(found) > limit else None)

    def _sorted(self, query: Query, homes: Sequence[Home], limit: int, place: Place | None) -> Page:
        start = place[0] if place else 0
        resources = (resource for _, resource in self._matching(query, homes, _START))
        found = ordered(resources, query.order, first_value, start + limit + 1)[start:]
        answers = _told(map(projection(selected(query)), found[:limit]))
        return Page(answers, (start + limit,) if len(found) > limit else None)

    def _grouped(self, query: Query, homes: Sequence[Home], limit: int, place: Place | None) -> Page:
        start = place[0] if place else 0
        found = groups(query, (resource for _, resource in self._matching(query, homes, _START)))
        if query.order:
            found = ordered(found, query.order, group_value, len(found))
        answers = _told(group_answer(query, each) for each in found[start : start + limit])
        more = start + limit < len(found) and not query.orders_by_aggregate
        return Page(answers, (start + limit,) if more else None)

    def _matching(self, query: Query, homes: Sequence[Home], place: Place) -> Iterator[tuple[Place, Resource]]:
        """Everything that passes after a place, with its own."""
        passes = predicate(query.where)
        for each, resource in self._candidates(query, homes, place):
            if passes(resource):
                yield each, resource

    def _candidates(self, query: Query, homes: Sequence[Home], place: Place) -> Iterator[tuple[Place, Resource]]:
        first, after = place
        if first == 0:
            for number, resource in self.index.resources(homes, narrowed(query.where), _wanted(query), after):
                yield (0, number), resource
        for number, source in enumerate(self._sources, start=1):
            if number >= first and type_may_match(query.where, source.type):
                skipped = after if number == first else 0
                for count, resource in enumerate(source.resources(homes), start=1):
                    if count > skipped:
                        yield (number, count), resource


def _wanted(query: Query) -> Tree:
    """What must be known of a resource to answer."""
    return shape([*query.properties(), *(each for each in selected(query) if isinstance(each, Property))])


def _told(answers: Iterable[dict[str, Any]]) -> list[str]:
    return [_encode(each).decode() for each in answers]
