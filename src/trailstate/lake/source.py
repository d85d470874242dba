"""Where log files are imported from on this machine: directories and single files."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from trailstate.lake.importer import SourceFile

ENDINGS = (".json.gz", ".json", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")


class Files:
    """Implements `Source` over paths: a directory stands for every file below it that may hold records.

    CloudTrail's digests lie among the log files and are none.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self.name = ", ".join(str(path) for path in paths)

    def files(self) -> Iterator[SourceFile]:
        for path in self._paths:
            if path.is_dir():
                yield from _below(path)
            elif (found := _file(str(path), str(path.resolve()))) is not None:
                yield found

    def read(self, file: SourceFile) -> bytes:
        return Path(file.name).read_bytes()


def _below(root: Path) -> Iterator[SourceFile]:
    """Every file below a directory that may hold records. A year of logs has a hundred thousand."""
    given, resolved = str(root), str(root.resolve())
    for directory, inner, names in os.walk(given):
        inner[:] = [name for name in inner if name != "CloudTrail-Digest"]
        for name in names:
            if name.endswith(ENDINGS):
                place = os.path.join(directory, name)  # noqa: PTH118 - a Path for each costs more than all else
                found = _file(place, resolved + place[len(given) :])
                if found is not None:
                    yield found


def _file(name: str, resolved: str) -> SourceFile | None:
    """None for what is no file or leads nowhere: reading from a pipe would never end."""
    try:
        facts = os.stat(name)  # noqa: PTH116 - likewise
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(facts.st_mode):
        return None
    return SourceFile(name, f"{resolved}:{facts.st_size}:{facts.st_mtime_ns}", facts.st_size)
