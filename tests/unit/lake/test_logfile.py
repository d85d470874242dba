"""Files that hold records, well and badly: everything that can be read is taken, the rest is named."""

import gzip
import json
import zlib

import pytest
from tests.unit.lake.records import ACCOUNT, log_file, log_name, record

from trailstate.lake.logfile import DEPTH_MAX, FILE_BYTES_MAX, RECORD_BYTES_MAX, read

ONE, TWO, THREE = (json.dumps(record(number)).encode() for number in (1, 2, 3))
FILE = log_file(record(1), record(2), record(3))
DEEP = b'{"eventVersion":"1.11","eventTime":"2026-01-15T09:00:00Z","requestParameters":' + b"[" * 99 + b"]" * 99 + b"}"
BOMB = gzip.compress(b" " * 10_000)

# name: (file name, body, records read, reasons of what was left out)
CASES: dict[str, tuple[str, bytes, int, list[str]]] = {
    "a log file": (log_name(), FILE, 3, []),
    "an empty log file": (log_name(), log_file(), 0, []),
    "several gzip members": (log_name(), gzip.compress(b'{"Records":[') + gzip.compress(ONE + b"]}"), 1, []),
    "lines of JSON": ("events.jsonl", b"\n".join((ONE, TWO, b"", THREE)), 3, []),
    "lines of JSON, one damaged": ("events.jsonl", b"\n".join((ONE, TWO[:90], THREE)), 2, ["not-json"]),
    "a single record": ("event.json", ONE, 1, []),
    "a single record over many lines": ("event.json", json.dumps(record(), indent=2).encode(), 1, []),
    "an array": ("events.json", b"[" + ONE + b", " + TWO + b"]", 2, []),
    "JSON of something else": ("truth.json", b'{\n"users": 3\n}', 0, ["no-records"]),
    "an empty file": ("nothing.json", b"", 0, ["no-records"]),
    "text": ("notes.json", b"good morning", 0, ["record-not-object"]),
    "gzip by name only": (log_name(), b"good morning", 0, ["not-gzip"]),
    "bytes behind the end": (log_name(), FILE + b"more", 3, ["gzip-trailing"]),
    "an element that is no object": (log_name(), log_file(record(1), 7, record(2)), 2, ["record-not-object"]),
    "a record without a time": (log_name(), log_file(record(1), record(2, eventTime=None)), 1, ["no-time"]),
    "a record of another account": (
        log_name(),
        log_file(record(1), record(2, recipientAccountId="999999999999")),
        1,
        ["wrong-account"],
    ),
    "bytes that are no text": (
        "events.jsonl",
        ONE + b"\n" + TWO.replace(b"t3.micro", b"t3.\xff\xfe"),
        1,
        ["not-json"],
    ),
    "bytes that are no text in a log file": (
        log_name(),
        gzip.compress(b'{"Records":[' + ONE + b"," + TWO.replace(b"t3.micro", b"t3.\xed\xa0\x80") + b"]}"),
        1,
        ["not-json"],
    ),
    "a record nested too deep": ("events.jsonl", ONE + b"\n" + DEEP, 1, ["record-too-deep"]),
    "a record too large": (
        "events.jsonl",
        ONE + b"\n" + json.dumps(record(2, userAgent="x" * RECORD_BYTES_MAX)).encode(),
        1,
        ["record-too-large"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_can_be_read_is_taken_and_what_cannot_is_named(case: str) -> None:
    name, body, records, reasons = CASES[case]
    found = read(name, body)
    assert (len(found.lines), [each.reason for each in found.damages]) == (records, reasons)
    assert len(found.times) == records


def test_a_file_that_ends_too_soon_gives_what_came_before() -> None:
    many = log_file(*(record(number, userAgent=f"agent-{number * 7919 % 1000}") for number in range(200)))
    found = read(log_name(), many[: len(many) // 2])
    assert 20 < len(found.lines) < 200
    assert [each.reason for each in found.damages] == ["gzip-damaged", "not-json"]


def test_one_damaged_record_among_many_costs_only_itself() -> None:
    text = json.dumps({"Records": [record(number) for number in range(1000)]}, separators=(",", ":")).encode()
    damaged = text.replace(b'"eventName":"RunInstances"', b'"eventName":"RunInst', 1)
    found = read(log_name(), gzip.compress(damaged))
    assert len(found.lines) == 999
    [damage] = found.damages
    assert (damage.reason, damage.offset) == ("not-json", len(b'{"Records":['))
    assert damage.excerpt.startswith('{"eventVersion"')


def test_a_bomb_is_not_inflated_beyond_the_bound() -> None:
    packed = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    parts = [packed.compress(b" " * (1 << 20)) for _ in range(FILE_BYTES_MAX // (1 << 20) + 2)]
    found = read(log_name(), b"".join((*parts, packed.flush())))
    assert (found.lines, [each.reason for each in found.damages]) == ([], ["too-large"])


def test_the_account_in_a_name_holds_for_its_records_only_when_there_is_one() -> None:
    stranger = log_file(record(1, recipientAccountId="999999999999"))
    assert len(read("downloads/x.json.gz", stranger).lines) == 1
    assert DEPTH_MAX == 64
    assert ACCOUNT in log_name()
