"""One page of a list that is at hand whole, and the token of the next: the place is how many came before."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from trailstate.values.page import InvalidToken, PageTokens
from trailstate.wire.fault import Fault

Item = TypeVar("Item")


def page(
    tokens: PageTokens,
    question: Sequence[Any],
    items: Sequence[Item],
    *,
    limit: int,
    token: str | None,
    refuse: Callable[[str], Fault],
) -> tuple[Sequence[Item], str | None]:
    """The items from the token's place on, at most `limit`; raises what `refuse` makes of a token that is none of this
    question's."""
    start = 0
    if token:
        try:
            (start,) = tokens.open(question, token)
        except (InvalidToken, ValueError):
            raise refuse("The token is not valid, or belongs to a request with other parameters.") from None
    stop = start + limit
    return items[start:stop], tokens.seal(question, (stop,)) if stop < len(items) else None
