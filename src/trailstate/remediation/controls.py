"""How many repairs of one rule run at once, and when so many have failed that no further one is begun.

Percentages of the resources that are repaired together: those under way, and those that ended since this one was
queued. A resource that is tried again does not count its own failures against itself.

https://docs.aws.amazon.com/config/latest/APIReference/API_SsmControls.html
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from trailstate.remediation.place import UNDER_WAY, Repair
from trailstate.remediation.rate import figure
from trailstate.stores.interface import ShelfKey

CONCURRENT_PERCENT = 10
ERROR_PERCENT = 50


class Turn(Enum):
    """What a queued repair does next."""

    BEGINS = "begins"
    WAITS = "waits"
    IS_STOPPED = "is stopped"


def turn_of(repair: Repair, others: Iterable[Repair], configuration: Mapping[str, Any]) -> Turn:
    """`others` are the rule's other repairs."""
    together = [each for each in others if _is_together(each, repair)]
    total, failed = len(together) + 1, sum(map(_has_failed, together))
    if failed > figure(f"{_percent(configuration, 'ErrorPercentage', ERROR_PERCENT)}%", total, least=0):
        return Turn.IS_STOPPED
    return Turn.BEGINS if sum(map(has_turn, together)) < at_once(total, configuration) else Turn.WAITS


def next_to_begin(repairs: Mapping[ShelfKey, Repair], configuration: Mapping[str, Any]) -> list[ShelfKey]:
    """Of a rule's repairs those that wait and need to no longer, in the order in which they were queued."""
    held, found = dict(repairs), []
    for key in sorted(filter(lambda key: _waits(held[key]), held), key=lambda key: str(held[key]["invoked"])):
        turn = turn_of(held[key], (each for other, each in held.items() if other != key), configuration)
        if turn is not Turn.WAITS:
            found.append(key)
            held[key] = marked(held[key], turn)
    return found


def marked(repair: Repair, turn: Turn) -> Repair:
    """The repair with its turn; it may have to wait more than once."""
    waited = int(repair.get("waited", 0)) + (turn is Turn.WAITS)
    return {**repair, "turn": turn.value, "waited": waited}


def has_turn(repair: Repair) -> bool:
    """Whether it has begun and not ended."""
    begins = repair["state"] == "QUEUED" and repair.get("turn") == Turn.BEGINS.value
    return begins or repair["state"] == "IN_PROGRESS"


def _waits(repair: Repair) -> bool:
    return bool(repair["state"] == "QUEUED" and repair.get("turn") == Turn.WAITS.value)


def at_once(total: int, configuration: Mapping[str, Any]) -> int:
    """How many of so many repairs may run at the same time."""
    percent = _percent(configuration, "ConcurrentExecutionRatePercentage", CONCURRENT_PERCENT)
    return figure(f"{percent}%", total, least=1)


def _percent(configuration: Mapping[str, Any], name: str, default: int) -> int:
    controls = (configuration.get("ExecutionControls") or {}).get("SsmControls") or {}
    return int(controls.get(name) or default)


def _is_together(other: Repair, repair: Repair) -> bool:
    ended_since = datetime.fromisoformat(other["updated"]) >= datetime.fromisoformat(repair["invoked"])
    return other["state"] in UNDER_WAY or ended_since


def _has_failed(repair: Repair) -> bool:
    return bool(repair.get("has_failed"))
