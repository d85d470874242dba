import gzip
import json

from trailstate.trail.logfile import log_text, pack, times_of

RECORDS = [
    b'{"eventTime":"2026-01-15T09:31:00Z","eventName":"B"}',
    b'{"eventTime":"2026-01-15T09:30:00Z","eventName":"A"}',
]


def test_a_file_holds_its_records_as_they_are() -> None:
    text = gzip.decompress(pack(log_text(RECORDS)))
    assert json.loads(text) == {"Records": [json.loads(each) for each in RECORDS]}
    assert RECORDS[0] in text
    assert times_of(RECORDS) == ("2026-01-15T09:31:00Z", "2026-01-15T09:30:00Z")


def test_the_same_records_make_the_same_bytes() -> None:
    packed = pack(log_text(RECORDS))
    assert packed == pack(log_text(list(RECORDS)))
    assert packed[4:8] == bytes(4), "the gzip header carries no time"
