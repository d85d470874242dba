"""Objects in a directory: written once, durable before it is said so, and never under a file name a key could choose.

A key becomes a path in a form that can be read back. Each of its bytes that is not a lower-case letter, a digit, `-`,
`_` or a dot inside a part is written `%xx`, capitals too, so that file systems that fold case keep keys apart. A part
longer than a file name may be is cut into pieces, and every piece but the last ends in `~`. The last file ends in `!`,
so that a key may be the beginning of another one. None of the three signs ever stands for itself.

https://pubs.opengroup.org/onlinepubs/9799919799/functions/link.html
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote_to_bytes

from trailstate.stores.interface import ObjectExists, ObjectInfo, StoreUnavailable, hold_key
from trailstate.world import World

PIECE_CHARACTERS = 180
PARTS_MAX = 16
"""Slashes beyond these make no more directories; they are written `%2f`."""
FLUSHED_MAX = 10_000
DIRECTORY_NAME = "objects"
TEMPORARY_PREFIX = "~"

_UNSAFE = re.compile(rb"[^a-z0-9_.-]|^\.|\.$")


class DiskObjects:
    """`Objects` below `directory`/objects. Safe from any thread and from several processes."""

    def __init__(self, directory: Path, world: World) -> None:
        self._root = directory / DIRECTORY_NAME
        self._world = world
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        _flush_directory(directory)
        self._flushed = {self._root}
        """Directories whose names are durable. That one exists says nothing: its maker may not have flushed it yet."""

    def put_if_absent(self, key: str, body: bytes) -> None:
        path = self._root / path_of(key)
        try:
            self._make_directories(path.parent)
            absent = _put(path.parent / f"{TEMPORARY_PREFIX}{self._world.uuid()}", path, body)
            # Also for the one who comes second: the first may not have come this far, and must not be relied upon.
            _flush_directory(path.parent)
        except OSError as error:
            raise StoreUnavailable(f"the object '{key}' cannot be written: {error}") from error
        if not absent:
            raise ObjectExists(f"an object stands under '{key}' already")

    def get(self, key: str) -> bytes | None:
        try:
            return (self._root / path_of(key)).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailable(f"the object '{key}' cannot be read: {error}") from error

    def path(self, key: str) -> Path:
        """The file of an object, for readers that want a file and change nothing."""
        return self._root / path_of(key)

    def directory(self, prefix: str) -> Path:
        """The directory below which every object lies whose key begins with these complete parts."""
        return self._narrowest(f"{prefix.rstrip('/')}/".encode())

    def list(self, prefix: str, after: str = "", limit: int = 1000) -> Sequence[ObjectInfo]:
        start, floor = prefix.encode(), after.encode()
        try:
            found = sorted(
                (key, path)
                for key, path in _walk(self._root, self._narrowest(start))
                if key.startswith(start) and key > floor
            )
            return [ObjectInfo(key.decode(), path.stat().st_size) for key, path in found[:limit]]
        except OSError as error:
            raise StoreUnavailable(f"objects under '{prefix}' cannot be listed: {error}") from error

    def remove(self, key: str) -> None:
        """Its directories stay: another object may be on its way into them."""
        try:
            (self._root / path_of(key)).unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as error:
            raise StoreUnavailable(f"the object '{key}' cannot be removed: {error}") from error

    def _make_directories(self, directory: Path) -> None:
        """Each until the root exists, and its name is flushed in its parent."""
        if len(self._flushed) > FLUSHED_MAX:
            self._flushed = {self._root}
        fresh = [directory, *directory.parents]
        fresh = fresh[: next(index for index, each in enumerate(fresh) if each in self._flushed)]
        for each in reversed(fresh):
            each.mkdir(mode=0o700, exist_ok=True)
            _flush_directory(each.parent)
            self._flushed.add(each)

    def _narrowest(self, prefix: bytes) -> Path:
        """The directory that holds everything under the prefix's complete parts."""
        *parts, _ = prefix.split(b"/", PARTS_MAX)
        return self._root.joinpath(*(piece for part in parts for piece in _pieces(part)))


def path_of(key: str) -> Path:
    """Where a key's object stands; ValueError for what is no key."""
    pieces = [piece for part in hold_key(key).split(b"/", PARTS_MAX) for piece in _pieces(part)]
    return Path(*pieces[:-1], pieces[-1] + "!")


def key_of(path: Path) -> bytes:
    """The key whose object stands at a path."""
    joined = "/".join(path.parts).removesuffix("!").replace("~/", "")
    return b"/".join(b"" if part == "%" else unquote_to_bytes(part) for part in joined.split("/"))


def _pieces(part: bytes) -> Iterator[str]:
    """The file names of one part of a key; `%` alone is the empty part between two slashes."""
    text = _UNSAFE.sub(lambda found: f"%{found[0][0]:02x}".encode(), part).decode() or "%"
    while len(text) > PIECE_CHARACTERS:
        yield text[:PIECE_CHARACTERS] + "~"
        text = text[PIECE_CHARACTERS:]
    yield text


def _walk(root: Path, start: Path) -> Iterator[tuple[bytes, Path]]:
    for directory, _, names in os.walk(start, onerror=_refuse):
        for name in names:
            path = Path(directory, name)
            if name.endswith("!"):
                yield key_of(path.relative_to(root)), path


def _refuse(error: OSError) -> None:
    """A directory that is not there holds nothing; one that cannot be read is not the same as an empty one."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _put(temporary: Path, path: Path, body: bytes) -> bool:
    """Whether it was absent. A link fails where a rename would overwrite, whoever else writes at the same time."""
    try:
        _write(temporary, body)
        os.link(temporary, path)
    except FileExistsError as error:
        if error.filename2 is None:
            raise
        return False
    finally:
        temporary.unlink(missing_ok=True)
    return True


def _write(path: Path, body: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
