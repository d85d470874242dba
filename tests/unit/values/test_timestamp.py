"""Times as records write them and as people say them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailstate.values.timestamp import UnknownTime, epoch_seconds, from_epoch, parse_span, parse_when, record_time

NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


@given(seconds=st.integers(0, 4_000_000_000))
def test_a_record_time_reads_back_to_the_second(seconds: int) -> None:
    text = record_time(from_epoch(seconds))

    assert len(text) == 20
    assert epoch_seconds(text) == seconds


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("now", NOW),
        ("2h", NOW - timedelta(hours=2)),
        ("30m ago", NOW - timedelta(minutes=30)),
        ("90 seconds ago", NOW - timedelta(seconds=90)),
        ("1 week", NOW - timedelta(days=7)),
        ("3 Days", NOW - timedelta(days=3)),
        ("2 years ago", NOW - timedelta(days=730)),
        ("today", datetime(2026, 1, 15, tzinfo=UTC)),
        ("yesterday", datetime(2026, 1, 14, tzinfo=UTC)),
        ("yesterday 15:42", datetime(2026, 1, 14, 15, 42, tzinfo=UTC)),
        ("yesterday at 9:05", datetime(2026, 1, 14, 9, 5, tzinfo=UTC)),
        ("09:15", datetime(2026, 1, 15, 9, 15, tzinfo=UTC)),
        ("15:42:10", datetime(2026, 1, 14, 15, 42, 10, tzinfo=UTC)),
        ("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
        ("2026-01-02 15:42", datetime(2026, 1, 2, 15, 42, tzinfo=UTC)),
        ("2026-01-02T15:42:10Z", datetime(2026, 1, 2, 15, 42, 10, tzinfo=UTC)),
        ("2026-01-02T15:42:10+02:00", datetime(2026, 1, 2, 13, 42, 10, tzinfo=UTC)),
    ],
)
def test_words_name_a_time(words: str, expected: datetime) -> None:
    assert parse_when(words, NOW) == expected


@pytest.mark.parametrize("words", ["", "soon", "2 moons", "25:00", "yesterday 24:61", "2026-13-01", "999999w"])
def test_what_names_no_time_is_refused_with_examples(words: str) -> None:
    with pytest.raises(UnknownTime, match="yesterday 15:42"):
        parse_when(words, NOW)


@given(words=st.text(max_size=30))
def test_any_text_is_a_time_in_utc_or_refused(words: str) -> None:
    try:
        moment = parse_when(words, NOW)
    except UnknownTime:
        return
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("words", "seconds"),
    [("90s", 90), ("30m", 1800), ("2h", 7200), ("1d12h", 129_600), ("2 W", 1_209_600), ("0s", 0), ("2y", 63_072_000)],
)
def test_a_span_in_words(words: str, seconds: int) -> None:
    assert parse_span(words) == timedelta(seconds=seconds)


@pytest.mark.parametrize("words", ["", "2", "h", "-2h", "2q", "1.5h", "2h ago", "999999999w"])
def test_what_is_no_span_is_refused_by_example(words: str) -> None:
    with pytest.raises(UnknownTime, match="span of time"):
        parse_span(words)
