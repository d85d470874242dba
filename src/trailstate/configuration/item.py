"""The configuration item: made of what was seen, compared with the last one, and rendered in AWS's two spellings.

Follows "Components of a configuration item" and the example events and API answers of the AWS Config developer guide.
Inside there is one form, the one of events and files (`configurationItemVersion`, `awsAccountId`, `ARN`, `name`,
objects); the API says `version`, `accountId`, `arn`, `relationshipName`, and writes configuration as JSON in a string.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from trailstate.configuration.form import NOT_APPLICABLE, Relation, ResourceType, Seen
from trailstate.configuration.project import part_value, projection
from trailstate.values.path import fill, first, pick
from trailstate.values.timestamp import moment_text

Item = dict[str, Any]

VERSION = "1.3"
GLOBAL = "global"

DISCOVERED = "ResourceDiscovered"
OK = "OK"
DELETED = "ResourceDeleted"
GONE = frozenset({DELETED, "ResourceDeletedNotRecorded"})
"""Statuses of a resource that is no more."""

_encode = msgspec.json.Encoder(order="sorted").encode
_in_order = msgspec.json.Encoder().encode
_PASSING = frozenset(
    {
        *("configurationItemCaptureTime", "configurationStateId", "configurationItemStatus", "relatedEvents"),
        "configurationStateMd5Hash",
    }
)
"""Members that tell of the capture, not of the resource."""


def item_of(declared: ResourceType, seen: Seen) -> Item:
    """The item, but for when it was captured and why (`captured`)."""
    value_of = _values(seen)
    configuration = projection(declared).value(seen.raw)
    if declared.finish is not None:
        configuration = declared.finish(configuration, seen)
    parts = ((part, seen.parts[part.name]) for part in declared.parts if part.name in seen.parts)
    resource_id = fill(declared.id, value_of)
    assert resource_id, f"{declared.name} '{seen.key}' has no id at {declared.id}"
    return {
        "configurationItemVersion": VERSION,
        "configurationItemCaptureTime": "",
        "configurationStateId": 0,
        "awsAccountId": seen.account,
        "configurationItemStatus": "",
        "resourceType": declared.name,
        "resourceId": str(resource_id),
        "resourceName": fill(declared.resource_name, value_of) or None,
        "ARN": fill(declared.arn, value_of) or None,
        "awsRegion": GLOBAL if declared.is_global else seen.region,
        "availabilityZone": fill(declared.zone, value_of) or NOT_APPLICABLE,
        "configurationStateMd5Hash": "",
        "resourceCreationTime": _time(fill(declared.created, value_of)),
        "tags": tags_of(first(seen.raw, declared.tags)),
        "relatedEvents": [],
        "relationships": [each for relation in declared.relations for each in _related(relation, seen.raw)],
        "configuration": configuration,
        "supplementaryConfiguration": {part.name: part_value(declared, part, answer) for part, answer in parts},
    }


def captured(item: Item, now: datetime, last: Item | None, related_events: list[str]) -> Item:
    """The item as captured now, after `last`: its status, and a state id greater than that of the last."""
    moment = state_id(now)
    if last is not None:
        moment = max(moment, int(last["configurationStateId"]) + 1)
    is_new = last is None or last["configurationItemStatus"] in GONE
    return item | {
        "configurationItemCaptureTime": _moment(moment),
        "configurationStateId": moment,
        "configurationItemStatus": item["configurationItemStatus"] or (DISCOVERED if is_new else OK),
        "relatedEvents": related_events,
    }


def deleted(last: Item) -> Item:
    """The item that ends a resource's history, but for `captured`: it knows who it was, and nothing more."""
    return last | {
        "configurationItemStatus": DELETED,
        "tags": {},
        "relationships": [],
        "configuration": None,
        "supplementaryConfiguration": {},
    }


def digest(item: Mapping[str, Any]) -> bytes:
    """Equal for items that say the same of their resource, whenever they were captured."""
    lasting = {name: value for name, value in item.items() if name not in _PASSING}
    return hashlib.blake2b(_encode(lasting), digest_size=16).digest()


def state_id(moment: datetime) -> int:
    """A capture time in milliseconds since 1970."""
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def _moment(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return moment_text(datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000))


def _values(seen: Seen) -> Callable[[str], Any]:
    own = {"key": seen.key, "account": seen.account, "region": seen.region}
    return lambda path: own[path] if path in own else first(seen.raw, path)


