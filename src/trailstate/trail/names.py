"""How an API member is called in a record: the first letter lowered, unless the service keeps its capitals."""

from functools import cache
from typing import Any

from trailstate.trail.tables import table


def lowered(name: str) -> str:
    """Rule L: only the first letter changes (`DBInstanceIdentifier` -> `dBInstanceIdentifier`)."""
    return name[:1].lower() + name[1:]


def keeps_capitals(service: str) -> bool:
    """Whether a service writes its members as the API spells them."""
    return service in table("members")["capitals"]["kept"]


@cache
def renames(service: str, operation: str, side: str) -> dict[str, Any]:
    """API path -> name in the record, for members whose recorded name no rule gives."""
    rows: dict[str, Any] = table("members")["renames"]
    merged: dict[str, Any] = {}
    for key in (f"{service}.*", f"{service}.{operation}"):
        merged |= rows.get(key, {}).get(side, {})
    return merged
