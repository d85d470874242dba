"""Where log files are imported from on this machine: directories and single files."""

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
            found = path.rglob("*") if path.is_dir() else [path]
            yield from (_file(each) for each in found if path == each or _may_hold_records(each))

    def read(self, file: SourceFile) -> bytes:
        return Path(file.name).read_bytes()


def _may_hold_records(path: Path) -> bool:
    return path.name.endswith(ENDINGS) and "CloudTrail-Digest" not in path.parts and path.is_file()


def _file(path: Path) -> SourceFile:
    facts = path.stat()
    return SourceFile(str(path), f"{path.resolve()}:{facts.st_size}:{facts.st_mtime_ns}", facts.st_size)
