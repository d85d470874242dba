"""What the grammar allows and advanced queries do not: AWS's documented limitations.

Follows "Limitations" on the page "Querying the Current Configuration State of AWS Resources" of the developer guide.
"""

import re
from itertools import combinations

from trailstate.configuration.query.lex import InvalidExpression
from trailstate.configuration.query.tree import Aggregate, Compare, Condition, Like, Property, Query

GROUP_MAX = 3
LIKE_CHARACTERS_MIN = 3

COLUMNS = (
    *("accountId", "arn", "availabilityZone", "awsRegion", "configurationItemCaptureTime"),
    *("configurationItemStatus", "configurationStateId", "resourceCreationTime", "resourceId", "resourceName"),
    *("resourceType", "version"),
)
"""The scalar properties that every resource has."""
BODIES = ("configuration", "relationships", "supplementaryConfiguration", "tags")
"""The properties that have others below."""
EVERYTHING = tuple(each for each in COLUMNS if each not in ("configurationItemStatus", "configurationStateId"))
"""What `SELECT *` stands for."""
_NOT_KEPT = ("configurationItemDeliveryTime", "recordingFrequency")

_PATTERN = re.compile(r"(?P<prefix>[^%_]*)(?P<wild>[%_]*)")


def hold(query: Query) -> None:
    """Raises InvalidExpression for the first thing that is not supported."""
    for each in query.properties():
        _hold_known(each)
    _hold_spelling(query)
    if query.aggregates:
        _hold_groups(query)


def _hold_known(named: Property) -> None:
    if named.root in _NOT_KEPT:
        raise InvalidExpression(f"The property '{named.text}' is not supported by Trailstate yet.")
    if named.root not in COLUMNS and named.root not in BODIES:
        raise InvalidExpression(
            f"There is no property '{named.text}'. A query may use {', '.join((*COLUMNS, *BODIES))}, and what stands"
            f" below {', '.join(BODIES)}."
        )
    if named.root in COLUMNS and len(named.path) > 1:
        raise InvalidExpression(f"There is nothing below the property '{named.root}'; found '{named.text}'.")


def _hold_spelling(query: Query) -> None:
    """Properties that differ by case alone, or begin so, cannot be in one query."""
    texts = sorted({each.text for each in query.properties()}, key=lambda text: (len(text), text))
    for short, long in combinations(texts, 2):
        if long.lower().startswith(short.lower()) and not long.startswith(short):
            raise InvalidExpression(
                f"Mismatched identifiers: '{short}' and '{long}' have the same spelling but different cases."
            )


def _hold_groups(query: Query) -> None:
    if len(query.group) > GROUP_MAX:
        raise InvalidExpression(f"GROUP BY takes at most {GROUP_MAX} properties; found {len(query.group)}.")
    if query.orders_by_aggregate and len(query.group) > 1:
        raise InvalidExpression("GROUP BY takes one property when ORDER BY names an aggregate function.")
    if not query.select:
        raise InvalidExpression("SELECT * cannot be grouped; select properties of GROUP BY and aggregate functions.")
    for term in query.terms():
        if not isinstance(term, Aggregate) and term not in query.group:
            raise InvalidExpression(
                f"The property '{term.text}' must be in GROUP BY, or be the argument of an aggregate function."
            )


def pattern(tested: Property, text: str) -> Condition:
    """The condition LIKE: a text with wildcards at its end only."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise InvalidExpression(f"Only suffix wildcards are supported: % and _ may stand at the end of '{text}' alone.")
    prefix, wild = match["prefix"], match["wild"]
    if not wild:
        return Compare(tested, "=", text)
    if len(prefix) < LIKE_CHARACTERS_MIN:
        raise InvalidExpression(
            f"Wildcard matches must be at least {LIKE_CHARACTERS_MIN} characters long; found '{prefix}' before the"
            f" wildcard of '{text}'."
        )
    return Like(tested, prefix, None if "%" in wild else len(wild))
