"""The journal's lines, and what becomes of a call that a crash cut off."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from trailstate.stores.interface import JOURNAL, Commit
from trailstate.stores.memory import MemoryStore
from trailstate.trail import journal
from trailstate.trail.journal import Fate, Journal
from trailstate.trail.record import draft
from trailstate.wire.call import Call, Principal, WireRequest
from trailstate.world import SimulatedWorld

RECORD = {"eventName": "StopLogging", "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "naïve": "é"}


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(SimulatedWorld())


def a_call(**changes: Any) -> Call:
    members: dict[str, Any] = {
        "service": "ec2",
        "operation": "TerminateInstances",
        "parameters": {"InstanceIds": ["i-0abc"]},
        "account": "111122223333",
        "region": "eu-west-1",
        "principal": Principal(type="Root", account="111122223333", principal_id="111122223333"),
        "source_address": "203.0.113.7",
        "user_agent": "test",
        "request_id": "request",
        "event_id": "event",
        "now": datetime(2026, 1, 15, 9, 30, tzinfo=UTC),
        "request": WireRequest("POST", "/", ()),
        "protocol": "ec2",
    }
    return Call(**members | changes)


def test_a_line_is_the_record_and_nothing_else() -> None:
    line = journal.line(RECORD)

    assert (line.ledger, line.account, line.region) == (JOURNAL, "111122223333", "eu-west-1")
    assert line.body.decode() == (
        '{"eventName":"StopLogging","awsRegion":"eu-west-1","recipientAccountId":"111122223333","naïve":"é"}'
    )


def test_records_come_back_at_their_positions(store: MemoryStore) -> None:
    kept = Journal(store)

    assert kept.append([RECORD, RECORD | {"eventName": "StartLogging"}]) == [1, 2]
    assert kept.head() == 2
    assert kept.at(2) == RECORD | {"eventName": "StartLogging"}
    assert kept.at(3) is None


@pytest.mark.parametrize(("fate", "said"), [(Fate.NOT_APPLIED, "no lasting effect"), (Fate.UNKNOWN, "not known")])
def test_an_intent_without_outcome_becomes_a_record_that_says_so(store: MemoryStore, fate: Fate, said: str) -> None:
    store.commit(Commit(intents=[journal.intent(draft(a_call()))]))

    assert Journal(store).settle_unanswered(fate) == 1

    (entry,) = store.read(JOURNAL, 0, 10)
    record = journal.read(entry)
    assert (entry.account, entry.region) == ("111122223333", "eu-west-1")
    assert (record["eventID"], record["eventName"]) == ("event", "TerminateInstances")
    assert record["requestParameters"] == {"instancesSet": {"items": [{"instanceId": "i-0abc"}]}}
    assert record["responseElements"] is None
    assert record["errorCode"].endswith("ServiceUnavailable")
    assert said in record["errorMessage"]
    assert record["additionalEventData"]["outcome"] == fate.value
    assert store.intents() == []


def test_the_record_of_a_lost_call_keeps_awss_order_of_fields() -> None:
    (record,) = journal.unanswered(journal.intent(draft(a_call())), Fate.NOT_APPLIED)

    names = list(record)
    assert names.index("errorMessage") < names.index("requestParameters")
    assert names.index("responseElements") < names.index("additionalEventData") < names.index("eventID")


def test_a_settled_intent_leaves_nothing_to_settle(store: MemoryStore) -> None:
    intent = journal.intent(draft(a_call()))
    store.commit(Commit(intents=[intent]))
    store.commit(Commit(appends=[journal.line(RECORD)], settled=[intent.id]))

    assert Journal(store).settle_unanswered(Fate.UNKNOWN) == 0
    assert store.head(JOURNAL) == 1


def test_many_intents_are_settled_each_once(store: MemoryStore) -> None:
    store.commit(Commit(intents=[journal.intent(draft(a_call(event_id=f"event-{number}"))) for number in range(1100)]))

    assert Journal(store).settle_unanswered(Fate.UNKNOWN) == 1100

    ids = [msgspec.json.decode(entry.body)["eventID"] for entry in store.read(JOURNAL, 0, 2000)]
    assert ids == [f"event-{number}" for number in range(1100)]
