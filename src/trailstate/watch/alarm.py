"""What a metric alarm says of the last periods: how many of the last N breach, and what stands for those without data.

CloudWatch user guide, "Using Amazon CloudWatch alarms", "Configuring how CloudWatch alarms treat missing data". An
alarm looks at a few periods more than it counts: where data are missing among the last N, older ones take their place,
and only what is still lacking then is filled as `TreatMissingData` says. With `missing`, an alarm that sees nothing but
breaching data, the oldest of them as old as `DatapointsToAlarm`, alarms although it has fewer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from trailstate.watch.metric import Datum, MetricName, statistic
from trailstate.watch.queries import BadQueries, Query, computed, read_queries
from trailstate.watch.series import Series

OK = "OK"
ALARM = "ALARM"
INSUFFICIENT = "INSUFFICIENT_DATA"
EXTRA_PERIODS = 2
"""Looked at beyond those that count, for data in the place of missing ones."""

LOW_SAMPLES = 10
"""CloudWatch user guide, "Percentile-based alarms and low data samples": a percentile p needs 10 / (1 - p) samples."""

Document = Mapping[str, Any]
Data = Mapping[str, Mapping[int, Sequence[Datum]]]
"""By the id of a metric's query, by the begin of a period."""

ONLY = "m1"
"""The id of an alarm's only metric, as events name it."""

COMPARISONS: Mapping[str, tuple[str, Any]] = {
    "GreaterThanOrEqualToThreshold": ("greater than or equal to", lambda value, bound: value >= bound),
    "GreaterThanThreshold": ("greater than", lambda value, bound: value > bound),
    "LessThanThreshold": ("less than", lambda value, bound: value < bound),
    "LessThanOrEqualToThreshold": ("less than or equal to", lambda value, bound: value <= bound),
}


