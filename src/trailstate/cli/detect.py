"""`trailstate detect`: the CIS benchmark's fifteen filters and alarms, set up, looked at, and tried offline."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.options import Config, Data, effective
from trailstate.cli.terminal import put, say, table

if TYPE_CHECKING:
    from trailstate.incidents import Stage

ROOT_USAGE = "CloudWatch.1"
FILES_MAX = 100_000

detect = typer.Typer(
    name="detect",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Detection: the CIS benchmark's metric filters and alarms on a trail's log group.

    \b
    Examples:
      trailstate detect setup
      trailstate detect status
    """,
)


@detect.command("setup")
def set_up(
    email: Annotated[
        str, typer.Option("--email", metavar="ADDRESS", help="Who is told; the lab's mailbox takes the letters.")
    ] = "security@example.com",
    trail: Annotated[
        str | None, typer.Option("--trail", metavar="NAME", help="Which trail, when several write to log groups.")
    ] = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Put the fifteen filters and alarms and one topic on a trail's log group, then prove it: root signs in.

    A trail is made if none writes to a log group. It ends when the message about root's sign-in has arrived.

    \b
    Example:
      trailstate detect setup --email oncall@example.com
      trailstate detect setup --trail audit
    """
    from trailstate.incidents.detection import Detector, arriving, put_detector, topic
    from trailstate.watch.standards import CIS_FILTERS

    stage = _stage(data, config)
    name, group = _trail_of(stage, trail)
    say(f"The trail {name} writes to the log group {group}.")
    arn = topic(stage, email)
    for each in CIS_FILTERS:
        put_detector(stage, group, Detector(each.name, f"{each.control}: {each.title}", each.pattern), arn)
    say(f"{len(CIS_FILTERS)} metric filters and alarms tell {arn}, which writes to {email}.")
    answer = stage.sign_in()
    if answer.get("ConsoleLogin") != "Success":
        raise Stop(ExitCode.NO, f"Root could not sign in to try it: {answer.get('error', answer)}.")
    say("Root has signed in. The message comes when the alarm's period of ten seconds has ended …")
    (root_usage,) = (each for each in CIS_FILTERS if each.control == ROOT_USAGE)
    moment = _event_time(stage, answer["eventID"])
    letter = arriving(stage, email, f'ALARM: "{root_usage.name}"', moment)
    if letter is None:
        raise Stop(
            ExitCode.NO, "No message came. `trailstate detect status` shows the alarms, `trailstate doctor` more."
        )
    put(f"{letter['time']}  to {letter['to']}\n{letter['subject']}\n")


def _trail_of(stage: "Stage", wanted: str | None) -> tuple[str, str]:
    """The trail that is meant and its log group; a new one where no trail has a group."""
    from trailstate.incidents.detection import TRAIL, made_group, trails

    known = trails(stage)
    with_group = {name: group for name, group in known.items() if group}
    if wanted is not None and wanted not in with_group:
        why = "writes to no log group" if wanted in known else "is not there"
        raise Stop(ExitCode.USAGE, f"The trail {wanted} {why}; those that do: {', '.join(with_group) or 'none'}.")
    if wanted is None and len(with_group) > 1:
        raise Stop(
            ExitCode.USAGE, f"Several trails write to log groups: {', '.join(with_group)}. Choose one by --trail."
        )
    if not with_group:
        return TRAIL, made_group(stage)
    name = wanted or next(iter(with_group))
    return name, with_group[name]


def _event_time(stage: "Stage", event: str) -> Any:
    attribute = {"AttributeKey": "EventId", "AttributeValue": event}
    return stage.client("cloudtrail").lookup_events(LookupAttributes=[attribute])["Events"][0]["EventTime"]


@detect.command("status")
def status(data: Data = None, config: Config = None) -> None:
    """Show each of the fifteen alarms: whether its filter is there, its state, and since when.

    Ends with 4 when a filter or an alarm is missing.
    """
    from trailstate.incidents.detection import alarms
    from trailstate.watch.standards import CIS_FILTERS

    stage = _stage(data, config)
    pages = stage.client("logs").get_paginator("describe_metric_filters").paginate()
    filters = {each["filterName"]: each for page in pages for each in page["metricFilters"]}
    found = alarms(stage, [each.name for each in CIS_FILTERS])
    rows = []
    for each in CIS_FILTERS:
        known, alarm = filters.get(each.name), found.get(each.name)
        group = known["logGroupName"] if known and known["filterPattern"] == each.pattern else "-"
        state, since = (
            (alarm["StateValue"], f"{alarm['StateUpdatedTimestamp']:%Y-%m-%d %H:%M:%S}") if alarm else ("-", "-")
        )
        rows.append((each.control, each.title, group, state, since))
    put(table(("control", "title", "log group", "state", "since (UTC)"), rows))
    missing = sum("-" in row[2:4] for row in rows)
    if missing:
        raise Stop(
            ExitCode.FINDINGS, f"{missing} of {len(rows)} are not set up. Set them up with: trailstate detect setup"
        )


@detect.command("test")
def try_out(
    records: Annotated[
        Path,
        typer.Option("--records", metavar="PATH", help="A file or directory: CloudTrail log files, JSON, or lines."),
    ],
    pattern: Annotated[str | None, typer.Option("--pattern", metavar="TEXT", help="The filter pattern.")] = None,
    filter_: Annotated[
        Path | None,
        typer.Option("--filter", metavar="FILE", help="A file with the pattern, or a metric filter as JSON."),
    ] = None,
    expect: Annotated[
        int | None, typer.Option("--expect", metavar="N", help="End with 1 unless exactly N records match.")
    ] = None,
) -> None:
    """Try a filter pattern on records, without a server: for tests of one's own detections.

    \b
    Examples:
      trailstate detect test --pattern '{ $.eventName = "ConsoleLogin" }' --records logs/ --expect 2
      trailstate detect test --filter root-usage.json --records sample.json.gz
    """
    from trailstate.watch import filter as filters

    if (pattern is None) == (filter_ is None):
        raise Stop(ExitCode.USAGE, "Say which pattern: either --pattern TEXT or --filter FILE.")
    text = pattern if pattern is not None else _pattern_in(filter_ or Path())
    try:
        wanted = filters.pattern(text)
    except filters.MalformedPattern as malformed:
        raise Stop(ExitCode.USAGE, f"The filter pattern cannot be read: {malformed}.") from None
    seen = matching = 0
    for record in _texts(records):
        seen += 1
        if wanted.matches(filters.Message(record)):
            matching += 1
            put(f"{_told(record)}\n")
    say(f"{matching} of {seen} records match.")
    if expect is not None and matching != expect:
        raise Stop(ExitCode.NO, f"{expect} were expected.")


def _pattern_in(path: Path) -> str:
    """The pattern that a file holds, by itself or as `filterPattern` of a metric filter."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(ExitCode.USAGE, f"{path} cannot be read: {error}.") from None
    try:
        found = json.loads(text)
    except ValueError:
        return text
    if isinstance(found, dict) and isinstance(found.get("filterPattern"), str):
        return str(found["filterPattern"])
    raise Stop(ExitCode.USAGE, f"{path} is JSON without a member filterPattern.")


def _texts(path: Path) -> Iterator[str]:
    """Every record of a file, or of all files below a directory, as text."""
    if not path.exists():
        raise Stop(ExitCode.USAGE, f"There is no {path}.")
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    if len(files) > FILES_MAX:
        raise Stop(ExitCode.USAGE, f"{path} holds {len(files)} files; at most {FILES_MAX} are looked at.")
    for file in files:
        yield from _records(file)


def _records(file: Path) -> Iterator[str]:
    from trailstate.lake.logfile import inflated

    body = file.read_bytes()
    if body.startswith(b"\x1f\x8b"):
        body, damages = inflated(body)
        if damages:
            raise Stop(ExitCode.NO, f"{file} is damaged: {damages[0].detail}.")
    text = body.decode("utf-8", "replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        yield from (line for line in text.splitlines() if line.strip())
        return
    if isinstance(found, dict) and isinstance(found.get("Records"), list):
        found = found["Records"]
    yield from (json.dumps(each, ensure_ascii=False) for each in (found if isinstance(found, list) else [found]))


def _told(record: str) -> str:
    """A matching record in one line."""
    try:
        found = json.loads(record)
        return f"{found['eventTime']}  {found['eventName']}  {found['eventID']}"
    except (ValueError, KeyError, TypeError):
        return record


def _stage(data: Path | None, config: Path | None) -> "Stage":
    """The first account of the running server, through its API."""
    from trailstate.cli.demo import root_identity
    from trailstate.cli.server import running_server
    from trailstate.incidents import Stage

    directory = effective(data=data, config=config).data
    server = running_server(directory)
    if server is None:
        raise Stop(ExitCode.NO_SERVER, f"No server runs on {directory}. Start one with: trailstate up")
    account = server.accounts[0]
    return Stage(server.endpoint, account, root_identity(directory, account), advance=lambda _: None)
