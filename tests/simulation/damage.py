"""Deliberate bugs, one each: what the simulation must find. Every one is a mistake that somebody could make."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.simulation.evidence import ACCOUNT, Parts
from trailstate.stores.interface import Commit, Entry, OutboxRow, ShelfChange, ShelfKey
from trailstate.trail import chain
from trailstate.trail.bucket import Buckets, Parcel, Undelivered
from trailstate.trail.chain import Chain, Opening
from trailstate.trail.delivery import Delivery
from trailstate.trail.digest import Delivered
from trailstate.trail.digester import Digester, made_of
from trailstate.trail.kept import Kept
from trailstate.trail.keys import Keys, PublicKey
from trailstate.trail.shelter import Clearing
from trailstate.trail.ship import DigestShipper, WindowShipper
from trailstate.trail.trails import CHANGE, Change, trail_of
from trailstate.trail.window import TOKEN_CHARACTERS, Lane, Window, window_of


class CursorBeforeEffect(Delivery):
    """The cursor is committed before the windows."""

    def _save(self, commit: Commit) -> None:
        self._store.commit(Commit(cursors={self.name: self._position}))
        super()._save(commit)


class EffectBeforeCursor(Delivery):
    """The windows are committed before the cursor, under names that are drawn anew."""

    def _save(self, commit: Commit) -> None:
        fresh = [replace_id(row, self._world.uuid()) for row in commit.outbox]
        self._store.commit(Commit(outbox=fresh))
        super()._save(replace(commit, outbox=()))


class CursorWithOpenWindows(Delivery):
    """The durable cursor follows every batch, though its records are only gathered."""

    def _apply(self, entries: Sequence[Entry]) -> None:
        super()._apply(entries)
        self._store.commit(Commit(cursors={self.name: self._position}))


class StateOfNow(Delivery):
    """A trail's change counts from where it is read about: the record of the stop itself is not delivered."""

    def _take(self, entry: Entry) -> None:
        for key, kept in list(self._kept.items()):
            document = self._store.get(key)
            trail = None if document is None else trail_of(key, document.value)
            self._kept[key] = replace(kept, trail=trail)
        self._watched.clear()
        super()._take(entry)


class MembersOfNow(Delivery):
    """A record goes by who belongs to the organization when it is read."""

    def _watching(self, entry: Entry) -> Any:
        self._watched.clear()
        self._membership._known = {ACCOUNT: self._membership._organizations.members(ACCOUNT)}
        return super()._watching(entry)


class NothingTakenBack(Delivery):
    """What Organizations says is taken for what it would have said when the record was made."""

    def _watching(self, entry: Entry) -> Any:
        self._membership._as_of = lambda _position, _manager, members: members  # type: ignore[method-assign]
        return super()._watching(entry)


class BeginsWithTheFirstRecord(Delivery):
    """Where nothing happens there are no digests."""

    def _began(self, before: Kept, after: Kept, key: ShelfKey) -> list[Lane]:
        return super()._began(before, after, key)[:1]


class ForgottenBeforeTaken(Delivery):
    """What a call made of a trail is removed when it is read, not with the windows that it cuts."""

    def _change(self, change: Change, event_id: str, time: datetime) -> None:
        self._store.commit(Commit(shelf=[ShelfChange(change.told, None)]))
        super()._change(change, event_id, time)


class NeverForgets(Delivery):
    """What a call made of a trail stays for ever."""

    def _save(self, commit: Commit) -> None:
        super()._save(replace(commit, shelf=[each for each in commit.shelf if each.key.kind != CHANGE]))


class ClearsTheUndelivered(Clearing):
    """The bytes of a file are taken to be needed no more while it is on its way."""

    def _needed(self) -> Iterator[str]:
        return iter(())


class ClearsOnlyOnce(Clearing):
    """What is found in the way of a removal ends it for good."""

    def run(self, now: datetime) -> None:
        self._next = now + timedelta(days=365)
        super().run(now)
        self._next = now + timedelta(days=365)


