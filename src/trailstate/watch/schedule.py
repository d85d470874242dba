"""Schedules of rules: `rate(5 minutes)` and `cron(0 18 ? * MON-FRI *)`, in UTC.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html

A cron expression has six fields: minutes, hours, day of month, month, day of week (1 is Sunday), year. One of the two
days must be `?`. `L` is the last day, `W` the weekday nearest to a day, `3#2` the second Tuesday.
"""

import calendar
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

RATE = re.compile(r"rate\(\s*([1-9][0-9]{0,8})\s+(minute|minutes|hour|hours|day|days)\s*\)")
CRON = re.compile(r"cron\(\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*\)")
UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
MONTHS = {
    "JAN": 1,
    "FEB": 2,
    "MAR": 3,
    "APR": 4,
    "MAY": 5,
    "JUN": 6,
    "JUL": 7,
    "AUG": 8,
    "SEP": 9,
    "OCT": 10,
    "NOV": 11,
    "DEC": 12,
}
WEEKDAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
YEARS = (1970, 2199)
DAYS_AHEAD_MAX = 366 * 8
"""A leap day that falls on a weekday may be far away; what lies further never comes."""


class BadSchedule(ValueError):
    """The expression is none."""


class Schedule(Protocol):
    """When a rule runs."""

    def after(self, moment: datetime) -> datetime | None:
        """The next time after a moment; None when there is none."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Ever after the same span."""

    span: timedelta

    def after(self, moment: datetime) -> datetime | None:
        return moment + self.span


DayTest = Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class Cron:
    """At the minutes that all fields allow."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    is_day: DayTest

    def after(self, moment: datetime) -> datetime | None:
        start = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for ahead in range(DAYS_AHEAD_MAX):
            day = start.date() + timedelta(days=ahead)
            if day.year > YEARS[1]:
                return None
            if self.is_day(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        found = start.replace(year=day.year, month=day.month, day=day.day, hour=hour, minute=minute)
                        if found >= start:
                            return found
        return None


def read_schedule(text: str) -> Schedule:
    """The schedule that an expression writes; BadSchedule."""
    rate = RATE.fullmatch(text)
    if rate is not None:
        number, unit = int(rate.group(1)), rate.group(2)
        if (number == 1) is unit.endswith("s"):
            raise BadSchedule(text)
        return Rate(number * UNITS[unit.rstrip("s")])
    cron = CRON.fullmatch(text.upper().replace("CRON(", "cron(", 1))
    if cron is None:
        raise BadSchedule(text)
    minute, hour, day, month, weekday, year = cron.groups()
    if (day == "?") is (weekday == "?"):
        raise BadSchedule(text)
    months, years = set(_numbers(month, 1, 12, MONTHS)), set(_numbers(year, *YEARS, {}))
    tests = [_day_test(day), _weekday_test(weekday)]

    def is_day(found: date) -> bool:
        return found.month in months and found.year in years and all(test(found) for test in tests)

    return Cron(tuple(_numbers(minute, 0, 59, {})), tuple(_numbers(hour, 0, 23, {})), is_day)


def _numbers(text: str, low: int, high: int, names: Mapping[str, int]) -> list[int]:
    """The numbers that a field allows, ascending."""
    return sorted({number for part in text.split(",") for number in _part(part, low, high, names)})


def _part(part: str, low: int, high: int, names: Mapping[str, int]) -> Iterator[int]:
    span, _, step = part.partition("/")
    first, _, last = span.partition("-")
    if "/" in part and not (step.isdigit() and int(step) > 0):
        raise BadSchedule(part)
    if span == "*":
        start, end = low, high
    else:
        start = _number(first, names)
        end = _number(last, names) if last else (high if step else start)
    if not (low <= start <= high and low <= end <= high and start <= end) or ("-" in span and not last):
        raise BadSchedule(part)
    return iter(range(start, end + 1, int(step or 1)))


def _number(text: str, names: Mapping[str, int]) -> int:
    if text in names:
        return names[text]
    if not text.isdigit() or len(text) > 4:
        raise BadSchedule(text)
    return int(text)


def _day_test(text: str) -> DayTest:
    if text == "?":
        return lambda _: True
    if text == "L":
        return lambda found: found.day == _last_day(found)
    if text in ("LW", "WL"):
        return lambda found: found.day == _nearest_weekday(found, _last_day(found))
    if text.endswith("W"):
        wanted = _number(text[:-1], {})
        if not 1 <= wanted <= 31:
            raise BadSchedule(text)
        return lambda found: found.day == _nearest_weekday(found, wanted)
    days = set(_numbers(text, 1, 31, {}))
    return lambda found: found.day in days


def _weekday_test(text: str) -> DayTest:
    if text == "?":
        return lambda _: True
    if text == "L":
        return lambda found: _weekday(found) == 7
    if text.endswith("L"):
        last = _number(text[:-1], WEEKDAYS)
        return lambda found: _weekday(found) == last and found.day + 7 > _last_day(found)
    if "#" in text:
        name, _, times = text.partition("#")
        wanted, nth = _number(name, WEEKDAYS), _number(times, {})
        if not (1 <= wanted <= 7 and 1 <= nth <= 5):
            raise BadSchedule(text)
        return lambda found: _weekday(found) == wanted and (found.day - 1) // 7 + 1 == nth
    days = set(_numbers(text, 1, 7, WEEKDAYS))
    return lambda found: _weekday(found) in days


def _weekday(day: date) -> int:
    """1 is Sunday."""
    return day.isoweekday() % 7 + 1


def _last_day(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, wanted: int) -> int:
    """The working day nearest to that day of the month, within the month."""
    last = _last_day(day)
    if wanted > last:
        return 0
    weekday = date(day.year, day.month, wanted).isoweekday()
    if weekday == 6:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == 7:
        return wanted + 1 if wanted < last else wanted - 2
    return wanted
