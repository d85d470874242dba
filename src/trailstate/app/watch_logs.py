"""Alarms: log events become metrics, metrics become alarms, alarms reach somebody."""

from trailstate.app.house import House, Part
from trailstate.follow import Runner
from trailstate.stores.kept import Kept
from trailstate.watch import alarms, log, metric
from trailstate.watch.action import ActionShipper, SubscriptionShipper
from trailstate.watch.alarms import Alarms
from trailstate.watch.arrival import LogArrival, MetricArrival
from trailstate.watch.log import LogEvents
from trailstate.watch.metric import Metrics
from trailstate.watch.retention import Retention

FILE_NAME = "watch.db"


def assemble(house: House) -> Part:
    store, world = house.store, house.world
    directory = None if house.settings.ephemeral else house.settings.data
    kept = Kept(directory, FILE_NAME, log.SCHEMA + metric.SCHEMA + alarms.SCHEMA)
    events, metrics = LogEvents(kept), Metrics(kept)
    judge = Alarms(store, kept, metrics, world)

    def forget() -> None:
        kept.erase()
        judge.forget()

    return Part(
        provisions={LogEvents: events, Metrics: metrics, Runner: house.runner},
        timers=(judge, Retention(store, events, metrics, world)),
        shippers=(
            LogArrival(store, kept, events, metrics, judge.hear),
            MetricArrival(kept, events, metrics, judge.hear),
            ActionShipper(store, house.door, world),
            SubscriptionShipper(house.door, world),
        ),
        forget=forget,
        close=kept.close,
    )
