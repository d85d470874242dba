"""CloudTrail records as columns, and back again without a loss.

Members that every record has are columns of their own; those whose form differs from call to call (`requestParameters`,
`responseElements` …) stay the JSON text they were. Who called is asked for most, so a few facts of `userIdentity` are
columns too, beside its whole text. Whatever a column cannot hold exactly, an unknown member or one of another type than
usual, goes into `extra`, a JSON object: nothing is dropped because nobody foresaw it.

A null stays apart from an absent member: in a column of JSON it is the text `null`, elsewhere it goes into `extra`.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import msgspec

from trailstate.values.timestamp import epoch_seconds

if TYPE_CHECKING:
    import pyarrow as pa

Raw = msgspec.Raw
_ABSENT = Raw()

TEXTS = (
    *(
        "eventVersion",
        "eventTime",
        "eventSource",
        "eventName",
        "awsRegion",
        "sourceIPAddress",
        "userAgent",
        "errorCode",
    ),
    *("errorMessage", "requestID", "eventID", "eventType", "apiVersion", "recipientAccountId", "sharedEventID"),
    *("vpcEndpointId", "vpcEndpointAccountId", "eventCategory", "sessionCredentialFromConsole"),
)
FLAGS = ("readOnly", "managementEvent")
DOCUMENTS = (
    *("userIdentity", "requestParameters", "responseElements", "additionalEventData", "resources"),
    *("serviceEventDetails", "tlsDetails", "addendum", "edgeDeviceDetails", "insightDetails", "eventContext"),
)
ORDER = (
    *("eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress"),
    *("userAgent", "errorCode", "errorMessage", "requestParameters", "responseElements", "additionalEventData"),
    *("requestID", "eventID", "readOnly", "resources", "eventType", "apiVersion", "managementEvent"),
    *("recipientAccountId", "serviceEventDetails", "sharedEventID", "vpcEndpointId", "vpcEndpointAccountId"),
    *("eventCategory", "addendum", "edgeDeviceDetails", "insightDetails", "eventContext", "tlsDetails"),
    "sessionCredentialFromConsole",
)
"""The order in which a record is written."""

assert set(ORDER) == {*TEXTS, *FLAGS, *DOCUMENTS}

IDENTITY = (
    *("identityType", "identityPrincipalId", "identityArn", "identityAccountId", "identityAccessKeyId"),
    *("identityUserName", "identityInvokedBy", "issuerArn"),
)
"""Facts of `userIdentity` that questions ask for."""

Line = msgspec.defstruct(
    "Line",
    [
        *((name, str, None) for name in TEXTS),
        *((name, bool, None) for name in FLAGS),
        *((name, Raw, _ABSENT) for name in DOCUMENTS),
        ("extra", Raw, _ABSENT),
    ],
    forbid_unknown_fields=True,
    gc=False,
)
"""A record as its columns; a member that is not there has its default."""


class _File(msgspec.Struct):
    Records: list[Line]  # type: ignore[valid-type]


class _Issuer(msgspec.Struct):
    arn: str | None = None


class _Session(msgspec.Struct):
    sessionIssuer: _Issuer | None = None  # noqa: N815 - AWS's name


class _Identity(msgspec.Struct):
    type: str | None = None
    principalId: str | None = None  # noqa: N815
    arn: str | None = None
    accountId: str | None = None  # noqa: N815
    accessKeyId: str | None = None  # noqa: N815
    userName: str | None = None  # noqa: N815
    invokedBy: str | None = None  # noqa: N815
    sessionContext: _Session | None = None  # noqa: N815


class _Pieces(msgspec.Struct):
    Records: list[Raw]


_decode_file = msgspec.json.Decoder(_File).decode
_decode_pieces = msgspec.json.Decoder(_Pieces).decode
_decode_line = msgspec.json.Decoder(Line).decode
_decode_identity = msgspec.json.Decoder(_Identity).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_NOBODY = (None,) * len(IDENTITY)
_SECONDS = {f"{second:02}Z": second for second in range(60)}
_FIELDS = tuple(field.name for field in msgspec.structs.fields(Line))


class NotARecord(ValueError):
    """What was given is no CloudTrail record; the message says why."""


def lines_of_file(text: bytes) -> Sequence[Any] | None:
    """The records of a log file that is as it should be; None when it must be read piece by piece."""
    try:
        return _decode_file(text).Records
    except msgspec.ValidationError:
        return _lines_of_odd_file(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _lines_of_odd_file(text: bytes) -> Sequence[Any] | None:
    """The records of a log file where some have members that no column holds."""
    try:
        return [_line_of_piece(piece) for piece in _decode_pieces(text).Records]
    except (msgspec.DecodeError, RecursionError, NotARecord):
        return None


def _line_of_piece(piece: Raw) -> Any:
    try:
        return _decode_line(piece)
    except msgspec.ValidationError:
        return _odd_line(bytes(piece))


def line_of(text: bytes) -> Any:
    """One record, whatever members it has. NotARecord when it is not a JSON object with a time that can be read."""
    try:
        return _decode_line(text)
    except (msgspec.ValidationError, RecursionError):
        return _odd_line(text)
    except msgspec.DecodeError as error:
        raise NotARecord(f"it is not JSON: {error}") from error


def _odd_line(text: bytes) -> Any:
    """A record with members that no column holds: they go into `extra`."""
    try:
        members = _decode_members(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotARecord(f"it is not a JSON object: {error}") from error
    fitting: dict[str, Raw] = {}
    odd: dict[str, Raw] = {}
    for name, value in members.items():
        (fitting if _fits(name, value) else odd)[name] = value
    return msgspec.structs.replace(_decode_line(_encode(fitting)), extra=Raw(_encode(odd)))


def _fits(name: str, value: Raw) -> bool:
    if name == "extra" or name not in ORDER:
        return False
    if name in DOCUMENTS:
        return True
    return isinstance(_decode(value), str if name in TEXTS else bool)


def time_of(line: Any) -> int:
    """The record's time in seconds since 1970; NotARecord when it has none that can be read."""
    try:
        return epoch_seconds(line.eventTime)
    except (TypeError, ValueError) as error:
        raise NotARecord(f"its eventTime is not a time: {line.eventTime!r}") from error


