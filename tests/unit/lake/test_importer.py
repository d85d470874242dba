"""Importing: once and again, cut off and resumed, with records met twice and records that contradict one another."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.lake.records import log_file, log_name, record

from trailstate.lake import quarantine
from trailstate.lake.columns import records_of
from trailstate.lake.importer import Importer, Progress
from trailstate.lake.manifest import Manifest
from trailstate.lake.segment import RECORDS
from trailstate.lake.source import Files
from trailstate.stores.memory import MemoryObjects
from trailstate.world import SimulatedWorld


class Lake:
    """A lake in memory and a directory to import from."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.objects = MemoryObjects()
        self.world = SimulatedWorld()
        self.manifest = Manifest(self.objects)

    def put(self, name: str, *records: dict[str, Any]) -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(log_file(*records))

    def load(self, tell: Callable[[Progress], None] = lambda _: None, batch_bytes: int = 1_000_000) -> Progress:
        importer = Importer(self.manifest, self.objects, self.world, workers=1, batch_bytes=batch_bytes)
        return importer.run(Files([self.directory]), tell)

    def records(self) -> list[dict[str, Any]]:
        return [each for segment in self.manifest.segments(RECORDS) for each in records_of(self.table(segment.key))]

    def table(self, key: str) -> pa.Table:
        body = self.objects.get(key)
        assert body is not None
        return pq.read_table(pa.BufferReader(body))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def test_records_are_found_again_by_day_and_in_order_of_time(lake: Lake) -> None:
    tomorrow = record(3, eventTime="2026-01-16T00:00:03Z")
    lake.put(log_name(1), record(2), record(1))
    lake.put(log_name(2, "2026/01/16"), tomorrow)
    progress = lake.load()
    assert (progress.records, progress.files, progress.left_out) == (3, 2, 0)
    assert lake.records() == [record(1), record(2), tomorrow]
    assert [each.day for each in lake.manifest.segments(RECORDS)] == ["2026-01-15", "2026-01-16"]


def test_importing_again_reads_only_what_is_new(lake: Lake) -> None:
    lake.put(log_name(1), record(1))
    lake.load()
    lake.put(log_name(2), record(2))
    progress = lake.load()
    assert (progress.files_known, progress.records, progress.duplicates) == (1, 1, 0)
    assert lake.records() == [record(1), record(2)]


def test_a_record_met_twice_is_there_once(lake: Lake) -> None:
    lake.put(log_name(1), record(1), record(2), record(2))
    lake.load()
    lake.put("copy/" + log_name(2), record(2), record(3))
    progress = lake.load()
    assert (progress.records, progress.duplicates, progress.left_out) == (1, 1, 0)
    assert lake.records() == [record(1), record(2), record(3)]


def test_a_record_twice_in_a_new_file_of_a_known_day_is_there_once(lake: Lake) -> None:
    lake.put(log_name(1), record(1))
    lake.load()
    lake.put(log_name(2), record(2), record(2))
    progress = lake.load()
    assert (progress.records, progress.duplicates, progress.left_out) == (1, 1, 0)


def test_the_same_id_with_other_content_is_a_conflict(lake: Lake) -> None:
    lake.put(log_name(1), record(1))
    lake.load()
    lake.put(log_name(2), record(1, eventName="TerminateInstances"), record(2))
    progress = lake.load()
    assert (progress.records, progress.left_out) == (1, 1)
    [entry] = quarantine.entries(lake.objects)
    assert (entry.reason, entry.detail) == ("conflict", f"eventID {record(1)['eventID']}")
    assert lake.records() == [record(1), record(2)]


class CutOff(Exception):
    pass


def test_an_import_that_was_cut_off_goes_on_where_it_stood(lake: Lake) -> None:
    for day in range(1, 5):
        lake.put(log_name(day, f"2026/01/{day:02}"), record(day, eventTime=f"2026-01-{day:02}T09:00:00Z"))

    def cut(progress: Progress) -> None:
        if progress.files == 2:
            raise CutOff

    with pytest.raises(CutOff):
        lake.load(cut, batch_bytes=1)
    assert len(lake.records()) == 2
    progress = lake.load()
    assert (progress.files_known, progress.records, progress.duplicates) == (2, 2, 0)
    assert len(lake.records()) == 4


def test_what_was_left_out_can_be_looked_up(lake: Lake) -> None:
    lake.put(log_name(1), record(1), record(2, eventTime=None))
    assert lake.load().left_out == 1
    [entry] = quarantine.entries(lake.objects)
    assert (entry.reason, entry.file.endswith(log_name(1))) == ("no-time", True)


def test_pipes_links_to_nowhere_and_digests_are_passed_over(lake: Lake) -> None:
    lake.put(log_name(1), record(1))
    lake.put(log_name(2).replace("/CloudTrail/", "/CloudTrail-Digest/"), record(2))
    os.mkfifo(lake.directory / "pipe.json")
    (lake.directory / "nowhere.json.gz").symlink_to(lake.directory / "gone")
    (lake.directory / "notes.txt").write_text("none")
    progress = lake.load()
    assert (progress.files, progress.records, progress.left_out) == (1, 1, 0)