def _time(value: Any) -> str | None:
    if isinstance(value, int | float):
        value = datetime.fromtimestamp(value, UTC)
    return moment_text(value) if isinstance(value, datetime) else value or None


def tags_of(raw: Any) -> dict[str, str]:
    """Tags as a map, from a map or a list of pairs in any of AWS's spellings."""
    if isinstance(raw, Mapping):
        return {str(name): str(value) for name, value in raw.items()}
    found: dict[str, str] = {}
    for pair in raw if isinstance(raw, list | tuple) else ():
        lower = {name.lower().removeprefix("tag"): value for name, value in pair.items()}
        if "key" in lower:
            found[str(lower["key"])] = str(lower.get("value") or "")
    return found


def _related(relation: Relation, raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = {}
    for thing in pick(raw, relation.at):
        identifier, name = _read(relation, thing, relation.id), _read(relation, thing, relation.resource_name)
        if identifier or name:
            found[identifier, name] = {
                "resourceType": relation.type,
                "resourceId": identifier,
                "resourceName": name,
                "name": relation.name,
            }
    return list(found.values())


def _read(relation: Relation, thing: Any, path: str | None) -> str | None:
    value = None if path is None else first(thing, path)
    return relation.read(str(value)) or None if value is not None else None


# ---- AWS's two spellings ----

_API_NAMES = {
    "configurationItemVersion": "version",
    "awsAccountId": "accountId",
    "ARN": "arn",
    "configurationStateMd5Hash": "configurationItemMD5Hash",
}
_INSIDE_NAMES = {name: inside for inside, name in _API_NAMES.items()}
_NOT_IN_BASE = frozenset({"tags", "configurationItemMD5Hash", "relatedEvents", "relationships"})
"""What BatchGetResourceConfig leaves out."""


def as_api(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as GetResourceConfigHistory answers it: members without a value are left out."""
    found = {_API_NAMES.get(name, name): value for name, value in item.items() if value is not None}
    found["configurationStateId"] = str(item["configurationStateId"])
    found["relationships"] = [_as_api_relation(each) for each in item["relationships"]]
    found["configuration"] = text(item["configuration"])
    found["supplementaryConfiguration"] = {
        name: text(value) for name, value in item["supplementaryConfiguration"].items()
    }
    return found


def as_base(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as BatchGetResourceConfig answers it."""
    return {name: value for name, value in as_api(item).items() if name not in _NOT_IN_BASE}


def text(value: Any) -> str:
    """A value as the API writes it in a string: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else _in_order(value).decode()


def _as_api_relation(relation: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "relationshipName" if name == "name" else name: value for name, value in relation.items() if value is not None
    }


def as_file(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as files and events hold it: that is the form it has here."""
    return dict(item)


def read_item(published: Mapping[str, Any]) -> Item:
    """A published item of either spelling, or of a mixture, in the form it has here."""
    item: Item = {_INSIDE_NAMES.get(name, name): value for name, value in published.items()}
    state = str(item["configurationStateId"])
    item["configurationStateId"] = int(state) if state.isdecimal() else state  # an edited sample may hold any text
    item["configuration"] = _parsed(item.get("configuration"))
    item["supplementaryConfiguration"] = dict(item.get("supplementaryConfiguration") or {})
    item["relationships"] = [_read_relation(each) for each in item.get("relationships") or ()]
    return {name: item.get(name) for name in MEMBERS}


def _parsed(value: Any) -> Any:
    return msgspec.json.decode(value) if isinstance(value, str) and value else value


def _read_relation(relation: Mapping[str, Any]) -> dict[str, Any]:
    named = {**relation, "name": relation.get("name", relation.get("relationshipName"))}
    return {name: named.get(name) for name in ("resourceType", "resourceId", "resourceName", "name")}


MEMBERS = (
    *("configurationItemVersion", "configurationItemCaptureTime", "configurationStateId", "awsAccountId"),
    *("configurationItemStatus", "resourceType", "resourceId", "resourceName", "ARN", "awsRegion"),
    *("availabilityZone", "configurationStateMd5Hash", "resourceCreationTime", "tags", "relatedEvents"),
    *("relationships", "configuration", "supplementaryConfiguration"),
)
"""Every member of an item, in the form it has here."""