def times_of(lines: Sequence[Any]) -> list[int] | None:
    """The times of all; None when one of them is written in another way than CloudTrail does, or not at all."""
    try:
        return [_minute(line.eventTime[:17]) + _SECONDS[line.eventTime[17:]] for line in lines]
    except (TypeError, ValueError, KeyError):
        return None


@lru_cache(maxsize=65_536)
def _minute(text: str) -> int:
    """`2026-01-15T09:30:` in seconds since 1970: a time is read once a minute, not once a record."""
    return epoch_seconds(f"{text}00Z")


def _identity_of(text: str) -> tuple[str | None, ...]:
    try:
        who = _decode_identity(text)
    except (msgspec.DecodeError, RecursionError):
        return _NOBODY
    issuer = who.sessionContext and who.sessionContext.sessionIssuer
    facts = (who.type, who.principalId, who.arn, who.accountId, who.accessKeyId, who.userName, who.invokedBy)
    return (*facts, issuer.arn if issuer else None)


def schema() -> "pa.Schema":
    """The columns of a segment of records."""
    import pyarrow as pa

    kinds = {name: pa.string() for name in ORDER} | {name: pa.bool_() for name in FLAGS}
    fields = [pa.field("time", pa.int64(), nullable=False), *(pa.field(name, kinds[name]) for name in ORDER)]
    return pa.schema([*fields, *(pa.field(name, pa.string()) for name in IDENTITY), pa.field("extra", pa.string())])


def table_of(lines: Sequence[Any], times: Sequence[int]) -> "pa.Table":
    """Records as a table, in the order given; `times` are theirs, in seconds since 1970."""
    import pyarrow as pa

    by_name = dict(zip(_FIELDS, zip(*map(msgspec.structs.astuple, lines), strict=True), strict=True)) if lines else {}
    arrays = {name: _array(by_name.get(name, ()), name) for name in _FIELDS}
    arrays |= _identities(arrays["userIdentity"])
    arrays["time"] = pa.array(times, pa.int64())
    shape = schema()
    return pa.Table.from_arrays([arrays[name] for name in shape.names], schema=shape)


def _identities(texts: "pa.Array") -> dict[str, "pa.Array"]:
    """The facts of each `userIdentity`; each different one is read once."""
    import pyarrow as pa

    encoded = texts.dictionary_encode()
    found = [_identity_of(text) for text in encoded.dictionary.to_pylist()]
    facts = zip(*found, strict=True) if found else ((),) * len(IDENTITY)
    return {
        name: pa.array(values, pa.string()).take(encoded.indices) for name, values in zip(IDENTITY, facts, strict=True)
    }


def _array(values: Sequence[Any], name: str) -> "pa.Array":
    import pyarrow as pa

    if name in TEXTS:
        return pa.array(values, pa.string())
    if name in FLAGS:
        return pa.array(values, pa.bool_())
    return _documents(values)


def _documents(values: Sequence[Raw]) -> "pa.Array":
    """JSON texts as a column: joined at once, which costs half of making a Python object of each; absent ones null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    absent = values.count(_ABSENT)
    if absent == len(values):
        return pa.nulls(absent, pa.string())
    ends = array("q", (0, *accumulate(map(len, values))))
    texts = pa.Array.from_buffers(
        pa.large_string(), len(values), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(values))]
    )
    if absent:
        texts = pc.if_else(pc.equal(pc.binary_length(texts), 0), None, texts)
    return texts.cast(pa.string())


def records_of(table: "pa.Table") -> Iterator[dict[str, Any]]:
    """The records of a table as they were recorded."""
    for row in table.select([*ORDER, "extra"]).to_pylist():
        yield record_of(row)


def record_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The record of one row."""
    known = {name: document(row[name]) if name in DOCUMENTS else row[name] for name in ORDER if row[name] is not None}
    return known | (document(row["extra"]) if row["extra"] else {})


def text_of(row: Mapping[str, Any]) -> bytes:
    """The record of one row as JSON text, every document in it to the letter."""
    members = [
        f'"{name}":{value if name in DOCUMENTS else _encode(value).decode()}'
        for name in ORDER
        if (value := row[name]) is not None
    ]
    if row["extra"]:
        members.append(row["extra"][1:-1])
    return f"{{{','.join(members)}}}".encode()


def document(text: str | bytes) -> Any:
    """What the JSON text of a column says; numbers that no float or 64-bit integer can hold stay exact too."""
    try:
        return _decode(text)
    except msgspec.ValidationError:
        return json.loads(text, parse_int=Decimal, parse_float=Decimal)
