"""What the lake knows of which account, Region and day, and where it knows nothing: a gap told apart from a quiet day.

CloudTrail writes nothing on a day on which nothing happens, so a day without records is not yet a loss. It is *quiet*
when the account was heard from in another Region on that day, so that something was recording, and the Region is one
where days without a record are likely. It is a *gap* when the whole account was silent between days on which it was
not, or when a Region fell silent that usually has so many records that chance does not explain it. Before a gap stands
the last call that stopped or narrowed a trail, where there is one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

USUAL_RECORDS = 10
"""A Region with so many records on a usual day is silent by chance on less than one day in twenty thousand."""

COUNTS = """
SELECT recipientaccountid, awsregion, substr(eventtime, 1, 10) AS day, count(*) AS records
FROM cloudtrail
WHERE recipientaccountid IS NOT NULL AND awsregion IS NOT NULL
GROUP BY 1, 2, 3
"""
"""Records by account, Region and day."""

STOPS = """
SELECT recipientaccountid, eventtime, eventname, useridentity.arn
FROM cloudtrail
WHERE eventsource = 'cloudtrail.amazonaws.com' AND errorcode IS NULL
  AND eventname IN ('StopLogging', 'DeleteTrail', 'PutEventSelectors', 'UpdateTrail')
ORDER BY eventtime
"""
"""Calls after which a trail may record less."""

RECORDS, QUIET, GAP = "records", "quiet", "gap"


@dataclass(frozen=True, slots=True)
class Stopped:
    """A call after which less may be recorded."""

    account: str
    time: str
    name: str
    principal: str

    def __str__(self) -> str:
        return f"{self.name} at {self.time} by {self.principal or 'somebody unknown'}"


@dataclass(frozen=True, slots=True)
class Span:
    """Days in a row of one account and Region that have the same thing to say."""

    account: str
    region: str
    state: str
    first: str
    last: str
    days: int
    records: int
    after: str = ""
    """For a gap: the last call before it that stopped or narrowed a trail."""


Count = tuple[str, str, str, int]
"""Account, Region, day, records."""


def spans(counts: Iterable[Count], stops: Sequence[Stopped] = ()) -> Iterator[Span]:
    """What is known of every account and Region, from its first day with records to the account's last."""
    by_place: dict[tuple[str, str], dict[str, int]] = {}
    heard: dict[str, set[str]] = {}
    for account, region, day, records in counts:
        by_place.setdefault((account, region), {})[day] = records
        heard.setdefault(account, set()).add(day)
    for (account, region), days in sorted(by_place.items()):
        own = [each for each in stops if each.account == account]
        yield from _of_place(account, region, days, heard[account], own)


def _of_place(
    account: str, region: str, days: Mapping[str, int], heard: set[str], stops: Sequence[Stopped]
) -> Iterator[Span]:
    is_busy = median(days.values()) >= USUAL_RECORDS
    run: list[str] = []
    state = ""
    for day in _days(min(days), max(heard)):
        found = _state(day, days, heard, is_busy=is_busy)
        if found != state and run:
            yield _span(account, region, state, run, days, stops)
            run = []
        state = found
        run.append(day)
    yield _span(account, region, state, run, days, stops)


def _state(day: str, days: Mapping[str, int], heard: set[str], *, is_busy: bool) -> str:
    if day in days:
        return RECORDS
    return QUIET if day in heard and not is_busy else GAP


def _span(
    account: str, region: str, state: str, run: Sequence[str], days: Mapping[str, int], stops: Sequence[Stopped]
) -> Span:
    earlier = [each for each in stops if each.time[:10] <= run[0]]
    after = str(earlier[-1]) if state == GAP and earlier else ""
    return Span(account, region, state, run[0], run[-1], len(run), sum(days.get(day, 0) for day in run), after)


def _days(first: str, last: str) -> Iterator[str]:
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    while day <= end:
        yield day.isoformat()
        day += timedelta(days=1)
