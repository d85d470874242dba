"""Metric math: what an expression makes of series, and what is no expression."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailstate.watch.formula import MalformedFormula, read_formula
from trailstate.watch.queries import BadQueries, computed, read_queries
from trailstate.watch.series import Known, Uncomputable

GRID = range(0, 300, 60)
M1 = {0: 10.0, 60: 20.0, 180: 40.0}
M2 = {0: 1.0, 60: 0.0, 120: 3.0, 180: 4.0}


def value(text: str) -> dict[int, float]:
    return dict(read_formula(text).series(Known({"m1": M1, "m2": M2}, ("m1", "m2"), GRID)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m1 + m2", {0: 11, 60: 20, 180: 44}),
        ("m1 / m2", {0: 10, 180: 10}),
        ("100 * m1 - 5", {0: 995, 60: 1995, 180: 3995}),
        ("m1 + m2 * 2 ^ 3", {0: 18, 60: 20, 180: 72}),
        ("(m1 + m2) * -1", {0: -11, 60: -20, 180: -44}),
        ("2 ^ -m2", {0: 0.5, 60: 1, 120: 0.125, 180: 0.0625}),
        ("m1 - AVG(m1)", {0: 10 - 70 / 3, 60: 20 - 70 / 3, 180: 40 - 70 / 3}),
        ("m1 / SUM(m1)", {0: 1 / 7, 60: 2 / 7, 180: 4 / 7}),
        ("m1 - MIN(m1) + MAX(m2)", {0: 4, 60: 14, 180: 34}),
        ("SUM([m1, m2])", {0: 11, 60: 20, 120: 3, 180: 44}),
        ("SUM(METRICS())", {0: 11, 60: 20, 120: 3, 180: 44}),
        ("AVG(METRICS())", {0: 5.5, 60: 10, 120: 3, 180: 22}),
        ("MAX(METRICS('2'))", M2),
        ("MIN([m1, m2])", {0: 1, 60: 0, 120: 3, 180: 4}),
        ("FILL(m1, 0)", {0: 10, 60: 20, 120: 0, 180: 40, 240: 0}),
        ("FILL(m1, REPEAT)", {0: 10, 60: 20, 120: 20, 180: 40, 240: 40}),
        ("FILL(m1, LINEAR)", {0: 10, 60: 20, 120: 30, 180: 40}),
        ("FILL(m1, m2)", {0: 10, 60: 20, 120: 3, 180: 40}),
        ("SUM(FILL(METRICS(), 0))", {0: 11, 60: 20, 120: 3, 180: 44, 240: 0}),
        ("RATE(m1)", {60: 10 / 60, 180: 20 / 120}),
        ("DIFF(m1)", {60: 10, 180: 20}),
        ("m1 / PERIOD(m1)", {0: 1 / 6, 60: 1 / 3, 180: 2 / 3}),
        ("m1 > 15", {0: 0, 60: 1, 180: 1}),
        ("m1 > 15 AND m2 == 0", {0: 0, 60: 1, 180: 0}),
        ("m1 < 15 OR m2 >= 4", {0: 1, 60: 0, 180: 1}),
        ("m1 > 5 && m1 != 20 || m2 == 0", {0: 1, 60: 1, 180: 1}),
        ("IF(m1 > 15, m1, 0)", {0: 0, 60: 20, 180: 40}),
        ("IF(m1 > 15, m2)", {60: 0, 180: 4}),
        ("IF(AVG(m1) > 100, m1, m2)", M2),
        ("ABS(CEIL(m1 / -3)) + FLOOR(2.9)", {0: 5, 60: 8, 180: 15}),
    ],
)
def test_what_an_expression_gives(text: str, expected: dict[int, float]) -> None:
    assert value(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected more"),
        ("m1 +", "expected more"),
        ("m1 m2", "expected nothing more; found 'm2'"),
        ("(m1", "expected ')'"),
        ("m1 & m2", "expected a name, number or operator"),
        ("ANOMALY_DETECTION_BAND(m1)", "a function that is supported by Trailstate; found 'ANOMALY_DETECTION_BAND'"),
        ("FILL(m1 0)", "expected ','"),
        ("(" * 100 + "m1" + ")" * 100, "at most 50"),
        ("-" * 100 + "m1", "at most 50"),
        ("m1" + "+m1" * 2000, "at most 2048 characters"),
    ],
)
def test_what_is_no_expression_is_refused_with_a_sentence(text: str, said: str) -> None:
    with pytest.raises(MalformedFormula) as refused:
        read_formula(text)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["5", "SUM(m1)", "METRICS()", "[m1, m2]", "METRICS() + METRICS()", "SUM(5)", "FILL(m1, 'x')", "FILL(m1)", "IF(m1)"],
)
def test_what_gives_no_series_is_told_when_it_is_computed(text: str) -> None:
    with pytest.raises(Uncomputable):
        value(text)


LEAVES = st.sampled_from(["m1", "m2", "2", "0.5", "7"])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner),
    max_leaves=12,
)


def written(tree: Any) -> str:
    return tree if isinstance(tree, str) else f"({written(tree[0])} {tree[1]} {written(tree[2])})"


@given(TREES)
def test_arithmetic_is_that_of_each_period(tree: Any) -> None:
    known = Known({"m1": M1, "m2": M2}, ("m1", "m2"), GRID)
    found = read_formula(f"{written(tree)} + m1 * 0").series(known)
    for begin in GRID:
        names = {name: series[begin] for name, series in (("m1", M1), ("m2", M2)) if begin in series}
        try:
            expected = eval(f"{written(tree)} + m1 * 0", {}, names)
        except (NameError, ZeroDivisionError):
            expected = math.nan
        if math.isfinite(expected):
            assert found[begin] == pytest.approx(expected)
        else:
            assert begin not in found


def query(name: str, text: str | None = None, *, period: int = 60, metric: str = "m") -> dict[str, Any]:
    if text is not None:
        return {"Id": name, "Expression": text}
    return {
        "Id": name,
        "MetricStat": {"Metric": {"Namespace": "N", "MetricName": metric}, "Period": period, "Stat": "Sum"},
    }


@pytest.mark.parametrize(
    ("queries", "said"),
    [
        ([query("m1"), query("m1")], "not unique"),
        ([query("e1", "m1 + 1")], "expected the id of a query; found 'm1'"),
        ([query("e1", "e2"), query("e2", "e1"), query("m1")], "looks at itself"),
        ([query("e1", "e1"), query("m1")], "looks at itself"),
        (
            [query("m1"), query("m2", period=300), query("e1", "m1 + m2")],
            "expected metrics of one period; found [60, 300]",
        ),
        ([query("e1", "1 + 1")], "found none"),
        ([{"Id": "x"}], "Expected either MetricStat or Expression"),
        ([query("m1"), *(query(f"e{n}", f"e{n + 1}" if n < 80 else "m1") for n in range(81))], "at most 50"),
    ],
)
def test_queries_that_cannot_be_answered(queries: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(BadQueries) as refused:
        read_queries("1", "r", queries)
    assert said in str(refused.value)


def test_each_query_is_computed_once_however_often_it_is_looked_at() -> None:
    """Fifty expressions, each of which names the one before it twice, are fifty steps and not 2 ** 50."""
    chain = [query(f"e{number}", f"e{number - 1} + e{number - 1}") for number in range(1, 40)]
    queries = read_queries("1", "r", [query("e0"), *chain])
    found = computed(queries, lambda _: {0: 1.0}, lambda period: range(0, 60, period))
    assert found["e39"] == {0: 2.0**39}
