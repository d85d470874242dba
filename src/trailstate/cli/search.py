"""What a search of events asks, and where it is answered: the records and the imports of a data directory."""

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.records import Record
from trailstate.cli.terminal import say
from trailstate.settings import closest

if TYPE_CHECKING:
    from trailstate.lake.archive import LakeArchive
    from trailstate.stores.reading import Reading
    from trailstate.trail.archive import Found
    from trailstate.trail.search import NoJournal, Question

SCANNED_MAX = 100_000
"""Records looked at for the conditions that no index helps with, before the search says that it stopped."""

HISTORY_ATTRIBUTES = (
    *("EventId", "EventName", "ReadOnly", "Username"),
    *("ResourceType", "ResourceName", "EventSource", "AccessKeyId"),
)
MEMBERS = ("errorCode", "sourceIPAddress")
SCOPES = ("account", "region")
NAMES = {name.lower(): name for name in (*HISTORY_ATTRIBUTES, *MEMBERS, *SCOPES)}
"""The eight attributes of LookupEvents and four more, found in any case."""

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


def opened(directory: Path, stack: contextlib.ExitStack) -> Records:
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
