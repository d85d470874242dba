"""How an operation's answer goes on: AWS's published paginators, as botocore ships them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from trailstate.values.path import first
from trailstate.wire import model

PAGES_MAX = 10_000

Ask = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Makes the call with these parameters."""


class EndlessPages(Exception):
    """The answer goes on beyond every bound, or repeats the token it was asked with."""


@dataclass(frozen=True, slots=True)
class Paging:
    """Which members of the answer say where it goes on, and which of the next request take them."""

    output_tokens: tuple[str, ...]
    input_tokens: tuple[str, ...]
    more: str
    """The member that says whether it goes on; empty: it does while there is a token."""


@cache
def paging_of(service: str, operation: str) -> Paging | None:
    """The operation's paginator; None when its answer is whole, or when a plain path cannot say how it goes on."""
    known = _paginators(service).get(operation)
    if known is None:
        return None
    outputs, inputs = _names(known["output_token"]), _names(known["input_token"])
    if any(not output.replace(".", "").isalnum() for output in outputs):
        return None
    return Paging(outputs, inputs, str(known.get("more_results", "")))


def pages(service: str, operation: str, parameters: Mapping[str, Any], ask: Ask) -> Iterator[Mapping[str, Any]]:
    """Every page of the answer, each asked for when the one before it has been taken."""
    paging = paging_of(service, operation)
    asked: dict[str, Any] = dict(parameters)
    for _ in range(PAGES_MAX):
        page = ask(asked)
        yield page
        onward = _onward(paging, page)
        if not onward:
            return
        if onward.items() <= asked.items():
            raise EndlessPages(f"{service} {operation} repeats a page token")
        asked = dict(parameters) | onward
    raise EndlessPages(f"{service} {operation} has more than {PAGES_MAX} pages")


def _onward(paging: Paging | None, page: Mapping[str, Any]) -> dict[str, Any]:
    if paging is None or (paging.more and not first(page, paging.more)):
        return {}
    tokens = zip(paging.input_tokens, (first(page, output) for output in paging.output_tokens), strict=True)
    return {name: token for name, token in tokens if token}


def _names(given: str | list[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


@cache
def _paginators(service: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = model.paginators(service)
    return found
