"""One page of what a read of AWS Config found, as its answer shows it."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from trailstate.services.paging import page
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call
from trailstate.wire.fault import faults

fault = faults("config")
Found = TypeVar("Found")


def paged(
    call: Call,
    tokens: PageTokens,
    member: str,
    items: Sequence[Found],
    *,
    limit: int,
    token: str | None,
    shape: Callable[[Found], Any] | None = None,
) -> dict[str, Any]:
    """The answer with its `member`, each item in its shape, and the token of the next page if there is one. A token is
    good for the very request that it was given for."""
    asked = {name: value for name, value in call.parameters.items() if name != "NextToken"}
    question = [call.account, call.region, call.operation, asked]
    shown, following = page(tokens, question, items, limit=limit, token=token, refuse=fault.InvalidNextTokenException)
    answer: dict[str, Any] = {member: list(map(shape, shown)) if shape else list(shown)}
    return answer | ({"NextToken": following} if following else {})
