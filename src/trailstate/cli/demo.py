"""`trailstate demo` and `trailstate play`: incidents that happen in front of you, and the questions they leave."""

import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.options import Config, Data, effective
from trailstate.cli.terminal import put, room, say, sentence, table
from trailstate.cli.up import refusals_said

if TYPE_CHECKING:
    from trailstate.app import Running
    from trailstate.incidents import Answer, Incident, Stage
    from trailstate.incidents.form import Planted
    from trailstate.incidents.stage import Identity
    from trailstate.world import AdjustableWorld

QUESTIONS_OF_THE_EXAM = 7
ROWS_MAX = 4
INDENT = "  "
HEADING_WIDTH = 100
HUNTS_OF_LOGS = ("who-deleted", "root-usage", "denied-calls", "opened-to-world")


@dataclass(frozen=True, slots=True)
class Asked:
    """One scene, played and asked."""

    incident: "Incident"
    answer: "Answer"
    seconds: float


def demo(
    scene: Annotated[
        list[str] | None, typer.Option("--scene", metavar="NAME", help="Play only this scene; repeat it for more.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Play every scene, not only the seven of the exam.")] = False,
    logs: Annotated[
        Path | None,
        typer.Option("--logs", metavar="DIR", exists=True, help="Your own CloudTrail log files, asked at the end."),
    ] = None,
    exit_: Annotated[
        bool, typer.Option("--exit", help="End after the last answer instead of serving on (on a terminal).")
    ] = False,
    port: Annotated[int, typer.Option("--port", metavar="PORT", help="Port of the demo's own server.")] = 0,
) -> None:
    """Play incidents in a fresh simulated account and answer the seven questions of AWS's security exams.

    A server of its own, whose data go when it ends and whose clock starts yesterday at 15:30. Every scene is played
    through real boto3 clients and then asked through the AWS API; the commands shown work as they are.

    \b
    Examples:
      trailstate demo
      trailstate demo --scene deleted-bucket --exit
      trailstate demo --logs ./cloudtrail-logs
    """
    from trailstate import app
    from trailstate.incidents import INCIDENTS
    from trailstate.settings import load_settings
    from trailstate.world import AdjustableWorld, RealWorld

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that its directory goes, however it is ended
    chosen = [each for each in _chosen(scene, INCIDENTS) if scene or all_ or each.is_of_exam]
    world = AdjustableWorld(start=_yesterday_afternoon(RealWorld().now()))
    with tempfile.TemporaryDirectory(prefix="trailstate-demo-") as directory:
        settings = load_settings({"port": port, "data": directory, "testing": True}, {}, looks_for_file=False)
        with refusals_said(), app.running(settings, world) as running:
            width = room()
            put(_heading(running, width))
            played = _play_all(chosen, running, world)
            for number, asked in enumerate(played, 1):
                put(_scene(number, asked, width))
            if logs is not None:
                put(_own_logs(logs, running.data, width))
            serves_on = sys.stdout.isatty() and not exit_
            put((_try_next(running) if serves_on else "") + _total(played))
            if serves_on:
                running.wait()
    if not all(asked.answer.is_right for asked in played):
        raise Stop(ExitCode.NO, "An answer does not name what the scene planted; please report it with this output.")


def play(
    incident: Annotated[str, typer.Argument(metavar="INCIDENT", help="Its name; an unknown one lists them all.")],
    data: Data = None,
    config: Config = None,
) -> None:
    """Let an incident happen in the running server's first account, and ask about it.

    \b
    Example:
      trailstate up &
      trailstate play terminated-instance
    """
    from trailstate.cli.server import running_server
    from trailstate.incidents import INCIDENTS, Stage

    (chosen,) = _chosen([incident], INCIDENTS)
    settings = effective(data=data, config=config)
    server = running_server(settings.data)
    if server is None:
        raise Stop(ExitCode.NO_SERVER, f"No server runs on {settings.data}. Start one with: trailstate up")
    account = server.accounts[0]
    stage = Stage(server.endpoint, account, root_identity(settings.data, account), advance=lambda _: None)
    say(chosen.story)
    answer = chosen.ask(stage, chosen.play(stage))
    put(_answer_lines(answer, room()))
    if not answer.is_right:
        raise Stop(ExitCode.NO, "The answer does not name what the scene planted.")


def _chosen(names: Sequence[str] | None, incidents: "dict[str, Incident]") -> "list[Incident]":
    unknown = [name for name in names or () if name not in incidents]
    if unknown:
        known = "\n".join(f"  {each.name:<22}{each.question}" for each in incidents.values())
        raise Stop(ExitCode.USAGE, f"There is no incident '{unknown[0]}'. These are there:\n{known}")
    return [incidents[name] for name in names] if names else list(incidents.values())


def _yesterday_afternoon(now: datetime) -> datetime:
    return datetime.combine(now.date() - timedelta(days=1), datetime.min.time(), UTC).replace(hour=15, minute=30)


