"""Schedules: the times that expressions name, and what is no expression."""

from datetime import UTC, datetime, timedelta

import pytest

from trailstate.watch.schedule import BadSchedule, read_schedule

NOW = datetime(2026, 1, 15, 9, 30, 20, tzinfo=UTC)  # a Thursday


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("cron(0 10 * * ? *)", ["2026-01-15T10:00", "2026-01-16T10:00"]),
        ("cron(0/15 * ? * * *)", ["2026-01-15T09:45", "2026-01-15T10:00"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-01-15T18:00", "2026-01-16T18:00", "2026-01-19T18:00"]),
        ("cron(0 8 1 * ? *)", ["2026-02-01T08:00", "2026-03-01T08:00"]),
        ("cron(0 8 L * ? *)", ["2026-01-31T08:00", "2026-02-28T08:00"]),
        ("cron(0 8 LW * ? *)", ["2026-01-30T08:00", "2026-02-27T08:00"]),
        ("cron(0 8 1W * ? *)", ["2026-02-02T08:00", "2026-03-02T08:00", "2026-04-01T08:00"]),
        ("cron(0 8 ? * 3#2 *)", ["2026-02-10T08:00", "2026-03-10T08:00"]),
        ("cron(0 8 ? * 6L *)", ["2026-01-30T08:00", "2026-02-27T08:00"]),
        ("cron(30 9 29 FEB ? *)", ["2028-02-29T09:30", "2032-02-29T09:30"]),
        ("cron(0 0 1,15 1/6 ? 2027)", ["2027-01-01T00:00", "2027-01-15T00:00", "2027-07-01T00:00"]),
    ],
)
def test_cron(text: str, times: list[str]) -> None:
    schedule, moment, found = read_schedule(text), NOW, []
    for _ in times:
        following = schedule.after(moment)
        assert following is not None
        moment = following
        found.append(f"{moment:%Y-%m-%dT%H:%M}")
    assert found == times


def test_a_year_that_is_over_never_comes() -> None:
    assert read_schedule("cron(0 0 1 1 ? 2020)").after(NOW) is None


def test_rates() -> None:
    assert read_schedule("rate(1 minute)").after(NOW) == NOW + timedelta(minutes=1)
    assert read_schedule("rate(12 hours)").after(NOW) == NOW + timedelta(hours=12)


@pytest.mark.parametrize(
    "text",
    [
        *("", "rate(1 minutes)", "rate(2 minute)", "rate(0 minutes)", "rate(5 weeks)", "every day"),
        *("cron(0 10 * * * *)", "cron(0 10 ? * ? *)", "cron(60 10 * * ? *)", "cron(0 24 * * ? *)"),
        *("cron(0 10 32 * ? *)", "cron(0 10 * 13 ? *)", "cron(0 10 ? * 8 *)", "cron(0 10 ? * 2#6 *)"),
        *("cron(0 10 * * ?)", "cron(a 10 * * ? *)", "cron(5-1 10 * * ? *)", "cron(0/0 10 * * ? *)"),
    ],
)
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(BadSchedule):
        read_schedule(text)
