"""The options that several verbs share, and the settings they lead to."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from trailstate.cli.exit import ExitCode, Stop
from trailstate.settings import Settings, load_settings

Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Data directory. [default: ~/.local/share/trailstate]"),
]
Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="TOML file with settings.")]


def effective(**flags: object) -> Settings:
    """The settings of this run: the flags given (None: not given) over this process's environment and file."""
    return load_settings(flags, os.environ)


def moment(words: str | None, now: datetime | None = None) -> datetime | None:
    """The time that a person means by these words, as seen from `now` if the server has a clock of its own; ends the
    command when they name none."""
    from trailstate.values.timestamp import UnknownTime, parse_when
    from trailstate.world import RealWorld

    try:
        return None if words is None else parse_when(words, now or RealWorld().now())
    except UnknownTime as unknown:
        raise Stop(ExitCode.USAGE, f"{unknown}.") from None
