"""A digest chain: what is known of one trail's digests about one account and region, and the news that changes it.

News stand in one queue for each trail, in order, and are committed with what they tell of: a chain is *opened* with the
first window that needs it (those of the trail's own account in the Regions that everybody has: when logging starts),
*moved* when the trail goes to another bucket, and *closed* when logging or validation stops; outside the home Region
also when the trail comes to be of that one alone. Files that stand in their bucket wait in a queue of the chain until a
digest takes them; the commit that makes the digest takes them out, so each is in exactly one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from trailstate.stores.interface import OutboxRow
from trailstate.trail.digest import Delivered, Digest, Previous
from trailstate.trail.window import Lane

CHAIN = "trail.chain"
"""A chain on the shelf, at (the trail's account, its home region, its name / account / region)."""
NEWS = "chain/"
FILES = "files/"


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened to a trail's chains."""

    kind: Literal["opened", "moved", "closed"]
    trail: str
    opening: int
    time: datetime | None = None
    """When logging began or ended."""
    first: datetime | None = None
    """When the first record came that needs the chain."""
    lane: Lane | None = None
    besides: str = ""
    """The Region whose chains it does not concern."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A log file that waits for its digest."""

    opening: int
    time: datetime
    """The end of the window that it covers."""
    file: Delivered


@dataclass(frozen=True, slots=True)
class Opening:
    """One chain of digests from the start of logging to its end, at one moment."""

    number: int
    start: datetime
    """Where the next digest's period starts."""
    grid: datetime
    """Periods end a whole number of periods after this."""
    lane: Lane
    previous: Previous | None = None
    backfill: Previous | None = None
    """The last backfill digest, while the chain is making them."""
    until: datetime | None = None
    """When logging stopped: where the last period ends."""

    def end(self, period: timedelta) -> datetime:
        """Where the next digest's period ends."""
        whole = self.grid + ((self.start - self.grid) // period + 1) * period
        return whole if self.until is None else min(whole, self.until)


_encode = msgspec.json.Encoder().encode
_news = msgspec.json.Decoder(News).decode
_filed = msgspec.json.Decoder(Filed).decode


def opened(lane: Lane, since: datetime, first: datetime) -> OutboxRow:
    """A chain is wanted; told again it is the same row."""
    news = News("opened", lane.trail, lane.opening, since, first, lane)
    return OutboxRow(f"{NEWS}{lane.trail}", f"{NEWS}{lane.chain}/{lane.opening}", _encode(news))


def moved(lane: Lane, event_id: str) -> OutboxRow:
    """All chains of the lane's trail and number go on in another place, whatever their account and region."""
    news = News("moved", lane.trail, lane.opening, lane=lane)
    return OutboxRow(f"{NEWS}{lane.trail}", f"{NEWS}{lane.trail}/{event_id}/moved/{lane.opening}", _encode(news))


def closed(trail: str, opening: int, time: datetime, event_id: str, *, besides: str = "") -> OutboxRow:
    """All chains of the trail and number end, `besides` those of one Region."""
    news = News("closed", trail, opening, time, besides=besides)
    return OutboxRow(f"{NEWS}{trail}", f"{NEWS}{trail}/{event_id}/closed/{opening}", _encode(news))


def news_of(row: OutboxRow) -> News:
    return _news(row.body)


def filed(row_id: str, lane: Lane, file: Delivered, time: datetime) -> OutboxRow:
    """A file stands in its bucket; `row_id` names its delivery."""
    return OutboxRow(f"{FILES}{lane.chain}", f"{FILES}{row_id}", _encode(Filed(lane.opening, time, file)))


def filed_of(row: OutboxRow) -> Filed:
    return _filed(row.body)


@dataclass(frozen=True, slots=True)
class Chain:
    """One account's and region's digests of one trail: usually one opening, more while an old one waits for its end."""

    openings: tuple[Opening, ...] = ()
    ended: datetime | None = None
    """Where the last finished opening ended."""

    def with_opening(self, news: News, period: timedelta) -> "Chain":
        """It begins anew, at the last whole period before the first record and never before its forerunner ends."""
        assert news.lane is not None
        assert news.time is not None
        assert news.first is not None
        if any(each.number >= news.opening for each in self.openings):
            return self
        ends = (*(each.until for each in self.openings), self.ended)
        grid = max(whole_second(news.time), *(end for end in ends if end is not None), _EARLIEST)
        start = grid + max(timedelta(0), (news.first - grid) // period * period)
        return replace(self, openings=(*self.openings, Opening(news.opening, start, grid, news.lane)))

    def with_place(self, news: News) -> "Chain":
        """It goes on in another bucket or folder; what has ended has its last digest where it was."""
        assert news.lane is not None
        bucket, folder = news.lane.bucket, news.lane.folder
        return self._going_on(
            news.opening, lambda each: replace(each, lane=replace(each.lane, bucket=bucket, folder=folder))
        )

    def with_end(self, news: News) -> "Chain":
        """Its last period ends when logging stopped, but has a second at least: digests are named by the second. What
        ended earlier, in Regions that the trail had left, stays ended."""
        assert news.time is not None
        stopped = whole_second(news.time)
        return self._going_on(
            news.opening, lambda each: replace(each, until=max(stopped, each.start + timedelta(seconds=1)))
        )

    def _with(self, number: int, change: Callable[[Opening], Opening]) -> "Chain":
        return replace(self, openings=tuple(change(each) if each.number == number else each for each in self.openings))

    def _going_on(self, number: int, change: Callable[[Opening], Opening]) -> "Chain":
        return self._with(number, lambda each: change(each) if each.until is None else each)

    def after(self, opening: Opening, digest: Digest, end: datetime, *, is_backfill: bool) -> "Chain":
        """The digest of that opening's next period is made."""
        if opening.until == end:
            return replace(self, openings=tuple(each for each in self.openings if each is not opening), ended=end)
        return self._with(
            opening.number,
            lambda each: replace(
                each,
                start=end,
                previous=each.previous if is_backfill else digest.as_previous(),
                backfill=digest.as_previous() if is_backfill else None,
            ),
        )


_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


def whole_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
