"""Output values as the trees that JSON and CBOR carry; the two differ in times, bytes and names only.

Follows the Smithy specification: "JSON bindings" of the AWS protocols, and "Smithy RPC v2 CBOR".
"""

import base64
from collections.abc import Mapping
from typing import Any

import cbor2
import msgspec

from trailstate.wire.scalar import aware, epoch, special_float, timestamp_text, whole_text

_ELSEWHERE = frozenset({"header", "headers", "statusCode"})
_CBOR_EPOCH_TAG = 1


def json_bytes(tree: Any) -> bytes:
    return msgspec.json.encode(tree)


def cbor_bytes(tree: Any) -> bytes:
    return bytes(cbor2.dumps(tree))


class JsonTree:
    """Values as JSON writes them."""

    def __init__(self, *, names: str | None = "name") -> None:
        self._names = names
        self._writers = {
            "structure": self.members,
            "list": self._list,
            "map": self._map,
            "string": self._string,
            "character": self._string,
            "timestamp": self._timestamp,
            "blob": self._blob,
            "float": self._float,
            "double": self._float,
        }

    def write(self, shape: Any, value: Any) -> Any:
        """One value; None stays null."""
        write = self._writers.get(shape.type_name)
        return value if write is None or value is None else write(shape, value)

    def members(self, shape: Any, value: Mapping[str, Any]) -> Any:
        """A structure, in the model's order, without members that are None or travel in headers or the status line.
        TypeError for a member the model does not have."""
        if shape.is_document_type:
            return value
        unknown = value.keys() - shape.members.keys()
        if unknown:
            raise TypeError(f"{shape.name} has no member {', '.join(sorted(map(repr, unknown)))}")
        tree = {}
        for name, member in shape.members.items():
            item = value.get(name)
            if item is None or member.serialization.get("location") in _ELSEWHERE:
                continue
            tree[self._name(member, name)] = self.write(member, item)
        return tree

    def _name(self, shape: Any, member: str) -> str:
        return str(shape.serialization.get(self._names, member)) if self._names else member

    def _list(self, shape: Any, value: Any) -> list[Any]:
        return [self.write(shape.member, item) for item in value]

    def _map(self, shape: Any, value: Any) -> dict[str, Any]:
        return {self._string(shape.key, key): self.write(shape.value, item) for key, item in value.items()}

    def _string(self, _shape: Any, value: Any) -> Any:
        return whole_text(value) if isinstance(value, str) else value

    def _timestamp(self, shape: Any, value: Any) -> Any:
        form = shape.serialization.get("timestampFormat", "unixTimestamp")
        return epoch(value) if form == "unixTimestamp" else timestamp_text(value, form)

    def _blob(self, _shape: Any, value: Any) -> Any:
        return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()

    def _float(self, _shape: Any, value: Any) -> Any:
        return special_float(value) or value if isinstance(value, float) else value


class CborTree(JsonTree):
    """Values as CBOR writes them: members by their own names, bytes as bytes, times as tag 1."""

    def __init__(self) -> None:
        super().__init__(names=None)

    def _timestamp(self, _shape: Any, value: Any) -> Any:
        return cbor2.CBORTag(_CBOR_EPOCH_TAG, float(round(aware(value).timestamp(), 3)))

    def _blob(self, _shape: Any, value: Any) -> Any:
        return value.encode() if isinstance(value, str) else bytes(value)

    def _float(self, _shape: Any, value: Any) -> Any:
        return float(value)