@dataclass(frozen=True, slots=True)
class Point:
    """A period's statistic; None where it has no data."""

    begin: int
    value: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A state and why."""

    state: str
    reason: str
    points: Sequence[Point] = ()


def queries_of(account: str, region: str, document: Document) -> dict[str, Query]:
    """What the alarm watches: one metric, or what an expression makes of several."""
    if "Metrics" in document:
        return read_queries(account, region, document["Metrics"])
    dimensions = sorted((each["Name"], each["Value"]) for each in document.get("Dimensions", ()))
    metric = MetricName(account, region, document["Namespace"], document["MetricName"], tuple(dimensions))
    period = int(document["Period"])
    return {ONLY: Query(ONLY, "", True, metric, statistic_of(document), document.get("Unit"), period)}


def watched(queries: Mapping[str, Query]) -> Query:
    """The one query whose series is held against the threshold."""
    (found,) = (each for each in queries.values() if each.returns)
    return found


def statistic_of(document: Document) -> str:
    """Empty for an alarm on an expression."""
    return str(document.get("Statistic") or document.get("ExtendedStatistic") or "")


def window_periods(document: Document) -> int:
    """How many periods back an alarm looks."""
    return int(document["EvaluationPeriods"]) + EXTRA_PERIODS


def points(document: Document, queries: Mapping[str, Query], data: Data, end: int) -> list[Point]:
    """The periods that an alarm looks at when the last of them ends, newest first. An expression that makes no series
    of what there is has no data."""
    main = watched(queries)
    grid = range(end - main.period * window_periods(document), end, main.period)

    def read(query: Query) -> Series:
        values = ((begin, statistic(query.statistic, data[query.id].get(begin, ()))) for begin in grid)
        return {begin: value for begin, value in values if value is not None}

    try:
        found = computed(queries, read, lambda _: grid)[main.id]
    except BadQueries:
        found = {}
    return [Point(begin, found.get(begin)) for begin in reversed(grid)]


def has_few_samples(document: Document, periods: Mapping[int, Sequence[Datum]], end: int) -> bool:
    """Whether a percentile of the last period says too little, for an alarm that is to ignore it then."""
    name = statistic_of(document)
    if document.get("EvaluateLowSampleCountPercentile") != "ignore" or not name.startswith("p"):
        return False
    fraction = float(name[1:]) / 100
    tail = min(fraction, 1 - fraction)
    data = periods.get(end - int(document["Period"]), ())
    return bool(data) and tail > 0 and sum(each.samples for each in data) < LOW_SAMPLES / tail


def judge(document: Document, seen: Sequence[Point]) -> Verdict | None:
    """What the alarm says of its periods, newest first; None when it stays as it is."""
    count = int(document["EvaluationPeriods"])
    needed = int(document.get("DatapointsToAlarm") or count)
    treatment = document.get("TreatMissingData", "missing")
    _, breaches = COMPARISONS[document["ComparisonOperator"]]
    real = [point for point in seen if point.value is not None][:count]
    if not real:
        return _of_nothing(treatment, count)
    bad = [point for point in real if breaches(point.value, document["Threshold"])]
    lacking = count - len(real)
    if len(bad) >= needed or (treatment == "breaching" and len(bad) + lacking >= needed):
        return Verdict(ALARM, _reason(document, real, bad, ALARM), real)
    if not lacking or len(bad) < len(real) or treatment in ("breaching", "notBreaching"):
        return Verdict(OK, _reason(document, real, bad, OK), real)
    if treatment == "missing" and seen.index(bad[-1]) + 1 >= needed:
        return Verdict(ALARM, _reason(document, real, bad, ALARM), real)
    return None


def _of_nothing(treatment: str, count: int) -> Verdict | None:
    """No data at all in the periods looked at."""
    state = {"missing": INSUFFICIENT, "breaching": ALARM, "notBreaching": OK}.get(treatment)
    if state is None:
        return None
    plural = "datapoint was" if count == 1 else "datapoints were"
    if state == INSUFFICIENT:
        return Verdict(state, f"Insufficient Data: {count} {plural} unknown.")
    filled = "Breaching" if state == ALARM else "NonBreaching"
    return Verdict(
        state,
        f"Threshold Crossed: no datapoints were received for {count} period(s) and {count} missing"
        f" {'datapoint was' if count == 1 else 'datapoints were'} treated as [{filled}].",
    )


def _reason(document: Document, real: Sequence[Point], bad: Sequence[Point], state: str) -> str:
    """AWS's sentence; people and scripts read it."""
    words, _ = COMPARISONS[document["ComparisonOperator"]]
    is_alarm = state == ALARM
    needed = int(document.get("DatapointsToAlarm") or document["EvaluationPeriods"]) if is_alarm else 1
    told = [point for point in real if (point in bad) == is_alarm] or list(real)
    listed = ", ".join(f"{point.value} ({_stamp(point.begin)})" for point in told)
    return (
        f"Threshold Crossed: {len(told)} out of the last {len(real)} datapoints [{listed}]"
        f" {'was' if len(told) == 1 else 'were'} {'' if is_alarm else 'not '}{words} the threshold"
        f" ({float(document['Threshold'])}) (minimum {needed} datapoint{'' if needed == 1 else 's'} for"
        f" {'OK -> ALARM' if is_alarm else 'ALARM -> OK'} transition)."
    )


def _stamp(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d/%m/%y %H:%M:%S}"


def reason_data(document: Document, verdict: Verdict, now: datetime) -> dict[str, Any]:
    """`StateReasonData` of a metric alarm."""
    newest_first = [point for point in verdict.points if point.value is not None]
    data: dict[str, Any] = {"version": "1.0", "queryDate": milliseconds_stamp(now)}
    if newest_first:
        data["startDate"] = milliseconds_stamp(datetime.fromtimestamp(newest_first[-1].begin, UTC))
    statistic = {"statistic": statistic_of(document)} if statistic_of(document) else {}
    return data | {
        **statistic,
        "period": watched(queries_of("", "", document)).period,
        "recentDatapoints": [point.value for point in reversed(newest_first)],
        "threshold": document["Threshold"],
    }


def milliseconds_stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"
