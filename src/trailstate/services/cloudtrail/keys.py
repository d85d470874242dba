"""ListPublicKeys: the public halves of the keys that signed a Region's digest files in a span of time."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trailstate.services.cloudtrail.found import fault
from trailstate.services.operation import operation
from trailstate.stores.interface import Store
from trailstate.wire.call import Call

KEY = "trail.key"
"""The keys of a Region are AWS's own and the same for every account; each stands under its fingerprint."""


@operation("cloudtrail")
def list_public_keys(
    call: Call,
    store: Store,
    *,
    StartTime: datetime | None = None,
    EndTime: datetime | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """Those valid at some time between the two moments, oldest first; without moments, the present one's."""
    if NextToken is not None:
        raise fault.InvalidTokenException("All keys are in the first answer; there is no next page.")
    start, end = StartTime or call.now, EndTime or call.now
    if start > end:
        raise fault.InvalidTimeRangeException("The start time must not be later than the end time.")
    found = [_key(key.name, document.value) for key, document in store.documents(None, call.region, KEY)]
    within = [each for each in found if each["ValidityStartTime"] <= end and each["ValidityEndTime"] >= start]
    return {"PublicKeyList": sorted(within, key=lambda each: each["ValidityStartTime"])}


def _key(fingerprint: str, document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Value": base64.b64decode(document["Value"]),
        "ValidityStartTime": datetime.fromisoformat(document["ValidityStartTime"]),
        "ValidityEndTime": datetime.fromisoformat(document["ValidityEndTime"]),
        "Fingerprint": fingerprint,
    }
