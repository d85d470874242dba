"""Every alarm of every account, evaluated as its periods end, each change of state committed once.

A timer: the next moment at which a period of some alarm ends, or at once when data came for periods already judged.
What was missed while the server stood still, or the clock was set forward, is judged oldest first, at the moments at
which the answer could have changed. How far each alarm was judged is kept, so that a restart goes on there.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from trailstate.stores.interface import JOURNAL, Commit, ShelfChange, ShelfKey, Store, VersionConflict
from trailstate.stores.kept import Kept
from trailstate.watch import alarm, change
from trailstate.watch.arrival import Series
from trailstate.watch.composite import read_rule
from trailstate.watch.metric import Datum, MetricName, Metrics, by_period
from trailstate.watch.queries import Query
from trailstate.world import World

SCHEMA = """
CREATE TABLE IF NOT EXISTS alarm_judged (
  account TEXT, region TEXT, name TEXT, until INTEGER NOT NULL, PRIMARY KEY (account, region, name)) WITHOUT ROWID;
"""
MISSED_MAX = 1000
"""Moments of one alarm that are judged after a pause, the newest."""

LATE_SECONDS_MAX = 86_400
"""Data older than that raise no alarm."""

ROUNDS_MAX = 10
"""How often composite alarms are looked at again because another one changed."""


@dataclass(frozen=True, slots=True)
class Known:
    """An alarm, and what a metric alarm watches."""

    key: ShelfKey
    value: Mapping[str, Any]
    version: int
    queries: Mapping[str, Query]

    @property
    def metrics(self) -> Sequence[Query]:
        return [each for each in self.queries.values() if each.metric is not None]

    @property
    def period(self) -> int:
        return alarm.watched(self.queries).period

    def oldest(self, heard: Mapping[MetricName, int]) -> int | None:
        """The time of the oldest datum that came for a metric of its; None when none did."""
        times = [heard[each.metric] for each in self.metrics if each.metric is not None and each.metric in heard]
        return min(times, default=None)


class Alarms:
    """The timer. `hear` may be called from any thread."""

    name = "alarms"

    def __init__(self, store: Store, kept: Kept, metrics: Metrics, world: World) -> None:
        self._store = store
        self._kept = kept
        self._metrics = metrics
        self._world = world
        self._lock = threading.Lock()
        self._working = threading.RLock()
        """Held over what is known of alarms; `due` is asked from other threads than `run`."""
        self._heard: dict[MetricName, int] = {}
        """The metrics that got data since the last run, and the time of the oldest of it."""
        self._heard_at = world.now()
        self._head = -1
        self._known: Sequence[Known] = ()
        self._watched: frozenset[MetricName] = frozenset()
        self._judged: dict[tuple[str, str, str], int] | None = None

    def hear(self, series: Iterable[Series]) -> None:
        """Data came for these metrics."""
        with self._lock:
            for metric, data in series:
                oldest = min(each.time for each in data)
                self._heard[metric] = min(oldest, self._heard.get(metric, oldest))
            self._heard_at = self._world.now()

    def forget(self) -> None:
        with self._working, self._lock:
            self._heard.clear()
            self._head, self._known, self._judged = -1, (), None

    def due(self) -> datetime | None:
        """The end of the next period of any alarm, or when data came that are not judged yet."""
        with self._working:
            self._refresh()
            with self._lock:
                self._heard = {metric: at for metric, at in self._heard.items() if metric in self._watched}
                if self._heard:
                    return self._heard_at
            ends = [self._until(each) + each.period for each in self._of(change.METRIC_ALARM)]
            return datetime.fromtimestamp(min(ends), UTC) if ends else None

    def run(self, now: datetime) -> None:
        """Judge every alarm whose period ended or whose metric got data."""
        with self._working:
            with self._lock:
                heard, self._heard = self._heard, {}
            judged = {}
            for each in list(self._of(change.METRIC_ALARM)):
                last, oldest = int(now.timestamp()) // each.period * each.period, each.oldest(heard)
                is_due = last > self._until(each) or oldest is not None
                if is_due and self._judge(each, last, now, last if oldest is None else oldest):
                    judged[_place(each.key)] = last
            self._compose(now)
            self._note(judged)

    # What is known.

    def _refresh(self) -> None:
        """Read the alarms again if any call was recorded since: nothing else changes them, but for ourselves."""
        head = self._store.head(JOURNAL)
        if head == self._head:
            return
        self._head = head
        found = self._store.documents(None, None, change.ALARMS)
        self._known = [_known(key, document.value, document.version) for key, document in found]
        self._watched = frozenset(query.metric for each in self._known for query in each.metrics if query.metric)

    def _of(self, kind: str) -> Iterator[Known]:
        return (each for each in self._known if each.value["Type"] == kind)

    def _until(self, known: Known) -> int:
        """The end of the last period judged; for a new alarm, of the one before it was made."""
        if self._judged is None:
            rows = self._kept.connection().execute("SELECT account, region, name, until FROM alarm_judged")
            self._judged = {(account, region, name): until for account, region, name, until in rows}
        first = _made(known) // known.period * known.period - known.period
        found = self._judged.get(_place(known.key), first)
        return max(found // known.period * known.period, first)

    def _note(self, judged: Mapping[tuple[str, str, str], int]) -> None:
        assert self._judged is not None or not judged, "what was judged was read before"
        if not judged or self._judged is None:
            return
        self._judged.update(judged)
        with self._kept.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO alarm_judged VALUES (?, ?, ?, ?)",
                [(*place, until) for place, until in judged.items()],
            )

    # Judgement.

    def _judge(self, known: Known, last: int, now: datetime, oldest: int) -> bool:
        """Every moment since the last judgement at which the answer could be another one, and those before it that
        data as old as `oldest` came for: such data can still raise an alarm, and not silence one in hindsight. False
        when somebody else changed the alarm meanwhile, so that it must be read and judged again."""
        until = self._until(known)
        oldest = max(oldest, _made(known), last - LATE_SECONDS_MAX)
        window = known.period * alarm.window_periods(known.value)
        first = min(until, oldest // known.period * known.period, last - known.period) + known.period
        data = {each.id: self._read(each, first - window, last) for each in known.metrics}
        begins = {begin for periods in data.values() for begin in periods}
        for end in _moments(begins, known.period, first, last, window):
            verdict = self._verdict(known, data, end)
            if verdict is None or (end <= until and end < last and verdict.state != alarm.ALARM):
                continue
            if verdict.state != known.value["StateValue"]:
                moment = now if end == last else datetime.fromtimestamp(end, UTC)
                reasons = alarm.reason_data(known.value, verdict, moment)
                changed = self._change(known, verdict.state, verdict.reason, reasons, moment)
                if changed is None:
                    return False
                known = changed
        return True

    def _read(self, query: Query, first: int, end: int) -> dict[int, list[Datum]]:
        assert query.metric is not None, "expressions have no data of their own"
        return by_period(self._metrics.read(query.metric, first, end, query.unit), query.period)

    def _verdict(self, known: Known, data: alarm.Data, end: int) -> alarm.Verdict | None:
        if alarm.ONLY in data and alarm.has_few_samples(known.value, data[alarm.ONLY], end):
            return None
        return alarm.judge(known.value, alarm.points(known.value, known.queries, data, end))

    def _compose(self, now: datetime) -> None:
        """Composite alarms look at the others, and at one another, until none changes."""
        for _ in range(ROUNDS_MAX):
            changed = [self._composed(each, now) for each in list(self._of(change.COMPOSITE_ALARM))]
            if not any(changed):
                return

    def _composed(self, known: Known, now: datetime) -> bool:
        rule, _ = read_rule(known.value["AlarmRule"])
        states = {
            each.key.name: str(each.value["StateValue"])
            for each in self._known
            if (each.key.account, each.key.region) == (known.key.account, known.key.region)
        }
        state = alarm.ALARM if rule(states.get) else alarm.OK
        if state == known.value["StateValue"]:
            return False
        said = "TRUE" if state == alarm.ALARM else "FALSE"
        reason = f"{known.value['AlarmRule']} was {said} at {now:%A %d %B, %Y %H:%M:%S} UTC"
        return self._change(known, state, reason, None, now) is not None

    def _change(
        self, known: Known, state: str, reason: str, data: Mapping[str, Any] | None, now: datetime
    ) -> Known | None:
        """Commit the new state, its history and its actions together; None when somebody else changed the alarm."""
        account, region, name = _place(known.key)
        after, item = change.moved(known.value, state, reason, data, now)
        history_key = change.history_key(account, region, name)
        history = self._store.get(history_key)
        shelf = (
            ShelfChange(known.key, after, known.version),
            ShelfChange(
                history_key,
                change.with_history(history.value if history else None, item),
                history.version if history else 0,
            ),
        )
        try:
            self._store.commit(Commit(shelf=shelf, outbox=change.rows(known.value, after, account, region)))
        except VersionConflict:
            self._head = -1
            return None
        fresh = Known(known.key, after, known.version + 1, known.queries)
        self._known = [fresh if each.key == known.key else each for each in self._known]
        return fresh


def _known(key: ShelfKey, value: Mapping[str, Any], version: int) -> Known:
    is_metric = value["Type"] == change.METRIC_ALARM
    return Known(key, value, version, alarm.queries_of(key.account, key.region, value) if is_metric else {})


def _made(known: Known) -> int:
    """When the alarm was given its settings, in seconds."""
    return int(datetime.fromisoformat(known.value["AlarmConfigurationUpdatedTimestamp"]).timestamp())


def _place(key: ShelfKey) -> tuple[str, str, str]:
    return key.account, key.region, key.name


def _moments(periods: Iterable[int], period: int, first: int, last: int, window: int) -> list[int]:
    """The ends at which a window begins or ceases to hold data, and the first and last of all."""
    ends = {first, last}
    for begin in periods:
        ends.update(range(begin + period, begin + window + 2 * period, period))
    return sorted(end for end in ends if first <= end <= last)[-MISSED_MAX:]
