"""CBOR bodies → parameters (Smithy RPC v2 CBOR over RFC 8949): one tag, text keys, no key twice, no deep nests."""

import io
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NoReturn

import cbor2

from trailstate.wire import read_json
from trailstate.wire.readers import Builder
from trailstate.wire.text import Malformed, epoch_seconds

DEPTH_MAX = read_json.DEPTH_MAX
TAG_EPOCH_SECONDS = 1


def parse_object(body: bytes) -> dict[str, Any]:
    """The map that a CBOR text is; no text at all is an empty one. Raises Malformed."""
    if not body:
        return {}
    try:
        stream = io.BytesIO(body)
        value = cbor2.load(
            stream,
            max_depth=DEPTH_MAX,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
            semantic_decoders=_TAGS,
            tag_hook=_refuse,
        )
    except (cbor2.CBORDecodeError, UnicodeDecodeError, ValueError, OverflowError, MemoryError) as error:
        raise Malformed(f"The body is not valid CBOR: {error.__cause__ or error}") from None
    if type(value) is not dict or stream.read(1):
        raise Malformed("The body must be one CBOR map.")
    return value


def _refuse(*_: Any) -> NoReturn:
    raise Malformed("CBOR tags other than 1 (epoch seconds) are not allowed.")


def _epoch(value: Any, _immutable: bool) -> datetime:
    if type(value) not in (int, float):
        raise Malformed("A timestamp must be a number.")
    return epoch_seconds(value)


BUILT_IN_TAGS = (0, *range(2, 6), 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)
"""Tags to which the library gives a meaning of its own."""

_TAGS: Mapping[int, Callable[[Any, bool], Any]] = {**dict.fromkeys(BUILT_IN_TAGS, _refuse), TAG_EPOCH_SECONDS: _epoch}


def _timestamp(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if type(value) in (int, float):
        return epoch_seconds(value)
    raise read_json.unexpected(value, "Timestamp")


def _blob(value: Any) -> bytes:
    if type(value) is not bytes:
        raise read_json.unexpected(value, "Blob")
    return value


BUILDERS: Mapping[str, Builder] = {
    **read_json.BUILDERS,
    "blob": read_json.always(_blob),
    "timestamp": read_json.always(_timestamp),
}
