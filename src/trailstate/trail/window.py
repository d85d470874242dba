"""A window is one log file decided for good: which lines of the journal, in which bucket, under which name.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html

Everything about a delivered file follows from its window: the lines are positions of a ledger that never changes, the
minute and the sixteen characters of the name are drawn when the window is cut. A window is committed before anything is
written anywhere, so a delivery that is tried again, by this process or the next one, makes the same bytes under the
same key.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from trailstate.stores.interface import OutboxRow

FILE_BYTES_MAX = 49_000_000
"""Of a log file's text. AWS promises at most 50 MB compressed, and what gzip cannot shrink it makes hardly longer."""

TOKEN_CHARACTERS = 16
QUEUE = "delivery/"

Span = tuple[int, int]
"""First and last of consecutive positions of the journal."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Where the files about one account and region go while one trail's settings stay what they are."""

    trail: str
    """The trail's ARN."""
    account: str
    region: str
    bucket: str
    folder: str
    """What its keys begin with: `[prefix/]AWSLogs/[o-id/]`."""
    opening: int = 0
    """The number of the digest chain that its files belong to; 0 while the trail writes no digests."""
    kms_key: str = ""
    topic: str = ""
    """ARN of the SNS topic that hears of each file."""

    @property
    def chain(self) -> str:
        """The line of evidence it belongs to: this trail's about this account and region."""
        return f"{self.trail}/{self.account}/{self.region}"


@dataclass(frozen=True, slots=True)
class Window:
    """One log file to be."""

    lane: Lane
    spans: tuple[Span, ...]
    time: datetime
    """When it was cut: the end of the stretch of time that it covers."""
    token: str

    @property
    def key(self) -> str:
        """The S3 key, spelt as CloudTrail spells it."""
        lane, time = self.lane, self.time
        name = f"{lane.account}_CloudTrail_{lane.region}_{time:%Y%m%dT%H%MZ}_{self.token}.json.gz"
        return f"{lane.folder}{lane.account}/CloudTrail/{lane.region}/{time:%Y/%m/%d}/{name}"

    def row(self) -> OutboxRow:
        """The delivery it asks for: one queue for each chain, and one id for ever."""
        first = self.spans[0][0]
        return OutboxRow(f"{QUEUE}{self.lane.chain}", f"{QUEUE}{self.lane.chain}/{first}", _encode(self))


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Window).decode


def window_of(row: OutboxRow) -> Window:
    """The window in a row of the outbox."""
    return _decode(row.body)


@dataclass(slots=True)
class Gathering:
    """The positions for one lane's next files, kept as spans; a new file begins where one would grow too large."""

    files: list[list[Span]] = field(default_factory=list)
    _bytes: int = FILE_BYTES_MAX

    def add(self, position: int, size_bytes: int) -> None:
        """Positions come in ascending order."""
        self._bytes += size_bytes + 1
        if self._bytes > FILE_BYTES_MAX:
            self.files.append([(position, position)])
            self._bytes = size_bytes + 1
            return
        spans = self.files[-1]
        first, last = spans[-1]
        if last + 1 == position:
            spans[-1] = (first, position)
        else:
            spans.append((position, position))


def boundary(moment: datetime, seconds: int) -> datetime:
    """The first multiple of so many seconds after a moment: when the window that it falls into is cut."""
    elapsed = int(moment.timestamp())
    return datetime.fromtimestamp(elapsed - elapsed % seconds, UTC) + timedelta(seconds=seconds)


def positions(spans: Sequence[Span]) -> Iterator[int]:
    """Every position of the spans."""
    for first, last in spans:
        yield from range(first, last + 1)
