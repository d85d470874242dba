"""Upkeep: every segment has an index afterwards, small ones of a day are one, and replaced files go in the end."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.unit.lake.records import log_file, log_name, record

from trailstate.lake.columns import records_of
from trailstate.lake.importer import Importer
from trailstate.lake.manifest import CHECKPOINT_COMMITS, CHECKPOINTS, Change, Manifest, Superseded
from trailstate.lake.segment import RECORDS
from trailstate.lake.source import Files
from trailstate.lake.upkeep import KEPT_SECONDS, Upkeep
from trailstate.stores.disk import DiskObjects
from trailstate.world import SimulatedWorld


class Kept:
    """A lake on disk, and somebody who looks after it."""

    def __init__(self, directory: Path) -> None:
        self.logs = directory / "logs"
        self.world = SimulatedWorld()
        self.objects = DiskObjects(directory, self.world)
        self.manifest = Manifest(self.objects)
        self.upkeep = Upkeep(self.manifest, self.objects, self.world, workers=1)

    def load(self, name: str, *records: dict[str, Any]) -> None:
        path = self.logs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(log_file(*records))
        Importer(self.manifest, self.objects, self.world, workers=1).run(Files([self.logs]))

    def files(self) -> list[Path]:
        return sorted(self.objects.directory("lake/cloudtrail").rglob("*!"))

    def records(self) -> list[dict[str, Any]]:
        paths = [self.objects.path(each.key) for each in self.manifest.segments(RECORDS)]
        return [each for path in paths for each in records_of(pq.read_table(path))]


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_small_segments_of_a_day_become_one_in_order_of_time(kept: Kept) -> None:
    tomorrow = record(9, eventTime="2026-01-16T00:00:00Z")
    kept.load(log_name(1), record(1), record(4))
    kept.load(log_name(2), record(2), record(3))
    kept.load(log_name(3, "2026/01/16"), tomorrow)

    done = kept.upkeep.run()

    assert (done.rows, done.rows_total) == (5, 5)
    assert [(each.day, each.rows, bool(each.index)) for each in kept.manifest.segments(RECORDS)] == [
        ("2026-01-15", 4, True),
        ("2026-01-16", 1, True),
    ]
    assert kept.records() == [record(1), record(2), record(3), record(4), tomorrow]
    assert not kept.upkeep.is_due()
    kept.load("copy/" + log_name(4), record(3))
    assert len(kept.records()) == 5  # known after the merge as well


def test_what_was_replaced_goes_when_no_question_can_read_it_any_more(kept: Kept) -> None:
    kept.load(log_name(1), record(1))
    kept.load(log_name(2), record(2))
    kept.upkeep.run()
    assert len(kept.files()) == 3

    kept.world.advance(timedelta(seconds=KEPT_SECONDS + 1))
    assert kept.upkeep.is_due()
    kept.upkeep.run()

    assert len(kept.files()) == 1
    assert not kept.upkeep.is_due()
    assert kept.records() == [record(1), record(2)]
    assert Manifest(kept.objects).state() == kept.manifest.state()


def test_old_checkpoints_go_and_every_reader_still_reads_the_same(kept: Kept) -> None:
    for number in range(3 * CHECKPOINT_COMMITS):
        kept.manifest.commit(Change(sources=(str(number),)))
    kept.upkeep.run()
    assert [each.key[-3:] for each in kept.objects.list(CHECKPOINTS)] == ["200", "300"]
    assert Manifest(kept.objects).state() == kept.manifest.state()


def test_a_change_to_what_another_one_changed_is_refused(kept: Kept) -> None:
    kept.load(log_name(1), record(1))
    [segment] = kept.manifest.segments(RECORDS)
    Upkeep(Manifest(kept.objects), kept.objects, kept.world, workers=1).run()

    with pytest.raises(Superseded):
        kept.manifest.commit(Change(added=(segment,)), needs=[segment])
