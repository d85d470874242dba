"""`trailstate import` and `trailstate quarantine`: real CloudTrail logs into the lake, and what could not be taken."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.options import Config, Data, effective
from trailstate.cli.terminal import put, say, table

if TYPE_CHECKING:
    from trailstate.lake.importer import Progress, Source
    from trailstate.lake.quarantine import Entry

quarantine = typer.Typer(
    no_args_is_help=True,
    help="""What imports left out, and why.

    \b
    Examples:
      trailstate quarantine list
      trailstate quarantine retry
    """,
)
COLUMNS = ("reason", "files", "pieces", "meaning")
PIECES_SHOWN = 1000


def import_(
    source: Annotated[list[str], typer.Argument(metavar="s3://BUCKET[/PREFIX]|DIRECTORY|FILE...")],
    data: Data = None,
    config: Config = None,
    endpoint: Annotated[
        str | None, typer.Option("--endpoint-url", metavar="URL", help="For s3://, instead of AWS_ENDPOINT_URL.")
    ] = None,
    profile: Annotated[str | None, typer.Option("--profile", metavar="NAME", help="For s3://.")] = None,
) -> None:
    """Take CloudTrail log files into the lake: gzip or not, organization layouts, Insights, single JSON, lines of JSON.

    What is there already is skipped, so that an import that was cut off goes on and a second one takes what is new. A
    record is taken once by account and eventID. What cannot be read is left out, counted and kept for `trailstate
    quarantine`. It works beside a running server and without one.

    \b
    Examples:
      trailstate import ./cloudtrail-logs
      trailstate import s3://audit-logs/AWSLogs --profile security
    """
    directory = effective(data=data, config=config).data
    for each in _sources(source, endpoint, profile):
        with _bar() as tell:
            say(_taken(each, directory, tell))
    _indexed(directory)


def taken(logs: Path, directory: Path) -> str:
    """Take a directory of log files into the lake of a data directory; what to say of it."""
    from trailstate.lake.source import Files

    if not logs.exists():
        raise Stop(ExitCode.USAGE, f"There is no file or directory '{logs}'.")
    said = _taken(Files([logs]), directory, lambda _: None)
    _indexed(directory)
    return said


def _indexed(directory: Path) -> None:
    """Have everything found by LookupEvents and `trailstate events` that is in the lake."""
    from trailstate.lake.manifest import Manifest
    from trailstate.lake.upkeep import Upkeep
    from trailstate.stores.disk import DiskObjects
    from trailstate.world import RealWorld

    world = RealWorld()
    objects = DiskObjects(directory, world)
    with _counting("index") as tell:
        Upkeep(Manifest(objects), objects, world).run(lambda now: tell(now.rows, now.rows_total))


@contextmanager
def _counting(what: str) -> "Iterator[Callable[[int, int], None]]":
    """A bar over records; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _taken(source: "Source", directory: Path, tell: "Callable[[Progress], None]") -> str:
    from trailstate.app import FOREIGN_DATA_FILE
    from trailstate.lake.importer import Importer
    from trailstate.lake.manifest import Manifest
    from trailstate.stores.disk import DiskObjects
    from trailstate.world import RealWorld

    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / FOREIGN_DATA_FILE).touch(mode=0o600)
    world = RealWorld()
    objects = DiskObjects(directory, world)
    started = world.monotonic()
    progress = Importer(Manifest(objects), objects, world).run(source, tell)
    return _summary(source, progress, world.monotonic() - started)


def _sources(given: list[str], endpoint: str | None, profile: str | None) -> "Iterator[Source]":
    from trailstate.lake.source import Files

    buckets = [each for each in given if each.startswith("s3://")]
    paths = [Path(each) for each in given if not each.startswith("s3://")]
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise Stop(ExitCode.USAGE, f"There is no file or directory '{missing[0]}'.")
    if paths:
        yield Files(paths)
    for each in buckets:
        from trailstate.cli.bucket import Account
        from trailstate.cli.log_bucket import LogBucket

        name, _, prefix = each.removeprefix("s3://").partition("/")
        yield LogBucket(Account(endpoint, profile), name, prefix)


@contextmanager
def _bar() -> "Iterator[Callable[[Progress], None]]":
    """A bar with rate and time left on a terminal; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("import", total=None)
        yield lambda now: bar.update(
            task, completed=now.bytes, total=now.bytes_total, description=f"{now.records:,} records"
        )


def _summary(source: "Source", progress: "Progress", seconds: float) -> str:
    read = progress.files_total - progress.files_known
    rate = f", {progress.records / seconds:,.0f} a second" if seconds > 1 and progress.records else ""
    sentences = [f"{source.name}: {progress.records:,} records from {read:,} files{rate}."]
    if progress.files_known:
        sentences.append(f"{progress.files_known:,} files were there already.")
    if progress.duplicates:
        sentences.append(f"{progress.duplicates:,} records were there already.")
    if progress.left_out:
        sentences.append(f"{progress.left_out:,} pieces were left out: trailstate quarantine list")
    return " ".join(sentences)


@quarantine.command("list")
def list_(data: Data = None, config: Config = None) -> None:
    """Count what was left out, by reason."""
    from trailstate.lake.logfile import REASONS

    counts: dict[str, tuple[set[str], int]] = {}
    for entry in _entries(effective(data=data, config=config).data):
        files, pieces = counts.get(entry.reason, (set(), 0))
        counts[entry.reason] = files | {entry.file}, pieces + 1
    rows = [
        (reason, f"{len(files):,}", f"{pieces:,}", REASONS[reason])
        for reason, (files, pieces) in sorted(counts.items(), key=lambda each: -each[1][1])
    ]
    put(table(COLUMNS, rows) if rows else "")
    if not rows:
        say("Nothing was left out.")


@quarantine.command()
def show(
    reason: Annotated[str | None, typer.Argument(metavar="REASON", help="Only what was left out for it.")] = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Show what was left out: file, place in it, and what was found there."""
    found = [each for each in _entries(effective(data=data, config=config).data) if reason in (None, each.reason)]
    rows = [(each.file, str(each.offset), each.reason, each.detail, each.excerpt) for each in found[-PIECES_SHOWN:]]
    put(table(("file", "offset", "reason", "detail", "found"), rows) if rows else "")
    if len(found) > PIECES_SHOWN:
        say(f"These are the newest {PIECES_SHOWN} of {len(found)}.")


@quarantine.command()
def retry(data: Data = None, config: Config = None) -> None:
    """Read the files again from which something was left out; records that are there already are not taken twice."""
    from trailstate.lake.importer import Importer
    from trailstate.lake.manifest import Manifest
    from trailstate.lake.source import Files
    from trailstate.stores.disk import DiskObjects
    from trailstate.world import RealWorld

    directory = effective(data=data, config=config).data
    paths = sorted({Path(each.file) for each in _entries(directory) if each.file})
    there = [path for path in paths if path.exists()]
    objects = DiskObjects(directory, RealWorld())
    progress = Importer(Manifest(objects), objects, RealWorld()).run(Files(there), again=True)
    _indexed(directory)
    say(f"{len(there)} files read again: {progress.records:,} new records, {progress.left_out:,} pieces left out.")
    if len(there) < len(paths):
        say(f"{len(paths) - len(there)} files are not there any more, or lie in a bucket: import that again.")


def _entries(directory: Path) -> "Iterator[Entry]":
    from trailstate.lake import quarantine as kept
    from trailstate.stores.disk import DiskObjects
    from trailstate.world import RealWorld

    if directory.is_dir():
        yield from kept.entries(DiskObjects(directory, RealWorld()))
