"""Hostile log files, all imported at once: what can be read is there once, the rest is named, questions work."""

import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.unit.lake.hostile_files import hostile_files
from tests.unit.lake.records import log_file, log_name, record

from trailstate.cli.records import as_table
from trailstate.connection import opened
from trailstate.lake import quarantine
from trailstate.lake.archive import LakeArchive
from trailstate.lake.columns import DOCUMENTS, records_of
from trailstate.lake.importer import Importer, Progress
from trailstate.lake.lake import Lake, Scope
from trailstate.lake.manifest import Manifest
from trailstate.lake.segment import RECORDS
from trailstate.lake.source import Files
from trailstate.lake.upkeep import Upkeep
from trailstate.services.cloudtrail.history import event
from trailstate.stores.disk import DiskObjects
from trailstate.trail.attributes import attributes, belongs
from trailstate.trail.explain import explain
from trailstate.trail.search import NoJournal, Question, newest
from trailstate.world import RealWorld

FILES = {each.name: each for each in hostile_files()}
WORKER_BYTES_MAX = 1 << 30


class Imported:
    """The suite in a lake, with a good file beside it."""

    def __init__(self, directory: Path) -> None:
        self.logs, data = directory / "logs", directory / "data"
        for each in FILES.values():
            self._put(each.name, each.body)
        self.good = [record(number, eventTime="2026-01-15T23:00:00Z") for number in range(900_000, 900_050)]
        self._put(log_name(7), log_file(*self.good))
        self.objects = DiskObjects(data, RealWorld())
        importer = Importer(Manifest(self.objects), self.objects, RealWorld(), workers=1)
        self.worker_peak_before = _worker_peak_bytes()
        self.progress: Progress = importer.run(Files([self.logs]))
        self.lake: Lake
        self.directory = data

    def _put(self, name: str, body: bytes) -> None:
        path = self.logs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def ask(self, text: str) -> list[list[Any]]:
        with self.lake.ask(text, Scope(), RealWorld().now()) as reader:
            return [list(row.values()) for row in reader.read_all().to_pylist()]


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    made = Imported(tmp_path_factory.mktemp("hostile"))
    with opened(made.directory) as made.lake:
        yield made


def test_there_are_enough_of_them() -> None:
    assert len(FILES) >= 100


def test_memory_stays_within_its_bound(imported: Imported) -> None:
    assert imported.progress.files == len(FILES) + 1
    peak = _worker_peak_bytes()
    assert peak < WORKER_BYTES_MAX or peak == imported.worker_peak_before


def _worker_peak_bytes() -> int:
    """Of every child process that has ended, those of other tests included."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def test_nothing_that_can_be_read_is_lost_and_nothing_is_there_twice(imported: Imported) -> None:
    found = [event for [event] in imported.ask("SELECT eventid FROM cloudtrail WHERE eventid IS NOT NULL")]
    assert len(found) == len(set(found))
    taken = {event for each in FILES.values() for event in each.taken} | {each["eventID"] for each in imported.good}
    maybe = {event for each in FILES.values() for event in each.maybe}
    assert taken - set(found) == set()
    assert set(found) - taken - maybe == set()


def test_every_damage_is_named_with_its_file(imported: Imported) -> None:
    entries = list(quarantine.entries(imported.objects))
    assert imported.progress.left_out == len(entries)
    named = {each.file.partition("/logs/")[2] for each in entries if each.reason != "conflict"}
    conflicts = sum(each.reason == "conflict" for each in entries)
    expected = {each.name for each in FILES.values() if each.is_damaged and "same ids" not in each.what}
    assert [FILES[name].what for name in expected - named] == []
    assert [FILES[name].what for name in named - expected] == []
    assert conflicts == sum("same ids" in each.what for each in FILES.values()) * 3


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_document_can_be_asked_into(imported: Imported, document: str) -> None:
    if document == "userIdentity":
        assert len(imported.ask("SELECT useridentity FROM cloudtrail")) == imported.progress.records
    elif document not in ("resources", "tlsDetails"):
        question = f"SELECT count(*), count(json_extract_scalar({document.lower()}, '$.a')) FROM cloudtrail"
        assert imported.ask(question)[0][0] == imported.progress.records
    else:
        assert imported.ask(f"SELECT count({document.lower()}) FROM cloudtrail")[0][0] > 0


def test_every_record_is_found_by_all_that_it_says(imported: Imported) -> None:
    manifest = Manifest(imported.objects)
    Upkeep(manifest, imported.objects, RealWorld(), workers=1).run()
    archive = LakeArchive(manifest, imported.objects)
    everything = list(newest(NoJournal(), NoJournal(), Question(limit=100_000), archive))
    paths = [imported.objects.path(each.key) for each in manifest.segments(RECORDS)]
    held = [each for path in paths for each in records_of(pq.read_table(path)) if belongs(each)]

    assert archive.unindexed() == 0
    assert len(everything) == len(held)
    for found in everything[:: len(everything) // 40]:
        for attribute in attributes(found.record):
            question = Question(attributes=(attribute,), limit=100_000)
            assert found.body in [each.body for each in newest(NoJournal(), NoJournal(), question, archive)]
    records = [found.record for found in everything]
    assert len(as_table(records).splitlines()) == len(records) + 1
    assert all(event(found)["CloudTrailEvent"] and explain(found.record) for found in everything)
