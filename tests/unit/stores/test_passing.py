"""Intents that pass with the machine: kept without waiting for the disk, found after the process was killed."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trailstate.stores.interface import JOURNAL, Append, Commit, Intent, StoreUnavailable
from trailstate.stores.passing import PassingStore
from trailstate.stores.slots import HEAD, SLOT_BYTES, SLOTS, Slots
from trailstate.stores.sqlite import SqliteStore
from trailstate.world import SimulatedWorld

ACCOUNT, REGION = "111122223333", "eu-central-1"
NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def an_intent(name: str, body: bytes = b"{}") -> Intent:
    return Intent(name, NOON, ACCOUNT, REGION, body)


def its_record(name: str) -> Append:
    return Append(JOURNAL, ACCOUNT, REGION, f'{{"eventID":"{name}"}}'.encode())


def opened(directory: Path) -> PassingStore:
    return PassingStore(directory, SimulatedWorld())


def names(store: PassingStore) -> list[str]:
    return [each.id for each in store.intents()]


DIES = """
import os, signal, sys
from pathlib import Path
from tests.unit.stores.test_passing import an_intent, its_record, opened
from trailstate.stores.interface import Commit
from trailstate.stores.sqlite import SqliteStore

store = opened(Path(sys.argv[1]))
for name in ("answered", "cut off", "recorded"):
    store.commit(Commit(intents=[an_intent(name)]))
store.commit(Commit([its_record("answered")], settled=["answered"]))
SqliteStore.commit(store, Commit([its_record("recorded")]))  # as far as the disk, and not yet as far as the slot
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_the_intents_that_have_no_record(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DIES, str(tmp_path)]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, check=False)
    assert done.returncode == -signal.SIGKILL

    store = opened(tmp_path)
    assert store.intents() == [an_intent("cut off")]
    store.commit(Commit([its_record("cut off")], settled=["cut off"]))
    store.close()
    again = opened(tmp_path)
    assert names(again) == []
    again.close()


def test_such_an_intent_touches_no_database(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.commit(Commit(intents=[an_intent("one")]))

    assert (names(store), SqliteStore.intents(store)) == (["one"], [])
    store.close()


def test_what_finds_no_slot_is_kept_in_the_database(tmp_path: Path) -> None:
    store = opened(tmp_path)
    large = an_intent("large", b"x" * SLOT_BYTES)
    store.commit(Commit(intents=[large]))
    many = [f"{number:04}" for number in range(SLOTS + 1)]
    for name in many:
        store.commit(Commit(intents=[an_intent(name)]))

    assert [each.id for each in SqliteStore.intents(store)] == ["large", many[-1]]
    assert names(store) == ["large", many[-1], *many[:-1]]
    store.commit(Commit(settled=["large", *many]))
    assert names(store) == []
    store.close()


def test_while_nothing_can_be_written_no_intent_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the call would take effect without a record."""
    store = opened(tmp_path)
    hidden = tmp_path / "hidden"
    for each in tmp_path.glob("truth.db*"):
        hidden.mkdir(exist_ok=True)
        each.rename(hidden / each.name)
    store._drop_writer()

    with pytest.raises(StoreUnavailable):
        store.commit(Commit(intents=[an_intent("one")]))
    store.close()


def test_another_estate_finds_what_was_left_and_leaves_nothing_here(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.commit(Commit(intents=[an_intent("left")]))
    store.close()

    store = PassingStore(tmp_path, SimulatedWorld(), passes=False)
    store.commit(Commit(intents=[an_intent("new")]))

    assert (names(store), [each.id for each in SqliteStore.intents(store)]) == (["new", "left"], ["new"])
    store.close()


@pytest.mark.parametrize("byte", [0, 4, HEAD.size, HEAD.size + 20])
def test_a_slot_cut_off_in_the_middle_was_never_there(tmp_path: Path, byte: int) -> None:
    slots = Slots(tmp_path)
    assert slots.keep(an_intent("one", b"0123456789" * 10), 0)
    start = (SLOTS - 1) * SLOT_BYTES
    slots._map[start + byte] ^= 0xFF
    slots.close()

    again = Slots(tmp_path)
    assert again.left() == []
    assert all(again.keep(an_intent(str(number)), 0) for number in range(SLOTS))
    again.close()


def test_a_reset_forgets_them(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.commit(Commit(intents=[an_intent("one")]))
    store.erase()
    store.close()

    again = opened(tmp_path)
    assert names(again) == []
    again.close()


def test_what_is_settled_after_the_end_is_found_to_be_recorded(tmp_path: Path) -> None:
    """A server that stops waits for its calls only so long."""
    slots = Slots(tmp_path)
    slots.keep(an_intent("late"), 0)
    slots.close()
    slots.settle("late")
    SqliteStore(tmp_path, SimulatedWorld()).close()
    store = opened(tmp_path)
    SqliteStore.commit(store, Commit([its_record("late")]))

    assert names(store) == []
    assert not store._slots.holds("late"), "its slot is free again"
    store.close()
