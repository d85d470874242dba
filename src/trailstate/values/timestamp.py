"""Times as CloudTrail writes them (`2026-01-15T09:30:00Z`) and as people say them (`2h`, `yesterday 15:42`)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31_536_000}
"""A year is 365 days."""
_UNIT_WORDS = "second:s sec:s minute:m min:m hour:h hr:h day:d week:w year:y yr:y"
_UNIT_NAMES = dict(pair.split(":") for pair in _UNIT_WORDS.split())
_AGO = re.compile(r"(\d{1,6})\s*([a-z]+)(?:\s+ago)?")
_SPAN = re.compile(r"(?:\d{1,9}[ywdhms])+")
_DAY = re.compile(r"(today|yesterday|\d{4}-\d{2}-\d{2})(?:[t\s]+(?:at\s+)?(\d{1,2}:\d{2}(?::\d{2})?))?")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")
_DAYS_BACK = {"today": 0, "yesterday": 1}

SPANS = "90s, 30m, 2h, 1d12h, 2w, 1y"
EXAMPLES = "2h, 30m ago, yesterday, yesterday 15:42, 09:30, 2026-01-02, 2026-01-02T15:42:00Z"


class UnknownTime(ValueError):
    """Words that name no time; the message shows what would."""


def record_time(moment: datetime) -> str:
    """A time as `eventTime` spells it: UTC, whole seconds, 20 characters."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=256)
def moment_text(moment: datetime) -> str:
    """A time as AWS Config and SNS write it: UTC, milliseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def moment_of(text: str) -> datetime:
    """The aware time of an ISO 8601 text; without an offset it is UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def epoch_seconds(text: str) -> int:
    """An `eventTime` as whole seconds since 1970; ValueError when it is none. Without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def from_epoch(seconds: int) -> datetime:
    """The aware UTC time of whole seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def parse_span(words: str) -> timedelta:
    """The span that a person means: `2h`, `1d12h`, `90 s`. Raises UnknownTime."""
    text = "".join(words.lower().split())
    if _SPAN.fullmatch(text) is None:
        raise UnknownTime(f"'{words}' is not a span of time; write for example {SPANS}")
    seconds = sum(int(part[:-1]) * _UNIT_SECONDS[part[-1]] for part in re.findall(r"\d+[ywdhms]", text))
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        raise UnknownTime(f"'{words}' is a longer span of time than there is") from None


def parse_when(words: str, now: datetime) -> datetime:
    """The time that a person means, in UTC: a span back from `now`, a day, a time of day, or ISO 8601.

    A day without a time is its first moment; a time without a day is today's, or yesterday's if that is still to come.
    Raises UnknownTime.
    """
    text = " ".join(words.strip().lower().split())
    for read in (_just_now, _span_ago, _day, _time_of_day, _iso):
        moment = read(text, now)
        if moment is not None:
            return moment
    raise UnknownTime(f"'{words}' is not a time; write for example {EXAMPLES}")


def _just_now(text: str, now: datetime) -> datetime | None:
    return now if text == "now" else None


def _span_ago(text: str, now: datetime) -> datetime | None:
    match = _AGO.fullmatch(text)
    if match is None:
        return None
    singular = match[2].removesuffix("s") if len(match[2]) > 1 else match[2]
    seconds = _UNIT_SECONDS.get(_UNIT_NAMES.get(singular, singular), 0)
    return None if not seconds else _or_none(lambda: now - timedelta(seconds=int(match[1]) * seconds))


def _day(text: str, now: datetime) -> datetime | None:
    match = _DAY.fullmatch(text)
    if match is None:
        return None
    day = _midnight(now) - timedelta(days=_DAYS_BACK[match[1]]) if match[1] in _DAYS_BACK else _iso(match[1], now)
    return day if day is None or match[2] is None else _at(day, match[2])


def _time_of_day(text: str, now: datetime) -> datetime | None:
    if not _CLOCK.fullmatch(text):
        return None
    moment = _at(_midnight(now), text)
    return moment - timedelta(days=1) if moment is not None and moment > now else moment


def _iso(text: str, _now: datetime) -> datetime | None:
    moment = _or_none(lambda: datetime.fromisoformat(text.upper()))
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else _or_none(lambda: moment.astimezone(UTC))


def _midnight(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(UTC).date(), time(), UTC)


def _at(day: datetime, clock: str) -> datetime | None:
    padded = clock if clock[2] == ":" else f"0{clock}"
    return _or_none(lambda: datetime.combine(day.date(), time.fromisoformat(padded), UTC))


def _or_none(make: Callable[[], datetime]) -> datetime | None:
    try:
        return make()
    except (ValueError, OverflowError):
        return None
