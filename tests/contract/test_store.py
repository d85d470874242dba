"""What every store must keep, in examples. The same suite runs over each of them."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue

import pytest

from trailstate.stores.interface import (
    CONFIGURATION,
    JOURNAL,
    Append,
    Commit,
    Document,
    Intent,
    News,
    OutboxRow,
    ShelfChange,
    ShelfKey,
    Store,
    StoreUnavailable,
    VersionConflict,
)
from trailstate.stores.memory import MemoryStore
from trailstate.stores.passing import PassingStore
from trailstate.stores.sqlite import SqliteStore
from trailstate.world import SimulatedWorld

ACCOUNT = "111122223333"
REGION = "eu-central-1"
TRAIL = ShelfKey(ACCOUNT, REGION, "trail", "audit")
NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)

FORMS: dict[str, Callable[[Path, SimulatedWorld], Store]] = {
    "memory": lambda _, world: MemoryStore(world),
    "sqlite": SqliteStore,
    "sqlite, intents passing": PassingStore,
}


@pytest.fixture
def world() -> SimulatedWorld:
    return SimulatedWorld()


@pytest.fixture(params=FORMS)
def store(request: pytest.FixtureRequest, tmp_path: Path, world: SimulatedWorld) -> Iterator[Store]:
    opened = FORMS[request.param](tmp_path / "data", world)
    yield opened
    opened.close()


def line(text: str, ledger: str = JOURNAL) -> Append:
    return Append(ledger, ACCOUNT, REGION, text.encode())


def bodies(store: Store, ledger: str = JOURNAL) -> list[bytes]:
    return [entry.body for entry in store.read(ledger, 0, 1000)]


def put(value: dict[str, object] | None, expected: int | None = None, key: ShelfKey = TRAIL) -> Commit:
    return Commit(shelf=[ShelfChange(key, value, expected)])


# ---- ledgers ----


def test_positions_are_dense_from_one_in_each_ledger(store: Store) -> None:
    assert store.commit(Commit([line("a"), line("x", CONFIGURATION), line("b")])) == [1, 1, 2]
    assert store.commit(Commit([line("c")])) == [3]
    assert bodies(store) == [b"a", b"b", b"c"]
    assert bodies(store, CONFIGURATION) == [b"x"]
    assert (store.head(JOURNAL), store.head(CONFIGURATION), store.head("import/1")) == (3, 1, 0)


def test_reading_starts_after_a_position_and_stops_at_the_limit(store: Store) -> None:
    store.commit(Commit([line(each) for each in "abcde"]))
    assert [entry.position for entry in store.read(JOURNAL, 1, 2)] == [2, 3]
    assert store.read(JOURNAL, 5, 10) == []


def test_one_entry_by_its_position(store: Store) -> None:
    store.commit(Commit([line("a")]))
    found = store.entry(JOURNAL, 1)
    assert found is not None
    assert (found.position, found.account, found.region, found.body) == (1, ACCOUNT, REGION, b"a")
    assert [store.entry(JOURNAL, each) for each in (-1, 0, 2)] == [None, None, None]


def test_ledger_time_is_the_clocks_to_the_microsecond_and_never_goes_backward(
    store: Store, world: SimulatedWorld
) -> None:
    world.advance(timedelta(microseconds=7))
    first = world.now()
    store.commit(Commit([line("a")]))
    world.advance(timedelta(hours=-2))
    store.commit(Commit([line("b"), line("x", CONFIGURATION)]))
    assert [entry.time for entry in store.read(JOURNAL, 0, 9)] == [first, first]
    assert [entry.time for entry in store.read(CONFIGURATION, 0, 9)] == [first - timedelta(hours=2)]


def test_a_listener_hears_of_appends_and_of_nothing_else(store: Store) -> None:
    heard = threading.Event()
    store.on_commit(lambda _: heard.set())
    store.commit(put({"a": 1}))
    assert not heard.is_set()
    store.commit(Commit([line("a")]))
    assert heard.wait(5)


# ---- the shelf ----


def test_a_document_counts_its_changes(store: Store) -> None:
    store.commit(put({"IsLogging": True}, expected=0))
    assert store.get(TRAIL) == Document({"IsLogging": True}, 1)
    store.commit(put({"IsLogging": False}, expected=1))
    store.commit(put({"Name": "ünïcode \x00"}))
    assert store.get(TRAIL) == Document({"Name": "ünïcode \x00"}, 3)
    store.commit(put(None, expected=3))
    assert store.get(TRAIL) is None


@pytest.mark.parametrize("expected", [0, 2])
def test_a_conflict_keeps_nothing_of_its_commit(store: Store, expected: int) -> None:
    store.commit(put({"n": 1}))
    other = ShelfKey(ACCOUNT, REGION, "trail", "other")
    changes = [ShelfChange(other, {"n": 2}, 0), ShelfChange(TRAIL, {"n": 2}, expected)]
    with pytest.raises(VersionConflict, match="audit"):
        store.commit(Commit([line("a")], changes, cursors={"c": 1}, intents=[Intent("i", NOON, ACCOUNT, REGION, b"")]))
    assert store.get(TRAIL) == Document({"n": 1}, 1)
    assert (store.get(other), store.head(JOURNAL), store.cursor("c"), store.intents()) == (None, 0, 0, [])
    assert store.commit(Commit([line("b")])) == [1]


def test_of_writers_at_the_same_time_one_wins_and_the_others_commits_are_untouched(store: Store) -> None:
    """One conflict in a group fails nobody but its own."""
    outcomes: list[str] = []
    barrier = threading.Barrier(16)

    def work(number: int) -> None:
        barrier.wait()
        change = [ShelfChange(TRAIL, {"winner": number}, 0)] if number % 2 else []
        try:
            store.commit(Commit([line(str(number))], change))
            outcomes.append("kept")
        except VersionConflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes.count("kept"), outcomes.count("conflict")) == (9, 7)
    assert [entry.position for entry in store.read(JOURNAL, 0, 99)] == list(range(1, 10))


def test_documents_come_in_bytewise_order_of_region_then_name(store: Store) -> None:
    places = [("us-east-1", "b"), ("eu-central-1", "z"), ("us-east-1", "B"), ("us-east-1", "é"), ("us-east-1", "a/b")]
    changes = [ShelfChange(ShelfKey(ACCOUNT, region, "trail", name), {}) for region, name in places]
    foreign = ShelfChange(ShelfKey("444455556666", REGION, "trail", "theirs"), {})
    store.commit(Commit(shelf=[*changes, foreign, ShelfChange(ShelfKey(ACCOUNT, REGION, "rule", "r"), {})]))
    found = [(key.region, key.name) for key, _ in store.documents(ACCOUNT, None, "trail")]
    assert found == [
        ("eu-central-1", "z"),
        ("us-east-1", "B"),
        ("us-east-1", "a/b"),
        ("us-east-1", "b"),
        ("us-east-1", "é"),
    ]
    assert [key.name for key, _ in store.documents(ACCOUNT, "eu-central-1", "trail")] == ["z"]


def test_a_document_read_is_the_readers_own(store: Store) -> None:
    value: dict[str, object] = {"tags": ["a"]}
    store.commit(put(value))
    value["tags"] = "changed after the commit"
    found = store.get(TRAIL)
    assert found is not None
    found.value["tags"].append("changed by a reader")
    assert store.get(TRAIL) == Document({"tags": ["a"]}, 1)


def test_the_house_may_ask_for_the_documents_of_every_account(store: Store) -> None:
    keys = [
        ShelfKey("444455556666", "eu-west-1", "trail", "a"),
        ShelfKey(ACCOUNT, "us-east-1", "trail", "b"),
        ShelfKey(ACCOUNT, "eu-west-1", "trail", "c"),
        ShelfKey(ACCOUNT, "eu-west-1", "rule", "d"),
    ]
    store.commit(Commit(shelf=[ShelfChange(key, {"n": key.name}) for key in keys]))
    assert [key.name for key, _ in store.documents(None, None, "trail")] == ["c", "b", "a"]
    assert [key.name for key, _ in store.documents(None, "eu-west-1", "trail")] == ["c", "a"]


# ---- intents, outbox, cursors ----


def test_an_intent_stays_until_a_commit_settles_it(store: Store) -> None:
    first, second = (Intent(each, NOON, ACCOUNT, REGION, each.encode()) for each in ("one", "two"))
    store.commit(Commit(intents=[first]))
    store.commit(Commit(intents=[second]))
    assert store.intents() == [first, second]
    store.commit(Commit([line("a")], settled=["one", "never seen"]))
    assert store.intents() == [second]


def test_intents_are_settled_whatever_else_is_in_their_commit(store: Store) -> None:
    """More of them than entries, fewer, or none at all; an entry that settles nothing settles nothing."""
    names = ["", "one", "two", "three", "four"]
    store.commit(Commit(intents=[Intent(each, NOON, ACCOUNT, REGION, b"") for each in names]))
    store.commit(Commit([line("a"), line("b"), line("c")], settled=["one"]))
    assert [each.id for each in store.intents()] == ["", "two", "three", "four"]
    store.commit(Commit([line("d")], settled=["three", "two"]))
    assert [each.id for each in store.intents()] == ["", "four"]
    store.commit(Commit(settled=["four", ""]))
    assert store.intents() == []
    assert [each.position for each in store.read(JOURNAL, 0, 10)] == [1, 2, 3, 4]


def test_an_intent_said_twice_is_one_intent(store: Store) -> None:
    """A caller that lost an acknowledgement says it again; the first stands."""
    store.commit(Commit(intents=[Intent("one", NOON, ACCOUNT, REGION, b"first")]))
    store.commit(Commit([line("a")], intents=[Intent("one", NOON, ACCOUNT, REGION, b"again")]))
    assert [each.body for each in store.intents()] == [b"first"]


def test_an_effect_leaves_the_outbox_when_it_is_done_and_never_comes_back(store: Store) -> None:
    first, second, other = OutboxRow("mail", "1", b"a"), OutboxRow("mail", "2", b"b"), OutboxRow("bus", "3", b"c")
    store.commit(Commit(outbox=[first, second, other]))
    store.commit(Commit(outbox=[OutboxRow("mail", "1", b"other bytes")]))
    assert store.outbox("mail", 10) == [first, second]
    assert store.outbox("mail", 1) == [first]
    store.commit(Commit(done=["1"]))
    store.commit(Commit(outbox=[first]))
    assert store.outbox("mail", 10) == [second]
    assert store.outbox("bus", 10) == [other]


def test_the_queues_with_something_left_to_do_are_named(store: Store) -> None:
    rows = [OutboxRow(queue, f"{queue}-1", b"") for queue in ("mail/b", "mail/a", "mail", "mailbox", "bus")]
    store.commit(Commit(outbox=[*rows, OutboxRow("mail/a", "mail/a-2", b"")]))
    assert store.queues("mail/") == ["mail/a", "mail/b"]
    assert store.queues("") == ["bus", "mail", "mail/a", "mail/b", "mailbox"]
    store.commit(Commit(done=["mail/a-1", "mail/b-1"]))
    assert store.queues("mail/") == ["mail/a"]


def test_news_of_an_effect_to_do_is_told_like_news_of_a_line(store: Store) -> None:
    told: SimpleQueue[News] = SimpleQueue()
    store.on_commit(told.put)
    store.commit(Commit([line("a")], outbox=[OutboxRow("mail", "1", b"a")]))
    assert told.get(timeout=10) == {JOURNAL, "mail"}


def test_an_effect_done_before_it_was_asked_for_is_not_asked_for(store: Store) -> None:
    store.commit(Commit(done=["1"]))
    store.commit(Commit(outbox=[OutboxRow("mail", "1", b"a")]))
    assert store.outbox("mail", 10) == []


def test_a_cursor_stands_where_the_last_commit_put_it(store: Store) -> None:
    assert store.cursor("delivery") == 0
    store.commit(Commit(cursors={"delivery": 9, "digest": 3}))
    store.commit(Commit(cursors={"delivery": 12}))
    assert (store.cursor("delivery"), store.cursor("digest")) == (12, 3)


# ---- what must not break it ----

UNFIT = {
    "a value that is not JSON": put({"x": object()}),
    "a lone surrogate in a document": put({"x": "\ud800"}),
    "a lone surrogate in a name": put({}, key=ShelfKey(ACCOUNT, REGION, "trail", "\ud800")),
    "a lone surrogate in a region": Commit([Append(JOURNAL, ACCOUNT, "\ud800", b"")]),
    "a cursor beyond 64 bits": Commit(cursors={"c": 2**63}),
}


@pytest.mark.parametrize("unfit", UNFIT)
def test_a_commit_that_cannot_be_stored_is_its_callers_error_and_nobody_elses(store: Store, unfit: str) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        store.commit(UNFIT[unfit])
    assert store.commit(Commit([line("a")])) == [1]


def test_erased_is_as_new(store: Store) -> None:
    store.commit(Commit([line("a")], [ShelfChange(TRAIL, {})], outbox=[OutboxRow("mail", "1", b"")], cursors={"c": 1}))
    store.erase()
    assert (store.head(JOURNAL), store.get(TRAIL), store.cursor("c")) == (0, None, 0)
    assert store.commit(Commit([line("b")])) == [1]
    store.commit(Commit(outbox=[OutboxRow("mail", "1", b"")]))
    assert store.outbox("mail", 9) == [OutboxRow("mail", "1", b"")]


def test_a_closed_store_takes_nothing_and_says_so(store: Store) -> None:
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.commit(Commit([line("a")]))
    store.close()
