"""LookupEvents: the event history of the caller's own account in one region, as its API reference describes it."""

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trailstate.services.operation import operation
from trailstate.trail.archive import Attribute, Found, Place
from trailstate.trail.attributes import ATTRIBUTES, identity_of, username
from trailstate.trail.history import History, window_of
from trailstate.trail.mentions import mentions
from trailstate.values.page import InvalidToken, PageTokens
from trailstate.values.timestamp import from_epoch
from trailstate.wire.call import Call
from trailstate.wire.fault import faults
from trailstate.wire.spelling import service_unavailable, throttling

fault = faults("cloudtrail")

RESULTS_MAX = 50
INSIGHT = "insight"
VALUE_LENGTH_MAX = 2000
REQUESTS_PER_SECOND = 2.0
_BUCKETS_MAX = 10_000


@dataclass(slots=True)
class _Bucket:
    """Holds one second's requests at most, and fills evenly."""

    tokens: float
    filled: datetime

    def take(self, rate: float, now: datetime) -> bool:
        passed = max(0.0, (now - self.filled).total_seconds())
        self.tokens, self.filled = min(rate, self.tokens + passed * rate), now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class LookupLimits:
    """What bounds look-ups: their rate per account and region (None: no bound), and the key of their page tokens."""

    def __init__(self, key: bytes, requests_per_second: float | None = None) -> None:
        self.tokens = PageTokens(key)
        self._rate = requests_per_second
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._lock = threading.Lock()

    def admits(self, account: str, region: str, now: datetime) -> bool:
        """Take one request from the bucket of this account and region; False when it is empty."""
        if self._rate is None:
            return True
        with self._lock:
            if len(self._buckets) >= _BUCKETS_MAX:
                self._buckets.clear()
            bucket = self._buckets.setdefault((account, region), _Bucket(self._rate, now))
            return bucket.take(self._rate, now)


@operation("cloudtrail", judges=("LookupAttributes", "EventCategory", "MaxResults"))
def lookup_events(
    call: Call,
    history: History,
    limits: LookupLimits,
    *,
    LookupAttributes: Sequence[Mapping[str, str]] | None = None,
    StartTime: datetime | None = None,
    EndTime: datetime | None = None,
    EventCategory: str | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """Management events newest first; what was recorded before this call arrived is among them."""
    if not limits.admits(call.account, call.region, call.now):
        raise throttling("cloudtrail", call.protocol)
    attribute = _attribute(LookupAttributes or ())
    limit = _limit(MaxResults)
    if StartTime and EndTime and StartTime > EndTime:
        raise fault.InvalidTimeRangeException("The start time of the lookup must not be later than its end time.")
    if EventCategory not in (None, INSIGHT):
        raise fault.InvalidEventCategoryException(f"The event category '{EventCategory}' is not valid. Use 'insight'.")
    question = [call.account, call.region, attribute, _seconds(StartTime), _seconds(EndTime), EventCategory]
    before = None if NextToken is None else _place(limits.tokens, question, NextToken)
    if EventCategory == INSIGHT:
        return {"Events": []}  # no Insights events are made yet, so there is none to find
    if not history.catch_up():
        raise service_unavailable("cloudtrail", call.protocol, "The event history is being built anew; try again soon.")
    window = window_of(StartTime, EndTime, call.now)
    found, more = history.page(call.account, call.region, attribute, window, limit=limit, before=before)
    answer: dict[str, Any] = {"Events": [event(each) for each in found]}
    return answer | {"NextToken": limits.tokens.seal(question, found[-1].place)} if more else answer


def event(found: Found) -> dict[str, Any]:
    """A record as an item of the answer. Members without a value are left out."""
    record = found.record
    identity = identity_of(record)
    read_only = record.get("readOnly")
    members = {
        "EventId": record.get("eventID"),
        "EventName": record.get("eventName"),
        "ReadOnly": None if read_only is None else str(read_only).lower(),
        "AccessKeyId": identity.get("accessKeyId"),
        "EventTime": from_epoch(found.place.time),
        "EventSource": record.get("eventSource"),
        "Username": username(identity),
        "Resources": [{"ResourceType": kind, "ResourceName": name} for kind, name in mentions(record)],
        "CloudTrailEvent": found.body.decode(),
    }
    return {name: value for name, value in members.items() if value is not None}


def _attribute(given: Sequence[Mapping[str, str]]) -> Attribute | None:
    if not given:
        return None
    if len(given) > 1:
        raise fault.InvalidLookupAttributesException(
            f"You can specify only one lookup attribute; the request has {len(given)}."
        )
    key, value = given[0].get("AttributeKey"), given[0].get("AttributeValue")
    if key not in ATTRIBUTES:
        raise fault.InvalidLookupAttributesException("Lookup attribute key is not valid.")
    if not value or len(value) > VALUE_LENGTH_MAX:
        raise fault.InvalidLookupAttributesException("Lookup attribute value is not valid.")
    return key, value


def _limit(asked: int | None) -> int:
    if asked is not None and not 1 <= asked <= RESULTS_MAX:
        raise fault.InvalidMaxResultsException(
            f"A max results value of {asked} is invalid. Specify max results between 1 and {RESULTS_MAX}."
        )
    return asked or RESULTS_MAX


def _place(tokens: PageTokens, question: object, token: str) -> Place:
    try:
        return Place._make(tokens.open(question, token))
    except (InvalidToken, TypeError) as error:
        raise fault.InvalidNextTokenException(
            "The token is not valid, or the request has other parameters than the one that returned it."
        ) from error


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else math.floor(moment.timestamp() * 1000) / 1000
