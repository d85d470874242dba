"""What an alarm says where data are missing: the tables of the CloudWatch user guide, row by row."""

from typing import Any

import pytest

from trailstate.watch.alarm import Point, has_few_samples, judge
from trailstate.watch.composite import MalformedRule, read_rule
from trailstate.watch.metric import Datum, percentile, single

TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
STAYS = "stays"


def document(**settings: Any) -> dict[str, Any]:
    return {
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    } | settings


def drawn(row: str) -> list[Point]:
    """`0 - X`: fine, missing, breaching; the newest is the last."""
    values = {"0": 0.0, "X": 1.0, "-": None}
    points = [Point(60 * place, values[each]) for place, each in enumerate(row.split())]
    return points[::-1]


@pytest.mark.parametrize(
    ("needed", "row", "expected"),
    [
        (3, "0 - X - X", ("OK", "OK", "OK", "OK")),
        (3, "0 - - - -", ("OK", "OK", "OK", "OK")),
        (3, "- - - - -", ("INSUFFICIENT_DATA", STAYS, "ALARM", "OK")),
        (3, "0 X X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (3, "- - X - -", ("ALARM", STAYS, "ALARM", "OK")),
        (2, "0 - X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (2, "0 0 X 0 X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (2, "0 - X - -", ("OK", "OK", "ALARM", "OK")),
        (2, "- - - - 0", ("OK", "OK", "ALARM", "OK")),
        (2, "- - - X -", ("ALARM", STAYS, "ALARM", "OK")),
        (3, "- - - - X", (STAYS, STAYS, "ALARM", "OK")),
    ],
)
def test_missing_data_are_treated_as_the_guide_says(needed: int, row: str, expected: tuple[str, ...]) -> None:
    for treatment, state in zip(TREATMENTS, expected, strict=True):
        verdict = judge(document(DatapointsToAlarm=needed, TreatMissingData=treatment), drawn(row))
        assert (STAYS if verdict is None else verdict.state) == state, treatment


def test_the_reason_is_the_sentence_that_people_search_for() -> None:
    verdict = judge(document(EvaluationPeriods=1), drawn("X"))
    assert verdict is not None
    assert verdict.reason == (
        "Threshold Crossed: 1 out of the last 1 datapoints [1.0 (01/01/70 00:00:00)] was greater than or equal to the"
        " threshold (1.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )


def test_percentiles_interpolate_and_know_nothing_of_sets() -> None:
    assert percentile(50, [single(0, 1.0), single(0, 2.0)]) == 1.5
    assert percentile(99, [single(0, 5.0, 1000)]) == 5.0
    assert percentile(50, [Datum(0, 1.0, 2.0, 3.0, 4.0)]) is None


def test_a_percentile_of_few_samples_may_be_passed_over() -> None:
    wanted = document(ExtendedStatistic="p99", EvaluateLowSampleCountPercentile="ignore") | {"Statistic": None}
    assert has_few_samples(wanted, {0: [single(0, 1.0, 999)]}, 60)
    assert not has_few_samples(wanted, {0: [single(0, 1.0, 1001)]}, 60)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("ALARM(a)", True),
        ('ALARM("b")', False),
        ("ALARM(a) AND NOT ALARM(b)", True),
        ("ALARM(b) OR ALARM(a) AND OK(b)", True),
        ("NOT (ALARM(a) OR ALARM(b))", False),
        ("INSUFFICIENT_DATA(arn:aws:cloudwatch:us-east-1:123456789012:alarm:c)", True),
        ("ALARM(gone)", False),
        ("TRUE AND NOT FALSE", True),
    ],
)
def test_rules_of_composite_alarms(rule: str, expected: bool) -> None:
    states = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA"}
    assert read_rule(rule)[0](states.get) is expected


@pytest.mark.parametrize("rule", ["", "ALARM(a", "ALARM(a) ALARM(b)", "NOT", "PERHAPS(a)", "(" * 200 + "TRUE"])
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(MalformedRule, match="expected"):
        read_rule(rule)
