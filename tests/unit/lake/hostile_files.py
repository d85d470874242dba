"""Files that claim to be CloudTrail's and are damaged, forged or built to do harm, each with what can be saved."""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.unit.lake.records import ACCOUNT, log_name, record

from trailstate.lake.columns import DOCUMENTS, FLAGS, TEXTS
from trailstate.lake.logfile import RECORD_BYTES_MAX

RECORDS_EACH = 3
STRANGER = "999988887777"


@dataclass(frozen=True, slots=True)
class Hostile:
    """One file. `taken` are the ids that must be in the lake afterwards, `maybe` those that may be."""

    what: str
    name: str
    body: bytes
    taken: frozenset[str]
    maybe: frozenset[str] = frozenset()
    is_damaged: bool = True
    """Whether something of it must be in quarantine."""


class Numbers:
    """Gives every record of the suite a number of its own."""

    def __init__(self) -> None:
        self._next = 0

    def records(self, count: int = RECORDS_EACH, **members: Any) -> list[dict[str, Any]]:
        self._next += count
        return [record(number, **members) for number in range(self._next - count, self._next)]


def ids(records: list[dict[str, Any]]) -> frozenset[str]:
    return frozenset(each["eventID"] for each in records)


def text_of(records: list[Any]) -> bytes:
    return json.dumps({"Records": records}, separators=(",", ":")).encode()


def hostile_files() -> Iterator[Hostile]:
    """All of them; the same every time."""
    numbers = Numbers()
    makers = (_cut, _flipped, _headers, _not_text, _shapes, _members, _deep, _large, _bombs, _forged, _lines, _numbers)
    for make in makers:
        yield from make(numbers)


def _named(what: str, number: int, suffix: str = ".json.gz") -> str:
    return log_name(abs(hash_of(what)) % 10**12 + number).removesuffix(".json.gz") + suffix


def hash_of(text: str) -> int:
    return zlib.crc32(text.encode())