class FreshNameOnRetry(WindowShipper):
    """Each attempt draws the file's name anew."""

    def ship(self, row: OutboxRow) -> Commit:
        window = replace(window_of(row), token=self._world.token(TOKEN_CHARACTERS))
        return super().ship(OutboxRow(row.queue, row.id, window.row().body))


class ListedBeforeDelivered(WindowShipper):
    """A file is told to the digest before it stands in the bucket."""

    def ship(self, row: OutboxRow) -> Commit:
        window = window_of(row)
        if window.lane.opening:
            told = Delivered(window.lane.bucket, window.key, "0" * 64, "", "")
            self._store.commit(Commit(outbox=[chain.filed(row.id, window.lane, told, window.time)]))
        return super().ship(row)


class ToldApart(WindowShipper):
    """That the file stands is not committed together with what follows from it."""

    def _stands(self, row: OutboxRow, window: Window, file: Delivered) -> Commit:
        self._store.commit(Commit(done=[row.id]))
        return super()._stands(row, window, file)


class GivesUpAtOnce(WindowShipper):
    """A file that is refused once is not tried again."""

    def _not_yet(self, row: OutboxRow, window: Window, error: Undelivered) -> Commit:
        return Commit()


class WallClockPeriods(Digester):
    """A digest's period starts when the one before was made, not where it ended."""

    def run(self, now: datetime) -> None:
        super().run(now)
        second = now.replace(microsecond=0)
        for key, each in self._chains.items():
            later = (replace(opening, start=max(opening.start, second)) for opening in each.openings)
            self._chains[key] = replace(each, openings=tuple(later))
        self._plan(now)


class TakesAndKeeps(Digester):
    """A file that a digest took stays in the queue for the next one."""

    def _keep(self, changed: dict[Any, Chain], rows: Sequence[OutboxRow], done: Sequence[str]) -> None:
        super()._keep(changed, rows, ())


class ClosesTooEarly(Digester):
    """The last digest does not wait for the last file."""

    def _is_awaited(self, opening: Opening) -> bool:
        return False


class ForgetsTheChain(Digester):
    """After a restart the chain is not linked to what came before."""

    def forget(self) -> None:
        super().forget()
        self._chains = {
            key: replace(each, openings=tuple(replace(opening, previous=None) for opening in each.openings))
            for key, each in self._chains.items()
        }


class SignsAgain(DigestShipper):
    """What is shipped is signed at that moment: the next digest already names another signature."""

    def ship(self, row: OutboxRow) -> Commit:
        made = made_of(row)
        again = made.digest.signature[::-1]
        body = row.body.replace(made.digest.signature.encode(), again.encode())
        return super().ship(OutboxRow(row.queue, row.id, body))


class Overwrites(Buckets):
    """Any answer to a put counts as success."""

    def put(self, lane: Lane, parcel: Parcel) -> None:
        try:
            super().put(lane, parcel)
        except Undelivered:
            return


class UnlistedKeys(Keys):
    """A new key signs before its public half is listed, and a crash forgets to list it."""

    def _list(self, key: PublicKey) -> None:
        if key.start.day % 2:
            super()._list(key)

    def _is_listed(self, region: str, fingerprint: str) -> bool:
        return True


def replace_id(row: OutboxRow, fresh: str) -> OutboxRow:
    return OutboxRow(row.queue, f"{row.id}/{fresh}", row.body)


DAMAGES: Mapping[str, Parts] = {
    each.__name__: replace(Parts(), **{kind: each})
    for kind, kinds in {
        "delivery": (
            *(CursorBeforeEffect, EffectBeforeCursor, CursorWithOpenWindows, StateOfNow),
            *(ForgottenBeforeTaken, NeverForgets, MembersOfNow, NothingTakenBack, BeginsWithTheFirstRecord),
        ),
        "windows": (FreshNameOnRetry, ListedBeforeDelivered, ToldApart, GivesUpAtOnce),
        "digester": (WallClockPeriods, TakesAndKeeps, ClosesTooEarly, ForgetsTheChain),
        "digests": (SignsAgain,),
        "buckets": (Overwrites,),
        "keys": (UnlistedKeys,),
        "clearing": (ClearsTheUndelivered, ClearsOnlyOnce),
    }.items()
    for each in kinds
}
