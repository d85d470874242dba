"""Log events and metric data are let go when their time is over: once an hour, by the clock.

CloudWatch Logs user guide, "Change log data retention". A group without retention keeps its events for ever.
"""

from datetime import datetime, timedelta

from trailstate.stores.interface import Store
from trailstate.watch.group import DAY_MS, GROUP
from trailstate.watch.log import LogEvents
from trailstate.watch.metric import Metrics
from trailstate.world import World

EVERY = timedelta(hours=1)


class Retention:
    """The timer."""

    name = "retention"

    def __init__(self, store: Store, events: LogEvents, metrics: Metrics, world: World) -> None:
        self._store = store
        self._events = events
        self._metrics = metrics
        self._next = world.now() + EVERY

    def due(self) -> datetime | None:
        return self._next

    def run(self, now: datetime) -> None:
        """Let go what is past its time now."""
        milliseconds = int(now.timestamp() * 1000)
        for _, document in list(self._store.documents(None, None, GROUP)):
            days = document.value.get("retentionInDays")
            if days is not None:
                self._events.expire(document.value["id"], milliseconds - days * DAY_MS)
        self._metrics.expire(milliseconds // 1000)
        self._next = now + EVERY
