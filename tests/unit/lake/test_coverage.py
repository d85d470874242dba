"""A day without records is quiet or a gap, and a gap has a reason where somebody gave one."""

from trailstate.lake.coverage import Span, Stopped, spans

A, B = "111122223333", "444455556666"
EAST, WEST = "us-east-1", "us-west-2"


def days(account: str, region: str, first: int, last: int, records: int) -> list[tuple[str, str, str, int]]:
    return [(account, region, f"2026-01-{day:02}", records) for day in range(first, last + 1)]


def test_days_in_a_row_are_one_span() -> None:
    assert list(spans(days(A, EAST, 1, 5, 40))) == [Span(A, EAST, "records", "2026-01-01", "2026-01-05", 5, 200)]


def test_a_rare_region_is_quiet_while_the_account_is_heard_from_elsewhere() -> None:
    counts = days(A, EAST, 1, 5, 40) + days(A, WEST, 2, 2, 1)
    assert [(each.state, each.first, each.last) for each in spans(counts) if each.region == WEST] == [
        ("records", "2026-01-02", "2026-01-02"),
        ("quiet", "2026-01-03", "2026-01-05"),
    ]


def test_a_silent_account_and_a_busy_region_that_falls_silent_are_gaps() -> None:
    silent = days(B, EAST, 1, 2, 3) + days(B, EAST, 5, 6, 3)
    busy = days(A, EAST, 1, 6, 40) + days(A, WEST, 1, 2, 40) + days(A, WEST, 4, 6, 40)
    gaps = [each for each in spans([*silent, *busy]) if each.state == "gap"]
    assert [(each.account, each.region, each.first, each.last) for each in gaps] == [
        (A, WEST, "2026-01-03", "2026-01-03"),
        (B, EAST, "2026-01-03", "2026-01-04"),
    ]


def test_a_gap_names_the_last_call_before_it_that_stopped_a_trail() -> None:
    stops = [
        Stopped(A, "2026-01-02T23:10:00Z", "StopLogging", "arn:aws:iam::111122223333:user/mallory"),
        Stopped(B, "2026-01-02T23:20:00Z", "DeleteTrail", ""),
        Stopped(A, "2026-01-05T01:00:00Z", "DeleteTrail", ""),
    ]
    [gap] = [each for each in spans(days(A, EAST, 1, 2, 3) + days(A, EAST, 5, 6, 3), stops) if each.state == "gap"]
    assert gap.after == "StopLogging at 2026-01-02T23:10:00Z by arn:aws:iam::111122223333:user/mallory"
