"""What a record must not show: every member the API model marks sensitive, and those a table names beside it.

AWS hides in four ways: it leaves the member out, writes one of two fixed texts, or stars. Which one, for which
member, is data (`data/masks.json`); a sensitive member without a row is left out in the older protocols and hidden
in the younger JSON ones. Blobs never appear.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from trailstate.trail.tables import table

Convert = Callable[[Any], Any]

DROP = "drop"
SHOW = "show"


@cache
def masks(service: str, operation: str, side: str) -> dict[str, str]:
    """Record path -> how it is hidden, for one side (`request` or `response`) of an operation; `*` rows first."""
    rows: dict[str, Any] = table("masks")["paths"]
    merged: dict[str, str] = {}
    for key in (f"{service}.*", f"{service}.{operation}"):
        merged |= rows.get(key, {}).get(side, {})
    return merged


def hidden(how: str) -> Convert:
    """A converter that gives the text AWS writes instead of a value, keeping the shape of lists and maps."""
    text: str = table("masks")["texts"].get(how, how)

    def conceal(value: Any) -> Any:
        if isinstance(value, dict):
            return {}
        if isinstance(value, (list, tuple)):
            return [conceal(item) for item in value]
        return text

    return conceal


def default_for_sensitive(protocol: str, type_name: str) -> str:
    """How a sensitive member without a row is hidden."""
    if type_name != "string":
        return DROP
    how: str = table("masks")["sensitive_strings"].get(protocol, DROP)
    return how
