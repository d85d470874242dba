"""The store on the disk against the store in memory, at random: whatever is done to both, both answer the same."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from trailstate.stores.interface import (
    CONFIGURATION,
    JOURNAL,
    Append,
    Commit,
    Intent,
    OutboxRow,
    ShelfChange,
    ShelfKey,
    Store,
    VersionConflict,
)
from trailstate.stores.memory import MemoryStore
from trailstate.stores.sqlite import SqliteStore
from trailstate.world import SimulatedWorld

ACCOUNT = "111122223333"
WORLD = SimulatedWorld()
LEDGERS = (JOURNAL, CONFIGURATION)

few_names = st.sampled_from(["a", "b", "é", "a\x00", ""])
regions = st.sampled_from(["us-east-1", "eu-west-1"])
keys = st.builds(ShelfKey, st.just(ACCOUNT), regions, st.just("trail"), few_names)
values = st.dictionaries(few_names, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | few_names, max_size=2)
commits = st.builds(
    Commit,
    appends=st.lists(st.builds(Append, st.sampled_from(LEDGERS), st.just(ACCOUNT), regions, st.binary(max_size=9))),
    shelf=st.lists(
        st.builds(ShelfChange, keys, st.none() | values, st.none() | st.integers(0, 2)),
        max_size=3,
    ),
    intents=st.lists(st.builds(Intent, few_names, st.just(WORLD.now()), st.just(ACCOUNT), regions, st.binary())),
    settled=st.lists(few_names),
    outbox=st.lists(st.builds(OutboxRow, st.sampled_from(["mail", "bus"]), few_names, st.binary(max_size=3))),
    done=st.lists(few_names, max_size=1),
    cursors=st.dictionaries(few_names, st.integers(0, 2**63 - 1), max_size=2),
)


class SqliteAgainstMemory(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.place = tempfile.TemporaryDirectory()
        self.memory = MemoryStore(WORLD)
        self.disk = SqliteStore(Path(self.place.name), WORLD)

    def teardown(self) -> None:
        self.disk.close()
        self.place.cleanup()

    @rule(commit=commits)
    def commit(self, commit: Commit) -> None:
        assert attempt(self.disk, commit) == attempt(self.memory, commit)

    @rule()
    def restart(self) -> None:
        self.disk.close()
        self.disk = SqliteStore(Path(self.place.name), WORLD)

    @rule()
    def erase(self) -> None:
        self.disk.erase()
        self.memory.erase()

    @invariant()
    def both_hold_the_same(self) -> None:
        assert contents(self.disk) == contents(self.memory)


def attempt(store: Store, commit: Commit) -> list[int] | str:
    try:
        return store.commit(commit)
    except VersionConflict as conflict:
        return str(conflict)


def contents(store: Store) -> dict[str, Any]:
    return {
        "ledgers": [(store.head(each), store.read(each, 0, 1000)) for each in LEDGERS],
        "shelf": list(store.documents(ACCOUNT, None, "trail")),
        "all shelves": list(store.documents(None, None, "trail")),
        "queues": store.queues(""),
        "intents": store.intents(),
        "outbox": [store.outbox(queue, 100) for queue in ("mail", "bus")],
        "cursors": [store.cursor(name) for name in ("a", "b", "é", "a\x00", "")],
    }


TestSqliteAgainstMemory = SqliteAgainstMemory.TestCase
TestSqliteAgainstMemory.settings = settings(max_examples=25, stateful_step_count=15, deadline=None, database=None)
