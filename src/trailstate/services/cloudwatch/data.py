"""PutMetricData, GetMetricStatistics, ListMetrics.

CloudWatch API reference. Data are durable with the call's record; a read first has them kept.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from trailstate.follow import Runner
from trailstate.services.operation import operation
from trailstate.services.paging import page
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.watch.arrival import METRICS, Data, metrics_queue, metrics_row
from trailstate.watch.metric import NO_UNIT, STATISTICS, Datum, MetricName, Metrics, by_period, single, statistic
from trailstate.wire.call import Call
from trailstate.wire.fault import Fault, faults
from trailstate.wire.spelling import NOT_SUPPORTED

fault = faults("cloudwatch")

DIMENSIONS_MAX = 30
DATA_MAX = 1000
VALUES_MAX = 150
DATAPOINTS_MAX = 1440
METRICS_A_PAGE = 500
PAST_MAX = timedelta(weeks=2)
FUTURE_MAX = timedelta(hours=2)
RECENT = timedelta(hours=3)
LISTED_FOR = timedelta(weeks=2)
PERCENTILE = re.compile(r"p(?:100(?:\.0+)?|[0-9]{1,2}(?:\.[0-9]{1,10})?)")

Members = Mapping[str, Any]


@operation("cloudwatch")
def put_metric_data(
    call: Call,
    shelf: StagedShelf,
    *,
    Namespace: str,
    MetricData: Sequence[Members] | None = None,
    EntityMetricData: Sequence[Members] | None = None,
    StrictEntityValidation: bool | None = None,
) -> dict[str, Any]:
    """Keep data, to the second."""
    if EntityMetricData:
        raise fault.InvalidParameterValueException(f"EntityMetricData {NOT_SUPPORTED}")
    if Namespace.startswith("AWS/") and call.principal.type != "AWSService":
        raise fault.InvalidParameterValueException("The value AWS/ for parameter Namespace is invalid.")
    if not MetricData:
        raise fault.MissingRequiredParameterException("The parameter MetricData is required.")
    if len(MetricData) > DATA_MAX:
        raise fault.InvalidParameterValueException(
            f"A request has at most {DATA_MAX} metrics; found {len(MetricData)}."
        )
    series = [
        (Namespace, each["MetricName"], dict(dimensions(each.get("Dimensions"))), list(_data(call, each)))
        for each in MetricData
    ]
    shelf.send(metrics_row(Data(call.account, call.region, series), call.event_id))
    return {}


def dimensions(given: Sequence[Members] | None) -> tuple[tuple[str, str], ...]:
    """Sorted by name; the fault when one is named twice or there are too many."""
    found = sorted((each["Name"], each["Value"]) for each in given or ())
    if len(found) > DIMENSIONS_MAX or len({name for name, _ in found}) < len(found):
        raise fault.InvalidParameterValueException(
            f"A metric has at most {DIMENSIONS_MAX} dimensions, each named once; found {[name for name, _ in found]}."
        )
    return tuple(found)


def _data(call: Call, given: Members) -> Iterator[Datum]:
    moment = given.get("Timestamp") or call.now
    if not call.now - PAST_MAX <= moment <= call.now + FUTURE_MAX:
        raise fault.InvalidParameterValueException(
            "The parameter Timestamp must be at most two weeks in the past and two hours in the future."
        )
    time, unit = int(moment.timestamp()), given.get("Unit") or NO_UNIT
    forms = [name for name in ("Value", "Values", "StatisticValues") if given.get(name) is not None]
    if len(forms) != 1:
        raise fault.InvalidParameterCombinationException(
            f"Expected exactly one of Value, Values and StatisticValues; found {' and '.join(forms) or 'none'}."
        )
    if forms == ["StatisticValues"]:
        yield _set(given["StatisticValues"], time, unit)
        return
    values = given["Values"] if forms == ["Values"] else [given["Value"]]
    counts = given.get("Counts") or [1.0] * len(values)
    if len(counts) != len(values) or len(values) > VALUES_MAX:
        raise fault.InvalidParameterValueException(f"Values and Counts must be equally many, at most {VALUES_MAX}.")
    for value, count in zip(values, counts, strict=True):
        yield single(time, _finite(value), _finite(count), unit)


def _set(given: Members, time: int, unit: str) -> Datum:
    low, high, count, total = (_finite(given[name]) for name in ("Minimum", "Maximum", "SampleCount", "Sum"))
    if low > high or count < 0:
        raise fault.InvalidParameterValueException("The StatisticValues contradict one another.")
    return Datum(time, low, high, count, total, unit)


def _finite(value: float) -> float:
    if not abs(value) <= 2.0**360:
        raise fault.InvalidParameterValueException(
            f"The value {value} for parameter MetricData.member.1.Value is invalid."
        )
    return float(value)


@operation("cloudwatch")
def get_metric_statistics(
    call: Call,
    metrics: Metrics,
    runner: Runner,
    *,
    Namespace: str,
    MetricName: str,
    StartTime: datetime,
    EndTime: datetime,
    Period: int,
    Dimensions: Sequence[Members] | None = None,
    Statistics: Sequence[str] | None = None,
    ExtendedStatistics: Sequence[str] | None = None,
    Unit: str | None = None,
) -> dict[str, Any]:
    """Statistics of each period that has data."""
    if bool(Statistics) == bool(ExtendedStatistics):
        raise fault.InvalidParameterCombinationException(
            "Exactly one of the parameters Statistics and ExtendedStatistics must be specified."
        )
    hold_period(Period)
    hold_range(StartTime, EndTime)
    for name in ExtendedStatistics or ():
        hold_statistic(name)
    if (EndTime - StartTime).total_seconds() / Period > DATAPOINTS_MAX:
        raise fault.InvalidParameterCombinationException(
            f"At most {DATAPOINTS_MAX} datapoints may be asked for; these are"
            f" {int((EndTime - StartTime).total_seconds() / Period)}. Ask for a longer Period or a shorter time."
        )
    runner.drain(METRICS, metrics_queue(call.account, call.region))
    found = metrics.read(_named(call, Namespace, MetricName, Dimensions), *time_range(StartTime, EndTime, Period), Unit)
    points = [
        _datapoint(begin, data, Statistics or (), ExtendedStatistics or ())
        for begin, data in sorted(by_period(found, Period).items())
    ]
    return {"Label": MetricName, "Datapoints": points}


def _named(call: Call, namespace: str, name: str, given: Sequence[Members] | None) -> MetricName:
    return MetricName(call.account, call.region, namespace, name, dimensions(given))


def time_range(start: datetime, end: datetime, period: int) -> tuple[int, int]:
    """In seconds, from the begin of the first period."""
    return int(start.timestamp()) // period * period, int(end.timestamp())


def _datapoint(begin: int, data: Sequence[Datum], plain: Sequence[str], extended: Sequence[str]) -> dict[str, Any]:
    told: dict[str, Any] = {"Timestamp": datetime.fromtimestamp(begin, UTC), "Unit": data[0].unit}
    told |= {name: statistic(name, data) for name in plain}
    percentiles = {name: value for name in extended if (value := statistic(name, data)) is not None}
    return told | ({"ExtendedStatistics": percentiles} if percentiles else {})


def hold_period(period: int) -> None:
    """Periods are 1, 5, 10, 20, 30 or multiples of 60 seconds."""
    if period not in (1, 5, 10, 20, 30) and (period < 60 or period % 60):
        raise fault.InvalidParameterValueException(
            f"The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60; found {period}."
        )


def hold_statistic(name: str) -> None:
    """A statistic that is known here: the five plain ones and percentiles."""
    if name not in STATISTICS and not PERCENTILE.fullmatch(name):
        raise fault.InvalidParameterValueException(f"The statistic '{name[:64]}' {NOT_SUPPORTED}")


def hold_range(start: datetime, end: datetime) -> None:
    if start >= end:
        raise fault.InvalidParameterValueException("The parameter StartTime must be less than the parameter EndTime.")


def bad_token(message: str) -> Fault:
    return fault.InvalidNextToken(message)


@operation("cloudwatch")
def list_metrics(
    call: Call,
    metrics: Metrics,
    runner: Runner,
    tokens: PageTokens,
    *,
    Namespace: str | None = None,
    MetricName: str | None = None,
    Dimensions: Sequence[Members] | None = None,
    NextToken: str | None = None,
    RecentlyActive: str | None = None,
    IncludeLinkedAccounts: bool | None = None,
    OwningAccount: str | None = None,
) -> dict[str, Any]:
    """The metrics that had data within two weeks, or three hours if so asked."""
    if IncludeLinkedAccounts:
        raise fault.InvalidParameterValueException(f"Looking into linked accounts {NOT_SUPPORTED}")
    runner.drain(METRICS, metrics_queue(call.account, call.region))
    since = call.now - (RECENT if RecentlyActive else LISTED_FOR)
    found = [
        each
        for each in metrics.names(call.account, call.region, int(since.timestamp()))
        if Namespace in (None, each.namespace) and MetricName in (None, each.name) and _has(each, Dimensions or ())
    ]
    question = [call.account, call.region, Namespace, MetricName, Dimensions, RecentlyActive]
    shown, following = page(tokens, question, found, limit=METRICS_A_PAGE, token=NextToken, refuse=bad_token)
    told = [
        {
            "Namespace": each.namespace,
            "MetricName": each.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in each.dimensions],
        }
        for each in shown
    ]
    return {"Metrics": told} if following is None else {"Metrics": told, "NextToken": following}


def _has(metric: MetricName, wanted: Sequence[Members]) -> bool:
    known = dict(metric.dimensions)
    return all(each["Name"] in known and each.get("Value") in (None, known[each["Name"]]) for each in wanted)
