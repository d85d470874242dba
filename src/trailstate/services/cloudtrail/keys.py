"""ListPublicKeys: the keys whose signatures stand beside a region's digests.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html
"""

import base64
from datetime import datetime
from typing import Any

from trailstate.services.cloudtrail.found import fault
from trailstate.services.operation import operation
from trailstate.trail.keys import Keys, PublicKey
from trailstate.wire.call import Call


@operation("cloudtrail")
def list_public_keys(
    call: Call,
    keys: Keys,
    *,
    StartTime: datetime | None = None,
    EndTime: datetime | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """Every key that was valid at some time of the range; without a range, the one of this moment."""
    if NextToken:
        raise fault.InvalidTokenException("The token is invalid: all keys are answered at once.")
    start, end = StartTime or EndTime or call.now, EndTime or call.now
    if start > end:
        raise fault.InvalidTimeRangeException("The start time must not be later than the end time.")
    return {"PublicKeyList": [_answer(each) for each in keys.listed(call.region, start, end, call.now)]}


def _answer(key: PublicKey) -> dict[str, Any]:
    return {
        "Value": base64.b64decode(key.value),
        "ValidityStartTime": key.start,
        "ValidityEndTime": key.end,
        "Fingerprint": key.fingerprint,
    }
