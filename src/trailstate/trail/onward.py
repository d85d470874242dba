"""What leaves the trail besides its files: CloudWatch Logs, EventBridge and the SNS message of each delivery.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/send-cloudtrail-events-to-cloudwatch-logs.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/configure-sns-notifications-for-cloudtrail.html

Records travel as positions of the journal, in rows of the outbox that are one request each. EventBridge hears of an
account's and region's events while a trail logs there, once however many trails do: of management events that change
something (and of the few reads of STS that AWS sends), of the other reads where a rule asks for them, and of data
events that a trail selects. Where no rule waits for any event, nothing is sent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import msgspec

from trailstate.stores.interface import Entry, OutboxRow
from trailstate.trail.window import Lane, Span

LOGS = "trail-logs/"
EVENTS = "trail-events/"
NOTICES = "trail-notice/"

RECORD_BYTES_MAX = 256 * 1024
"""Neither CloudWatch Logs nor EventBridge is sent a larger record."""

LOG_ROW_RECORDS_MAX = 1000
LOG_ROW_BYTES_MAX = 1_000_000
LOG_RECORD_OVERHEAD_BYTES = 26
EVENT_ROW_RECORDS_MAX = 10
EVENT_ROW_BYTES_MAX = 250_000
EVENT_OVERHEAD_BYTES = 200

DETAIL_TYPES = {
    "AwsApiCall": "AWS API Call via CloudTrail",
    "AwsConsoleSignIn": "AWS Console Sign In via CloudTrail",
    "AwsConsoleAction": "AWS Console Action via CloudTrail",
    "AwsServiceEvent": "AWS Service Event via CloudTrail",
    "AwsCloudTrailInsight": "AWS Insight via CloudTrail",
}
"""The record's eventType and the event's detail-type. Network activity events are not sent."""

STS_READS_SENT = frozenset(
    {"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "GetFederationToken", "GetSessionToken"}
)
"""Operations whose records say that they only read, and which EventBridge takes for changes."""

_encode = msgspec.json.Encoder().encode


class Hearing(IntEnum):
    """What the rules of a default bus can hear of."""

    NOTHING = 0
    CHANGES = 1
    READS = 2
    """Changes and read-only management events."""


@dataclass(frozen=True, slots=True)
class ToLogs:
    """Records for a log stream."""

    trail: str
    account: str
    region: str
    group: str
    """The log group's ARN."""
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class ToBus:
    """Records for the default bus of an account and region."""

    account: str
    region: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class ToTopic:
    """A delivered file, for the trail's topic."""

    trail: str
    topic: str
    bucket: str
    key: str


@dataclass(slots=True)
class _Batch:
    """Positions that fill rows, each within a number of records and bytes."""

    records_max: int
    bytes_max: int
    rows: list[list[Span]] = field(default_factory=list)
    _records: int = 0
    _bytes: int = 0

    def add(self, position: int, size_bytes: int) -> None:
        self._records += 1
        self._bytes += size_bytes
        if not self.rows or self._records > self.records_max or self._bytes > self.bytes_max:
            self.rows.append([(position, position)])
            self._records, self._bytes = 1, size_bytes
            return
        spans = self.rows[-1]
        if spans[-1][1] + 1 == position:
            spans[-1] = (spans[-1][0], position)
        else:
            spans.append((position, position))


class Onward:
    """Gathers what goes onward from a batch of the journal. What stands up to `sent` has gone already."""

    def __init__(self, sent: int) -> None:
        self._sent = sent
        self._logs: dict[tuple[str, str, str, str], _Batch] = {}
        self._events: dict[tuple[str, str], _Batch] = {}

    def __bool__(self) -> bool:
        return bool(self._logs or self._events)

    def log(self, lane: Lane, group: str | None, position: int, size_bytes: int) -> None:
        """A record that the lane's trail selects; `group` is the trail's log group, if it has one."""
        if group and position > self._sent and size_bytes <= RECORD_BYTES_MAX:
            place = (lane.trail, lane.account, lane.region, group)
            batch = self._logs.setdefault(place, _Batch(LOG_ROW_RECORDS_MAX, LOG_ROW_BYTES_MAX))
            batch.add(position, size_bytes + LOG_RECORD_OVERHEAD_BYTES)

    def event(self, entry: Entry, record: Mapping[str, Any], hearing: Hearing, *, is_selected: bool) -> None:
        """A record of an account and region in which a trail logs; `hearing`: what is heard there."""
        is_new = entry.position > self._sent and len(entry.body) <= RECORD_BYTES_MAX
        if is_new and is_sent(record, hearing, is_selected=is_selected):
            batch = self._events.setdefault(
                (entry.account, entry.region), _Batch(EVENT_ROW_RECORDS_MAX, EVENT_ROW_BYTES_MAX)
            )
            batch.add(entry.position, len(entry.body) + EVENT_OVERHEAD_BYTES)

    def rows(self) -> list[OutboxRow]:
        """What was gathered, as rows; nothing is gathered afterwards."""
        rows = [*self._log_rows(), *self._event_rows()]
        self._logs, self._events = {}, {}
        return rows

    def _log_rows(self) -> Iterator[OutboxRow]:
        for (trail, account, region, group), batch in self._logs.items():
            queue = f"{LOGS}{trail}/{account}/{region}"
            for spans in batch.rows:
                body = _encode(ToLogs(trail, account, region, group, tuple(spans)))
                yield OutboxRow(queue, f"{queue}/{spans[0][0]}", body)

    def _event_rows(self) -> Iterator[OutboxRow]:
        for (account, region), batch in self._events.items():
            queue = f"{EVENTS}{account}/{region}"
            for spans in batch.rows:
                yield OutboxRow(queue, f"{queue}/{spans[0][0]}", _encode(ToBus(account, region, tuple(spans))))


def is_sent(record: Mapping[str, Any], hearing: Hearing, *, is_selected: bool) -> bool:
    """Whether EventBridge hears of a record where a trail logs."""
    if hearing is Hearing.NOTHING or record.get("eventType") not in DETAIL_TYPES:
        return False
    if record.get("eventCategory", "Management") != "Management":
        return is_selected
    return hearing is Hearing.READS or not is_quiet(record)


def is_quiet(record: Mapping[str, Any]) -> bool:
    """Whether it is a read-only management event, of which those rules alone hear that ask for all of them."""
    if not record.get("readOnly") or record.get("eventCategory", "Management") != "Management":
        return False
    return record["eventSource"] != "sts.amazonaws.com" or record["eventName"] not in STS_READS_SENT


def notice(row_id: str, lane: Lane, key: str) -> OutboxRow:
    """The message that a file was delivered; `row_id` names its delivery."""
    body = _encode(ToTopic(lane.trail, lane.topic, lane.bucket, key))
    return OutboxRow(f"{NOTICES}{lane.trail}", f"{NOTICES}{row_id}", body)
