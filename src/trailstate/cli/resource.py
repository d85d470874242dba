"""`trailstate resource` and `trailstate types`: what a resource looked like, when it changed, and by whose call.

They read the data directory and so work whether or not a server is running; they never write there.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.items import (
    captured,
    change_json,
    change_line,
    changes_between,
    entry_json,
    item_json,
    item_row,
    item_text,
    json_text,
)
from trailstate.cli.options import Config, Data, effective, moment
from trailstate.cli.relations import GRAPHS, GraphForm
from trailstate.cli.server import ask, server_time
from trailstate.cli.terminal import put, say, table

if TYPE_CHECKING:
    from trailstate.configuration.history import Identifier, Items
    from trailstate.configuration.line import Recorded

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
        put(json_text(item_json(recorded)) if output is Form.JSON else item_text(recorded))


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
        changes = [changes_between(before, after) for before, after in zip([*found[1:], None], found, strict=True)]
        if output is Form.JSON:
            put(json_text([entry_json(each, changed) for each, changed in zip(found, changes, strict=True)]))
        else:
            put(table(("time (UTC)", "status", "call", "who", "from", "what changed"), map(item_row, found, changes)))


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
        changes = changes_between(before, after)
        if output is Form.JSON:
            put(json_text([change_json(each) for each in changes]))
            return
        found = "" if changes else ": nothing changed"
        say(f"{known.type} {known.id}, from {captured(before)} to {captured(after)} UTC{found}")
        put("".join(map(change_line, changes)))


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
        put(json_text(names) if output is Form.JSON else "".join(f"{name}\n" for name in names))
        return
    rows = [_type(each, schema_of(name) is not None) for name, each in sorted(declared.items())]
    if output is Form.JSON:
        put(json_text(rows))
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
    from trailstate.configuration.history import FOLLOWER, Items
    from trailstate.stores.reading import NothingRecorded, Reading
    from trailstate.world import RealWorld

    directory = effective(data=data, config=config).data
    now = server_time(directory) or RealWorld().now()
    try:
        opened = Reading(directory)
    except NothingRecorded as nothing:
        raise Stop(ExitCode.NO, str(nothing)) from None
    with closing(opened) as reading:
        if reading.cursor(FOLLOWER) == 0:
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
