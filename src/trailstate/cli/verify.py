"""`trailstate verify`: is the evidence untouched, and is all of it there."""

import gc
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.options import moment
from trailstate.cli.terminal import UNBOUNDED_COLUMNS, put, table, visible

if TYPE_CHECKING:
    from trailstate.cli.bucket import Account
    from trailstate.trail.verify import Finding, PublicKeys, Report
    from trailstate.trail.verify.judge import Progress

BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
COLUMNS = ("finding", "chain", "what", "why")
CHAINS_SHOWN = 3


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"


def verify(
    target: Annotated[
        str, typer.Argument(metavar="BUCKET|DIRECTORY", help="BUCKET, s3://BUCKET/PREFIX, or a directory.")
    ],
    public_keys: Annotated[
        list[Path] | None,
        typer.Option(
            "--public-keys", metavar="FILE", help="What `aws cloudtrail list-public-keys` printed; one a Region."
        ),
    ] = None,
    start: Annotated[str | None, typer.Option("--start", metavar="TIME", help="Judge from this time on.")] = None,
    end: Annotated[str | None, typer.Option("--end", metavar="TIME", help="Judge until this time.")] = None,
    endpoint: Annotated[
        str | None, typer.Option("--endpoint-url", metavar="URL", help="Instead of AWS_ENDPOINT_URL.")
    ] = None,
    profile: Annotated[str | None, typer.Option("--profile", metavar="NAME", help="Of your AWS configuration.")] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, max=256, help="Files read at the same time.")] = 16,
    output: Annotated[Form, typer.Option("-o", "--output", help="How to print what was found.")] = Form.TABLE,
) -> None:
    """Hold delivered log files and digests against one another, and find what the stock verifier cannot see.

    Besides altered, missing and moved files: newest digests removed, a prefix emptied, files that no digest lists,
    each of several missing digests, and who stopped a trail and when. Ends with status 4 if anything was found.

    \b
    Examples:
      trailstate verify s3://audit-logs
      trailstate verify ./downloaded --public-keys keys.json -o json
    """
    window = (moment(start), moment(end))
    with _uncollected():
        if target.startswith("s3://") or (BUCKET_NAME.fullmatch(target) and not Path(target).is_dir()):
            report = _bucket(target, public_keys, window, endpoint, profile, threads)
        else:
            report = _directory(Path(target), public_keys, window, endpoint, profile, threads)
    put(_as_json(report) if output is Form.JSON else as_table(report))
    if not report.is_clean:
        raise Stop(ExitCode.FINDINGS)


