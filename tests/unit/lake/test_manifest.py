"""The manifest: commits seen whole, two writers that never share a number, and checkpoints that change nothing."""

from concurrent.futures import ThreadPoolExecutor

from trailstate.lake.manifest import CHECKPOINT_COMMITS, CHECKPOINTS, Change, Manifest, Segment
from trailstate.stores.memory import MemoryObjects


def segment(number: int, account: str = "111122223333") -> Segment:
    key = f"lake/cloudtrail/2026-01-15/{number:04}.parquet"
    return Segment(key, "cloudtrail", "2026-01-15", 1, 10, number * 100, number * 100 + 50, (account,), "", "import/x")


def keys(manifest: Manifest, **conditions: object) -> list[str]:
    return [each.key[-12:-8] for each in manifest.segments("cloudtrail", **conditions)]  # type: ignore[arg-type]


def test_a_commit_is_seen_by_every_reader() -> None:
    objects = MemoryObjects()
    writer, reader = Manifest(objects), Manifest(objects)
    assert keys(reader) == []
    assert writer.commit(Change(added=(segment(1), segment(2)), sources=("a",))) == 1
    assert keys(reader) == ["0001", "0002"]
    writer.commit(Change(added=(segment(3),), removed=(segment(1).key, segment(2).key)))
    assert keys(reader) == ["0003"]
    assert reader.state().sources == {"a"}


def test_many_writers_lose_nothing() -> None:
    objects = MemoryObjects()

    def write(number: int) -> int:
        return Manifest(objects).commit(Change(added=(segment(number),)))

    with ThreadPoolExecutor(8) as pool:
        numbers = sorted(pool.map(write, range(40)))
    assert numbers == list(range(1, 41))
    assert len(keys(Manifest(objects))) == 40


def test_a_reader_may_begin_at_a_checkpoint() -> None:
    objects = MemoryObjects()
    writer = Manifest(objects)
    for number in range(CHECKPOINT_COMMITS + 5):
        writer.commit(Change(added=(segment(number),), sources=(str(number),)))
    assert len(objects.list(CHECKPOINTS)) == 1
    assert Manifest(objects).state() == writer.state()


def test_segments_are_chosen_by_time_and_account() -> None:
    manifest = Manifest(MemoryObjects())
    manifest.commit(Change(added=(segment(1), segment(2), segment(3, "999999999999"))))
    assert keys(manifest, first=160, last=260) == ["0002"]
    assert keys(manifest, accounts=["999999999999"]) == ["0003"]
