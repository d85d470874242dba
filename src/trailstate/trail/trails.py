"""What a trail is: where its document stands, whose events it covers, what it selects, and how it came to be so.

Follows the CloudTrail user guide (trails of one region, multi-region trails, organization trails) and GetTrail.

A trail is one Shelf document, kind `trail.trail`, at (owner account, home region, name). It holds GetTrail's members
and

- `EventSelectors` or `AdvancedEventSelectors`, as GetEventSelectors answers them;
- `IsLogging`, `StartLoggingTime`, `StopLoggingTime` (epoch seconds);
- `Creation`, the event id of the call that made it;
- `Generation`, one more with each StartLogging: a new digest chain begins;
- `OrganizationId` when it is an organization trail.

Whoever follows the journal must know the state that held *at a position*. So the commit that changes a trail, which is
also the commit of that call's record, holds a document of kind `trail.change` at (account, region, event id) of that
record: the trail's key and its document after the call, None once it is deleted. A follower that meets a mutating
record of cloudtrail.amazonaws.com asks `change_of`: what stands there holds for every record after it. The record
itself still falls under the state before, so that the call that stops a trail is the last thing it delivers. Delivery,
whom these documents are for, removes each in the commit by which it has taken it in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from trailstate.stores.interface import ShelfKey, Store
from trailstate.trail.category import GLOBAL_REGION, is_global_source
from trailstate.trail.selectors import Record, Selects, compile_selectors

TRAIL = "trail.trail"
STATUS = "trail.status"
"""What delivery tells of a trail: GetTrailStatus's Latest… members (times as epoch seconds), under the trail's name."""
CHANGE = "trail.change"
VERSION_KEY = ShelfKey("", "", "trail.version", "trails")
"""Counts the changes of all trails, so that who remembers them sees in one look whether to read them again."""

SERVICE = "cloudtrail.amazonaws.com"
DEFAULT_SELECTORS: tuple[Mapping[str, Any], ...] = (
    {
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "DataResources": [],
        "ExcludeManagementEventSources": [],
    },
)
"""What GetEventSelectors answers for a trail whose selectors nobody changed."""

Document = Mapping[str, Any]
IsMember = Callable[[str, str], bool]
"""Whether an account (second) belongs to the organization that another (first) manages: `Organizations.is_member`."""


@dataclass(frozen=True, slots=True)
class Trail:
    """A trail's document with its selectors compiled."""

    key: ShelfKey
    document: Document
    selects: Selects

    @property
    def account(self) -> str:
        return self.key.account

    @property
    def home_region(self) -> str:
        return self.key.region

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def arn(self) -> str:
        return str(self.document["TrailARN"])

    @property
    def bucket(self) -> str:
        return str(self.document["S3BucketName"])

    @property
    def is_logging(self) -> bool:
        return bool(self.document["IsLogging"])

    @property
    def generation(self) -> int:
        return int(self.document["Generation"])

    @property
    def organization(self) -> str | None:
        """The organization's id, when this is an organization trail."""
        return self.document.get("OrganizationId") if self.document["IsOrganizationTrail"] else None


@dataclass(frozen=True, slots=True)
class Change:
    """What a call made of a trail: its state from the next record on, or None when it is no more."""

    told: ShelfKey
    """Where the change stands."""
    key: ShelfKey
    """The trail's."""
    trail: Trail | None


def trail_key(account: str, region: str, name: str) -> ShelfKey:
    return ShelfKey(account, region, TRAIL, name)


def trail_of(key: ShelfKey, document: Document) -> Trail:
    """The trail that a document describes."""
    selectors = (document.get("EventSelectors"), document.get("AdvancedEventSelectors"))
    return Trail(key, document, _compiled(msgspec.json.encode(selectors)))


@lru_cache(maxsize=1024)
def _compiled(selectors: bytes) -> Selects:
    basic, advanced = msgspec.json.decode(selectors)
    return compile_selectors(basic, advanced)


def trails(store: Store) -> list[Trail]:
    """Every trail of every account, as it is now."""
    return [trail_of(key, document.value) for key, document in store.documents(None, None, TRAIL)]


def change_document(key: ShelfKey, document: Document | None) -> dict[str, Any]:
    """What to put at `change_key` of the call, in the commit that changes the trail."""
    return {"Account": key.account, "Region": key.region, "Name": key.name, "Trail": document}


def change_key(account: str, region: str, event_id: str) -> ShelfKey:
    return ShelfKey(account, region, CHANGE, event_id)


def changes_trails(record: Record) -> bool:
    """Whether a record may have changed a trail, so that it is worth asking `change_of`."""
    return record.get("eventSource") == SERVICE and not record.get("readOnly") and "errorCode" not in record


def change_of(store: Store, record: Record) -> Change | None:
    """What the call behind a record changed of a trail."""
    told = change_key(record["recipientAccountId"], record["awsRegion"], record["eventID"])
    found = store.get(told)
    if found is None:
        return None
    key = trail_key(found.value["Account"], found.value["Region"], found.value["Name"])
    document = found.value["Trail"]
    return Change(told, key, None if document is None else trail_of(key, document))


# ---- what a trail delivers ----


def _nobody(_manager: str, _account: str) -> bool:
    return False


def covers(trail: Trail, account: str, region: str, is_member: IsMember = _nobody) -> bool:
    """Whether the trail takes events of that account in that region at all, whatever it selects."""
    if not trail.document["IsMultiRegionTrail"] and region != trail.home_region:
        return False
    if account == trail.account:
        return True
    return trail.organization is not None and is_member(trail.account, account)


def selected(trail: Trail, record: Record) -> bool:
    """Whether the trail takes this record of an account and region that it covers."""
    return trail.selects(record) and not _global_and_unwanted(trail, record) and not _own_delivery(trail, record)


def _global_and_unwanted(trail: Trail, record: Record) -> bool:
    if trail.document["IncludeGlobalServiceEvents"] or record["awsRegion"] != GLOBAL_REGION:
        return False
    return is_global_source(record["eventSource"])


def _own_delivery(trail: Trail, record: Record) -> bool:
    """CloudTrail's own calls that bring the trail's files to its bucket: they would cause further files, for ever."""
    if (record.get("userIdentity") or {}).get("invokedBy") != SERVICE:
        return False
    bucket = f"arn:aws:s3:::{trail.bucket}"
    return any(resource.get("ARN") == bucket for resource in record.get("resources") or ())
