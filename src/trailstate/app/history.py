"""The event history: always on, whatever trails there are."""

from trailstate.app.house import House, Part
from trailstate.identity.rootkeys import secret_key
from trailstate.services.cloudtrail.history import REQUESTS_PER_SECOND, LookupLimits
from trailstate.trail.history import History


def assemble(house: House) -> Part:
    history = History(house.store, house.derived, house.runner)
    rate = REQUESTS_PER_SECOND if house.settings.throttling == "aws" else None
    limits = LookupLimits(secret_key(house.settings.data / "keys" / "page-tokens.key", house.world), rate)
    return Part(provisions={History: history, LookupLimits: limits}, followers=(history.follower,))
