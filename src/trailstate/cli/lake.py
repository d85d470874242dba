"""The lake of a data directory, as the command line opens it: beside the running server, or without one."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from trailstate.cli.exit import ExitCode, Stop

if TYPE_CHECKING:
    from trailstate.lake.lake import Lake


@contextlib.contextmanager
def opened(directory: Path) -> Iterator["Lake"]:
    """The lake, for whoever may read the directory: they see all of it."""
    from trailstate import connection

    with contextlib.ExitStack() as stack:
        try:
            lake = stack.enter_context(connection.opened(directory))
        except connection.NothingThere as nothing:
            raise Stop(ExitCode.NO, str(nothing)) from None
        yield lake
