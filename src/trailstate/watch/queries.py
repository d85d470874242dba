"""Metric data queries: statistics of metrics and expressions over them, by their ids.

CloudWatch API reference, MetricDataQuery. What an expression looks at has one period, which is the expression's, too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from trailstate.watch.formula import Formula, MalformedFormula, read_formula
from trailstate.watch.metric import MetricName, Metrics, by_period, statistic
from trailstate.watch.series import Known, Series, Uncomputable

EXPRESSIONS_DEEP_MAX = 50

Given = Mapping[str, Any]


class BadQueries(ValueError):
    """The message says which query is wrong, and how."""


@dataclass(frozen=True, slots=True)
class Query:
    """A statistic of a metric, or an expression."""

    id: str
    label: str
    returns: bool
    metric: MetricName | None = None
    statistic: str = ""
    unit: str | None = None
    period: int = 0
    formula: Formula | None = None

    @property
    def names(self) -> frozenset[str]:
        return self.formula.names if self.formula else frozenset()


def read_queries(account: str, region: str, given: Sequence[Given]) -> dict[str, Query]:
    """The queries by id, each with its period; BadQueries."""
    found = {each["Id"]: _query(account, region, each) for each in given}
    if len(found) < len(given):
        raise BadQueries("The values for parameter Id in MetricDataQueries are not unique.")
    return {name: _with_period(found, query) for name, query in found.items()}


def _query(account: str, region: str, given: Given) -> Query:
    stat, text, name = given.get("MetricStat"), given.get("Expression"), given["Id"]
    returns = given.get("ReturnData") is not False
    if (stat is None) == (text is None):
        raise BadQueries(f"Expected either MetricStat or Expression in the query '{name}'.")
    if stat is not None:
        metric = stat["Metric"]
        dimensions = sorted((each["Name"], each["Value"]) for each in metric.get("Dimensions") or ())
        named = MetricName(account, region, metric["Namespace"], metric["MetricName"], tuple(dimensions))
        label = given.get("Label") or metric["MetricName"]
        return Query(name, label, returns, named, stat["Stat"], stat.get("Unit"), int(stat["Period"]))
    try:
        formula = read_formula(str(text))
    except MalformedFormula as malformed:
        raise BadQueries(f"Error in expression '{name}': {malformed}") from malformed
    return Query(name, given.get("Label") or name, returns, formula=formula)


def _with_period(queries: Mapping[str, Query], query: Query) -> Query:
    if query.formula is None:
        return query
    periods = {queries[each].period for each in _metrics_behind(queries, query, {})}
    if len(periods) != 1:
        raise BadQueries(
            f"Error in expression '{query.id}': expected metrics of one period; found {sorted(periods) or 'none'}"
        )
    return Query(query.id, query.label, query.returns, period=periods.pop(), formula=query.formula)


Behind: TypeAlias = dict[str, frozenset[str] | None]
"""The metrics that a query leads to; None while that is being found out."""


def _metrics_behind(queries: Mapping[str, Query], query: Query, behind: Behind) -> frozenset[str]:
    """BadQueries for an expression that leads to nothing, to itself, or too far."""
    if query.formula is None:
        return frozenset({query.id})
    if sum(each is None for each in behind.values()) > EXPRESSIONS_DEEP_MAX:
        raise BadQueries(f"Error in expression '{query.id}': at most {EXPRESSIONS_DEEP_MAX} may look at one another")
    behind[query.id] = None
    found = {each.id for each in queries.values() if each.metric is not None} if query.formula.takes_all else set()
    for name in sorted(query.names):
        if name not in queries:
            raise BadQueries(f"Error in expression '{query.id}': expected the id of a query; found '{name}'")
        if name not in behind:
            behind[name] = _metrics_behind(queries, queries[name], behind)
        known = behind[name]
        if known is None:
            raise BadQueries(f"Error in expression '{query.id}': it looks at itself")
        found |= known
    behind[query.id] = frozenset(found)
    return frozenset(found)


def computed(
    queries: Mapping[str, Query], read: Callable[[Query], Series], grid: Callable[[int], range]
) -> dict[str, Series]:
    """The series of each query; `read` gives a metric's, `grid` the begins of periods. BadQueries."""
    values: dict[str, Series] = {name: read(each) for name, each in queries.items() if each.metric is not None}
    metrics = [name for name in queries if name in values]

    def value_of(query: Query) -> Series:
        if query.formula is not None and query.id not in values:
            below = {name: value_of(queries[name]) for name in query.names}
            known = Known({**values, **below}, metrics, grid(query.period))
            try:
                values[query.id] = query.formula.series(known)
            except Uncomputable as error:
                raise BadQueries(f"Error in expression '{query.id}': {error}") from error
        return values[query.id]

    return {name: value_of(query) for name, query in queries.items()}


def statistics_of(metrics: Metrics, query: Query, first: int, end: int) -> Series:
    """The statistic of a metric in each period that has one."""
    assert query.metric is not None, "expressions have no data of their own"
    periods = by_period(metrics.read(query.metric, first, end, query.unit), query.period)
    values = ((begin, statistic(query.statistic, data)) for begin, data in periods.items())
    return {begin: value for begin, value in values if value is not None}
