"""What only a store on a disk can suffer: kills, a second server, a full disk, a database from elsewhere."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from trailstate.stores.interface import JOURNAL, Append, Commit, DirectoryInUse, StoreUnavailable
from trailstate.stores.sqlite import SqliteStore
from trailstate.stores.truth import FILE_NAME, LOG_BYTES, MIGRATIONS, WAL_PAGES_MAX, StoreRefused, log_of
from trailstate.world import RealWorld, SimulatedWorld

WRITERS = """
import sys, threading
from pathlib import Path
from trailstate.stores.interface import JOURNAL, Append, Commit
from trailstate.stores.sqlite import SqliteStore
from trailstate.world import RealWorld

store = SqliteStore(Path(sys.argv[1]), RealWorld())
def write(number):
    for turn in range(1_000_000):
        name = f"{sys.argv[2]}-{number}-{turn}"
        [position] = store.commit(Commit([Append(JOURNAL, "111122223333", "us-east-1", name.encode())]))
        sys.stdout.write(f"{position} {name}\\n")
        sys.stdout.flush()
for number in range(4):
    threading.Thread(target=write, args=(number,), daemon=True).start()
threading.Event().wait()
"""

FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from trailstate.stores.interface import JOURNAL, Append, Commit, StoreUnavailable
from trailstate.stores.sqlite import SqliteStore
from trailstate.world import RealWorld

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
directory = Path(sys.argv[1])
store = SqliteStore(directory, RealWorld())
line = Append(JOURNAL, "111122223333", "us-east-1", b"x" * 5000)

def refused():
    try:
        store.commit(Commit([line]))
    except StoreUnavailable as error:
        return str(error)

for _ in range(20):
    store.commit(Commit([line]))
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, resource.RLIM_INFINITY))
print([bool(refused()) for _ in range(3)], store.head(JOURNAL), len(store.read(JOURNAL, 0, 99)))
(directory / "truth.db").rename(directory / "gone")
print(bool(refused()), (directory / "truth.db").exists())
(directory / "gone").rename(directory / "truth.db")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(refused(), store.commit(Commit([line])) == [store.head(JOURNAL)])
store.close()
store = SqliteStore(directory, RealWorld())
print([each.position for each in store.read(JOURNAL, 0, 99)] == list(range(1, store.head(JOURNAL) + 1)))
"""


def line(text: str) -> Commit:
    return Commit([Append(JOURNAL, "111122223333", "us-east-1", text.encode())])


def test_killed_while_committing_it_keeps_every_acknowledged_commit_once(tmp_path: Path) -> None:
    acknowledged: dict[int, str] = {}
    for cycle in range(5):
        command = [sys.executable, "-c", WRITERS, str(tmp_path), str(cycle)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        seen = [child.stdout.readline() for _ in range(100 + 37 * cycle)]
        child.send_signal(signal.SIGKILL)
        seen += [rest for rest in child.stdout.read().splitlines(keepends=True) if rest.endswith("\n")]
        child.wait()
        child.stdout.close()
        for position, name in (each.split() for each in seen):
            assert acknowledged.setdefault(int(position), name) == name, "a position was given twice"
    store = SqliteStore(tmp_path, RealWorld())
    entries = store.read(JOURNAL, 0, 1_000_000)
    store.close()
    assert [each.position for each in entries] == list(range(1, len(entries) + 1))
    kept = {each.position: each.body.decode() for each in entries}
    assert len(set(kept.values())) == len(kept)
    assert {position: kept.get(position) for position in acknowledged} == acknowledged


def test_a_full_disk_is_refused_quickly_and_writing_goes_on_when_there_is_room(tmp_path: Path) -> None:
    """Also when the file is gone meanwhile: an empty one in its place would pass for the truth."""
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout.splitlines()) == (
        "",
        ["[True, True, True] 20 20", "True False", "None True", "True"],
    )


def test_a_full_disk_can_still_be_read(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path, SimulatedWorld())
    store.commit(line("a"))
    assert store._connection is not None
    store._connection.execute("PRAGMA max_page_count = 1")  # as few as there are: SQLite then says the disk is full
    with pytest.raises(StoreUnavailable, match="full"):
        store.commit(line("x" * 100_000))
    assert [each.body for each in store.read(JOURNAL, 0, 9)] == [b"a"]
    assert store.commit(line("b")) == [2]
    store.close()


def test_a_second_process_is_refused_and_told_who_holds_the_directory(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path, SimulatedWorld())
    program = "import sys; from pathlib import Path; from trailstate.stores.sqlite import SqliteStore;"
    program += "from trailstate.world import RealWorld; SqliteStore(Path(sys.argv[1]), RealWorld())"
    command = [sys.executable, "-c", program, str(tmp_path)]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "DirectoryInUse" in refused.stderr
    assert str(tmp_path) in refused.stderr
    assert f"process {os.getpid()}" in refused.stderr
    store.close()
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_the_same_process_is_refused_too_until_the_first_store_is_closed(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path, SimulatedWorld())
    with pytest.raises(DirectoryInUse, match="choose another"):
        SqliteStore(tmp_path, SimulatedWorld())
    first.close()
    SqliteStore(tmp_path, SimulatedWorld()).close()


def test_nobody_else_may_read_what_it_writes(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "data", SimulatedWorld())
    store.commit(line("a"))
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert {each.name: each.stat().st_mode & 0o077 for each in (tmp_path / "data").iterdir()} == dict.fromkeys(
        ("truth.db", "truth.db-wal", "truth.db-shm", "truth.lock"), 0
    )
    store.close()


def test_a_database_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    SqliteStore(tmp_path, SimulatedWorld()).close()
    database = sqlite3.connect(tmp_path / FILE_NAME)
    database.execute("PRAGMA user_version = 99")
    database.close()
    for _ in range(2):  # the refusal must let go of the directory
        with pytest.raises(StoreRefused, match="newer Trailstate"):
            SqliteStore(tmp_path, SimulatedWorld())


def test_reading_after_the_end_is_refused_like_writing(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path, SimulatedWorld())
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.read(JOURNAL, 0, 1)


def test_a_directory_of_the_first_version_is_carried_over(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / FILE_NAME)
    database.executescript(f"BEGIN; {MIGRATIONS[0]} PRAGMA user_version = 1; COMMIT;")
    database.close()
    store = SqliteStore(tmp_path, SimulatedWorld())
    assert store.commit(Commit([Append(JOURNAL, "111122223333", "us-east-1", b"{}")])) == [1]
    store.close()


def test_the_log_has_its_size_from_the_start(tmp_path: Path) -> None:
    """Or each of the first commits would wait for a file to grow."""
    store = SqliteStore(tmp_path, SimulatedWorld())
    log = log_of(tmp_path / FILE_NAME)
    sizes = {log.stat().st_size}
    for number in range(3 * WAL_PAGES_MAX // 2):
        store.commit(line(f"{number}" * 100))
        sizes.add(log.stat().st_size)

    assert sizes == {LOG_BYTES}
    assert len(store.read(JOURNAL, 0, 10_000)) == 3 * WAL_PAGES_MAX // 2
    store.close()
