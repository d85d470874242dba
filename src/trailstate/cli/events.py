"""`trailstate events`: who did what, when and from where, over all accounts and regions at once.

It reads the data directory and so works whether or not a server is running; it never writes there.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.options import Config, Data, effective
from trailstate.cli.records import Record, as_csv, as_json, as_jsonl, as_lines, as_table
from trailstate.cli.server import server_time
from trailstate.cli.terminal import put, say, visible
from trailstate.settings import closest

if TYPE_CHECKING:
    from trailstate.lake.archive import LakeArchive
    from trailstate.stores.reading import Reading
    from trailstate.trail.archive import Found
    from trailstate.trail.search import NoJournal, Question

LIMIT = 50
SCANNED_MAX = 100_000
"""Records looked at for the conditions that no index helps with, before the search says that it stopped."""

FOLLOW_SECONDS = 0.5

HISTORY_ATTRIBUTES = (
    *("EventId", "EventName", "ReadOnly", "Username"),
    *("ResourceType", "ResourceName", "EventSource", "AccessKeyId"),
)
MEMBERS = ("errorCode", "sourceIPAddress")
SCOPES = ("account", "region")
NAMES = {name.lower(): name for name in (*HISTORY_ATTRIBUTES, *MEMBERS, *SCOPES)}
"""The eight attributes of LookupEvents and four more, found in any case."""


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


Attribute = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: the part the index answers, and what is then asked of each record."""

    question: "Question"
    words: tuple[str, ...] = ()
    errors: bool = False

    @property
    def is_answered_by_index(self) -> bool:
        return not self.words and not self.errors

    def keeps(self, record: Record, body: bytes) -> bool:
        text = body.decode().casefold() if self.words else ""
        return all(word.casefold() in text for word in self.words) and (
            not self.errors or bool(record.get("errorCode"))
        )


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
        records = _opened(directory, stack)
        if follow:
            _follow(records, search, FOLLOWING[form])
        else:
            _answer(records, search, FORMS[form])


def attribute_of(text: str) -> Attribute:
    """`NAME=VALUE` as the name in its own spelling, and the value; ends the command for anything else."""
    name, _, value = text.partition("=")
    known = NAMES.get(name.strip().lower())
    if known is None:
        raise Stop(
            ExitCode.USAGE,
            f"There is no attribute '{name}'{closest(name.strip(), NAMES.values())} "
            f"The attributes are {', '.join(NAMES.values())}.",
        )
    if not value:
        raise Stop(ExitCode.USAGE, f"An attribute is written {known}=VALUE; found '{text}'.")
    return known, value


def shortcuts(
    *, user: str | None, name: str | None, source: str | None, resource: str | None, writes: bool
) -> list[Attribute]:
    """The short options as the attributes they stand for."""
    service = source if source is None or "." in source else f"{source}.amazonaws.com"
    given = (("Username", user), ("EventName", name), ("EventSource", service), ("ResourceName", resource))
    return [(known, value) for known, value in given if value] + ([("ReadOnly", "false")] if writes else [])


def moment(words: str | None, now: datetime) -> datetime | None:
    """The time that a person means; ends the command when the words name none."""
    from trailstate.values.timestamp import UnknownTime, parse_when

    try:
        return None if words is None else parse_when(words, now)
    except UnknownTime as error:
        raise Stop(ExitCode.USAGE, f"{error}.") from None


def search_for(
    asked: Sequence[Attribute],
    span: tuple[datetime | None, datetime | None],
    *,
    words: Sequence[str],
    errors: bool,
    limit: int,
) -> Search:
    """The conditions, sorted by who can answer them."""
    from trailstate.trail.search import Question

    # The longest word narrows the search most.
    first, *others = sorted(words, key=len, reverse=True) or ("",)
    question = Question(
        attributes=tuple(pair for pair in asked if pair[0] in HISTORY_ATTRIBUTES),
        members=tuple(pair for pair in asked if pair[0] in MEMBERS),
        accounts=frozenset(value for name, value in asked if name == "account"),
        regions=frozenset(value for name, value in asked if name == "region"),
        start=span[0],
        end=span[1],
        text=first,
        limit=limit,
    )
    return Search(question, tuple(others), errors)


@dataclass(frozen=True, slots=True)
class Records:
    """What a directory holds: what was recorded there, and what was imported."""

    journal: "Reading | NoJournal"
    archive: "LakeArchive | None"

    def newest(self, question: "Question") -> Iterator["Found"]:
        from trailstate.trail.search import newest

        return newest(self.journal, self.journal, question, self.archive)


def _opened(directory: Path, stack: contextlib.ExitStack) -> Records:
    """Ends the command where there is nothing; says so when some of it cannot be found yet."""
    from trailstate.stores.reading import NothingRecorded, Reading
    from trailstate.trail.search import NoJournal

    archive = _archive(directory)
    try:
        journal = stack.enter_context(closing(Reading(directory)))
    except NothingRecorded as nothing:
        if archive is None:
            raise Stop(ExitCode.NO, str(nothing)) from None
        return Records(NoJournal(), archive)
    return Records(journal, archive)


def _archive(directory: Path) -> "LakeArchive | None":
    """What was imported; None when nothing was. It is looked for without making a directory."""
    from trailstate.stores.disk import DIRECTORY_NAME, DiskObjects

    if not (directory / DIRECTORY_NAME / "lake").is_dir():
        return None
    from trailstate.lake.archive import LakeArchive
    from trailstate.lake.manifest import Manifest
    from trailstate.world import RealWorld

    objects = DiskObjects(directory, RealWorld())
    archive = LakeArchive(Manifest(objects), objects)
    if missing := archive.unindexed():
        say(f"{missing:,} imported records have no index yet and are not looked at; a running server is making it.")
    return archive


def found(records: Records, search: Search) -> list["Found"]:
    """What answers the search, newest first; says so when it gave up before the end."""
    if search.is_answered_by_index:
        return list(records.newest(search.question))
    scanned = 0

    def kept() -> Iterator["Found"]:
        nonlocal scanned
        for hit in records.newest(replace(search.question, limit=SCANNED_MAX)):
            scanned += 1
            if search.keeps(hit.record, hit.body):
                yield hit

    hits = list(islice(kept(), search.question.limit))
    if scanned == SCANNED_MAX and len(hits) < search.question.limit:
        say(f"Only the newest {SCANNED_MAX} records were looked at; --since and --until lead to older ones.")
    return hits


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
