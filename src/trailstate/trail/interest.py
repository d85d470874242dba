"""Whether any trail asks for an event that is not recorded by itself, so that it is journalled.

Follows the CloudTrail user guide, "Logging data events" and "Logging network activity events".

The question is put before the call is done, from what is known of it then; the trail's own selection is made again from
the record. So one event too many may be kept, never one too few.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.stores.interface import Store
from trailstate.trail.category import classify, region_of
from trailstate.trail.identity import user_identity
from trailstate.trail.network import network_event
from trailstate.trail.resources import resources
from trailstate.trail.trails import VERSION_KEY, IsMember, Trail, covers, trails
from trailstate.wire.call import Call, Outcome, WireResponse
from trailstate.wire.fault import Fault

_HOPED_FOR = Outcome(WireResponse(200, ()))


class Interest:
    """Remembers the trails that log, and reads them again when one of them was changed. Safe from any thread."""

    def __init__(self, store: Store, is_member: IsMember) -> None:
        self._store = store
        self._is_member = is_member
        self._lock = threading.Lock()
        self._version = -1
        self._logging: Sequence[Trail] = ()

    def selects(self, call: Call) -> bool:
        """Whether a trail that logs selects the call's event."""
        return bool(self._trails()) and self._is_selected(expected_record(call))

    def further_records(self, call: Call) -> list[Mapping[str, Any]]:
        """The network activity event of a call through a VPC endpoint, if a trail that logs selects it."""
        event = network_event(call)
        return [event] if event is not None and self._is_selected(event) else []

    def forget(self) -> None:
        """The store was emptied."""
        self._version = -1

    def _is_selected(self, record: Mapping[str, Any]) -> bool:
        account, region = record["recipientAccountId"], record["awsRegion"]
        return any(trail.selects(record) and self._covers(trail, account, region) for trail in self._trails())

    def _covers(self, trail: Trail, account: str, region: str) -> bool:
        """When nobody can say whether the account is a member, the event is kept."""
        try:
            return covers(trail, account, region, self._is_member)
        except Fault:
            return True

    def _trails(self) -> Sequence[Trail]:
        found = self._store.get(VERSION_KEY)
        version = 0 if found is None else found.version
        with self._lock:
            if version != self._version:
                self._logging = [trail for trail in trails(self._store) if trail.is_logging]
                self._version = version
            return self._logging


def expected_record(call: Call) -> dict[str, Any]:
    """What selectors may ask of the record that a call will have, if it succeeds."""
    kind = classify(call.service, call.operation)
    region = region_of(kind, call.host, call.region)
    return {
        "userIdentity": user_identity(call.principal),
        "eventSource": kind.event_source,
        "eventName": kind.event_name,
        "awsRegion": region,
        "readOnly": kind.read_only,
        "resources": resources(call, _HOPED_FOR, kind.resource_type, region),
        "eventType": "AwsApiCall",
        "recipientAccountId": call.account,
        "eventCategory": kind.category,
    }
