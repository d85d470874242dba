"""A trail as delivery holds it at one position of the journal, and what a change of it means to files and digests.

It is kept on the shelf with delivery's cursor, so that who reads the journal again from there knows the trails as they
were then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from trailstate.stores.interface import OutboxRow, ShelfKey
from trailstate.trail import chain
from trailstate.trail.trails import Trail, trail_key, trail_of
from trailstate.trail.window import Lane

KEPT = "trail.delivery"
"""The state of each trail at the durable cursor, under the trail's name."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A trail at one position of the journal."""

    trail: Trail | None
    opening: int
    """The number of its digest chains at home: it goes up each time logging begins."""
    further: int
    """Of those in other Regions: it goes up too when the trail comes to be of many Regions while it is logging."""
    since: datetime
    """When logging began."""

    @property
    def is_chained(self) -> bool:
        """Whether its files go into digests."""
        return self.is_logging and bool(self.trail and self.trail.document.get("LogFileValidationEnabled"))

    @property
    def is_logging(self) -> bool:
        return self.trail is not None and self.trail.is_logging

    @property
    def is_everywhere(self) -> bool:
        """Whether there are digests outside its home Region."""
        return self.is_chained and bool(self.trail and self.trail.document["IsMultiRegionTrail"])

    @property
    def openings(self) -> Sequence[int]:
        return tuple(dict.fromkeys((self.opening, self.further)))


def kept_after(before: Kept, trail: Trail | None, time: datetime) -> Kept:
    """The state after a change; chains of digests begin when the trail begins to log with validation, and in further
    Regions when it comes to be of many."""
    after = replace(before, trail=trail)
    begun = max(before.openings) + 1
    if after.is_chained and not before.is_chained:
        return Kept(trail, begun, begun, time)
    return replace(after, further=begun) if after.is_everywhere and not before.is_everywhere else after


def beginnings(kept: Kept, regions: Sequence[str]) -> list[Lane]:
    """Where a trail's own account has digests whether or not anything happens there: at home and, if the trail is of
    many Regions, in each of `regions`."""
    trail = kept.trail
    if trail is None or not kept.is_chained:
        return []
    further = regions if trail.document["IsMultiRegionTrail"] else ()
    return [lane_of(trail, kept, trail.account, region) for region in dict.fromkeys((trail.home_region, *further))]


def news(before: Kept, after: Kept, event_id: str, time: datetime, began: Sequence[Lane]) -> list[OutboxRow]:
    """What a change means to the trail's digest chains; `began`: those that begin with it."""
    if before.trail is None or not before.is_chained:
        return [chain.opened(lane, after.since, time) for lane in began]
    arn, home = before.trail.arn, before.trail.home_region
    if after.trail is None or not after.is_chained:
        return [chain.closed(arn, number, time, event_id) for number in before.openings]
    rows = [chain.opened(lane, after.since, time) for lane in began]
    if before.is_everywhere and not after.is_everywhere:
        rows.append(chain.closed(arn, before.further, time, event_id, besides=home))
    if place_of(before.trail) != place_of(after.trail):
        lane = lane_of(after.trail, after, after.trail.account, home)
        rows += [chain.moved(replace(lane, opening=number), event_id) for number in after.openings]
    return rows


def place_of(trail: Trail) -> tuple[str, str]:
    """The bucket of a trail's files and what their keys begin with, up to the account."""
    document = trail.document
    parts = (document.get("S3KeyPrefix"), "AWSLogs", trail.organization)
    return trail.bucket, "".join(f"{part}/" for part in parts if part)


def lane_of(trail: Trail, kept: Kept, account: str, region: str) -> Lane:
    """Where a trail's files about one account and region go."""
    bucket, folder = place_of(trail)
    return Lane(
        trail=trail.arn,
        account=account,
        region=region,
        bucket=bucket,
        folder=folder,
        opening=_opening(trail, kept, region),
        kms_key=trail.document.get("KmsKeyId") or "",
        topic=trail.document.get("SnsTopicARN") or "",
    )


def _opening(trail: Trail, kept: Kept, region: str) -> int:
    if not kept.is_chained:
        return 0
    return kept.opening if region == trail.home_region else kept.further


def document_of(kept: Kept) -> dict[str, Any]:
    trail = None if kept.trail is None else kept.trail.document
    return {"Trail": trail, "Opening": kept.opening, "Further": kept.further, "Since": kept.since.isoformat()}


def kept_of(found: ShelfKey, value: dict[str, Any]) -> tuple[ShelfKey, Kept]:
    key, document = trail_key(found.account, found.region, found.name), value["Trail"]
    trail = None if document is None else trail_of(key, document)
    return key, Kept(trail, value["Opening"], value["Further"], datetime.fromisoformat(value["Since"]))
