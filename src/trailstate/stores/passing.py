"""The store beside a simulated estate: an intent needs to outlive this process alone, for its effect does not either.

The simulator's process ends with the server's, and what it holds with it. So an intent that is committed alone goes
into a slot (`slots`) and waits for no disk; everything else, and what finds no slot, is as durable as in `SqliteStore`.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from trailstate.stores.interface import JOURNAL, Commit, Intent
from trailstate.stores.slots import Left, Slots
from trailstate.stores.sqlite import SqliteStore
from trailstate.world import World

LINES_READ = 500


class PassingStore(SqliteStore):
    """A `SqliteStore` whose intents pass with the machine, while `passes`; an earlier process's are found anyhow."""

    def __init__(self, directory: Path, world: World, *, passes: bool = True) -> None:
        super().__init__(directory, world)
        self._passes = passes
        try:
            self._slots = Slots(directory)
        except BaseException:
            super().close()
            raise

    def commit(self, commit: Commit) -> list[int]:
        if self._passes and self._kept_in_slot(commit):
            return []
        here = [each for each in commit.settled if self._slots.holds(each)]
        if here:
            commit = replace(commit, settled=[each for each in commit.settled if each not in here])
        if commit.intents:
            commit = replace(commit, intents=[each for each in commit.intents if not self._slots.holds(each.id)])
        positions = super().commit(commit)
        for each in here:
            self._slots.settle(each)
        return positions

    def erase(self) -> None:
        super().erase()
        self._slots.clear()

    def intents(self) -> list[Intent]:
        """In the order of their making, the durable ones first."""
        durable = super().intents()
        kept = {each.id for each in durable}
        left = [each for each in self._slots.left() if each.intent.id not in kept]
        recorded = self._recorded(left)
        for each in recorded:
            self._slots.settle(each)
        return [*durable, *(each.intent for each in left if each.intent.id not in recorded)]

    def close(self) -> None:
        super().close()
        self._slots.close()

    def _kept_in_slot(self, commit: Commit) -> bool:
        """Not while nothing can be written: what follows the intent would take effect and have no record."""
        if len(commit.intents) != 1 or not self.writes or _has_more(commit):
            return False
        return self._slots.keep(commit.intents[0], self.head(JOURNAL))

    def _recorded(self, left: Sequence[Left]) -> set[str]:
        """Those that the journal names: a process may have died after a record was durable, and before its slot was
        empty."""
        named: set[str] = set()
        after = min((each.after for each in left), default=0)
        while left and (lines := self.read(JOURNAL, after, LINES_READ)):
            named |= {each.intent.id for each in left for line in lines if each.intent.id.encode() in line.body}
            after = lines[-1].position
        return named


def _has_more(commit: Commit) -> bool:
    """Whether anything beside intents is in it."""
    return bool(commit.appends or commit.shelf or commit.settled or commit.outbox or commit.done or commit.cursors)
