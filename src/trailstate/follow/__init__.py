"""What happens behind the calls: followers of ledgers, timers of the clock, shippers of the outbox, and the runner."""

from trailstate.follow.follower import Follower
from trailstate.follow.runner import Runner
from trailstate.follow.shipping import Later, Shipper
from trailstate.follow.timing import Timer

__all__ = ["Follower", "Later", "Runner", "Shipper", "Timer"]
