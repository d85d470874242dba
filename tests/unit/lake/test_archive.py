"""Imported records in the event history: beside live ones, each once, page by page, and only the caller's own."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.lake.records import ACCOUNT, log_file, log_name, record
from tests.unit.trail.test_history import House

from trailstate.lake.archive import LakeArchive
from trailstate.lake.importer import Importer
from trailstate.lake.manifest import Manifest
from trailstate.lake.source import Files
from trailstate.lake.upkeep import Upkeep
from trailstate.stores.disk import DiskObjects
from trailstate.trail.search import NoJournal, Question, newest
from trailstate.values.timestamp import record_time

OTHER = "444455556666"
IMPORTED = 60


class Archived(House):
    """A journal with records of the last hours, and imported ones of some weeks; five are in both."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.old = [self._record(number) for number in range(IMPORTED)]
        self.others = [self._record(number, recipientAccountId=OTHER) for number in range(100, 103)]
        self.ancient = self._record(200, hours=200 * 24)
        self.plain = {name: value for name, value in self._record(201, hours=2401).items() if name != "eventCategory"}
        logs = directory / "logs"
        for number, account, records in (
            (1, ACCOUNT, self.old[::2]),
            (2, ACCOUNT, [*self.old[1::2], self.ancient, self.plain]),
            (3, OTHER, self.others),
        ):
            path = logs / log_name(number, account=account)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(log_file(*records))
        objects = DiskObjects(directory, self.world)
        manifest = Manifest(objects)
        Importer(manifest, objects, self.world, workers=1).run(Files([logs]))
        self.archive = LakeArchive(manifest, objects)
        self.unindexed_before = self.archive.unindexed()
        Upkeep(manifest, objects, self.world, workers=1).run()
        self.journal.append([*self.old[:5], *(self._record(number) for number in range(300, 310))])
        self.history.archive = self.archive

    def _record(self, number: int, hours: int | None = None, **members: Any) -> dict[str, Any]:
        """Several share a second."""
        at = self.world.now() - timedelta(hours=number // 4 if hours is None else hours)
        return record(
            number,
            eventTime=record_time(at),
            eventName=("RunInstances", "StopInstances", "DescribeInstances")[number % 3],
            readOnly=number % 3 == 2,
            requestParameters={"instanceId": f"i-{number % 7}"},
            **members,
        )

    def ids(self, attribute: tuple[str, str] | None = None, **asked: Any) -> list[str]:
        return [each["EventId"] for each in self.look_up(attribute, **asked)["Events"]]

    def paged(self, size: int, attribute: tuple[str, str] | None = None) -> list[dict[str, Any]]:
        found, more = [], {}
        while True:
            answer = self.look_up(attribute, MaxResults=size, **more)
            found += answer["Events"]
            if "NextToken" not in answer:
                return found
            more = {"NextToken": answer["NextToken"]}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archived]:
    made = Archived(tmp_path_factory.mktemp("archived"))
    made.look_up()
    return made


def test_records_count_as_missing_until_their_segment_has_an_index(house: Archived) -> None:
    assert house.unindexed_before == IMPORTED + 5
    assert house.archive.unindexed() == 0


@pytest.mark.parametrize("size", [1, 7, 50])
def test_pages_hold_every_record_once_newest_first(house: Archived, size: int) -> None:
    found = house.paged(size)

    wanted = {each["eventID"] for each in house.old} | {record(number)["eventID"] for number in range(300, 310)}
    assert sorted(each["EventId"] for each in found) == sorted(wanted)
    times = [each["EventTime"] for each in found]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    ("attribute", "holds"),
    [
        (("EventId", record(17)["eventID"]), lambda each: each["eventID"] == record(17)["eventID"]),
        (("EventName", "StopInstances"), lambda each: each["eventName"] == "StopInstances"),
        (("ReadOnly", "true"), lambda each: each["readOnly"]),
        (("Username", "dana"), bool),
        (("AccessKeyId", "AKIAEXAMPLE"), bool),
        (("EventSource", "ec2.amazonaws.com"), bool),
        (("ResourceType", "AWS::EC2::Instance"), bool),
        (("ResourceName", "i-3"), lambda each: each["requestParameters"]["instanceId"] == "i-3"),
        (("ResourceName", "i-33"), lambda each: not each),
    ],
)
def test_each_attribute_finds_imported_records(house: Archived, attribute: tuple[str, str], holds: Any) -> None:
    found = {each["EventId"] for each in house.paged(50, attribute)}

    assert found & {each["eventID"] for each in house.old} == {each["eventID"] for each in house.old if holds(each)}


def test_a_record_comes_as_it_was_recorded(house: Archived) -> None:
    import json

    [found] = house.look_up(("EventId", house.old[40]["eventID"]))["Events"]

    assert json.loads(found["CloudTrailEvent"]) == house.old[40]
    assert (found["Username"], found["ReadOnly"]) == ("dana", str(house.old[40]["readOnly"]).lower())


def test_another_account_or_region_sees_only_its_own(house: Archived) -> None:
    assert sorted(house.ids(account=OTHER)) == [each["eventID"] for each in house.others]
    assert house.ids(region="eu-west-1") == []


def test_the_api_looks_back_ninety_days_and_the_operator_further(house: Archived) -> None:
    assert house.ids(("EventId", house.ancient["eventID"])) == []

    question = Question(attributes=(("EventId", house.ancient["eventID"]),))
    assert [each.record for each in newest(NoJournal(), NoJournal(), question, house.archive)] == [house.ancient]


def test_a_record_of_the_time_before_categories_is_a_management_event(house: Archived) -> None:
    question = Question(attributes=(("EventId", house.plain["eventID"]),))
    assert [each.record for each in newest(NoJournal(), NoJournal(), question, house.archive)] == [house.plain]


def test_a_time_range_is_held(house: Archived) -> None:
    now = house.world.now()
    found = house.ids(StartTime=now - timedelta(hours=4), EndTime=now - timedelta(hours=2))

    assert sorted(found) == [each["eventID"] for each in house.old[8:20]]


def test_the_operator_finds_all_accounts_and_any_attributes_together(house: Archived) -> None:
    question = Question(
        attributes=(("ResourceName", "i-3"), ("EventName", "StopInstances")),
        members=(("sourceIPAddress", "198.51.100.7"),),
        limit=1000,
    )
    found = [each.record for each in newest(NoJournal(), NoJournal(), question, house.archive)]

    assert sorted(each["eventID"] for each in found) == sorted(
        each["eventID"]
        for each in (*house.old, *house.others, house.ancient, house.plain)
        if each["requestParameters"]["instanceId"] == "i-3" and each["eventName"] == "StopInstances"
    )


def test_a_record_that_was_also_recorded_here_is_there_once_for_the_operator(house: Archived) -> None:
    derived = house.history.index._tables
    both = list(newest(house.store, derived, Question(limit=1000), house.archive))
    tail = list(newest(house.store, NoJournal(), Question(limit=1000), house.archive))

    for found in (both, tail):
        ids = [(each.record["recipientAccountId"], each.record["eventID"]) for each in found]
        assert len(ids) == len(set(ids)) == IMPORTED + 5 + 10
