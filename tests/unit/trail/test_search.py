"""The operator's search over all accounts and regions, with or without an index, inside the server or beside it."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from trailstate.cli.records import as_table
from trailstate.follow import Runner
from trailstate.stores.derived import Derived
from trailstate.stores.reading import NothingRecorded, Reading
from trailstate.stores.sqlite import SqliteStore
from trailstate.trail.explain import explain
from trailstate.trail.history import History
from trailstate.trail.journal import Journal
from trailstate.trail.search import Question, arrived, newest
from trailstate.values.timestamp import record_time
from trailstate.world import SimulatedWorld

WORLD = SimulatedWorld()
NAMES = ("RunInstances", "StopInstances", "DescribeInstances")
EVENTS = 60


def a_record(number: int) -> dict[str, Any]:
    return {
        "eventTime": record_time(WORLD.now() - timedelta(hours=number * 7 % 50)),
        "eventSource": "ec2.amazonaws.com",
        "eventName": NAMES[number % 3],
        "awsRegion": ("us-east-1", "eu-west-1")[number % 2],
        "sourceIPAddress": f"203.0.113.{number % 5}",
        "errorCode": "Client.UnauthorizedOperation" if number % 10 == 0 else None,
        "userIdentity": {"type": "IAMUser", "userName": ("alice", "bob")[number % 4 == 0]},
        "requestParameters": {"instanceId": f"i-{number}"},
        "eventID": str(number),
        "readOnly": number % 3 == 2,
        "recipientAccountId": ("111122223333", "444455556666")[number % 7 == 0],
        "eventCategory": "Data" if number == 13 else "Management",
    }


class Directory:
    """A data directory whose index holds the first `indexed` records."""

    def __init__(self, path: Path, indexed: int) -> None:
        self.store = SqliteStore(path, WORLD)
        self.derived = Derived(path)
        runner = Runner(self.store, WORLD)
        history = History(self.store, self.derived, runner)
        runner.add(history.follower)
        self.journal = Journal(self.store)
        self.journal.append(a_record(number) for number in range(indexed))
        runner.run_until_idle()
        self.journal.append(a_record(number) for number in range(indexed, EVENTS))

    def close(self) -> None:
        self.derived.close()
        self.store.close()


@pytest.fixture(params=[0, 25, EVENTS], ids=["no index", "half an index", "whole index"])
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Directory]:
    made = Directory(tmp_path, request.param)
    yield made
    made.close()


@pytest.fixture
def reading(directory: Directory, tmp_path: Path) -> Iterator[Reading]:
    opened = Reading(tmp_path)
    yield opened
    opened.close()


def expected(holds: Any) -> list[str]:
    """The plain way: look at every record."""
    numbers = [number for number in range(EVENTS) if number != 13 and holds(a_record(number))]
    return [str(number) for number in sorted(numbers, key=lambda each: (-(each * 7 % 50), each), reverse=True)]


def found(reading: Reading, **asked: Any) -> list[str]:
    return [each.record["eventID"] for each in newest(reading, reading, Question(**({"limit": 1000} | asked)))]


def test_everything_newest_first_over_all_accounts_and_regions(reading: Reading) -> None:
    assert found(reading) == expected(bool)


def test_attributes_must_all_hold(reading: Reading) -> None:
    asked = (("EventName", "StopInstances"), ("Username", "bob"), ("ReadOnly", "false"))

    met = found(reading, attributes=asked)

    assert met == expected(
        lambda record: (record["eventName"], record["userIdentity"]["userName"]) == ("StopInstances", "bob")
    )
    assert met


def test_accounts_regions_and_members_narrow_it(reading: Reading) -> None:
    asked: dict[str, Any] = {
        "accounts": frozenset({"444455556666"}),
        "regions": frozenset({"us-east-1"}),
        "members": (("sourceIPAddress", "203.0.113.3"),),
    }

    met = found(reading, **asked)

    assert met == expected(
        lambda record: (
            (record["recipientAccountId"], record["awsRegion"], record["sourceIPAddress"])
            == ("444455556666", "us-east-1", "203.0.113.3")
        )
    )
    assert met


def test_a_time_range_includes_both_ends(reading: Reading) -> None:
    start, end = WORLD.now() - timedelta(hours=20), WORLD.now() - timedelta(hours=10)

    met = found(reading, start=start, end=end)

    assert met == expected(lambda record: record_time(start) <= record["eventTime"] <= record_time(end))
    assert met


def test_free_text_is_found_anywhere_in_any_case(reading: Reading) -> None:
    assert found(reading, text="UNAUTHORIZEDoperation") == expected(lambda record: record["errorCode"])
    assert found(reading, text='"i-42"') == ["42"]


def test_the_limit_keeps_the_newest(reading: Reading) -> None:
    assert found(reading, limit=5) == expected(bool)[:5]


def test_what_arrives_is_followed_in_pages(directory: Directory, reading: Reading) -> None:
    question = Question(attributes=(("EventName", "RunInstances"),))
    met, position = arrived(reading, question, 0)
    assert (len(met), position) == (20, EVENTS)

    directory.journal.append([a_record(3), a_record(4)])

    later, position = arrived(reading, question, position)
    assert [each.record["eventID"] for each in later] == ["3"]
    assert arrived(reading, question, position) == ([], EVENTS + 2)


def test_reading_changes_nothing(directory: Directory, reading: Reading, tmp_path: Path) -> None:
    before = contents(tmp_path)

    found(reading)

    assert contents(tmp_path) == before
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reading._truth.execute("DELETE FROM entry")


def contents(path: Path) -> dict[str, bytes]:
    """All files but SQLite's shared memory, where every reader marks its place."""
    return {each.name: each.read_bytes() for each in path.iterdir() if not each.name.endswith("-shm")}


