"""Zip files of functions: what is unpacked, and the archives that are refused before they can do harm."""

import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from trailstate.functions import archive
from trailstate.functions.archive import BadArchive, Codes, check
from trailstate.stores.memory import MemoryObjects
from trailstate.world import SimulatedWorld


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", compression) as made:
        for name, content in entries:
            made.writestr(name, content)
    return body.getvalue()


def info(name: str, mode: int = 0) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    return entry


def raw_name(name: str) -> bytes:
    """An archive whose entry has a name that Python's own writer would mend."""
    placeholder = "p" * len(name)
    return zipped((placeholder, b"x"), compression=zipfile.ZIP_STORED).replace(placeholder.encode(), name.encode())


def bomb() -> bytes:
    return zipped(*((f"f{number}", bytes(60 * 1024 * 1024)) for number in range(5)))


def lying() -> bytes:
    """The directory says 10 bytes; the data unpacks to more."""
    body = bytearray(zipped(("f", bytes(1000))))
    place = body.rindex(b"PK\x01\x02") + 24
    body[place : place + 4] = (10).to_bytes(4, "little")
    return bytes(body)


REFUSED: dict[str, Callable[[], bytes]] = {
    "no zip file": lambda: b"hello",
    "nothing": lambda: b"",
    "an empty archive": lambda: zipped(),
    "a cut archive": lambda: zipped(("a.py", b"x" * 1000))[:80],
    "a way up": lambda: zipped(("../a.py", b"x")),
    "a way up, further in": lambda: zipped(("pkg/../../a.py", b"x")),
    "an absolute path": lambda: raw_name("/etc/cron.d/x"),
    "a Windows path": lambda: raw_name("..\\..\\a.py"),
    "a symbolic link": lambda: zipped((info("link", stat.S_IFLNK | 0o777), b"/etc/passwd")),
    "a device": lambda: zipped((info("disk", stat.S_IFBLK | 0o600), b"")),
    "too many entries": lambda: zipped(*((f"f{number}", b"") for number in range(10_001))),
    "a bomb": bomb,
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_harmful_archive_is_refused(what: str) -> None:
    with pytest.raises(BadArchive):
        check(REFUSED[what]())


def test_an_archive_that_lies_about_its_size_leaves_nothing(tmp_path: Path) -> None:
    codes = Codes(MemoryObjects(), tmp_path / "functions", SimulatedWorld())
    key = codes.keep("123456789012", lying())
    with pytest.raises(BadArchive):
        codes.unpacked(key)
    assert list((tmp_path / "functions").iterdir()) == []


def test_code_is_unpacked_once_and_again_when_the_copy_is_gone(tmp_path: Path) -> None:
    codes = Codes(MemoryObjects(), tmp_path, SimulatedWorld())
    key = codes.keep("123456789012", zipped(("main.py", b"x = 1"), ("pkg/", b""), ("pkg/part.py", b"y = 2")))
    directory = codes.unpacked(key)
    assert (directory / "pkg" / "part.py").read_text() == "y = 2"
    assert codes.unpacked(key) == directory
    directory.rename(tmp_path / "elsewhere")
    assert (codes.unpacked(key) / "main.py").read_text() == "x = 1"


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "ZIPPED_BYTES_MAX", 10)
    with pytest.raises(BadArchive, match="more than 10"):
        check(zipped(("a.py", b"x")))
