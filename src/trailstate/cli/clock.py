"""`trailstate clock` and `trailstate settle`: the time of a server under `--testing`, read and moved from outside.

The server fires its timers and runs its followers to idle before it answers, so what a command after these reads is
what the new time has brought about.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.options import Config, Data, effective
from trailstate.cli.server import CLOCK_PATH, ask
from trailstate.cli.terminal import put, say
from trailstate.values.timestamp import UnknownTime, parse_span

SETTLE_PATH = "/_trailstate/settle"

STEP_MAX = timedelta(days=3660)

clock = typer.Typer(
    name="clock",
    invoke_without_command=True,
    rich_markup_mode=None,
    help="""Read the clock of a server started with --testing, or move it forward.

    Without a verb it prints the server's time.

    \b
    Examples:
      trailstate clock
      trailstate clock advance 2h
      trailstate clock set 2027-01-15T09:30:00Z
    """,
)


@clock.callback()
def read(ctx: typer.Context, data: Data = None, config: Config = None) -> None:
    ctx.obj = effective(data=data, config=config).data
    if ctx.invoked_subcommand is None:
        put(_time_line(ask(ctx.obj, "GET", CLOCK_PATH)["now"]))


@clock.command()
def advance(
    ctx: typer.Context,
    step: Annotated[str, typer.Argument(metavar="STEP", help="How far: 90s, 30m, 2h, 1d12h, 2w.")],
    data: Data = None,
) -> None:
    """Move the clock forward; timers that fall due run before the answer.

    \b
    Example:
      trailstate clock advance 2h
    """
    put(_time_line(_advance(data or ctx.obj, step_of(step))))


@clock.command("set")
def set_(
    ctx: typer.Context,
    time: Annotated[str, typer.Argument(metavar="TIME", help="The time it shall be, such as 2027-01-15T09:30:00Z.")],
    data: Data = None,
) -> None:
    """Move the clock forward to a time; it never goes backward.

    \b
    Example:
      trailstate clock set 2027-01-15T09:30:00Z
    """
    target = instant_of(time)
    now = datetime.fromisoformat(ask(data or ctx.obj, "GET", CLOCK_PATH)["now"])
    if target < now:
        raise Stop(
            ExitCode.USAGE,
            f"The clock only goes forward: it shows {_time_line(now.isoformat()).strip()}, and {time} is before that.",
        )
    put(_time_line(_advance(data or ctx.obj, target - now)))


def settle(data: Data = None, config: Config = None) -> None:
    """Wait until a server started with --testing has nothing left to do.

    Afterwards every record, log file and digest that is due is there to be read.

    \b
    Example:
      aws s3 mb s3://first && trailstate settle && trailstate events
    """
    ask(effective(data=data, config=config).data, "POST", SETTLE_PATH)
    say("Nothing is left to do.")


def step_of(text: str) -> timedelta:
    """A span such as `2h` or `1d12h`; ends the command for anything else."""
    try:
        span = parse_span(text)
    except UnknownTime:
        span = timedelta(0)
    if not timedelta(0) < span <= STEP_MAX:
        raise Stop(
            ExitCode.USAGE,
            f"The step must be a span such as 90s, 30m, 2h, 1d12h or 2w, at most ten years; found '{text}'.",
        )
    return span


def instant_of(text: str) -> datetime:
    """A time with its offset; ends the command for anything else, because a guess could move the clock by hours."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise Stop(
            ExitCode.USAGE, f"The time must be ISO 8601 with its offset, such as 2027-01-15T09:30:00Z; found '{text}'."
        )
    return instant


def _advance(data: Path, step: timedelta) -> str:
    answer = ask(data, "POST", CLOCK_PATH, {"advance": step.total_seconds()})
    return str(answer["now"])


def _time_line(now: str) -> str:
    return now.replace("+00:00", "Z") + "\n"
