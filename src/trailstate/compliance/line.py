"""The ledger of verdicts: what was judged, when, and because of what. A verdict was told and acted upon, so it is kept.

A periodic rule saw a clock and a function of the user's saw a network; neither can be asked again about the past. So
results, their history and the schedule are derived from these lines, never from judging anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from trailstate.compliance.inventory import Item
from trailstate.compliance.verdict import Verdict
from trailstate.stores.interface import VERDICTS, Append

JUDGED = "judged"
"""The verdict on one resource changed, or what is said of it."""
CONFIRMED = "confirmed"
"""The rule was asked again and says of these resources what it said before."""
DROPPED = "dropped"
"""The resource is gone or out of scope: there is no result any more."""
FORGOTTEN = "forgotten"
"""All results of the rule are dropped."""
SCHEDULED = "scheduled"
"""The rule runs every `seconds` from `time` on; 0: not by the clock."""

CONFIRMED_MAX = 500
"""Resources on one line."""

Confirmed = tuple[str, str, str]
"""A resource's type and id, and the capture time of the item that was judged."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One line. Account and Region are the rule's and stand on the ledger's entry."""

    kind: str
    rule: str
    """The rule's name."""
    time: str
    """What the verdict is about: the item's capture time, or when the clock asked."""
    resource_type: str = ""
    resource_id: str = ""
    compliance: str = ""
    annotation: str = ""
    previous: str = ""
    since: str = ""
    """Since when it has been so, where that is longer than `time`."""
    captured: str = ""
    """The capture time of the item that was judged."""
    invoked: str = ""
    """When the rule was asked."""
    cause: Mapping[str, Any] | None = None
    """The recorded call that made the item, where it is known."""
    seconds: int = 0
    resources: Sequence[Confirmed] = ()
    """Of a confirmation, whose `time` is empty when each verdict is about the item alone."""

    def append(self, account: str, region: str) -> Append:
        return Append(VERDICTS, account, region, msgspec.json.encode(self))


read_line = msgspec.json.Decoder(Line).decode


def judged(
    rule: str,
    item: Item,
    verdict: Verdict,
    *,
    time: str,
    invoked: str,
    previous: str,
    cause: Mapping[str, Any] | None,
    since: str = "",
) -> Line:
    """A verdict as a line: of which item, asked by what, and what was said before."""
    return Line(
        kind=JUDGED,
        rule=rule,
        time=time,
        resource_type=item["resourceType"],
        resource_id=item["resourceId"],
        compliance=verdict.compliance,
        annotation=verdict.annotation,
        previous=previous,
        since=since,
        captured=item.get("configurationItemCaptureTime") or "",
        invoked=invoked,
        cause=cause,
    )


def confirmed(rule: str, resources: Sequence[Confirmed], *, time: str, invoked: str) -> Iterator[Line]:
    """The lines that say it of them all."""
    for at in range(0, len(resources), CONFIRMED_MAX):
        yield Line(CONFIRMED, rule, time, invoked=invoked, resources=resources[at : at + CONFIRMED_MAX])
