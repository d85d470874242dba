"""A digest chain's openings: where they end, and that an end stays where it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from trailstate.trail import chain
from trailstate.trail.chain import Chain
from trailstate.trail.window import Lane

ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/all"
LANE = Lane(ARN, "111122223333", "eu-west-1", "evidence", "AWSLogs/", opening=1)
START = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def begun() -> Chain:
    return Chain().with_opening(chain.news_of(chain.opened(LANE, START, START)), HOUR)


def ended(at: datetime, made: Chain) -> Chain:
    """The trail has left the Region, and then logging stops everywhere: chains of one number end at both."""
    return made.with_end(chain.news_of(chain.closed(ARN, 1, at, f"{at}", besides="us-east-1")))


def test_an_end_is_not_put_off_by_a_later_one() -> None:
    """Its last digest may wait for a file until then, and another opening has begun meanwhile."""
    twice = ended(START + 9 * HOUR, ended(START + HOUR, begun()))

    assert [each.until for each in twice.openings] == [START + HOUR]


def test_what_has_ended_keeps_its_place() -> None:
    moved = chain.news_of(chain.moved(replace(LANE, bucket="evidence-2"), "event"))

    assert [each.lane.bucket for each in begun().with_place(moved).openings] == ["evidence-2"]
    assert [each.lane.bucket for each in ended(START + HOUR, begun()).with_place(moved).openings] == ["evidence"]
