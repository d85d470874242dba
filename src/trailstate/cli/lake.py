"""The lake of a data directory, as the command line opens it: beside the running server, or without one."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from trailstate.cli.exit import ExitCode, Stop

if TYPE_CHECKING:
    from trailstate.lake.engine import Bounds
    from trailstate.lake.lake import Lake


@contextlib.contextmanager
def opened(directory: Path, bounds: "Bounds | None" = None) -> Iterator["Lake"]:
    """The lake, for whoever may read the directory: they see all of it."""
    from trailstate.lake.engine import Bounds
    from trailstate.lake.lake import Lake
    from trailstate.lake.live import Live
    from trailstate.stores.disk import DiskObjects
    from trailstate.stores.reading import NothingRecorded, Reading
    from trailstate.world import RealWorld

    with contextlib.ExitStack() as stack:
        lines: Reading | None = None
        with contextlib.suppress(NothingRecorded):
            lines = Reading(directory)
            stack.callback(lines.close)
        objects = DiskObjects(directory, RealWorld())
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trailstate-lake-")))
        lake = Lake(objects, Live(lines, scratch), bounds or Bounds())
        stack.callback(lake.close)
        if lines is None and not lake.manifest.state().segments:
            raise Stop(ExitCode.NO, f"'{directory}' holds no records. Start `trailstate up`, or `trailstate import`.")
        yield lake
