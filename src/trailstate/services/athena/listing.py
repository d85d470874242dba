"""One page of whatever Athena lists, and the one exception with which it refuses what it does not take."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from trailstate.services.paging import page
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call
from trailstate.wire.fault import Fault, faults

fault = faults("athena")
Item = TypeVar("Item")

LISTED_MAX = 50


def listed(
    call: Call,
    tokens: PageTokens,
    member: str,
    question: Sequence[Any],
    items: Sequence[Item],
    *,
    limit: int | None,
    token: str | None,
    shape: Callable[[Item], Any] | None = None,
) -> dict[str, Any]:
    """The answer with its `member`, each item in its shape, and the token of the next page if there is one. A token is
    good for the question that it was given for: what is listed, and of what."""
    kind, *about = question
    asked = [kind, call.account, call.region, *about]
    shown, following = page(tokens, asked, items, limit=limit or LISTED_MAX, token=token, refuse=refused)
    answer: dict[str, Any] = {member: list(map(shape, shown)) if shape else list(shown)}
    return answer | ({"NextToken": following} if following else {})


def refused(message: str) -> Fault:
    return fault.InvalidRequestException(message, AthenaErrorCode="INVALID_INPUT")