def test_a_stopped_servers_directory_is_read_too(tmp_path: Path) -> None:
    Directory(tmp_path, 25).close()
    reading = Reading(tmp_path)

    assert found(reading) == expected(bool)
    reading.close()


def test_without_a_journal_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NothingRecorded, match="trailstate up"):
        Reading(tmp_path)


def test_an_unknown_attribute_is_named() -> None:
    with pytest.raises(ValueError, match="'Colour' is no attribute"):
        Question(attributes=(("Colour", "blue"),))


AUDIT = {
    "eventVersion": "1.0",
    "eventCategory": "ActivityAuditLog",
    "eventType": "ActivityLog",
    "eventID": "audit",
    "eventTime": record_time(WORLD.now()),
    "awsRegion": "us-east-1",
    "recipientAccountId": "111122223333",
    "eventData": {
        "userIdentity": {"type": "user", "principalId": "ana"},
        "eventSource": "payroll.example.com",
        "eventName": "PaySalary",
        "errorCode": "NoMoney",
        "recipientAccountId": "111122223333",
    },
}


@pytest.mark.parametrize("indexed", [0, EVENTS], ids=["no index", "whole index"])
def test_applications_own_events_are_found_among_all_others(tmp_path: Path, indexed: int) -> None:
    directory = Directory(tmp_path, 0)
    directory.journal.append([AUDIT])
    runner = Runner(directory.store, WORLD)
    history = History(directory.store, directory.derived, runner)
    runner.add(history.follower)
    if indexed:
        runner.run_until_idle()
    reading = Reading(tmp_path)
    asked = {"attributes": (("EventName", "PaySalary"), ("Username", "ana")), "members": (("errorCode", "NoMoney"),)}
    assert found(reading, **asked) == ["audit"]
    assert len(found(reading)) == len(expected(bool)) + 1
    assert found(reading, accounts=frozenset({"444455556666"}), text="PaySalary") == []
    page, _ = history.page("111122223333", "us-east-1", ("EventName", "PaySalary"), Question().window, limit=5)
    assert page == [], "LookupEvents does not have them"
    reading.close()
    directory.close()


def test_an_applications_event_is_read_like_any_other() -> None:
    assert "payroll.example.com:PaySalary" in as_table([AUDIT])
    assert "ana" in explain(AUDIT)
