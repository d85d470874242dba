"""Every answer says when it was made, by the world's clock (RFC 9110, 6.6.1).

SDKs correct their own clock by this header, so a client of a lab whose clock was moved signs with the lab's time.
"""

from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from trailstate.wire.call import WireResponse


def dated(response: WireResponse, now: datetime) -> WireResponse:
    """The answer with one Date, ours, whatever the estate believes."""
    others = [line for line in response.headers if line[0] != "date"]
    return WireResponse(response.status, (*others, ("date", _told(now.replace(microsecond=0)))), response.body)


@lru_cache(maxsize=2)
def _told(second: datetime) -> str:
    return format_datetime(second.astimezone(UTC), usegmt=True)
