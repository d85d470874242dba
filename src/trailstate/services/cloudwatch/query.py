"""GetMetricData: statistics of several metrics and expressions over them, within bounds.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from trailstate.follow import Runner
from trailstate.services.cloudwatch.data import (
    bad_token,
    dimensions,
    fault,
    hold_period,
    hold_range,
    hold_statistic,
    time_range,
)
from trailstate.services.operation import operation
from trailstate.services.paging import page
from trailstate.values.page import PageTokens
from trailstate.watch.arrival import METRICS, metrics_queue
from trailstate.watch.metric import Metrics
from trailstate.watch.queries import BadQueries, Query, computed, read_queries, statistics_of
from trailstate.wire.call import Call
from trailstate.wire.spelling import NOT_SUPPORTED

ANSWER_DATAPOINTS_MAX = 100_800
WORK_MAX = 50_000_000
"""Steps of metric math for one call: a few seconds."""

Members = Mapping[str, Any]


@operation("cloudwatch")
def get_metric_data(
    call: Call,
    metrics: Metrics,
    runner: Runner,
    tokens: PageTokens,
    *,
    MetricDataQueries: Sequence[Members],
    StartTime: datetime,
    EndTime: datetime,
    NextToken: str | None = None,
    ScanBy: str | None = None,
    MaxDatapoints: int | None = None,
    LabelOptions: Members | None = None,
) -> dict[str, Any]:
    """Statistics of several metrics, and expressions over them."""
    hold_range(StartTime, EndTime)
    queries = hold_queries(call, MetricDataQueries)
    _hold_periods(queries, StartTime, EndTime)
    runner.drain(METRICS, metrics_queue(call.account, call.region))
    try:
        found = computed(
            queries,
            lambda query: statistics_of(metrics, query, *time_range(StartTime, EndTime, query.period)),
            lambda period: range(*time_range(StartTime, EndTime, period), period),
        )
    except BadQueries as error:
        raise fault.ValidationException(str(error)) from error
    told = [queries[name] for name in queries if queries[name].returns]
    is_descending = ScanBy != "TimestampAscending"
    points = [
        (each.id, begin, value)
        for each in told
        for begin, value in sorted(found[each.id].items(), reverse=is_descending)
    ]
    question = [call.account, call.region, str(MetricDataQueries), str(StartTime), str(EndTime), ScanBy]
    limit = min(MaxDatapoints or ANSWER_DATAPOINTS_MAX, ANSWER_DATAPOINTS_MAX)
    shown, following = page(tokens, question, points, limit=limit, token=NextToken, refuse=bad_token)
    answer = {"MetricDataResults": [_result(each, shown) for each in told], "Messages": []}
    return answer if following is None else answer | {"NextToken": following}


def _hold_periods(queries: Mapping[str, Query], start: datetime, end: datetime) -> None:
    """An expression may give each period a value, whether or not there are data."""
    if not any(each.formula for each in queries.values()):
        return
    periods = sum(int((end - start).total_seconds()) // each.period + 1 for each in queries.values())
    if periods > ANSWER_DATAPOINTS_MAX:
        raise fault.ValidationException(
            f"Queries with expressions may look at {ANSWER_DATAPOINTS_MAX} periods together; these look at {periods}."
            " Ask for a longer Period or a shorter time."
        )
    hold_work(queries, lambda period: int((end - start).total_seconds()) // period + 1, WORK_MAX)


def hold_work(queries: Mapping[str, Query], periods: Callable[[int], int], most: int) -> None:
    """The fault when expressions over so many periods take more steps than may be taken."""
    work = sum(_work(each, len(queries)) * periods(each.period) for each in queries.values())
    if work > most:
        raise fault.ValidationException(
            f"The expressions take {work} steps together; at most {most} are taken. Ask for less at a time."
        )


def _work(query: Query, count: int) -> int:
    """The steps that an expression takes for each period."""
    if query.formula is None:
        return 0
    return query.formula.words * (count if query.formula.takes_all else 1)


def hold_queries(call: Call, given: Sequence[Members]) -> dict[str, Query]:
    """The queries by id; the fault for one that cannot be answered."""
    for each in given:
        stat = each.get("MetricStat")
        if stat is not None:
            hold_period(stat["Period"])
            hold_statistic(stat["Stat"])
            dimensions(stat["Metric"].get("Dimensions"))
        if each.get("AccountId") not in (None, call.account):
            raise fault.InvalidParameterValueException(f"A query of another account {NOT_SUPPORTED}")
    try:
        return read_queries(call.account, call.region, given)
    except BadQueries as error:
        raise fault.ValidationException(str(error)) from error


def _result(query: Query, shown: Sequence[tuple[str, int, float]]) -> dict[str, Any]:
    own = [(begin, value) for owner, begin, value in shown if owner == query.id]
    return {
        "Id": query.id,
        "Label": query.label,
        "Timestamps": [datetime.fromtimestamp(begin, UTC) for begin, _ in own],
        "Values": [value for _, value in own],
        "StatusCode": "Complete",
    }
