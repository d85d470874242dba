"""Every resource that a record speaks of, as LookupEvents lists them: more than the record's own `resources`.

Two general rules, both data in `data/lookup_resources.json`: a member's *name* says what its value names
(`instanceId`, `bucketName`; one table for all services, one a service, one for some operations, the nearest wins), and
a value that is an *ARN* says it itself. They hold for the request, and for the answer of a call that changed something
(its new ids stand only there). Follows "Viewing events with CloudTrail event history" in the CloudTrail user guide.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from trailstate.trail.tables import table

RESOURCES_MAX = 250
_NAME_LENGTH_MAX = 2000  # what LookupEvents accepts as a value
_DEPTH_MAX = 12
_HIDDEN = frozenset({"HIDDEN_DUE_TO_SECURITY_REASONS", "<sensitiveDataRemoved>", "****", ""})
_TEXT_IN_LIST = ("content", "value", "Value")
"""Where a text stands that a list wraps in an object; newer EC2 operations write {"tag": 1, "content": "subnet-1"}."""

Resource = tuple[str, str]
"""ResourceType and ResourceName."""


def mentions(record: Mapping[str, Any]) -> list[Resource]:
    """Type and name of each resource once, in the order met; at most RESOURCES_MAX."""
    members = _members(str(record.get("eventSource")).partition(".")[0], str(record.get("eventName")))
    found: dict[Resource, None] = {}
    for resource in _of_record(record, members):
        found[resource] = None
        if len(found) == RESOURCES_MAX:
            break
    return list(found)


def type_of_arn(arn: str) -> str | None:
    """The resource type an ARN names; None when the table does not know its service or kind."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return None
    service, rest = parts[2], parts[5]
    types: dict[str, str] = table("lookup_resources")["arns"]
    kind = rest.replace("/", ":").partition(":")[0]
    return types.get(f"{service}:{kind}") or types.get(f"{service}:")


def _of_record(record: Mapping[str, Any], members: Mapping[str, str]) -> Iterator[Resource]:
    yield from _listed(record.get("resources") or ())
    yield from _walk(record.get("requestParameters"), "", members, 0)
    yield from _walk(record.get("responseElements"), "", members, 0)


def _listed(listed: Any) -> Iterator[Resource]:
    for each in listed if isinstance(listed, list) else ():
        name, kind = (each.get("ARN"), each.get("type")) if isinstance(each, dict) else (None, None)
        if name and isinstance(name, str):
            kind = kind or type_of_arn(name)
            if kind and isinstance(kind, str):
                yield kind, _bucket_name(kind, name)


def _walk(value: Any, name: str, members: Mapping[str, str], depth: int) -> Iterator[Resource]:
    if isinstance(value, str):
        yield from _named(value, name, members)
    elif isinstance(value, dict) and depth < _DEPTH_MAX:
        for inner, content in value.items():
            if content.__class__ is str:
                yield from _named(content, name if inner in _TEXT_IN_LIST else inner, members)
            elif content.__class__ in (dict, list) and _key(inner) not in _skipped():
                yield from _walk(content, inner, members, depth + 1)
    elif isinstance(value, list) and depth < _DEPTH_MAX:
        for content in value:
            yield from _walk(content, name, members, depth + 1)


def _named(value: str, name: str, members: Mapping[str, str]) -> Iterator[Resource]:
    key = _key(name)
    kind = members.get(key)
    if value.startswith("arn:"):
        kind = type_of_arn(value) or kind
    elif kind is None and key in _identified():
        kind = _type_of_id(value)
    if kind and value not in _HIDDEN and len(value) <= _NAME_LENGTH_MAX:
        yield kind, _bucket_name(kind, value)


def _type_of_id(identifier: str) -> str | None:
    """EC2's ids say what they are: `i-…`, `vol-…`."""
    prefix, dash, _ = identifier.partition("-")
    kind: str | None = table("lookup_resources")["identified"]["prefixes"].get(prefix + dash)
    return kind


def _bucket_name(kind: str, name: str) -> str:
    """Buckets are listed by name, whatever the record calls them by."""
    return name.removeprefix("arn:aws:s3:::").partition("/")[0] if kind == "AWS::S3::Bucket" else name


@lru_cache(maxsize=8192)
def _key(name: str) -> str:
    return name.lower()


@lru_cache(maxsize=1)
def _skipped() -> frozenset[str]:
    return frozenset(_key(name) for name in table("lookup_resources")["skipped"])


@lru_cache(maxsize=1)
def _identified() -> frozenset[str]:
    return frozenset(_key(name) for name in table("lookup_resources")["identified"]["members"])


@lru_cache(maxsize=4096)
def _members(service: str, event_name: str) -> Mapping[str, str]:
    """The member names that count for one operation."""
    tables = table("lookup_resources")
    layers = [tables["members"], tables["services"].get(service, {})]
    operation = f"{service}:{event_name}"
    layers += [rows for pattern, rows in tables["operations"].items() if fnmatchcase(operation, pattern)]
    return {_key(name): kind for layer in layers for name, kind in layer.items()}
