"""`trailstate events`: who did what, when and from where, over all accounts and regions at once.

It reads the data directory and so works whether or not a server is running; it never writes there.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.options import Config, Data, effective, moment
from trailstate.cli.records import Record, as_csv, as_json, as_jsonl, as_lines, as_table
from trailstate.cli.search import (
    NAMES,
    SCANNED_MAX,
    Records,
    Search,
    attribute_of,
    found,
    opened,
    search_for,
    shortcuts,
)
from trailstate.cli.server import server_time
from trailstate.cli.terminal import put, say, visible

LIMIT = 50
FOLLOW_SECONDS = 0.5


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


def events(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORD", help="Text anywhere in the record; all must be there.")
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute",
            "-a",
            metavar="NAME=VALUE",
            help="Exact value; repeat it. NAMES: " + ", ".join(NAMES.values()),
        ),
    ] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="NAME", help="Short for Username=NAME.")] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Short for EventName=NAME.")] = None,
    source: Annotated[
        str | None, typer.Option("--source", metavar="SERVICE", help="Short for EventSource=SERVICE.amazonaws.com.")
    ] = None,
    resource: Annotated[
        str | None, typer.Option("--resource", metavar="NAME", help="Short for ResourceName=NAME.")
    ] = None,
    errors: Annotated[bool, typer.Option("--errors", help="Only calls that failed.")] = False,
    writes: Annotated[bool, typer.Option("--writes", help="Only calls that can change something.")] = False,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="2h, yesterday, 'yesterday 15:42', or ISO 8601 (UTC).")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Likewise; included.")] = None,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, max=SCANNED_MAX, help="At most so many.")] = LIMIT,
    output: Annotated[Form, typer.Option("-o", "--output", help="How to print them.")] = Form.TABLE,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on printing as calls are made, oldest first.")
    ] = False,
    explain: Annotated[bool, typer.Option("--explain", help="One English sentence for each.")] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Ask who did what, over all accounts and regions, newest first.

    It works whether or not a server is running. All conditions must hold; several accounts or regions are
    alternatives. No answer is said on stderr and is no failure.

    \b
    Examples:
      trailstate events --name TerminateInstances --since yesterday --explain
      trailstate events --user ana --errors -o jsonl | jq .errorMessage
      trailstate events 203.0.113.7 --writes --since "yesterday 15:42"
      trailstate events -a account=123456789012 -a region=eu-central-1 --follow
    """
    form = _form(output, explain=explain, follow=follow)
    from trailstate.world import RealWorld

    directory = effective(data=data, config=config).data
    now = server_time(directory) or RealWorld().now()
    asked = [attribute_of(text) for text in attribute or ()]
    asked += shortcuts(user=user, name=name, source=source, resource=resource, writes=writes)
    span = (moment(since, now), moment(until, now))
    search = search_for(asked, span, words=words or (), errors=errors, limit=limit)
    _print(directory, search, form, follow=follow)


def _form(output: Form, *, explain: bool, follow: bool) -> str:
    """How to print what is found; ends the command for what cannot be had together."""
    if explain and output is not Form.TABLE:
        raise Stop(ExitCode.USAGE, f"--explain prints sentences and cannot be had as {output}; leave one of them out.")
    if follow and output is Form.JSON:
        raise Stop(ExitCode.USAGE, "A JSON array has an end and --follow has none; use -o jsonl.")
    return "explain" if explain else str(output)


def _print(directory: Path, search: Search, form: str, *, follow: bool) -> None:
    with contextlib.ExitStack() as stack:
        records = opened(directory, stack)
        if follow:
            _follow(records, search, FOLLOWING[form])
        else:
            _answer(records, search, FORMS[form])


def _answer(records: Records, search: Search, form: Callable[[Sequence[Record]], str]) -> None:
    hits = found(records, search)
    put(form([hit.record for hit in hits]))
    if not hits:
        say("No record answers that.")
    elif len(hits) == search.question.limit:
        say(f"These are the newest {len(hits)}; -n shows more.")


def _follow(records: Records, search: Search, form: Callable[[Sequence[Record]], str]) -> None:
    from trailstate.stores.interface import JOURNAL
    from trailstate.trail.search import arrived
    from trailstate.world import sleep

    reading = records.journal
    position = reading.head(JOURNAL)
    earlier = [hit.record for hit in reversed(found(records, search)) if hit.place.position <= position]
    put((as_csv([]) if form is FOLLOWING["csv"] else "") + form(earlier))
    while True:
        hits, reached = arrived(reading, search.question, position)
        put(form([hit.record for hit in hits if search.keeps(hit.record, hit.body)]))
        if reached == position:
            sleep(FOLLOW_SECONDS)
        # A reset empties the journal, and positions begin again.
        position = min(reached, reading.head(JOURNAL))


def _explained(records: Sequence[Record]) -> str:
    from trailstate.trail.explain import explain

    return "".join(visible(explain(record)) + "\n" for record in records)


FORMS: Mapping[str, Callable[[Sequence[Record]], str]] = {
    "table": lambda records: as_table(records) if records else "",
    "json": as_json,
    "jsonl": as_jsonl,
    "csv": as_csv,
    "explain": _explained,
}
FOLLOWING: Mapping[str, Callable[[Sequence[Record]], str]] = {
    "table": as_lines,
    "jsonl": as_jsonl,
    "csv": lambda records: as_csv(records, header=False),
    "explain": _explained,
}
"""Forms that can go on for ever: no column waits for the width of the next record, no header comes twice."""
