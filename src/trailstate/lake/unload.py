"""UNLOAD: the rows of a question as files in somebody's bucket, a bounded part of them at a time.

https://docs.aws.amazon.com/athena/latest/ug/unload.html
"""

import gzip
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from trailstate.lake.gate import Refused
from trailstate.lake.result import text_of

if TYPE_CHECKING:
    import pyarrow as pa

FILE_BYTES = 32 * 1024 * 1024
"""So many bytes of rows, as they are in memory, make one file."""

PARQUET_COMPRESSIONS = {"GZIP": "gzip", "SNAPPY": "snappy", "ZSTD": "zstd", "LZ4": "lz4", "NONE": "none"}
TEXT_COMPRESSIONS = ("GZIP", "NONE")
PROPERTIES = ("format", "compression", "field_delimiter")
FIELD_DELIMITER = "\x01"

_encode = msgspec.json.Encoder(enc_hook=text_of).encode

Write = Callable[["pa.Table"], bytes]


class S3(Protocol):
    """The bucket's operations, as whoever asked."""

    def __call__(self, operation: str, /, **parameters: Any) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Unload:
    """UNLOAD (query) TO 's3://…' WITH (…)."""

    query: str
    location: str
    properties: Mapping[str, str]


def properties_in(text: str) -> dict[str, str]:
    """The properties between the brackets of WITH, names in lower case."""
    pairs = re.findall(r"\s*(\w+)\s*=\s*(?:'([^']*)'|(\S+))\s*(?:,|$)", text)
    return {name.lower(): quoted or bare for name, quoted, bare in pairs}


class Unloading:
    """One UNLOAD under way. Its files carry the execution's id, so that one that runs again writes the same."""

    def __init__(self, asked: Unload, execution: str, s3: S3) -> None:
        """Refused for what cannot be written, and where something lies in its place."""
        self._write, self._ending = writer(asked.properties)
        self._bucket, _, path = asked.location.removeprefix("s3://").partition("/")
        directory = f"{path.rstrip('/')}/" if path else ""
        self._prefix = f"{directory}{execution}_"
        self._s3 = s3
        found = s3("ListObjectsV2", Bucket=self._bucket, Prefix=directory, MaxKeys=1).get("Contents", ())
        if any(not each["Key"].startswith(self._prefix) for each in found):
            place = f"s3://{self._bucket}/{directory}"
            raise Refused(f"HIVE_PATH_ALREADY_EXISTS: {place} is not empty; UNLOAD to another place")

    def run(self, batches: Iterable["pa.RecordBatch"]) -> list[str]:
        """Write everything; where the files lie."""
        places = []
        for number, body in enumerate(files(batches, self._write)):
            name = f"{self._prefix}{number:05d}{self._ending}"
            self._s3("PutObject", Bucket=self._bucket, Key=name, Body=body)
            places.append(f"s3://{self._bucket}/{name}")
        return places


def files(batches: Iterable["pa.RecordBatch"], write: Write) -> Iterator[bytes]:
    """The bodies of the files; none for no rows."""
    import pyarrow as pa

    gathered: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        gathered.append(batch)
        size += batch.nbytes
        if size >= FILE_BYTES:
            yield write(pa.Table.from_batches(gathered))
            gathered, size = [], 0
    if any(each.num_rows for each in gathered):
        yield write(pa.Table.from_batches(gathered))


def writer(properties: Mapping[str, str]) -> tuple[Write, str]:
    """What writes the files, and how their names end; Refused for a property or a format that there is not."""
    unknown = [name for name in properties if name not in PROPERTIES]
    if unknown:
        raise Refused(f"UNLOAD with the property '{unknown[0]}' is not supported by Trailstate yet")
    form = properties.get("format", "").upper()
    compression = properties.get("compression", "GZIP").upper()
    if form not in _WRITERS:
        raise Refused(f"UNLOAD expects format = 'PARQUET', 'JSON' or 'TEXTFILE'; found '{form or 'none'}'")
    if compression not in (PARQUET_COMPRESSIONS if form == "PARQUET" else TEXT_COMPRESSIONS):
        raise Refused(f"the compression '{compression}' is not supported by Trailstate yet for {form}")
    return _WRITERS[form](compression, properties.get("field_delimiter", FIELD_DELIMITER))


def _parquet(compression: str, _: str) -> tuple[Write, str]:
    def write(table: "pa.Table") -> bytes:
        import pyarrow.parquet as pq

        body = io.BytesIO()
        pq.write_table(table, body, compression=PARQUET_COMPRESSIONS[compression])
        return body.getvalue()

    return write, ".parquet"


def _json(compression: str, _: str) -> tuple[Write, str]:
    def write(table: "pa.Table") -> bytes:
        return _packed(b"".join(_encode(row) + b"\n" for row in table.to_pylist()), compression)

    return write, _ending(".json", compression)


def _text(compression: str, delimiter: str) -> tuple[Write, str]:
    def write(table: "pa.Table") -> bytes:
        rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
        lines = (delimiter.join(r"\N" if value is None else text_of(value) or "" for value in row) for row in rows)
        return _packed("".join(line + "\n" for line in lines).encode(), compression)

    return write, _ending("", compression)


def _packed(body: bytes, compression: str) -> bytes:
    """The same bytes for the same rows."""
    return gzip.compress(body, mtime=0) if compression == "GZIP" else body


def _ending(ending: str, compression: str) -> str:
    return f"{ending}.gz" if compression == "GZIP" else ending


_WRITERS = {"PARQUET": _parquet, "JSON": _json, "TEXTFILE": _text}
