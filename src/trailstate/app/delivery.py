"""Delivery: what trails select becomes log files and digests, and goes onward to other services."""

from trailstate.app.house import House, Part
from trailstate.gateway.metrics import Counter, Gauge
from trailstate.settings import EMBEDDED, Settings
from trailstate.trail.bucket import Buckets
from trailstate.trail.delivery import Delivery, WindowTimer
from trailstate.trail.digester import Digester
from trailstate.trail.keys import Keys
from trailstate.trail.organization import Organizations
from trailstate.trail.send import BusShipper, LogsShipper, Sender, TopicShipper
from trailstate.trail.shelter import Clearing
from trailstate.trail.ship import DigestShipper, WindowShipper
from trailstate.trail.status import Statuses
from trailstate.trail.window import QUEUE
from trailstate.values.regions import ALWAYS_ENABLED
from trailstate.watch.bus import Buses

LAB_DELIVERY_SECONDS = 2
AWS_DELIVERY_SECONDS = 300


def assemble(house: House) -> Part:
    store, world = house.store, house.world
    statuses, buckets = Statuses(store), Buckets(house.door, world)
    seconds, listeners = delivery_seconds(house.settings), house.provided(Buses)
    delivery = Delivery(store, world, seconds, house.provided(Organizations), listeners, ALWAYS_ENABLED)
    keys = Keys(house.settings.data / "keys", store, house.settings.digest_key_days)
    findings = Counter("trailstate_delivery_findings_total", "Deliveries whose key was taken by another object.")
    backlog = Gauge("trailstate_delivery_backlog", "Chains with log files that are still to be delivered.")
    backlog.read(lambda: len(store.queues(QUEUE)))
    windows = WindowShipper(store, house.objects, buckets, statuses, world, findings.add)
    digester = Digester(store, keys, house.settings.digest_seconds, delivery.cut, windows.is_refused)
    senders = [Sender(store, house.door, statuses, world) for _ in range(3)]

    def forget() -> None:
        for part in (statuses, delivery, digester):
            part.forget()

    return Part(
        provisions={Keys: keys},
        followers=(delivery,),
        timers=(WindowTimer(delivery), digester, Clearing(store, house.objects)),
        shippers=(
            windows,
            DigestShipper(house.objects, buckets, statuses, world, findings.add),
            LogsShipper(senders[0], world.now),
            BusShipper(senders[1]),
            TopicShipper(senders[2], world.now),
        ),
        metrics=(findings, backlog),
        forget=forget,
    )


def delivery_seconds(settings: Settings) -> int:
    """The time that one log file covers."""
    default = LAB_DELIVERY_SECONDS if settings.estate == EMBEDDED else AWS_DELIVERY_SECONDS
    return settings.delivery_seconds or default
