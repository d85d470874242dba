"""One resource under one rule: where its repair, exception and configuration are kept, and what its queue holds.

https://docs.aws.amazon.com/config/latest/APIReference/API_RemediationConfiguration.html
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trailstate.remediation.execution import WAITER, waiter_of
from trailstate.stores.interface import Commit, OutboxRow, ShelfChange, ShelfKey

CONFIGURATION = "config.remediation"
EXCEPTION = "config.remediation-exception"
REPAIR = "config.repair"
QUEUE = "remediation/"
UNDER_WAY = frozenset({"QUEUED", "IN_PROGRESS"})

Repair = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """One resource under one rule."""

    account: str
    region: str
    rule: str
    resource_type: str
    resource_id: str

    @property
    def name(self) -> str:
        return "\n".join((self.rule, self.resource_type, self.resource_id))

    @classmethod
    def of(cls, key: ShelfKey, repair: Repair) -> "Place":
        return cls(key.account, key.region, repair["rule"], repair["resourceType"], repair["resourceId"])

    @property
    def repair(self) -> ShelfKey:
        return ShelfKey(self.account, self.region, REPAIR, self.name)

    @property
    def exception(self) -> ShelfKey:
        return ShelfKey(self.account, self.region, EXCEPTION, self.name)

    @property
    def configuration(self) -> ShelfKey:
        return ShelfKey(self.account, self.region, CONFIGURATION, self.rule)

    @property
    def queue(self) -> str:
        return f"{QUEUE}{self.account}/{self.region}/{self.rule}/{self.resource_type}/{self.resource_id}"

    def row(self, what: str, unique: str, *, lane: str = "", **more: Any) -> OutboxRow:
        """Something to be done about the resource; in a lane of its own if it must not hold up what follows."""
        place = [self.account, self.region, self.rule, self.resource_type, self.resource_id]
        body = {"place": place, "what": what, **more}
        return OutboxRow(self.queue + lane, f"{QUEUE}{what}/{unique}", json.dumps(body).encode())


def parameters_of(configuration: Mapping[str, Any], resource_id: str) -> dict[str, list[str]]:
    """The document's parameters for one resource: fixed values, and the resource's id where that is asked for."""
    return {
        name: [resource_id] if "ResourceValue" in value else [str(each) for each in value["StaticValue"]["Values"]]
        for name, value in (configuration.get("Parameters") or {}).items()
    }


def queued(
    place: Place,
    token: str,
    now: datetime,
    *,
    automatic: bool,
    failures: Sequence[str] = (),
    has_failed: bool = False,
    due: datetime | None = None,
) -> Commit:
    """A repair that is about to start. Its end is asked for before it begins, so that no end comes too early.

    `failures` are the moments of the attempts before it that repaired nothing, `has_failed` whether the last of them
    was an execution that failed."""
    ended = place.row("ended", token, token=token)
    repair = {
        "rule": place.rule,
        "resourceType": place.resource_type,
        "resourceId": place.resource_id,
        "state": "QUEUED",
        "invoked": now.isoformat(),
        "updated": now.isoformat(),
        "execution": None,
        "token": token,
        "automatic": automatic,
        "failures": list(failures),
        "has_failed": has_failed,
        "reason": None,
    }
    start = place.row("start", token, token=token, not_before=(due or now).isoformat())
    changes = [
        ShelfChange(place.repair, repair),
        ShelfChange(ShelfKey(place.account, place.region, WAITER, token), waiter_of(ended)),
    ]
    return Commit(shelf=changes, outbox=[start])


def exception(place: Place, message: str | None, ends: datetime | None) -> dict[str, Any]:
    """A remediation exception: the resource is not repaired automatically until it ends."""
    made: dict[str, Any] = {
        "ConfigRuleName": place.rule,
        "ResourceType": place.resource_type,
        "ResourceId": place.resource_id,
    }
    optional = {"Message": message, "ExpirationTime": None if ends is None else ends.isoformat()}
    return made | {name: value for name, value in optional.items() if value is not None}