@contextmanager
def _uncollected() -> "Iterator[None]":
    """Keys, entries and findings make no cycles; looking for some among a million objects takes longer than they do."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


Window = tuple[datetime | None, datetime | None]


def _bucket(
    target: str, files: list[Path] | None, window: Window, endpoint: str | None, profile: str | None, threads: int
) -> "Report":
    from trailstate.cli.bucket import Account, Bucket, Refusals, expectations
    from trailstate.trail.verify import verify as judge

    name, _, prefix = target.removeprefix("s3://").partition("/")
    account = Account(endpoint, profile)
    try:
        evidence = Bucket(account, name, prefix)
        with evidence.processes(threads) as processes:
            keys = _keys(files, lambda: _published(account, list(evidence.keys())))
            expected = [] if prefix else expectations(account, name)
            with _progress() as progress:
                return judge(
                    evidence,
                    keys,
                    expected=expected,
                    start=window[0],
                    end=window[1],
                    progress=progress,
                    threads=threads,
                    compare_all=processes,
                )
    except Refusals as error:
        raise Stop(ExitCode.NO, f"{target} could not be verified: {error}") from None


def _directory(
    path: Path, files: list[Path] | None, window: Window, endpoint: str | None, profile: str | None, threads: int
) -> "Report":
    from trailstate.cli.bucket import Account, Refusals
    from trailstate.trail.verify import Directory
    from trailstate.trail.verify import verify as judge

    if not path.is_dir():
        raise Stop(ExitCode.USAGE, f"'{path}' is neither a directory nor s3://BUCKET.")
    evidence = Directory(path)
    try:
        keys = _keys(files, lambda: _published(Account(endpoint, profile), list(evidence.keys())))
    except Refusals as error:
        raise Stop(ExitCode.NO, f"The public keys could not be had: {error}. Give them with --public-keys.") from None
    with _progress() as progress:
        return judge(evidence, keys, start=window[0], end=window[1], progress=progress, threads=threads)


def _published(account: "Account", keys: list[str]) -> "PublicKeys":
    from trailstate.cli.bucket import published_keys

    return published_keys(account, keys)


def _keys(files: list[Path] | None, ask: "Callable[[], PublicKeys]") -> "PublicKeys":
    from trailstate.trail.verify import PublicKeys
    from trailstate.trail.verify.keys import BadKey

    if not files:
        return ask()
    try:
        return PublicKeys.from_files(files)
    except (BadKey, OSError) as error:
        raise Stop(ExitCode.USAGE, f"{error}.") from None


@contextmanager
def _progress() -> "Iterator[Progress | None]":
    """A bar on a terminal, with the rate and the time left; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("log files"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("verify", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _as_json(report: "Report") -> str:
    import json

    return json.dumps(report.as_json(), indent=2) + "\n"


def _by_time(proven_until: Mapping[str, datetime]) -> list[tuple[datetime, list[str]]]:
    """The chains that end at each time; those that end first come first, because it may be too early."""
    times = sorted(set(proven_until.values()))
    return [(time, sorted(chain for chain, until in proven_until.items() if until == time)) for time in times]


def _some(what: str, named: Sequence[str]) -> list[str]:
    """A line each, but for many: an organization has a chain for each account and Region. JSON names them all."""
    more = len(named) - CHAINS_SHOWN
    lines = [f"{what}: {each}" for each in named[:CHAINS_SHOWN]]
    return [*lines, f"{what}: {more} more (-o json names them)"] if more > 0 else lines


def as_table(report: "Report", width: int | None = None) -> str:
    """Counts, then the findings: a row each or, where that is wider than the terminal (`width`), a paragraph each."""
    digests = f"{report.digests_valid} of {report.digests} digests valid"
    logs = f"{report.logs_valid} of {report.logs} listed log files valid"
    lines = [report.source, f"{digests}; {logs}; {report.pending} wait for the next digest"]
    lines += _some("not proven, because its signature is kept in the bucket only", report.unproven)
    lines += [
        f"not read: {count} files in s3://{bucket}, to which the trail delivered before"
        for bucket, count in sorted(report.unread.items())
    ]
    for until, chains in _by_time(report.proven_until):
        lines += _some(f"proven until {until:%Y-%m-%d %H:%M:%S} UTC", chains)
    text = "".join(visible(line) + "\n" for line in lines)
    if report.is_clean:
        where = "of what could be read " if report.unread else ""
        return f"{text}nothing was found: what is there is untouched, and nothing {where}is missing\n"
    rows = _rows(report.findings)
    if width is None:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else UNBOUNDED_COLUMNS
    fits = sum(max(map(len, cells)) + 2 for cells in zip(COLUMNS, *rows, strict=True)) <= width
    findings = table(COLUMNS, rows) if fits else "\n".join(map(_paragraph, rows))
    return f"{text}\n{findings}\n{_counted(report.findings)}\n"


Row = tuple[str, str, str, str]


def _rows(findings: "Sequence[Finding]") -> list[Row]:
    """What one call did to many chains, a stopped trail to one in each Region, is told once. JSON tells of each."""
    chains: dict[tuple[str, str, str], list[str]] = {}
    for each in findings:
        chains.setdefault((each.kind, each.subject, each.sentence), []).append(each.chain)
    return [(kind, _and_more(named), subject, why) for (kind, subject, why), named in chains.items()]


def _and_more(named: Sequence[str]) -> str:
    return named[0] if len(named) == 1 else f"{named[0]} and {len(named) - 1} more"


def _paragraph(row: Row) -> str:
    """A key stands on a line of its own, unbroken, so that it can be copied."""
    kind, chain, *rest = (visible(cell) for cell in row)
    return "".join(f"{line}\n" for line in (f"{kind}: {chain}", *(f"  {each}" for each in rest)))


def _counted(findings: "Sequence[Finding]") -> str:
    """How many findings of which kind, the most frequent first."""
    counts = Counter(each.kind for each in findings).most_common()
    noun = "finding" if len(findings) == 1 else "findings"
    return f"{len(findings)} {noun}: {', '.join(f'{count} {kind}' for kind, count in counts)}"
