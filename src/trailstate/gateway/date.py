"""Every answer says when it was made, by the world's clock (RFC 9110, 6.6.1).

SDKs correct their own clock by this header, so a client of a lab whose clock was moved signs with the lab's time.
"""

from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime

from trailstate.wire.call import WireResponse


def dated(response: WireResponse, now: datetime) -> WireResponse:
    """The answer with one Date, ours, whatever the estate believes."""
    others = tuple(line for line in response.headers if line[0] != "date")
    return replace(response, headers=(*others, ("date", format_datetime(now.astimezone(UTC), usegmt=True))))
