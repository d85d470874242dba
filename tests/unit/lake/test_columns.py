"""Records become columns and come back as they were, whatever strange members they have."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.lake.records import record

from trailstate.lake.columns import ORDER, NotARecord, line_of, lines_of_file, records_of, table_of, time_of

ODDITIES: dict[str, dict[str, Any]] = {
    "as usual": {},
    "an unknown member": {"@timestamp": "2026-01-15", "service": {"deep": [1, 2.5, None]}},
    "a null in a text": {"errorCode": None},
    "a flag that is a text": {"readOnly": "true"},
    "a text that is a flag": {"sessionCredentialFromConsole": True},
    "documents that are null": {"requestParameters": None, "additionalEventData": None, "resources": None},
    "documents of another form": {"requestParameters": "text", "userIdentity": [1]},
    "a member named like our own": {"extra": 1, "time": 2, "identityArn": 3},
    "no identity": {"userIdentity": None},
    "characters beyond ASCII": {"userAgent": "é\u202e\U0001f600", "requestParameters": {"ключ": "\u0000"}},
    "numbers that floats cannot hold": {"requestParameters": {"n": 12345678901234567890}},
}


def back(*records: dict[str, Any]) -> list[dict[str, Any]]:
    lines = [line_of(json.dumps(each).encode()) for each in records]
    return list(records_of(table_of(lines, [time_of(line) for line in lines])))


@pytest.mark.parametrize("oddity", ODDITIES)
def test_a_record_comes_back_as_it_was(oddity: str) -> None:
    given_record = record(**ODDITIES[oddity])
    assert back(given_record) == [given_record]


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(codec="utf-8"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=6,
)
members = st.dictionaries(st.sampled_from(ORDER) | st.text("abcxyz@_", min_size=1, max_size=6), values, max_size=6)


@given(odd=members)
@settings(max_examples=200, deadline=None, database=None)
def test_whatever_a_record_has_comes_back(odd: dict[str, Any]) -> None:
    given_record = record() | {name: value for name, value in odd.items() if name != "eventTime"}
    assert back(given_record) == [given_record]


def test_numbers_that_nothing_here_can_hold_stay_as_they_were_written() -> None:
    text = json.dumps(record()).replace('"number": 1', f'"number": 1e99999, "long": {"9" * 5000}').encode()
    line = line_of(text)
    [row] = table_of([line], [time_of(line)]).to_pylist()
    assert row["requestParameters"].encode() in text
    [found] = records_of(table_of([line], [time_of(line)]))
    assert str(found["requestParameters"]["number"]) == "1E+99999"


def test_members_stand_in_the_order_in_which_aws_writes_them() -> None:
    [found] = back(dict(reversed(list(record().items()))))
    assert list(found) == list(record())


def test_a_record_without_a_time_is_none() -> None:
    with pytest.raises(NotARecord, match="eventTime"):
        time_of(line_of(json.dumps(record(eventTime="yesterday")).encode()))


def test_a_file_of_records_is_read_at_once_even_when_some_are_odd() -> None:
    usual = json.dumps({"Records": [record(1), record(2)]}).encode()
    assert len(lines_of_file(usual) or ()) == 2
    odd = json.dumps({"Records": [record(1), record(2, odd=1)]}).encode()
    assert [bytes(line.extra) for line in lines_of_file(odd) or ()] == [b"", b'{"odd":1}']
    assert lines_of_file(b"[" * 100_000) is None


def test_every_recorded_event_comes_back_as_it_was() -> None:
    samples = os.environ.get("TRAILSTATE_SAMPLES")
    if not samples:
        pytest.skip("TRAILSTATE_SAMPLES names no place with recorded events; none ship with the project")
    for path in sorted(Path(samples).glob("records-*.jsonl.gz")):
        records = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
        dated = [each for each in (r.get("record", r) for r in records) if _is_dated(each)]
        assert back(*dated) == dated


def _is_dated(each: dict[str, Any]) -> bool:
    try:
        time_of(line_of(json.dumps(each).encode()))
    except NotARecord:
        return False
    return True
