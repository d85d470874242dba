"""What every keeper of objects must keep, in examples. The same suite runs over each of them."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trailstate.stores.disk import DiskObjects, key_of, path_of
from trailstate.stores.interface import ObjectExists, ObjectInfo, Objects
from trailstate.stores.memory import MemoryObjects
from trailstate.world import RealWorld

FORMS: dict[str, Callable[[Path], Objects]] = {
    "memory": lambda _: MemoryObjects(),
    "disk": lambda directory: DiskObjects(directory, RealWorld()),
}

STRANGE_KEYS = [
    *("a", "A", "a/b", "a/", "a//b", "/a", "//", "/", ".", "..", "../../etc/passwd", "a/../b", "./a", "a/.", "a\x00b"),
    *("~", "a~", "a!", "a!/b", "%", "%2e", "%%", "~/a", "é", "e\u0301", "日本/語", " ", "a\\b", "a:b", "\x7f", "x\n"),
    *("con", "z" * 1024, "é" * 512, "/" * 1024, "d/" * 40, "d/" * 40 + "e"),
    *("y" * 180, "y" * 181, "y" * 360, "y" * 180 + "/" + "y" * 5, "y" * 185),
]

keys = st.one_of(
    st.text(st.sampled_from("aA/.~!%é\x00"), min_size=1, max_size=12),
    st.text(min_size=1, max_size=1024).filter(lambda key: _fits(key)),
)


def _fits(key: str) -> bool:
    return len(key.encode(errors="replace")) <= 1024 and key.isprintable()


@pytest.fixture(params=FORMS)
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    return FORMS[request.param](tmp_path / "data")


def names(found: object) -> list[str]:
    return [each.key for each in found]  # type: ignore[attr-defined]


def test_what_was_put_is_there_and_nothing_else(objects: Objects) -> None:
    objects.put_if_absent("AWSLogs/1/file.json.gz", b"body")
    assert objects.get("AWSLogs/1/file.json.gz") == b"body"
    assert [objects.get(key) for key in ("AWSLogs/1", "AWSLogs/1/", "AWSLogs/1/file.json.gz/", "x")] == [None] * 4


@pytest.mark.parametrize("again", [b"other", b"same"])
def test_nothing_is_ever_overwritten(objects: Objects, again: bytes) -> None:
    objects.put_if_absent("key", b"same")
    with pytest.raises(ObjectExists, match="key"):
        objects.put_if_absent("key", again)
    assert objects.get("key") == b"same"


def test_strange_keys_stay_apart_and_come_back_in_bytewise_order(objects: Objects) -> None:
    for key in STRANGE_KEYS:
        objects.put_if_absent(key, key.encode())
    assert {key: objects.get(key) for key in STRANGE_KEYS} == {key: key.encode() for key in STRANGE_KEYS}
    assert names(objects.list("")) == sorted(STRANGE_KEYS, key=str.encode)


def test_what_is_removed_is_gone_and_nothing_else(objects: Objects) -> None:
    for key in ("logs/a", "logs/a/1", "logs/b"):
        objects.put_if_absent(key, b"12")
    objects.remove("logs/a")
    objects.remove("logs/a/2")
    objects.remove("logs/b/c")
    assert names(objects.list("")) == ["logs/a/1", "logs/b"]
    assert objects.get("logs/a") is None
    objects.put_if_absent("logs/a", b"3")
    assert objects.get("logs/a") == b"3"


@pytest.mark.parametrize("key", ["", "x" * 1025, "é" * 513])
def test_what_is_no_key_is_refused(objects: Objects, key: str) -> None:
    with pytest.raises(ValueError, match="1 to 1024 bytes"):
        objects.put_if_absent(key, b"")


def test_listing_by_prefix_and_by_pages(objects: Objects) -> None:
    for key in ("logs/b", "logs/a/2", "logs/a/1", "logs/a", "logs-other", "log"):
        objects.put_if_absent(key, b"12")
    assert names(objects.list("logs/")) == ["logs/a", "logs/a/1", "logs/a/2", "logs/b"]
    assert names(objects.list("logs/a")) == ["logs/a", "logs/a/1", "logs/a/2"]
    assert names(objects.list("logs/", limit=2)) == ["logs/a", "logs/a/1"]
    assert names(objects.list("logs/", after="logs/a/1", limit=2)) == ["logs/a/2", "logs/b"]
    assert objects.list("log", limit=1) == [ObjectInfo("log", 2)]
    assert names(objects.list("nothing/there/")) == []


def test_of_writers_at_the_same_time_one_wins(objects: Objects) -> None:
    won: list[bytes] = []
    barrier = threading.Barrier(8)

    def work(body: bytes) -> None:
        barrier.wait()
        try:
            objects.put_if_absent("a/b/c", body)
            won.append(body)
        except ObjectExists:
            pass

    threads = [threading.Thread(target=work, args=(bytes([number]),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [objects.get("a/b/c")] == won


def test_the_disk_keeps_objects_over_a_restart_private_and_without_leftovers(tmp_path: Path) -> None:
    first = DiskObjects(tmp_path, RealWorld())
    first.put_if_absent("Logs/../../outside", b"kept")
    with pytest.raises(ObjectExists):
        first.put_if_absent("Logs/../../outside", b"lost")
    assert DiskObjects(tmp_path, RealWorld()).get("Logs/../../outside") == b"kept"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [(path.stat().st_mode & 0o777, path.stat().st_nlink) for path in files] == [(0o600, 1)]
    assert all(path.stat().st_mode & 0o777 == 0o700 for path in tmp_path.rglob("*") if path.is_dir())


def test_a_file_half_written_when_the_power_failed_is_no_object(tmp_path: Path) -> None:
    objects = DiskObjects(tmp_path, RealWorld())
    objects.put_if_absent("a", b"1")
    (tmp_path / "objects" / "~half").write_bytes(b"")
    assert names(objects.list("")) == ["a"]


@settings(max_examples=200, deadline=None, database=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(key=keys, other=keys)
def test_every_key_has_a_path_of_its_own_that_can_be_read_back(key: str, other: str) -> None:
    path = path_of(key)
    assert key_of(path) == key.encode()
    assert all(len(part) <= 255 and part == part.lower() and part not in (".", "..") for part in path.parts)
    assert (str(path).lower() == str(path_of(other)).lower()) == (key == other)
    assert not any(parent == path_of(other) for parent in path.parents), "an object's file is never a directory"