def _play_all(chosen: "Sequence[Incident]", running: "Running", world: "AdjustableWorld") -> list[Asked]:
    """Play every scene, let the clock come to the present, then ask."""
    from trailstate.incidents import Stage
    from trailstate.incidents.stage import Identity
    from trailstate.world import RealWorld

    account = running.accounts[0]
    key = running.root_keys[account]
    root = Identity(key.access_key_id, key.secret_access_key, password=_root_password(running.data, account))
    stage = Stage(running.endpoint, account, root, advance=lambda by: running.advance(by))
    planted = [incident.play(stage) for incident in chosen]
    running.advance(max(RealWorld().now() - world.now(), timedelta(0)))
    return [_ask(incident, stage, facts) for incident, facts in zip(chosen, planted, strict=True)]


def _ask(incident: "Incident", stage: "Stage", planted: "Planted") -> Asked:
    from trailstate.world import RealWorld

    clock = RealWorld()
    stage.client("cloudtrail")  # made beforehand, so that the time shown is the answer's alone
    started = clock.monotonic()
    answer = incident.ask(stage, planted)
    return Asked(incident, answer, clock.monotonic() - started)


def root_identity(data: Path, account: str) -> "Identity":
    import msgspec

    from trailstate.incidents.stage import Identity

    stored = msgspec.json.decode((data / "keys" / f"root-{account}.json").read_bytes())
    password = _root_password(data, account)
    return Identity(stored["AccessKeyId"], stored["SecretAccessKey"], password=password)


def _root_password(data: Path, account: str) -> str:
    return (data / "keys" / f"root-password-{account}").read_text().strip()


# What a person sees.


def _heading(running: "Running", width: int | None) -> str:
    account = running.accounts[0]
    return (
        sentence(
            "Trailstate demo: a simulated AWS account whose clock started yesterday at 15:30 UTC. Every call was "
            "recorded before it was answered. The commands work as they are, in a shell with",
            width=width or HEADING_WIDTH,
        )
        + f"  export AWS_ENDPOINT_URL={running.endpoint} AWS_DEFAULT_REGION=us-east-1"
        f" AWS_ACCESS_KEY_ID={account} AWS_SECRET_ACCESS_KEY=test\n"
    )


def _scene(number: int, asked: Asked, width: int | None) -> str:
    incident = asked.incident
    inner = None if width is None else width - len(INDENT)
    return (
        "\n"
        + sentence(f"{number}. {incident.question}", indent=INDENT, width=width)
        + _indented(
            sentence(incident.services, width=inner)
            + _answer_lines(asked.answer, inner, f" ({asked.seconds * 1000:.0f} ms)")
        )
    )


def _total(played: Sequence[Asked]) -> str:
    """The last lines: how many of the exam's questions were answered, and how many others."""
    right = [asked.incident for asked in played if asked.answer.is_right]
    exam = sum(each.is_of_exam for each in right)
    others = len(right) - exam
    return (
        f"\n{others} further questions answered" if others else ""
    ) + f"\n{exam} of {QUESTIONS_OF_THE_EXAM} answered\n"


def _own_logs(logs: Path, data: Path, width: int | None) -> str:
    """The person's own log files, taken into the demo's lake and asked what investigations begin with."""
    from trailstate.cli.import_ import taken
    from trailstate.cli.lake import opened
    from trailstate.lake.hunts import hunts
    from trailstate.lake.lake import Scope
    from trailstate.world import RealWorld

    parts = [f"\nYour own logs. {taken(logs, data)}\n"]
    with opened(data) as lake:
        found = {account for each in lake.manifest.state().segments.values() for account in each.accounts}
        for name in HUNTS_OF_LOGS:
            hunt = hunts()[name]
            with lake.ask(hunt.sql, Scope(tuple(sorted(found))), RealWorld().now()) as reader:
                answer = reader.read_all()
            rows = [[str(value or "") for value in row.values()] for row in answer.slice(0, ROWS_MAX).to_pylist()]
            shown = _table(answer.column_names, rows, width and width - len(INDENT)) if rows else "nothing\n"
            parts.append(_indented(f"{hunt.title}\n$ trailstate hunt {name}\n{shown}"))
    return "".join(parts)


def _answer_lines(answer: "Answer", width: int | None, took: str = "") -> str:
    """The command on one line however long, because it is there to be copied; all else within the width."""
    mark = "=>" if answer.is_right else "??"
    return (
        f"$ {answer.command}\n"
        + _table(answer.columns, answer.rows[:ROWS_MAX], width)
        + sentence(f"{mark} {answer.sentence}{took}", indent=INDENT, width=width)
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> str:
    return table(columns, rows, piped=width is None, width=width)


def _indented(text: str) -> str:
    return "".join(f"{INDENT}{line}\n" for line in text.splitlines())


def _try_next(running: "Running") -> str:
    return (
        "\nThe server keeps running; Ctrl-C ends it. In another terminal, with the exports above, try\n"
        "  aws s3 mb s3://mine && aws s3 rb s3://mine\n"
        "  aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=DeleteBucket\n"
        f"  trailstate events --explain --since yesterday --data {running.data}\n"
    )
