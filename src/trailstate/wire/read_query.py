"""Form parameters → parameters (the AWS Query and EC2 Query protocols).

`Filter.1.Value.2=running` names a place in a tree. The parameters are first hung up in that tree, then read by the
shape: numbers order lists, `member` and `entry` stand between where a list or map is not flattened.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trailstate.wire.readers import Builder, Members, Read, Readers, WireNames, located_name
from trailstate.wire.text import INTEGER_RANGES, Malformed, text_reader

DEPTH_MAX = 64
TIMESTAMP_FORMAT = "iso8601"

FORMER_NAMES: Mapping[str, tuple[str, ...]] = {
    "AWSAccountIds": ("AWSAccountId",),
    "Actions": ("ActionName",),
    "AttributeNames": ("AttributeName",),
    "Attributes": ("Attribute",),
    "BinaryListValues": ("BinaryListValue",),
    "Entries": (
        "SendMessageBatchRequestEntry",
        "DeleteMessageBatchRequestEntry",
        "ChangeMessageVisibilityBatchRequestEntry",
    ),
    "MessageAttributeNames": ("MessageAttributeName",),
    "MessageAttributes": ("MessageAttribute",),
    "MessageSystemAttributeNames": ("MessageSystemAttributeName",),
    "MessageSystemAttributes": ("MessageSystemAttribute",),
    "StringListValues": ("StringListValue",),
    "TagKeys": ("TagKey",),
    "Tags": ("Tag",),
    "tags": ("Tag",),
}
"""SQS before it spoke JSON: its model keeps the flattened lists and maps, and has lost their names."""


@dataclass(slots=True)
class Branch:
    """A place in the tree: its own value, and what hangs under it."""

    value: str | None = None
    under: dict[str, "Branch"] = field(default_factory=dict)


def hang(form: Mapping[str, str]) -> Branch:
    """The tree of a form's parameters."""
    root = Branch()
    for name, value in form.items():
        parts = name.split(".")
        if len(parts) > DEPTH_MAX:
            raise Malformed(f"A parameter's name has more than {DEPTH_MAX} parts.")
        branch = root
        for part in parts:
            branch = branch.under.setdefault(part, Branch())
        branch.value = value
    return root


# ---- readers ----


def _structure(wire_names: WireNames) -> Builder:
    def build(shape: Any, readers: Readers) -> Read:
        members = Members(shape, readers, wire_names)

        def read(branch: Branch) -> dict[str, Any]:
            known = members.by_wire_name()
            return {known[part][0]: known[part][1](under) for part, under in branch.under.items() if part in known}

        return read

    return build


def _query_names(member: Any, name: str) -> tuple[str, ...]:
    """botocore calls a flattened list by the name of its items, if that is stated; the specification by its own."""
    own = located_name(member, name)
    if not member.serialization.get("flattened"):
        return (own,)
    stated = member.member.serialization.get("name") if member.type_name == "list" else None
    return (str(stated or own), own, *FORMER_NAMES.get(name, ()))


def _ec2_names(member: Any, name: str) -> tuple[str, str]:
    """queryName as it is, else locationName with a capital, else the member's own name, which some capitalise."""
    stated = member.serialization.get("name")
    first = member.serialization.get("queryName") or (_capital(stated) if stated else name)
    return str(first), _capital(name)


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


def _list(shape: Any, readers: Readers) -> Read:
    flattened = shape.serialization.get("flattened")
    between = None if flattened else shape.member.serialization.get("name", "member")
    return _numbered(shape.member, readers, between)


def _ec2_list(shape: Any, readers: Readers) -> Read:
    return _numbered(shape.member, readers, None)


def _numbered(member: Any, readers: Readers, between: str | None) -> Read:
    def read(branch: Branch) -> list[Any]:
        read_item = readers.of(member)
        return [read_item(item) for item in _items(branch, between)]

    return read


def _items(branch: Branch, between: str | None) -> list[Branch]:
    """What hangs under the numbers, in their order; `member` may stand between although another name is stated."""
    if between is not None:
        branch = branch.under.get(between) or branch.under.get("member") or branch.under.get("entry") or branch
    if branch.value and not branch.under:
        raise Malformed("Top level element may not be treated as a list")
    return [branch.under[number] for number in sorted(branch.under, key=_number)]


def _number(part: str) -> int:
    if not part.isdecimal() or len(part) > 9:
        raise Malformed("Unexpected list element termination")
    return int(part)


def _map(shape: Any, readers: Readers) -> Read:
    between = None if shape.serialization.get("flattened") else "entry"
    key_names = (located_name(shape.key, "key"), "Name", "Key")
    value_names = (located_name(shape.value, "value"), "Value")

    def read(branch: Branch) -> dict[str, Any]:
        read_value = readers.of(shape.value)
        items = _items(branch, between)
        return {_key(_first(item, key_names)): read_value(_first(item, value_names) or Branch("")) for item in items}

    return read


def _first(branch: Branch, names: tuple[str, ...]) -> Branch | None:
    return next((branch.under[name] for name in names if name in branch.under), None)


def _key(branch: Branch | None) -> str:
    if branch is None or branch.value is None:
        raise Malformed("A map entry has no key.")
    return branch.value


def _scalar(shape: Any, _: Readers) -> Read:
    read_text = text_reader(shape, TIMESTAMP_FORMAT)

    def read(branch: Branch) -> Any:
        if branch.value is None:
            raise Malformed("Start of structure or map found where not expected.")
        return read_text(branch.value)

    return read


_SCALARS = ("string", "character", "boolean", "float", "double", "blob", "timestamp", *INTEGER_RANGES)

QUERY_BUILDERS: Mapping[str, Builder] = {
    **dict.fromkeys(_SCALARS, _scalar),
    "structure": _structure(_query_names),
    "list": _list,
    "map": _map,
}

EC2_BUILDERS: Mapping[str, Builder] = {**QUERY_BUILDERS, "structure": _structure(_ec2_names), "list": _ec2_list}
