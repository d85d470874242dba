"""Alarms on the clock, in a simulated world: once each, late data, missed periods, restarts, lost acknowledgements."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from trailstate.follow import Runner
from trailstate.stores.interface import Commit, ShelfChange, ShelfKey, StoreUnavailable
from trailstate.stores.kept import Kept
from trailstate.stores.memory import Faults, MemoryStore
from trailstate.watch import alarms, log, metric
from trailstate.watch.alarms import Alarms
from trailstate.watch.arrival import Data, Events, LogArrival, MetricArrival, logs_row, metrics_row
from trailstate.watch.change import QUEUE, alarm_key, history_key
from trailstate.watch.group import metric_filters
from trailstate.watch.log import AFTER_ALL, BEFORE_ALL, LogEvents
from trailstate.watch.metric import MetricName, Metrics, single
from trailstate.world import SimulatedWorld

ACCOUNT, REGION = "111122223333", "us-east-1"
FILTER = {
    "filterName": "errors",
    "filterPattern": "ERROR",
    "metricTransformations": [{"metricName": "errors", "metricNamespace": "App", "metricValue": "1"}],
}


class House:
    """A store, `watch.db`, and a runner; `again` is the same after a restart of the process."""

    def __init__(self, earlier: "House | None" = None) -> None:
        self.world = earlier.world if earlier else SimulatedWorld()
        self.faults = earlier.faults if earlier else Faults()
        self.store = earlier.store if earlier else MemoryStore(self.world, self.faults)
        self.kept = earlier.kept if earlier else Kept(None, "watch.db", log.SCHEMA + metric.SCHEMA + alarms.SCHEMA)
        self.events, self.metrics = LogEvents(self.kept), Metrics(self.kept)
        self.alarms = Alarms(self.store, self.kept, self.metrics, self.world)
        self.runner = Runner(self.store, self.world)
        self.runner.add_timer(self.alarms)
        self.runner.add_shipper(LogArrival(self.store, self.kept, self.events, self.metrics, self.alarms.hear))
        self.runner.add_shipper(MetricArrival(self.kept, self.events, self.metrics, self.alarms.hear))

    def again(self) -> "House":
        return House(self)

    def advance(self, seconds: int) -> None:
        self.world.advance(timedelta(seconds=seconds))
        self.runner.run_until_idle()

    def alarm(self, **settings: Any) -> None:
        now = self.world.now().isoformat()
        document = {
            "AlarmName": "a",
            "AlarmArn": "arn",
            "Type": "MetricAlarm",
            "Namespace": "App",
            "MetricName": "errors",
            "Statistic": "Sum",
            "Period": 10,
            "EvaluationPeriods": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "StateValue": "OK",
            "StateReason": "",
            "StateUpdatedTimestamp": now,
            "AlarmConfigurationUpdatedTimestamp": now,
        } | settings
        self.store.commit(Commit(shelf=[ShelfChange(alarm_key(ACCOUNT, REGION, document["AlarmName"]), document)]))

    def datum(self, ago: int = 0, name: str = "errors") -> None:
        time = int(self.world.now().timestamp()) - ago
        row = metrics_row(Data(ACCOUNT, REGION, [("App", name, {}, [single(time, 1.0)])]), self.world.uuid())
        self.store.commit(Commit(outbox=[row]))

    def changes(self, name: str = "a") -> list[str]:
        found = self.store.get(history_key(ACCOUNT, REGION, name))
        return (
            [each["HistorySummary"].removeprefix("Alarm updated from ") for each in found.value["items"]]
            if found
            else []
        )

    def actions(self) -> Sequence[str]:
        return [row.id for queue in self.store.queues(QUEUE) for row in self.store.outbox(queue, 100)]


@pytest.fixture
def house() -> House:
    return House()


RAISED = ["OK to ALARM", "ALARM to OK"]


def test_a_state_changes_once_when_the_period_ends(house: House) -> None:
    house.alarm()
    house.datum()
    house.runner.run_until_idle()
    assert house.changes() == []
    house.advance(10)
    assert house.changes() == ["OK to ALARM"]
    for _ in range(20):
        house.advance(10)
    assert house.changes() == RAISED
    assert len(house.actions()) == len(set(house.actions())) == 2


def test_late_data_are_judged_when_they_come(house: House) -> None:
    house.alarm()
    house.advance(10)
    house.advance(2)
    house.datum(ago=5)
    house.runner.run_until_idle()
    assert house.changes() == ["OK to ALARM"]


def test_a_jump_of_the_clock_misses_no_change(house: House) -> None:
    house.alarm()
    house.datum()
    house.runner.run_until_idle()
    house.advance(86_400)
    assert house.changes() == RAISED


def test_a_restart_goes_on_where_it_was(house: House) -> None:
    house.alarm()
    house.advance(10)
    house.datum()
    later = house.again()
    later.advance(3600)
    assert later.changes() == RAISED


def test_percentiles_and_m_of_n(house: House) -> None:
    house.alarm(Statistic=None, ExtendedStatistic="p90", EvaluationPeriods=3, DatapointsToAlarm=2)
    house.datum()
    house.advance(10)
    assert house.changes() == []
    house.advance(10)
    house.datum()
    house.advance(10)
    assert house.changes() == ["OK to ALARM"]


def test_composite_alarms_follow_in_the_same_run(house: House) -> None:
    house.alarm()
    house.alarm(AlarmName="over", Type="CompositeAlarm", AlarmRule="ALARM(a)")
    house.datum()
    house.advance(10)
    assert house.changes("over") == ["OK to ALARM"]


@pytest.mark.parametrize("kept", [False, True])
def test_events_are_neither_lost_nor_doubled_when_the_store_fails(house: House, kept: bool) -> None:
    filter_key = ShelfKey(ACCOUNT, REGION, metric_filters("g"), "errors")
    house.store.commit(Commit(shelf=[ShelfChange(filter_key, FILTER)]))
    now = int(house.world.now().timestamp() * 1000)
    rows = [
        logs_row(Events(ACCOUNT, REGION, "g", "id", "s", now, [(now, f"ERROR {number}")]), str(number))
        for number in range(3)
    ]
    house.store.commit(Commit(outbox=rows))
    house.faults.arm("commit", kept=kept)
    house.runner.run_until_idle()
    later = house.again()
    later.advance(120)
    found = later.events.page("id", None, BEFORE_ALL, AFTER_ALL, 100)
    assert [each.message for each in found] == ["ERROR 0", "ERROR 1", "ERROR 2"]
    data = later.metrics.read(MetricName(ACCOUNT, REGION, "App", "errors"), 0, 1 << 40)
    assert sum(each.samples for each in data) == 3


@pytest.mark.parametrize("kept", [False, True])
def test_a_change_whose_commit_failed_is_made_once(house: House, kept: bool) -> None:
    house.alarm()
    house.datum()
    house.runner.run_until_idle()
    house.world.advance(timedelta(seconds=10))
    house.faults.arm("commit", kept=kept)
    with pytest.raises(StoreUnavailable):
        house.runner.run_until_idle()
    later = house.again()
    later.advance(1)
    assert later.changes() == ["OK to ALARM"]
    assert len(later.actions()) == 1


def test_old_data_are_gathered_and_keep_their_sum(house: House) -> None:
    now = int(house.world.now().timestamp())
    name = MetricName(ACCOUNT, REGION, "App", "old")
    with house.kept.transaction() as connection:
        house.metrics.add(connection, name, [single(now - 20 * 86_400 + each, 1.0) for each in range(600)])
    house.metrics.expire(now)
    data = house.metrics.read(name, 0, now)
    assert sum(each.sum for each in data) == 600
    assert len(data) <= 3


def test_only_alarms_are_kept_in_mind(house: House) -> None:
    """Data of metrics that nobody watches leave nothing behind."""
    house.alarm()
    for number in range(50):
        house.datum(name=f"m{number}")
    house.runner.run_until_idle()
    assert house.alarms.due() is not None
    assert not house.alarms._heard
