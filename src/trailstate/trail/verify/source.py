"""Where evidence is read from: a bucket, or a directory that was downloaded from one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Fetched:
    """One object as it lies there."""

    body: bytes
    metadata: Mapping[str, str] | None = field(default_factory=dict)
    """The object's own metadata; None where it is not kept, as in a directory."""


class Evidence(Protocol):
    """A place with delivered files. `fetch` is called from several threads."""

    name: str
    bucket: str | None
    """The bucket's name; None when only its content is known."""

    def keys(self) -> Iterator[str]:
        """Every key, in any order."""

    def fetch(self, key: str) -> Fetched | None:
        """The object; None when there is none (any more)."""

    def beside(self, bucket: str) -> "Evidence | None":
        """Another bucket, to which a trail delivered before; None where it cannot be read from here."""


class Directory:
    """A downloaded bucket: a file's path below the directory is its key."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)
        self.bucket: str | None = None

    def keys(self) -> Iterator[str]:
        for path in self._path.rglob("*.json.gz"):
            if path.is_file():
                yield path.relative_to(self._path).as_posix()

    def fetch(self, key: str) -> Fetched | None:
        try:
            return Fetched((self._path / key).read_bytes(), None)
        except FileNotFoundError:
            return None

    def beside(self, bucket: str) -> Evidence | None:  # noqa: ARG002
        """What else was downloaded is not known."""
        return None
