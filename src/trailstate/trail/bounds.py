"""How large a record and its members may be (CloudTrail user guide, "Record contents"): the rest is cut or omitted.

Measuring means encoding, which costs as much as building a record. So it is done only where the call's own messages
are large enough for a limit to be in reach.
"""

from typing import Any

import msgspec

from trailstate.wire.call import Call

TEXT_BYTES_MAX = 1024
PARAMETERS_BYTES_MAX = 100 * 1024
ADDITIONAL_BYTES_MAX = 28 * 1024
RECORD_BYTES_MAX = 256 * 1024
UNMEASURED_BYTES_MAX = 16 * 1024
"""A message this small cannot grow beyond the limits when it is written: one byte becomes six at most."""

_OMITTED_IN_TURN = ("responseElements", "requestParameters", "additionalEventData")


def truncated(text: str) -> str:
    """Text cut to the 1 KB CloudTrail keeps of agents, codes, messages and request ids, never within a character."""
    if len(text) * 4 <= TEXT_BYTES_MAX:
        return text
    return text.encode()[:TEXT_BYTES_MAX].decode("utf-8", "ignore")


def request_bytes(call: Call) -> int:
    """How much the client sent: everything that the record's request may hold."""
    request = call.request
    lines = sum([len(value) for _, value in request.headers])
    return max(request.body_size, len(request.body)) + len(request.target) + lines


def bounded(name: str, value: Any, message_bytes: int, bytes_max: int = PARAMETERS_BYTES_MAX) -> Any:
    """A member within its limit, or None for an empty one; instead of a larger one a note of its size, as AWS does."""
    if not value or message_bytes <= UNMEASURED_BYTES_MAX:
        return value or None
    size_bytes = len(msgspec.json.encode(value))
    return value if size_bytes <= bytes_max else _note(name, size_bytes)


def whole(record: dict[str, Any], messages_bytes: int) -> dict[str, Any]:
    """A record within the limit for all of it: the largest members give way to notes first, `resources` last."""
    if messages_bytes <= UNMEASURED_BYTES_MAX:
        return record
    for name in _OMITTED_IN_TURN:
        if len(msgspec.json.encode(record)) <= RECORD_BYTES_MAX:
            return record
        if record.get(name):
            record = record | {name: _note(name, len(msgspec.json.encode(record[name])))}
    if len(msgspec.json.encode(record)) > RECORD_BYTES_MAX:
        record = {name: value for name, value in record.items() if name != "resources"}
    return record


def _note(name: str, size_bytes: int) -> dict[str, Any]:
    return {"omitted": True, "originalSize": size_bytes, "reason": f"{name} too large"}
