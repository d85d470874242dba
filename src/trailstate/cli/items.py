"""Items of the configuration history as text and as JSON: whole, as a row of a list, and what changed between two."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trailstate.cli.layout import visible_json
from trailstate.cli.records import brief
from trailstate.cli.terminal import visible

if TYPE_CHECKING:
    from trailstate.configuration.line import Recorded
    from trailstate.values.diff import Change

COMPARED = ("configuration", "supplementaryConfiguration", "relationships", "tags")
SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def changes_between(before: "Recorded | None", after: "Recorded") -> "list[Change]":
    """Of what AWS Config compares; nothing for the first item."""
    from trailstate.values.diff import diff as difference

    if before is None:
        return []
    old, new = ({name: each.item[name] for name in COMPARED} for each in (before, after))
    return difference(old, new)


def change_json(change: "Change") -> dict[str, Any]:
    return {"path": _path(change), "kind": str(change.kind), "before": change.before, "after": change.after}


def _path(change: "Change") -> str:
    from trailstate.values.diff import text_of_path

    return text_of_path(change.path)


def change_line(change: "Change") -> str:
    """`~ configuration.state  "a" -> "b"`."""
    value = {
        "added": _value(change.after),
        "removed": _value(change.before),
        "changed": f"{_value(change.before)} -> {_value(change.after)}",
    }[change.kind]
    return visible(f"{SIGNS[change.kind]} {_path(change)}  {value}") + "\n"


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _brief(changes: "Sequence[Change]") -> str:
    told = [f"{SIGNS[each.kind]} {_path(each)}" for each in changes[:3]]
    more = f" and {len(changes) - 3} more" if len(changes) > 3 else ""
    return ", ".join(told) + more


def item_row(recorded: "Recorded", changes: "Sequence[Change]") -> tuple[str, ...]:
    """Time, status, call, who, from where, and the first of its changes."""
    item, cause = recorded.item, recorded.cause or {}
    return (
        captured(recorded),
        item["configurationItemStatus"],
        cause.get("eventName") or "-",
        brief(cause.get("principal") or "-"),
        cause.get("sourceIPAddress") or "-",
        _brief(changes),
    )


def captured(recorded: "Recorded | None") -> str:
    """When an item was captured; before the first one there was nothing."""
    if recorded is None:
        return "nothing"
    return str(recorded.item["configurationItemCaptureTime"]).replace("T", " ").rstrip("Z")


def entry_json(recorded: "Recorded", changes: "Sequence[Change]") -> dict[str, Any]:
    """One entry of `resource history -o json`."""
    return {
        "time": recorded.item["configurationItemCaptureTime"],
        "status": recorded.item["configurationItemStatus"],
        "cause": recorded.cause,
        "changes": [change_json(each) for each in changes],
    }


def item_json(recorded: "Recorded") -> dict[str, Any]:
    return {"item": recorded.item, "facts": recorded.facts, "cause": recorded.cause}


def item_text(recorded: "Recorded") -> str:
    """The item whole: what it is, by whose call, its tags and relations, its content."""
    item, cause = recorded.item, recorded.cause
    told = ("resourceType", "resourceId", "resourceName", "ARN", "awsAccountId", "awsRegion", "availabilityZone")
    lines = [(name, str(item[name])) for name in told if item[name] is not None]
    lines += [("captured", item["configurationItemCaptureTime"]), ("status", item["configurationItemStatus"])]
    if cause:
        by = f"{cause['eventName']} by {cause['principal']} from {cause['sourceIPAddress']} at {cause['eventTime']}"
        lines.append(("caused by", f"{by} ({cause['eventID']})"))
    lines += [("tag", f"{name}={value}") for name, value in item["tags"].items()]
    lines += [("relation", _related(each)) for each in item["relationships"]]
    head = "".join(f"{name:<18}{visible(value)}\n" for name, value in lines)
    content = {name: item[name] for name in COMPARED[:2] if item[name]} | (
        {"facts": recorded.facts} if recorded.facts else {}
    )
    return head + "".join(f"\n{name}\n{visible_json(value)}" for name, value in content.items())


def _related(relation: Mapping[str, Any]) -> str:
    return (
        f"{relation['name'].strip()}: {relation['resourceType']} {relation['resourceId'] or relation['resourceName']}"
    )


def json_text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
