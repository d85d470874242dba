"""What the lake holds: a log of commits, each an object of its own with the next number, so that one writer wins.

A commit names the segments it adds and takes away and the sources it read. It is put where nothing stands yet: two
importers that want the same number cannot both have it, and the one who comes second reads on and takes the next. A
reader sees a commit whole or not at all. Every `CHECKPOINT_COMMITS` commits the state so far is written down too, and a
reader begins there.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from trailstate.stores.interface import ObjectExists, Objects

PREFIX = "lake/log/"
CHECKPOINTS = "lake/checkpoint/"
CHECKPOINT_COMMITS = 100
ATTEMPTS_MAX = 1000


class Segment(msgspec.Struct, frozen=True, omit_defaults=True):
    """One sealed file of records: immutable, sorted by time."""

    key: str
    table: str
    day: str
    """Of every record in it: `2026-01-15`."""
    rows: int
    size_bytes: int
    first_time: int
    """In seconds since 1970."""
    last_time: int
    accounts: tuple[str, ...]
    sha256: str
    source: str
    """`import/<id>`, or `merged` for one that holds several imports' records."""
    index: str = ""
    """The key of its postings; empty while it has none."""
    activity: str = ""
    """The key of its activity; likewise."""


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """One commit. Either all of it holds or nothing."""

    added: tuple[Segment, ...] = ()
    removed: tuple[str, ...] = ()
    """Keys of segments that others replace."""
    sources: tuple[str, ...] = ()
    """Files that are wholly in the lake now, by what the importer knows them by."""
    time: int = 0
    """When it was made, in seconds since 1970; given where something is taken away."""
    deleted: tuple[str, ...] = ()
    """Keys taken away earlier whose objects are gone now."""


class Superseded(Exception):
    """A change rests on a segment that another writer has taken away."""


@dataclass(slots=True)
class State:
    """What all commits up to one number come to."""

    number: int = 0
    segments: dict[str, Segment] = field(default_factory=dict)
    sources: set[str] = field(default_factory=set)
    removed: dict[str, int] = field(default_factory=dict)
    """Keys of objects that nobody needs any more, and since when."""

    def apply(self, change: Change) -> None:
        """Add the next change; what it removes stays known as removed until it is deleted."""
        for key in change.removed:
            self.segments.pop(key, None)
            self.removed[key] = change.time
        for key in change.deleted:
            self.removed.pop(key, None)
        self.segments.update((each.key, each) for each in change.added)
        self.sources.update(change.sources)
        self.number += 1


class _Checkpoint(msgspec.Struct):
    number: int
    segments: list[Segment]
    sources: list[str]
    removed: dict[str, int] = {}


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Change).decode
_decode_checkpoint = msgspec.json.Decoder(_Checkpoint).decode


class Manifest:
    """The lake's list of segments. Safe from several threads and processes."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._lock = threading.Lock()
        self._state = State()

    def state(self) -> State:
        """As of the newest commit; not to be changed."""
        with self._lock:
            if self._state.number == 0:
                self._state = self._newest_checkpoint()
            self._read_on()
            return self._state

    def segments(
        self, table: str, *, accounts: Iterable[str] | None = None, first: int | None = None, last: int | None = None
    ) -> list[Segment]:
        """The segments of a table that may hold records of those accounts and seconds, in order of time."""
        wanted = None if accounts is None else set(accounts)
        found = (
            each
            for each in self.state().segments.values()
            if each.table == table
            and (first is None or each.last_time >= first)
            and (last is None or each.first_time <= last)
            and (wanted is None or not wanted.isdisjoint(each.accounts))
        )
        return sorted(found, key=lambda each: (each.first_time, each.key))

    def commit(self, change: Change, needs: Iterable[Segment] = ()) -> int:
        """Make a change durable and visible at once; its number. Superseded when a needed segment is another by now."""
        body = _encode(change)
        for _ in range(ATTEMPTS_MAX):
            state = self.state()
            number = state.number + 1
            if changed := [each.key for each in needs if state.segments.get(each.key) != each]:
                raise Superseded(f"the segment '{changed[0]}' was changed or replaced meanwhile")
            try:
                self._objects.put_if_absent(_key(PREFIX, number), body)
            except ObjectExists:
                continue
            state = self.state()
            if number % CHECKPOINT_COMMITS == 0:
                self._write_checkpoint(state)
            return number
        raise TimeoutError(f"{ATTEMPTS_MAX} other writers of the lake came first")

    def _read_on(self) -> None:
        while (body := self._objects.get(_key(PREFIX, self._state.number + 1))) is not None:
            self._state.apply(_decode(body))

    def _newest_checkpoint(self) -> State:
        found = self._objects.list(CHECKPOINTS, limit=1_000_000)
        body = self._objects.get(found[-1].key) if found else None
        if body is None:
            return State()
        kept = _decode_checkpoint(body)
        return State(kept.number, {each.key: each for each in kept.segments}, set(kept.sources), kept.removed)

    def _write_checkpoint(self, state: State) -> None:
        kept = _Checkpoint(state.number, list(state.segments.values()), sorted(state.sources), state.removed)
        try:
            self._objects.put_if_absent(_key(CHECKPOINTS, state.number), _encode(kept))
        except ObjectExists:
            return


def _key(prefix: str, number: int) -> str:
    return f"{prefix}{number:012d}"


def by_day(segments: Sequence[Segment]) -> Mapping[str, list[Segment]]:
    """Segments by the day of their records."""
    days: dict[str, list[Segment]] = {}
    for each in segments:
        days.setdefault(each.day, []).append(each)
    return days
