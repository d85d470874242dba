"""`trailstate resource` and `trailstate types`: what a resource looked like, when it changed, and by whose call.

They read the data directory and so work whether or not a server is running; they never write there.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trailstate.cli.events import moment
from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.layout import visible_json
from trailstate.cli.options import Config, Data, effective
from trailstate.cli.records import brief
from trailstate.cli.server import ask, server_time
from trailstate.cli.terminal import put, say, table, visible

if TYPE_CHECKING:
    from trailstate.configuration.history import Identifier, Items, Recorded
    from trailstate.values.diff import Change

LOOK_PATH = "/_trailstate/look"
HISTORY_MAX = 1000

resource = typer.Typer(
    no_args_is_help=True,
    help="""What a resource looked like, when it changed, and by whose call.

    \b
    Examples:
      trailstate resource show sg-0123456789abcdef0 --at 'yesterday 15:42'
      trailstate resource history sg-0123456789abcdef0
    """,
)


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"


class GraphForm(StrEnum):
    TREE = "tree"
    MERMAID = "mermaid"
    JSON = "json"


Word = Annotated[str, typer.Argument(metavar="ID|ARN|NAME", help="The resource's id, ARN or name.")]
Type = Annotated[
    str | None, typer.Option("--type", metavar="TYPE", help="Its type, where several resources are called so.")
]
Output = Annotated[Form, typer.Option("-o", "--output", help="How to print it.")]
At = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="As it was then: 2h, 'yesterday 15:42', or ISO 8601 (UTC).")
]


@resource.command()
def show(
    word: Word, at: At = None, kind: Type = None, output: Output = Form.TABLE, data: Data = None, config: Config = None
) -> None:
    """Show a resource as it is, or as it was at a moment, and the call that made it so.

    \b
    Examples:
      trailstate resource show sg-0123456789abcdef0 --at 'yesterday 15:42'
      trailstate resource show web-server -o json | jq .item.configuration
    """
    with _opened(data, config) as (items, now):
        known = _found(items, word, kind)
        recorded = _at(items, known, moment(at, now))
        put(_as_json(_whole(recorded)) if output is Form.JSON else _shown(recorded))


@resource.command()
def history(
    word: Word, kind: Type = None, output: Output = Form.TABLE, data: Data = None, config: Config = None
) -> None:
    """List every change of a resource, newest first, each with the call behind it.

    \b
    Example:
      trailstate resource history sg-0123456789abcdef0
    """
    with _opened(data, config) as (items, _):
        known = _found(items, word, kind)
        found = items.history(known.account, known.region, known.type, known.id, limit=HISTORY_MAX)
        changes = [_changes(before, after) for before, after in zip([*found[1:], None], found, strict=True)]
        if output is Form.JSON:
            put(_as_json([_entry(each, changed) for each, changed in zip(found, changes, strict=True)]))
        else:
            put(table(("time (UTC)", "status", "call", "who", "from", "what changed"), map(_row, found, changes)))


@resource.command()
def diff(
    word: Word,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Compare with this moment. [default: the item before]")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="And this one. [default: now]")] = None,
    kind: Type = None,
    output: Output = Form.TABLE,
    data: Data = None,
    config: Config = None,
) -> None:
    """Show what changed between two moments: + added, - removed, ~ changed.

    \b
    Examples:
      trailstate resource diff sg-0123456789abcdef0
      trailstate resource diff sg-0123456789abcdef0 --since 'yesterday 15:42' -o json
    """
    with _opened(data, config) as (items, now):
        known = _found(items, word, kind)
        after = _at(items, known, moment(until, now))
        before = _before(items, known, after) if since is None else _at(items, known, moment(since, now))
        changes = _changes(before, after)
        if output is Form.JSON:
            put(_as_json([_change(each) for each in changes]))
            return
        found = "" if changes else ": nothing changed"
        say(f"{known.type} {known.id}, from {_captured(before)} to {_captured(after)} UTC{found}")
        put("".join(map(_line, changes)))


@resource.command()
def graph(
    word: Word,
    at: At = None,
    kind: Type = None,
    output: Annotated[GraphForm, typer.Option("-o", "--output", help="How to print it.")] = GraphForm.TREE,
    data: Data = None,
    config: Config = None,
) -> None:
    """Show what a resource is related to, both ways.

    \b
    Example:
      trailstate resource graph i-0123456789abcdef0 -o mermaid
    """
    with _opened(data, config) as (items, now):
        known = _found(items, word, kind)
        when = moment(at, now) or now
        everything = list(items.all_at(known.account, known.region, when))
        put(GRAPHS[output](_at(items, known, moment(at, now)), everything))


@resource.command()
def look(data: Data = None, config: Config = None) -> None:
    """Have the running server look at everything it records, now: what changed unseen becomes items.

    \b
    Example:
      trailstate resource look
    """
    answer = ask(effective(data=data, config=config).data, "POST", LOOK_PATH, testing=False)
    say(f"{answer['looks']} looks began for {answer['recorders']} recorders.")


def types(
    missing: Annotated[bool, typer.Option("--missing", help="Those that are not recorded instead.")] = False,
    output: Output = Form.TABLE,
) -> None:
    """List the resource types that are recorded, and with --missing those of AWS Config that are not.

    \b
    Examples:
      trailstate types
      trailstate types --missing -o json
    """
    from trailstate.catalog.resources import resource_types
    from trailstate.configuration.schema import published_types, schema_of

    declared = resource_types()
    if missing:
        names = [name for name in published_types() if name not in declared]
        put(_as_json(names) if output is Form.JSON else "".join(f"{name}\n" for name in names))
        return
    rows = [_type(each, schema_of(name) is not None) for name, each in sorted(declared.items())]
    if output is Form.JSON:
        put(_as_json(rows))
    else:
        columns = ("type", "region", "published schema", "parts", "facts")
        put(table(columns, ([str(value) for value in row.values()] for row in rows)))


def _type(declared: Any, has_schema: bool) -> dict[str, Any]:
    return {
        "type": declared.name,
        "region": "global" if declared.is_global else "regional",
        "schema": "yes" if has_schema else "no",
        "parts": len(declared.parts),
        "facts": ", ".join(each.name for each in declared.facts),
    }


# ---- finding ----


@contextmanager
def _opened(data: Any, config: Any) -> Iterator[tuple["Items", datetime]]:
    """The history in the data directory, and the time there."""
    from trailstate.configuration.history import ConfigurationFollower, Items
    from trailstate.stores.reading import NothingRecorded, Reading
    from trailstate.world import RealWorld

    directory = effective(data=data, config=config).data
    now = server_time(directory) or RealWorld().now()
    try:
        opened = Reading(directory)
    except NothingRecorded as nothing:
        raise Stop(ExitCode.NO, str(nothing)) from None
    with closing(opened) as reading:
        if reading.cursor(ConfigurationFollower.name) == 0:
            raise Stop(
                ExitCode.NO,
                "No configuration is recorded yet. Begin with `aws configservice put-configuration-recorder`, "
                "put-delivery-channel and start-configuration-recorder.",
            )
        yield Items(reading, reading), now


def _found(items: "Items", word: str, kind: str | None) -> "Identifier":
    found = [each for each in items.find(word) if kind in (None, each.type)]
    if not found:
        raise Stop(ExitCode.NO, f"No recorded resource has the id, ARN or name '{word}'.")
    if len({(each.account, each.region, each.type, each.id) for each in found}) > 1:
        which = "\n".join(f"  {each.type}  {each.id}  {each.account} {each.region}" for each in found)
        raise Stop(ExitCode.USAGE, f"Several resources are called '{word}'; give the id, or --type:\n{which}")
    return found[0]


def _at(items: "Items", known: "Identifier", when: datetime | None) -> "Recorded":
    recorded = items.at(known.account, known.region, known.type, known.id, when)
    if recorded is None:
        raise Stop(ExitCode.NO, f"{known.type} {known.id} was not known at {when:%Y-%m-%d %H:%M:%S} UTC.")
    return recorded


def _before(items: "Items", known: "Identifier", after: "Recorded") -> "Recorded | None":
    state = after.item["configurationStateId"]
    found = items.history(known.account, known.region, known.type, known.id, after=state, limit=1)
    return found[0] if found else None


# ---- showing ----

COMPARED = ("configuration", "supplementaryConfiguration", "relationships", "tags")
SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def _changes(before: "Recorded | None", after: "Recorded") -> "list[Change]":
    from trailstate.values.diff import diff as difference

    if before is None:
        return []
    old, new = ({name: each.item[name] for name in COMPARED} for each in (before, after))
    return difference(old, new)


def _change(change: "Change") -> dict[str, Any]:
    return {"path": _path(change), "kind": str(change.kind), "before": change.before, "after": change.after}


def _path(change: "Change") -> str:
    from trailstate.values.diff import text_of_path

    return text_of_path(change.path)


def _line(change: "Change") -> str:
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


def _row(recorded: "Recorded", changes: "Sequence[Change]") -> tuple[str, ...]:
    item, cause = recorded.item, recorded.cause or {}
    return (
        _captured(recorded),
        item["configurationItemStatus"],
        cause.get("eventName") or "-",
        brief(cause.get("principal") or "-"),
        cause.get("sourceIPAddress") or "-",
        _brief(changes),
    )


def _captured(recorded: "Recorded | None") -> str:
    """When an item was captured; before the first one there was nothing."""
    if recorded is None:
        return "nothing"
    return str(recorded.item["configurationItemCaptureTime"]).replace("T", " ").rstrip("Z")


def _entry(recorded: "Recorded", changes: "Sequence[Change]") -> dict[str, Any]:
    return {
        "time": recorded.item["configurationItemCaptureTime"],
        "status": recorded.item["configurationItemStatus"],
        "cause": recorded.cause,
        "changes": [_change(each) for each in changes],
    }


def _whole(recorded: "Recorded") -> dict[str, Any]:
    return {"item": recorded.item, "facts": recorded.facts, "cause": recorded.cause}


def _shown(recorded: "Recorded") -> str:
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


def _as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


# ---- relations ----

Edge = tuple[str, str, str]
"""From, text, to; a resource is told as its type and id."""


def _edges(recorded: "Recorded", everything: "Sequence[Recorded]") -> list[Edge]:
    own = _node(recorded.item)
    names = {each.item["resourceName"]: each.item for each in everything}
    outward = [(own, each["name"].strip(), _target(each, names)) for each in recorded.item["relationships"]]
    inward = [
        (_node(other.item), each["name"].strip(), own)
        for other in everything
        for each in other.item["relationships"]
        if _points_at(each, recorded.item)
    ]
    return [*outward, *inward]


def _node(item: Mapping[str, Any]) -> str:
    return f"{item['resourceType']} {item['resourceId']}"


def _target(relation: Mapping[str, Any], names: Mapping[str, Mapping[str, Any]]) -> str:
    if relation["resourceId"] is None and relation["resourceName"] in names:
        return _node(names[relation["resourceName"]])
    return f"{relation['resourceType']} {relation['resourceId'] or relation['resourceName']}"


def _points_at(relation: Mapping[str, Any], item: Mapping[str, Any]) -> bool:
    if relation["resourceType"] != item["resourceType"]:
        return False
    if relation["resourceId"] is not None:
        return bool(relation["resourceId"] == item["resourceId"])
    return bool(relation["resourceName"] == item["resourceName"])


def _as_tree(recorded: "Recorded", everything: "Sequence[Recorded]") -> str:
    own, edges = _node(recorded.item), _edges(recorded, everything)
    outward = [f"  {text}: {target}\n" for source, text, target in edges if source == own]
    inward = [f"  {source}: {text}\n" for source, text, _ in edges if source != own]
    lines = [f"{own}\n", *outward, *(["named by\n", *inward] if inward else [])]
    return "".join(visible(line.rstrip("\n")) + "\n" for line in lines)


def _as_mermaid(recorded: "Recorded", everything: "Sequence[Recorded]") -> str:
    edges = _edges(recorded, everything)
    nodes = list(dict.fromkeys([_node(recorded.item), *(each for edge in edges for each in (edge[0], edge[2]))]))
    numbers = {node: f"n{number}" for number, node in enumerate(nodes)}
    boxes = [f'  {numbers[node]}["{_mermaid(node)}"]\n' for node in nodes]
    arrows = [f'  {numbers[source]} -->|"{_mermaid(text)}"| {numbers[target]}\n' for source, text, target in edges]
    return "graph LR\n" + "".join(boxes) + "".join(arrows)


def _mermaid(text: str) -> str:
    return visible(text).replace('"', "#quot;")


def _as_edges(recorded: "Recorded", everything: "Sequence[Recorded]") -> str:
    members = ("from", "relation", "to")
    return _as_json([dict(zip(members, edge, strict=True)) for edge in _edges(recorded, everything)])


GRAPHS = {GraphForm.TREE: _as_tree, GraphForm.MERMAID: _as_mermaid, GraphForm.JSON: _as_edges}
