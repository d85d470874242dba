"""A function's code as its zip file: judged before anything is unpacked, unpacked once, read-only from then on.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (50 MB zipped, 250 MB unpacked)
"""

import contextlib
import hashlib
import io
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from trailstate.stores.interface import ObjectExists, Objects
from trailstate.world import World

ZIPPED_BYTES_MAX = 50 * 1024 * 1024
UNPACKED_BYTES_MAX = 250 * 1024 * 1024
ENTRIES_MAX = 10_000
CHUNK_BYTES = 1024 * 1024


class BadArchive(ValueError):
    """The bytes are no zip file that may be unpacked; the message says why."""


def check(body: bytes) -> None:
    """Return if the archive may be unpacked; BadArchive."""
    if len(body) > ZIPPED_BYTES_MAX:
        raise BadArchive(f"the zip file has {len(body)} bytes, more than {ZIPPED_BYTES_MAX}")
    with _opened(body) as archive:
        entries = archive.infolist()
        if not entries:
            raise BadArchive("the zip file is empty")
        if len(entries) > ENTRIES_MAX:
            raise BadArchive(f"the zip file has {len(entries)} entries, more than {ENTRIES_MAX}")
        for entry in entries:
            _check_entry(entry)
        size = sum(entry.file_size for entry in entries)
        if size > UNPACKED_BYTES_MAX:
            raise BadArchive(f"unpacked size must be smaller than {UNPACKED_BYTES_MAX} bytes; got {size}")


def _opened(body: bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(body))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError) as error:
        raise BadArchive(f"could not unzip uploaded file: {error}") from error


def _check_entry(entry: zipfile.ZipInfo) -> None:
    path = PurePosixPath(entry.filename)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or "\0" in entry.orig_filename:
        raise BadArchive(f"the entry '{entry.filename}' would be unpacked outside the code's directory")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise BadArchive(f"the entry '{entry.filename}' is neither a file nor a directory")
    if entry.flag_bits & 1:
        raise BadArchive(f"the entry '{entry.filename}' is encrypted")


class Codes:
    """The code of all functions: archives among the Objects; unpacked copies, which may be deleted, in a directory."""

    def __init__(self, objects: Objects, directory: Path, world: World) -> None:
        self._objects = objects
        self._directory = directory
        self._world = world

    def keep(self, account: str, body: bytes) -> str:
        """Check and keep an archive; its key. BadArchive."""
        check(body)
        key = f"functions/{account}/{hashlib.sha256(body).hexdigest()}.zip"
        with contextlib.suppress(ObjectExists):
            self._objects.put_if_absent(key, body)
        return key

    def unpacked(self, key: str) -> Path:
        """The directory with the archive's files. BadArchive when it lies about their sizes."""
        target = self._directory / key.rpartition("/")[2].removesuffix(".zip")
        if not target.exists():
            body = self._objects.get(key)
            assert body is not None, "a function's code is kept before the function is"
            self._unpack(body, target)
        return target

    def _unpack(self, body: bytes, target: Path) -> None:
        fresh = target.with_name(f".{target.name}.{self._world.token(8)}")
        fresh.mkdir(parents=True, mode=0o700)
        try:
            _unpack(body, fresh)
            with contextlib.suppress(OSError):  # somebody was faster, with the same files
                fresh.rename(target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def _unpack(body: bytes, directory: Path) -> None:
    check(body)
    room = UNPACKED_BYTES_MAX
    with _opened(body) as archive:
        for entry in archive.infolist():
            path = directory / entry.filename
            if entry.is_dir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            room = _write(archive, entry, path, room)


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, room: int) -> int:
    """Write one file; how much room it leaves. Sizes are counted, not believed."""
    try:
        with archive.open(entry) as source, path.open("wb") as sink:
            while chunk := source.read(CHUNK_BYTES):
                room -= len(chunk)
                if room < 0:
                    raise BadArchive(f"the zip file unpacks to more than {UNPACKED_BYTES_MAX} bytes")
                sink.write(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise BadArchive(f"the entry '{entry.filename}' cannot be unpacked: {error}") from error
    return room
