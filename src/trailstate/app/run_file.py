"""The note that says which server holds a data directory, for commands beside it: there while it answers, readable by
its user alone."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

NAME = "server.json"


def write(directory: Path, note: Mapping[str, Any]) -> None:
    """In one step: whoever reads finds the whole note or none."""
    path = directory / NAME
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(note))
    fresh.replace(path)


def remove(directory: Path) -> None:
    (directory / NAME).unlink(missing_ok=True)
