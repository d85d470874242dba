"""The lake: sealed segments and the live journal as one table, and nobody sees more than they may."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.lake.records import ACCOUNT, log_file, log_name, record

from trailstate.lake.hunts import hunts
from trailstate.lake.importer import Importer
from trailstate.lake.lake import Lake, Refused, Scope, Table, TableName
from trailstate.lake.live import CHUNK_ENTRIES
from trailstate.lake.shape import CLOUDTRAIL
from trailstate.lake.source import Files
from trailstate.lake.upkeep import Upkeep
from trailstate.stores.disk import DiskObjects
from trailstate.stores.interface import JOURNAL, Append, Commit
from trailstate.stores.memory import MemoryStore
from trailstate.world import RealWorld, SimulatedWorld

OTHER = "444455556666"
EVERYBODY = Scope()


class Setting:
    """A lake with a journal beside it."""

    def __init__(self, directory: Path) -> None:
        self.world = SimulatedWorld()
        self.store = MemoryStore(self.world)
        self.objects = DiskObjects(directory, RealWorld())
        self.files = directory / "files"
        self.lake = Lake(self.objects, self.store, directory / "live")

    def journal(self, *records: dict[str, Any]) -> None:
        lines = [
            Append(JOURNAL, each["recipientAccountId"], "us-east-1", msgspec.json.encode(each)) for each in records
        ]
        self.store.commit(Commit(lines))

    def load(self, name: str, *records: dict[str, Any]) -> None:
        path = self.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(log_file(*records))
        Importer(self.lake.manifest, self.objects, RealWorld(), workers=1).run(Files([self.files]))

    def ask(self, text: str, scope: Scope = EVERYBODY, tables: Any = None) -> list[list[Any]]:
        with self.lake.ask(text, scope, self.world.now(), tables) as reader:
            return [list(row.values()) for row in reader.read_all().to_pylist()]


@pytest.fixture
def setting(tmp_path: Path) -> Iterator[Setting]:
    made = Setting(tmp_path)
    yield made
    made.lake.close()


def test_imported_and_live_records_are_one_table(setting: Setting) -> None:
    setting.load(log_name(1), record(1))
    setting.journal(record(2, eventName="DeleteBucket"))
    question = "SELECT eventname FROM cloudtrail ORDER BY eventtime"
    assert setting.ask(question) == [["RunInstances"], ["DeleteBucket"]]
    setting.journal(record(3, eventName="CreateUser"))
    assert setting.ask(question)[-1] == ["CreateUser"]


def test_an_empty_lake_answers_with_no_rows(setting: Setting) -> None:
    assert setting.ask("SELECT count(*), max(eventtime) FROM cloudtrail") == [[0, None]]
    assert setting.ask("SELECT useridentity.arn FROM cloudtrail") == []


def test_an_account_sees_its_own_records_and_an_organization_its_members(setting: Setting) -> None:
    setting.journal(record(1), record(2, recipientAccountId=OTHER))
    question = "SELECT recipientaccountid FROM cloudtrail ORDER BY 1"
    assert setting.ask(question, Scope((ACCOUNT,))) == [[ACCOUNT]]
    assert setting.ask(question, Scope((ACCOUNT, OTHER))) == [[ACCOUNT], [OTHER]]
    assert setting.ask(question, Scope(())) == []


def test_a_join_of_a_table_with_itself_and_names_of_all_kinds(setting: Setting) -> None:
    setting.journal(record(1), record(2))
    question = (
        "WITH cloudtrail_logs AS (SELECT * FROM default.cloudtrail) "
        "SELECT count(*) FROM cloudtrail_logs a JOIN AwsDataCatalog.default.cloudtrail b ON a.eventid = b.eventid"
    )
    assert setting.ask(question) == [[2]]
    assert setting.ask(
        "SELECT count(cloudtrail.eventid) FROM cloudtrail WHERE cloudtrail.useridentity.type = 'IAMUser'"
    ) == [[2]]


def test_a_table_that_somebody_made_is_found_and_keeps_its_condition(setting: Setting) -> None:
    setting.journal(record(1), record(2, awsRegion="eu-west-1"))
    name = TableName("security", "european")
    made = {name: Table(CLOUDTRAIL, "awsRegion LIKE 'eu-%'")}
    assert setting.ask("SELECT count(*) FROM security.european", tables=made.get) == [[1]]
    with pytest.raises(Refused, match=r"security\.other"):
        setting.ask("SELECT 1 FROM security.other", tables=made.get)


def test_the_journal_is_written_down_in_chunks_that_stay(setting: Setting) -> None:
    setting.journal(*(record(number) for number in range(CHUNK_ENTRIES + 3)))
    assert setting.ask("SELECT count(*) FROM cloudtrail") == [[CHUNK_ENTRIES + 3]]
    setting.journal(record(1))
    assert setting.ask("SELECT count(*) FROM cloudtrail") == [[CHUNK_ENTRIES + 4]]
    names = sorted(path.name for path in setting.lake.live[JOURNAL].directory.glob("*.parquet"))
    assert [name.partition("-")[0] for name in names] == ["chunk", "rest", "rest"]


@pytest.mark.parametrize("name", sorted(hunts()))
def test_every_hunt_is_a_question_that_can_be_asked(setting: Setting, name: str) -> None:
    setting.journal(record(1))
    assert hunts()[name].title
    assert isinstance(setting.ask(hunts()[name].sql), list)


def test_a_star_is_every_column_and_asks_of_identities_by_their_parts(setting: Setting) -> None:
    setting.load(log_name(1), record(1), record(2, userIdentity={"type": "Root", "accountId": ACCOUNT}))
    where = "WHERE useridentity.type = 'Root' ORDER BY eventtime DESC LIMIT 5"
    [whole] = setting.ask(f"SELECT * FROM cloudtrail {where}")
    [written_out] = setting.ask(f"SELECT each.* FROM (SELECT * FROM cloudtrail) each {where}")
    assert whole == written_out
    assert len(whole) == len(Table().columns)
    assert whole[1]["type"] == "Root"
    assert setting.ask(f"SELECT c.useridentity, c.useridentity.type FROM cloudtrail c {where}") == [[whole[1], "Root"]]


def test_exists_asks_of_another_row(setting: Setting) -> None:
    setting.journal(record(1), record(2, eventName="DeleteUser"), record(3, eventName="CreateUser"))
    later = "SELECT 1 FROM cloudtrail l WHERE l.eventtime > c.eventtime AND l.useridentity.arn = c.useridentity.arn"
    names = setting.ask(f"SELECT c.eventname FROM cloudtrail c WHERE NOT EXISTS ({later})")
    assert names == [["CreateUser"]]


ISO = "'%Y-%m-%dT%H:%i:%sZ'"
ACTIVITY = (
    f"SELECT arn, eventname, errorcode, sum(calls), date_format(min(firsttime), {ISO}),"
    f" date_format(max(lasttime), {ISO}) FROM activity GROUP BY 1, 2, 3"
)


def test_activity_says_what_the_records_say_with_and_without_its_files(setting: Setting) -> None:
    denied = {"errorCode": "AccessDenied", "eventName": "GetObject"}
    setting.load(log_name(1), record(1), record(2), record(3, **denied))
    setting.load(log_name(3, account=OTHER), record(4, recipientAccountId=OTHER))
    setting.load(log_name(2, "2026/01/16"), record(5, eventTime="2026-01-16T09:00:00Z"))
    setting.journal(record(6), record(7, **denied))
    from_records = (
        "SELECT useridentity.arn, eventname, errorcode, count(*), min(eventtime), max(eventtime) FROM cloudtrail"
        " GROUP BY 1, 2, 3"
    )
    expected = sorted(setting.ask(from_records), key=str)
    assert [row[3] for row in expected] == [2, 5]
    assert sorted(setting.ask(ACTIVITY), key=str) == expected

    Upkeep(setting.lake.manifest, setting.objects, setting.world, workers=1).run()
    assert all(each.activity for each in setting.lake.manifest.segments("cloudtrail"))
    assert sorted(setting.ask(ACTIVITY), key=str) == expected
    assert setting.ask("SELECT sum(calls) FROM activity", Scope((OTHER,))) == [[1]]


def test_denied_calls_are_added_up_over_days(setting: Setting) -> None:
    denied = {"errorCode": "Client.UnauthorizedOperation", "eventName": "StopInstances"}
    setting.load(log_name(1), record(1, **denied))
    setting.load(log_name(2, "2026/01/16"), record(5, eventTime="2026-01-16T09:00:00Z", **denied))
    who = record()["userIdentity"]["arn"]
    [found] = setting.ask(hunts()["denied-calls"].sql)
    assert found[:5] == [who, "ec2.amazonaws.com", "StopInstances", "Client.UnauthorizedOperation", 2]


def test_first_seen_are_the_calls_of_the_last_day_that_were_new(setting: Setting) -> None:
    setting.load(log_name(1), record(1), record(2, eventName="StopInstances"))
    setting.load(
        log_name(2, "2026/01/17"),
        record(3, eventTime="2026-01-17T09:00:00Z"),
        record(4, eventTime="2026-01-17T10:00:00Z", eventName="DeleteTrail"),
    )
    assert [row[2] for row in setting.ask(hunts()["first-seen"].sql)] == ["DeleteTrail"]


def test_key_activity_counts_calls_refusals_and_addresses_of_each_key(setting: Setting) -> None:
    denied = {"errorCode": "AccessDenied", "eventName": "GetObject", "sourceIPAddress": "203.0.113.9"}
    setting.load(log_name(1), record(1), record(2, **denied))
    setting.journal(record(3))
    who = record()["userIdentity"]["arn"]
    [found] = setting.ask(hunts()["key-activity"].sql)
    assert found == ["AKIAEXAMPLE", who, 3, 1, 2, 2, "2026-01-15T09:00:01Z", "2026-01-15T09:00:03Z"]
