"""Metrics: numbers by name, dimensions and second, and the statistics of a period over them.

CloudWatch user guide, "Metrics" and "Statistics definitions"; API reference, PutMetricData. A datum is a value and how
often it came, or a set of which only sum, count and extremes are known; of sets there are no percentiles. Everything is
kept to the second, so that any period can be asked for; what is old is gathered into minutes, then hours, as AWS does.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from trailstate.stores.kept import Kept

SCHEMA = """
CREATE TABLE IF NOT EXISTS metric (
  id INTEGER PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  dimensions TEXT NOT NULL, last INTEGER NOT NULL, UNIQUE (account, region, namespace, name, dimensions));
CREATE TABLE IF NOT EXISTS datum (
  metric INTEGER NOT NULL, time INTEGER NOT NULL, unit TEXT NOT NULL, low REAL NOT NULL, high REAL NOT NULL,
  count REAL NOT NULL, sum REAL NOT NULL, PRIMARY KEY (metric, time, unit, low, high)) WITHOUT ROWID;
"""
NO_UNIT = "None"
RETENTION_SECONDS = 455 * 86_400
COARSER = ((15 * 86_400, 300), (63 * 86_400, 3600))
"""Older than the first number of seconds, data stand at multiples of the second."""

_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(dict[str, str]).decode


@dataclass(frozen=True, slots=True)
class MetricName:
    """Which series: dimensions belong to the name."""

    account: str
    region: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()
    """Sorted by name."""

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        text = _encode(dict(self.dimensions)).decode()
        return (self.account, self.region, self.namespace, self.name, text)


class Datum(NamedTuple):
    """Values of one second: `samples` of them between `low` and `high`, `sum` in all."""

    time: int
    low: float
    high: float
    samples: float
    sum: float
    unit: str = NO_UNIT


def single(time: int, value: float, count: float = 1.0, unit: str = NO_UNIT) -> Datum:
    """One value, `count` times."""
    return Datum(time, value, value, count, value * count, unit)


class Metrics:
    """Every metric's data."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def add(self, connection: sqlite3.Connection, metric: MetricName, data: Iterable[Datum]) -> None:
        """Inside a transaction: keep data."""
        data = list(data)
        if not data:
            return
        (identity,) = connection.execute(
            "INSERT INTO metric (account, region, namespace, name, dimensions, last) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (account, region, namespace, name, dimensions) DO UPDATE SET last = max(last, excluded.last)"
            " RETURNING id",
            (*metric.key, max(each.time for each in data)),
        ).fetchone()
        connection.executemany(
            "INSERT INTO datum VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (metric, time, unit, low, high)"
            " DO UPDATE SET count = count + excluded.count, sum = sum + excluded.sum",
            [(identity, each.time, each.unit, each.low, each.high, each.samples, each.sum) for each in data],
        )

    def read(self, metric: MetricName, first: int, end: int, unit: str | None = None) -> list[Datum]:
        """The data of [first, end), in order of time."""
        rows = self._kept.connection().execute(
            "SELECT time, low, high, count, sum, unit FROM datum WHERE metric ="
            " (SELECT id FROM metric"
            " WHERE account = ? AND region = ? AND namespace = ? AND name = ? AND dimensions = ?)"
            " AND time >= ? AND time < ? ORDER BY time",
            (*metric.key, first, end),
        )
        found = (Datum(*row) for row in rows)
        return [each for each in found if unit is None or each.unit == unit]

    def names(self, account: str, region: str, since: int = 0) -> list[MetricName]:
        """The metrics that had data since a time, by namespace, name and dimensions."""
        rows = self._kept.connection().execute(
            "SELECT namespace, name, dimensions FROM metric WHERE account = ? AND region = ? AND last >= ?"
            " ORDER BY namespace, name, dimensions",
            (account, region, since),
        )
        return [
            MetricName(account, region, space, name, tuple(sorted(_decode(text).items()))) for space, name, text in rows
        ]

    def expire(self, now: int) -> None:
        """Gather what is old into coarser steps, and let go what is older than AWS keeps."""
        with self._kept.transaction() as connection:
            for age, step in COARSER:
                connection.execute(
                    "INSERT INTO datum SELECT metric, time / ?1 * ?1, unit, low, high, sum(count), sum(sum) FROM datum"
                    " WHERE time < ?2 AND time % ?1 != 0 GROUP BY metric, time / ?1, unit, low, high"
                    " ON CONFLICT (metric, time, unit, low, high) DO UPDATE SET count = count + excluded.count,"
                    " sum = sum + excluded.sum",
                    (step, now - age),
                )
                connection.execute("DELETE FROM datum WHERE time < ? AND time % ? != 0", (now - age, step))
            connection.execute("DELETE FROM datum WHERE time < ?", (now - RETENTION_SECONDS,))
            connection.execute("DELETE FROM metric WHERE last < ?", (now - RETENTION_SECONDS,))


def by_period(data: Iterable[Datum], period: int) -> dict[int, list[Datum]]:
    """The data of each period that has any, by the period's begin."""
    found: dict[int, list[Datum]] = {}
    for each in data:
        found.setdefault(each.time // period * period, []).append(each)
    return found


def _total(data: Sequence[Datum]) -> float:
    return sum(each.sum for each in data)


def _count(data: Sequence[Datum]) -> float:
    return sum(each.samples for each in data)


STATISTICS: Mapping[str, Any] = {
    "Average": lambda data: _total(data) / _count(data) if _count(data) else None,
    "Sum": _total,
    "SampleCount": _count,
    "Minimum": lambda data: min(each.low for each in data),
    "Maximum": lambda data: max(each.high for each in data),
}


def statistic(name: str, data: Sequence[Datum]) -> float | None:
    """A statistic of one period's data: one of `STATISTICS` or a percentile such as `p99`; None where it has none."""
    if not data:
        return None
    known = STATISTICS.get(name)
    if known is not None:
        found: float | None = known(data)
        return found
    return percentile(float(name[1:]), data)


def percentile(wanted: float, data: Sequence[Datum]) -> float | None:
    """By linear interpolation between the values in order; None when a set hides the values."""
    if any(each.low != each.high for each in data):
        return None
    ordered = sorted((each.low, each.samples) for each in data if each.samples > 0)
    total = sum(count for _, count in ordered)
    if not ordered:
        return None
    rank = wanted / 100 * (total - 1)
    lower, upper = _at(ordered, int(rank)), _at(ordered, int(rank) + 1)
    return lower + (upper - lower) * (rank - int(rank))


def _at(ordered: Sequence[tuple[float, float]], rank: int) -> float:
    """The value at a rank from 0; the greatest beyond the last."""
    passed = 0.0
    for value, count in ordered:
        passed += count
        if rank < passed:
            return value
    return ordered[-1][0]
