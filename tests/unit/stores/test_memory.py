"""Faults on demand, in both forms: failed and not kept, failed although kept."""

from collections.abc import Callable

import pytest

from trailstate.stores.interface import JOURNAL, Append, Commit, ShelfChange, ShelfKey, StoreUnavailable
from trailstate.stores.memory import Faults, MemoryObjects, MemoryStore
from trailstate.world import SimulatedWorld

KEY = ShelfKey("111122223333", "us-east-1", "trail", "audit")
COMMIT = Commit([Append(JOURNAL, "111122223333", "us-east-1", b"a")], [ShelfChange(KEY, {})])


@pytest.mark.parametrize(("kept", "head"), [(False, 0), (True, 1)])
def test_a_commit_fails_whole_or_is_kept_whole(kept: bool, head: int) -> None:
    faults = Faults()
    store = MemoryStore(SimulatedWorld(), faults)
    faults.arm("commit", kept=kept)
    with pytest.raises(StoreUnavailable, match="commit"):
        store.commit(COMMIT)
    assert (store.head(JOURNAL), store.get(KEY) is not None) == (head, kept)
    assert store.commit(COMMIT) == [head + 1]


def test_as_many_times_as_armed() -> None:
    faults = Faults()
    store = MemoryStore(SimulatedWorld(), faults)
    faults.arm("commit", count=2)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            store.commit(COMMIT)
    assert store.commit(COMMIT) == [1]


@pytest.mark.parametrize(("kept", "body"), [(False, None), (True, b"body")])
def test_an_object_whose_put_failed_is_absent_or_whole(kept: bool, body: bytes | None) -> None:
    faults = Faults()
    objects = MemoryObjects(faults)
    faults.arm("put", kept=kept)
    with pytest.raises(StoreUnavailable):
        objects.put_if_absent("key", b"body")
    assert objects.get("key") == body


READS: dict[str, Callable[[MemoryObjects], object]] = {
    "get": lambda objects: objects.get("key"),
    "list": lambda objects: objects.list(""),
}


@pytest.mark.parametrize("name", READS)
def test_reading_objects_can_fail_once(name: str) -> None:
    faults = Faults()
    objects = MemoryObjects(faults)
    faults.arm(name)
    with pytest.raises(StoreUnavailable, match=name):
        READS[name](objects)
    assert READS[name](objects) in (None, [])