def _cut(numbers: Numbers) -> Iterator[Hostile]:
    """The data end too soon."""
    for share in range(1, 20):
        records = numbers.records()
        body = gzip.compress(text_of(records))
        name = _named("cut", share)
        yield Hostile(f"cut at {share}/20", name, body[: len(body) * share // 20], frozenset(), ids(records))


def _flipped(numbers: Numbers) -> Iterator[Hostile]:
    """One byte of the compressed data is another."""
    for share in range(1, 20):
        records = numbers.records()
        body = bytearray(gzip.compress(text_of(records)))
        body[12 + (len(body) - 21) * share // 20] ^= 0x55
        yield Hostile(f"flipped at {share}/20", _named("flip", share), bytes(body), frozenset(), ids(records))


def _headers(numbers: Numbers) -> Iterator[Hostile]:
    """The frame around the data is not as it should be."""
    for number, (what, change, keeps) in enumerate(
        (
            ("no gzip", lambda body: b"PK\x03\x04" + body, False),
            ("only the header", lambda body: body[:10], False),
            ("only two bytes", lambda _: b"\x1f\x8b", False),
            ("text behind", lambda body: body + b"DROP TABLE", True),
            ("zeros behind", lambda body: body + b"\0" * 512, True),
            ("half a member behind", lambda body: body + body[:40], True),
            ("an unknown method", lambda body: body[:2] + b"\x07" + body[3:], False),
            ("a wrong checksum", lambda body: body[:-8] + b"\0\0\0\0" + body[-4:], True),
            ("a wrong length", lambda body: body[:-4] + b"\xff\xff\xff\x7f", True),
        )
    ):
        records = numbers.records()
        kept = ids(records)
        body = change(gzip.compress(text_of(records)))
        yield Hostile(what, _named("header", number), body, kept if keeps else frozenset(), kept)


def _not_text(numbers: Numbers) -> Iterator[Hostile]:
    """Bytes that are no UTF-8, in members that are taken apart and in those that are not."""
    for number, junk in enumerate((b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80")):
        for place in (b"t3.micro", b"aws-cli/2"):
            records = numbers.records()
            body = gzip.compress(text_of(records).replace(place, place + junk, 1))
            yield Hostile(f"{junk!r} in {place!r}", _named(f"{place!r}", number), body, ids(records[1:]))
    for number, coding in enumerate(("utf-16", "utf-32", "utf-16-be")):
        body = gzip.compress(text_of(numbers.records()).decode().encode(coding))
        yield Hostile(f"in {coding}", _named("coding", number), body, frozenset())


def _shapes(numbers: Numbers) -> Iterator[Hostile]:
    """JSON, and no log file."""
    one = numbers.records(1)
    shapes: dict[str, Any] = {
        "a number": 7,
        "a text": "Records",
        "null": None,
        "an empty object": {},
        "records that are an object": {"Records": {"a": 1}},
        "records that are a text": {"Records": "x"},
        "records that are null": {"Records": None},
        "a list of lists": [[1], [2]],
        "records in records": {"Records": [{"Records": one}]},
        "a digest": {"awsAccountId": ACCOUNT, "digestStartTime": "2026-01-15T09:00:00Z", "logFiles": []},
        "a policy": {"Version": "2012-10-17", "Statement": []},
    }
    for number, (what, shape) in enumerate(shapes.items()):
        yield Hostile(what, _named("shape", number), gzip.compress(json.dumps(shape).encode()), frozenset())
    yield Hostile("nothing", _named("nothing", 1), gzip.compress(b""), frozenset())
    yield Hostile("no bytes", _named("nothing", 2), b"", frozenset())
    yield Hostile("spaces", _named("nothing", 3), gzip.compress(b" \n\t" * 1000), frozenset())
    for number, element in enumerate((7, "x", None, [1], True, {})):
        records = numbers.records()
        yield Hostile(
            f"an element {element!r}",
            _named("element", number),
            gzip.compress(text_of([records[0], element, *records[1:]])),
            ids(records),
        )


def _members(numbers: Numbers) -> Iterator[Hostile]:
    """Members of another type than AWS ever gives them: strange, and no reason to lose a record."""
    for number, name in enumerate((*TEXTS, *FLAGS, *DOCUMENTS)):
        if name in ("eventTime", "eventID", "recipientAccountId"):
            continue
        records = numbers.records()
        for each, value in zip(records, ({"a": [1]}, 7, None), strict=True):
            each[name] = value
        yield Hostile(
            f"a strange {name}",
            _named("member", number),
            gzip.compress(text_of(records)),
            ids(records),
            is_damaged=False,
        )
    for number, time in enumerate((None, 7, "yesterday", "2026-13-45T99:99:99Z", "", [], "9" * 5000)):
        records = numbers.records()
        records[1]["eventTime"] = time
        body = gzip.compress(text_of(records))
        yield Hostile(f"the time {str(time)[:20]!r}", _named("time", number), body, ids([records[0], records[2]]))


def _deep(numbers: Numbers) -> Iterator[Hostile]:
    for number, depth in enumerate((200, 5_000, 200_000)):
        records = numbers.records()
        nested = b"[" * depth + b"]" * depth
        text = text_of(records).replace(b'"t3.micro"', nested, 1)
        taken, maybe = (ids(records), frozenset[str]()) if depth == 200 else (ids(records[1:]), ids(records))
        yield Hostile(f"{depth} deep", _named("deep", number), gzip.compress(text), taken, maybe, depth != 200)
        yield Hostile(
            f"{depth} open", _named("open", number), gzip.compress(b'{"Records":' + b"[" * depth), frozenset()
        )
        yield Hostile(f"{depth} objects", _named("nest", number), gzip.compress(b'{"a":' * depth + b"1"), frozenset())


def _large(numbers: Numbers) -> Iterator[Hostile]:
    records = numbers.records()
    records[1]["userAgent"] = "x" * (RECORD_BYTES_MAX + 1)
    lines = b"\n".join(json.dumps(each).encode() for each in records)
    yield Hostile("a large record", "large.jsonl", lines, ids([records[0], records[2]]))
    records = numbers.records()
    records[1] |= {f"member{number}": number for number in range(20_000)}
    yield Hostile("many members", _named("large", 1), gzip.compress(text_of(records)), ids(records), is_damaged=False)
    records = numbers.records()
    records[1]["requestParameters"] = {"keys": ["k"] * 200_000}
    yield Hostile("a long list", _named("large", 2), gzip.compress(text_of(records)), ids(records), is_damaged=False)


def _bombs(numbers: Numbers) -> Iterator[Hostile]:
    """Little that inflates to much."""
    for number, piece in enumerate((b" ", b"[", b"[{},", b'{"eventVersion":1},')):
        packed = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        block = piece * (1 << 20)
        parts = [packed.compress(block) for _ in range((300 << 20) // len(block) + 1)]
        yield Hostile(f"300 MiB of {piece!r}", _named("bomb", number), b"".join((*parts, packed.flush())), frozenset())


def _forged(numbers: Numbers) -> Iterator[Hostile]:
    """Records of another account than the file's name says, and ids that are there already."""
    records = numbers.records(recipientAccountId=STRANGER)
    yield Hostile("all of a stranger", _named("forged", 1), gzip.compress(text_of(records)), frozenset())
    records = numbers.records()
    records[2]["recipientAccountId"] = STRANGER
    yield Hostile("one of a stranger", _named("forged", 2), gzip.compress(text_of(records)), ids(records[:2]))
    for number in range(5):
        records = numbers.records()
        forged = [each | {"eventName": f"Forged{number}"} for each in records]
        both = gzip.compress(text_of([*records, *forged]))
        yield Hostile("the same ids with other content", _named("conflict", number), both, ids(records))


def _lines(numbers: Numbers) -> Iterator[Hostile]:
    """Lines of JSON of which one is damaged."""
    for number, junk in enumerate((b"{", b"{{", b"\x00", b'{"a":', b"{]", b'"', b"NaN", b"{'a':1}", b"{} {}", b"\xff")):
        records = numbers.records()
        lines = [json.dumps(each).encode() for each in records]
        body = b"\n".join((lines[0], junk, *lines[1:]))
        yield Hostile(f"a line {junk!r}", f"lines-{number}.jsonl", body, ids(records))


def _numbers(numbers: Numbers) -> Iterator[Hostile]:
    """Numbers and names that parsers disagree about."""
    for number, value in enumerate((b"1e99999", b"-0.0", b"9" * 5000, b"0.1e-400", b'{"a":1,"a":2}', b'"\\u0000"')):
        records = numbers.records()
        text = text_of(records).replace(b'"t3.micro"', value, 1)
        name = _named("number", number)
        yield Hostile(f"the value {value[:12]!r}", name, gzip.compress(text), ids(records), is_damaged=False)
    for number, value in enumerate((b"NaN", b"Infinity", b"01", b"1.", b'"\\q"', b'"\\ud800"', b'"\x01"', b"tru")):
        records = numbers.records()
        text = text_of(records).replace(b'"t3.micro"', value, 1)
        yield Hostile(f"the piece {value!r}", _named("piece", number), gzip.compress(text), ids(records[1:]))
