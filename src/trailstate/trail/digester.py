"""Every period ends in a digest, also an empty one: made by the clock, and durable before it is shipped.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html

A digest takes the files that wait for it; the commit that makes it holds its text, its signature and the chain's next
link, and takes those files out of the queue. Periods follow one another without gap or overlap, whatever the clock does
meanwhile: a clock set back makes a period longer, never another one. A digest waits for the files of its period that
are on their way, but not for those that were tried and refused: a file that arrives late is taken by the next digest.
When logging stops, the last period ends at that moment, and its digest is made once the last file stands in its bucket.

A digest that is made more than a week after its period ended (the server stood still) is a *backfill* digest, as AWS
calls them: of a chain of its own, under a name of its own, and signed with the key of the day when it is made: that is
where verifiers look for it. The chain proper goes on after it.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from trailstate.stores.interface import Commit, OutboxRow, ShelfChange, ShelfKey, Store
from trailstate.trail import digest
from trailstate.trail.chain import CHAIN, FILES, NEWS, Chain, Filed, News, Opening, filed_of, news_of
from trailstate.trail.digest import Digest
from trailstate.trail.keys import Keys
from trailstate.trail.logfile import pack
from trailstate.trail.window import QUEUE, Lane, window_of

SHIPPED = "digest/"
BACKFILL_AFTER = timedelta(days=7)

NEWS_AT_ONCE = 500
COMMIT_DIGESTS_MAX = 200
FILES_MAX = 100_000
WAITING_LOOKS_MAX = 50
"""How many waiting chains are looked at, each time somebody asks what is due."""
AWAITED_MAX = 1000
"""Of the files on their way, how many are looked at for one of the opening; they go in order."""

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Made:
    """A digest to be shipped, and whose it is."""

    lane: Lane
    digest: Digest
    end: datetime
    """Where its period ends."""
    body: bytes
    """Compressed, as it is delivered."""


_encode = msgspec.json.Encoder().encode
_made = msgspec.json.Decoder(Made).decode


def made_of(row: OutboxRow) -> Made:
    return _made(row.body)


def chain_key(lane: Lane) -> ShelfKey:
    """Where the chain of a lane stands."""
    arn, _, name = lane.trail.partition("/")
    _, _, _, region, account, _ = arn.split(":")
    return ShelfKey(account, region, CHAIN, f"{name}/{lane.account}/{lane.region}")


class Digester:
    """The timer that makes digests."""

    name = "digests"

    def __init__(
        self,
        store: Store,
        keys: Keys,
        period_seconds: int,
        cut: Callable[[datetime], None],
        is_refused: Callable[[str], bool],
    ) -> None:
        """`cut` makes windows of all that ended by a moment; `is_refused` tells whether what a queue brings was tried
        and not taken."""
        self._store = store
        self._keys = keys
        self._cut = cut
        self._is_refused = is_refused
        self._period = timedelta(seconds=period_seconds)
        self.forget()

    def forget(self) -> None:
        """Begin again from what is durable."""
        self._chains = {
            key: msgspec.convert(document.value, Chain) for key, document in self._store.documents(None, None, CHAIN)
        }
        self._plan(AT_ONCE)

    def due(self) -> datetime | None:
        if self._store.queues(NEWS) or self._may_go_on():
            return AT_ONCE
        return self._next

    def run(self, now: datetime) -> None:
        self._cut(now)
        try:
            self._take_news()
            self._make_due(now)
        except BaseException:
            self.forget()
            raise
        self._plan(now)

    def _plan(self, now: datetime) -> None:
        """When the next period ends, and which chains wait for files of one that has ended."""
        ends = [(each.end(self._period), each) for chain in self._chains.values() for each in chain.openings]
        self._next = min((end for end, _ in ends if end > now), default=None)
        self._waiting = deque(each for end, each in ends if end <= now)

    def _may_go_on(self) -> bool:
        for _ in range(min(len(self._waiting), WAITING_LOOKS_MAX)):
            if not self._is_awaited(self._waiting[0]):
                return True
            self._waiting.rotate(-1)
        return False

    def _is_last(self, opening: Opening) -> bool:
        return opening.until is not None and opening.end(self._period) == opening.until

    def _is_awaited(self, opening: Opening) -> bool:
        """Whether a file that belongs into the opening's next digest is still on its way."""
        queue, end, is_last = f"{QUEUE}{opening.lane.chain}", opening.end(self._period), self._is_last(opening)
        if self._is_refused(queue) and not is_last:
            return False
        windows = (window_of(row) for row in self._store.outbox(queue, AWAITED_MAX))
        return any(each.lane.opening == opening.number and (is_last or each.time <= end) for each in windows)

    # News.

    def _take_news(self) -> None:
        for queue in self._store.queues(NEWS):
            while rows := self._store.outbox(queue, NEWS_AT_ONCE):
                changed: dict[ShelfKey, Chain] = {}
                for row in rows:
                    changed.update(self._told(news_of(row), changed))
                self._store.commit(Commit(shelf=_documents(changed), done=[row.id for row in rows]))
                self._chains.update(changed)

    def _told(self, news: News, changed: dict[ShelfKey, Chain]) -> dict[ShelfKey, Chain]:
        chains = self._chains | changed
        if news.kind == "opened":
            assert news.lane is not None
            key = chain_key(news.lane)
            return {key: chains.get(key, Chain()).with_opening(news, self._period)}
        concerned = {
            key: each for key, each in chains.items() if any(_is_of(news, opening) for opening in each.openings)
        }
        if news.kind == "moved":
            return {key: each.with_place(news) for key, each in concerned.items()}
        return {key: each.with_end(news) for key, each in concerned.items()}

    # Digests.

    def _make_due(self, now: datetime) -> None:
        rows: list[OutboxRow] = []
        done: list[str] = []
        changed: dict[ShelfKey, Chain] = {}
        for key, chain in list(self._chains.items()):
            for after, made, taken in self._digests(chain, now):
                changed[key] = after
                rows.append(made)
                done += taken
                if len(rows) >= COMMIT_DIGESTS_MAX:
                    self._keep(changed, rows, done)
                    rows, done, changed = [], [], {}
        if rows:
            self._keep(changed, rows, done)

    def _keep(self, changed: dict[ShelfKey, Chain], rows: Sequence[OutboxRow], done: Sequence[str]) -> None:
        self._store.commit(Commit(shelf=_documents(changed), outbox=rows, done=done))
        self._chains.update(changed)

    def _digests(self, chain: Chain, now: datetime) -> Iterator[tuple[Chain, OutboxRow, list[str]]]:
        """Every digest of a chain that is due: the chain after it, its row, and the rows of the files it took."""
        waiting: dict[str, Filed] | None = None
        while (opening := self._due_opening(chain, now)) is not None:
            if waiting is None:
                rows = self._store.outbox(f"{FILES}{opening.lane.chain}", FILES_MAX)
                waiting = {row.id: filed_of(row) for row in rows}
            end = opening.end(self._period)
            taken = [row_id for row_id, each in waiting.items() if self._takes(opening, end, each)]
            is_late = now - end > BACKFILL_AFTER
            made = digest.make(
                opening.lane,
                opening.start,
                end,
                [waiting.pop(row_id).file for row_id in taken],
                opening.backfill if is_late else opening.previous,
                self._keys.signer(opening.lane.region, now if is_late else end),
                backfilled=now if is_late else None,
            )
            chain = chain.after(opening, made, end, is_backfill=is_late)
            yield chain, _row(Made(opening.lane, made, end, pack(made.text.encode()))), taken

    def _due_opening(self, chain: Chain, now: datetime) -> Opening | None:
        for opening in chain.openings:
            if opening.end(self._period) <= now and not self._is_awaited(opening):
                return opening
        return None

    def _takes(self, opening: Opening, end: datetime, filed: Filed) -> bool:
        return filed.opening == opening.number and (self._is_last(opening) or filed.time <= end)


def _is_of(news: News, opening: Opening) -> bool:
    lane = opening.lane
    return news.opening == opening.number and lane.trail == news.trail and lane.region != news.besides


def _row(made: Made) -> OutboxRow:
    digest = made.digest
    return OutboxRow(f"{SHIPPED}{made.lane.chain}", f"{SHIPPED}{digest.bucket}/{digest.key}", _encode(made))


def _documents(changed: dict[ShelfKey, Chain]) -> list[ShelfChange]:
    return [
        ShelfChange(key, msgspec.to_builtins(each) if each.openings or each.ended else None)
        for key, each in changed.items()
    ]
