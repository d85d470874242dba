"""Where this Python lives: the paths a child needs to read to run the same interpreter and packages, and no others.

A virtual environment, a tool installed by uv, pyenv and the system's own Python all keep their parts in different
places; `sys` knows them all.
"""

import site
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import trailstate

SYSTEM_LIBRARIES = ("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/nix/store")
SYSTEM_FILES = ("/etc/ld.so.cache", "/usr/share/zoneinfo")
TOO_WIDE = tuple(Path(name) for name in ("/", "/usr", "/usr/local", "/opt", "/home", "/root", "/etc", "/var", "/tmp"))  # noqa: S108


def readable() -> list[Path]:
    """The paths to bind read-only, none inside another, all existing."""
    return without_nested(path for path in _candidates() if path.exists())


def executable() -> str:
    """The interpreter, by the name that makes it find its virtual environment."""
    return sys.executable


def without_nested(paths: Iterable[Path]) -> list[Path]:
    """The same places with whatever lies inside another left out."""
    kept: list[Path] = []
    for path in sorted(set(paths)):
        if not any(path.is_relative_to(other) for other in kept):
            kept.append(path)
    return kept


def _candidates() -> Iterable[Path]:
    yield from map(Path, SYSTEM_LIBRARIES)
    yield from map(Path, SYSTEM_FILES)
    for prefix in {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}:
        yield from _prefix(Path(prefix))
    yield from _link_chain(Path(sys.executable))
    yield from (Path(name) for name in site.getsitepackages())
    if site.ENABLE_USER_SITE:
        # `pip install --user` keeps packages here; the child then needs them, and nothing else of the home directory.
        yield Path(site.getusersitepackages())
    # An editable installation keeps the package outside every prefix.
    yield Path(trailstate.__file__).parent


def _prefix(prefix: Path) -> Iterable[Path]:
    """A prefix of Python's own whole; of one shared with the system only the libraries."""
    resolved = prefix.resolve()
    if resolved in TOO_WIDE:
        yield from (Path(path) for name, path in sysconfig.get_paths().items() if name in {"stdlib", "platstdlib"})
        yield resolved / "lib"
        return
    yield resolved
    if prefix != resolved:
        yield prefix


def _link_chain(path: Path) -> Iterable[Path]:
    """The file and each symbolic link on the way to it."""
    for _ in range(16):
        yield path
        if not path.is_symlink():
            return
        path = path.parent / path.readlink()
