"""The options that several verbs share, and the settings they lead to."""

import os
from pathlib import Path
from typing import Annotated

import typer

from trailstate.settings import Settings, load_settings

Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Data directory. [default: ~/.local/share/trailstate]"),
]
Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="TOML file with settings.")]


def effective(**flags: object) -> Settings:
    """The settings of this run: the flags given (None: not given) over this process's environment and file."""
    return load_settings(flags, os.environ)
