"""`trailstate doctor`: what is in force and why, what is missing, and what that means for the person who asks."""

import json
import os
import platform
import shutil
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from trailstate import __version__
from trailstate.cli.exit import ExitCode
from trailstate.cli.options import Config, Data, effective
from trailstate.cli.server import running_server
from trailstate.cli.terminal import put, table
from trailstate.settings import EMBEDDED, KINDS, Settings

LIBRARIES = (
    "botocore",
    "boto3",
    "moto",
    "time-machine",
    "msgspec",
    "cryptography",
    "uvloop",
    "typer",
    "rich",
)
FREE_BYTES_MIN = 256 * 1024 * 1024
PRIVATE = 0o700


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at: what was found, and what to do about it."""

    severity: Severity
    sentence: str


@dataclass(frozen=True, slots=True)
class Directory:
    """The state of the data directory; a fresh one does not exist yet, and that is fine."""

    path: str
    exists: bool
    mode: str
    writable: bool
    size_bytes: int
    free_bytes: int
    held_by: str
    """The endpoint of the server that runs on it, or nothing."""


def doctor(
    output: Annotated[Form, typer.Option("-o", "--output", help="How to print the report.")] = Form.TABLE,
    data: Data = None,
    config: Config = None,
) -> None:
    """Show the settings in force, the versions, the data directory, and what is missing.

    Ends with 1 if something essential is wrong, and says what to do about it.

    \b
    Examples:
      trailstate doctor
      trailstate doctor -o json | jq .settings.port
    """
    settings = effective(data=data, config=config)
    report = examine(settings)
    put(json.dumps(report, indent=2) + "\n" if output is Form.JSON else as_text(report))
    if any(finding["severity"] == Severity.ERROR for finding in report["findings"]):
        raise typer.Exit(ExitCode.NO)


def examine(settings: Settings) -> dict[str, Any]:
    """The whole report, in JSON's types."""
    from trailstate.sandbox.protection import available, explained
    from trailstate.services.owned import ownership

    versions = installed_versions()
    directory = state_of(settings.data)
    return {
        "findings": [asdict(finding) for finding in findings(settings, versions, directory, available().isolates)],
        "settings": {
            name: {"value": _plain(getattr(settings, name)), "source": settings.source(name)} for name in KINDS
        },
        "versions": versions,
        "data": asdict(directory),
        "sandbox": {"protection": str(available()), "meaning": explained()},
        "ownership": ownership(),
    }


def installed_versions() -> dict[str, str]:
    """Program, interpreter, SQLite and libraries; an empty version means that a library is not installed."""
    import sqlite3

    return {
        "trailstate": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{library: _version(library) for library in LIBRARIES},
    }


def _version(library: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""


def state_of(path: Path) -> Directory:
    """What the data directory is like, without changing anything in it."""
    exists = path.is_dir()
    nearest = next(parent for parent in (path, *path.parents) if parent.exists())
    server = running_server(path) if exists else None
    return Directory(
        path=str(path),
        exists=exists,
        mode=oct(stat.S_IMODE(path.stat().st_mode)) if exists else "",
        writable=os.access(nearest, os.W_OK | os.X_OK),
        size_bytes=sum(entry.stat().st_size for entry in path.rglob("*") if entry.is_file()) if exists else 0,
        free_bytes=shutil.disk_usage(nearest).free,
        held_by=server.endpoint if server is not None else "",
    )


def findings(settings: Settings, versions: Mapping[str, str], directory: Directory, isolates: bool) -> list[Finding]:
    """What is wrong, the worst first."""
    checks = (
        (
            settings.estate == EMBEDDED and not (versions["moto"] and versions["time-machine"]),
            Severity.ERROR,
            "The embedded estate needs moto and time-machine: pip install 'trailstate[lab]', or name an --estate.",
        ),
        (
            not directory.writable,
            Severity.ERROR,
            f"{directory.path} cannot be written: give it to this user, or name another directory with --data.",
        ),
        (
            directory.exists and int(directory.mode or "0", 8) & ~PRIVATE != 0,
            Severity.ERROR,
            f"Others can reach {directory.path} (mode {directory.mode}), which holds keys: chmod 700 {directory.path}",
        ),
        (
            directory.free_bytes < FREE_BYTES_MIN,
            Severity.WARNING,
            f"{directory.path}: {directory.free_bytes // 2**20} MiB left; calls that cannot be recorded are refused.",
        ),
        (
            not isolates,
            Severity.WARNING,
            "bubblewrap (bwrap) does not work here, so users' code will be refused; install it, allow user namespaces.",
        ),
        (
            not versions["boto3"],
            Severity.WARNING,
            "boto3 is not installed, which the demo and the pytest fixture need: pip install 'trailstate[lab]'",
        ),
    )
    return [Finding(severity, sentence) for wrong, severity, sentence in checks if wrong]


def as_text(report: Mapping[str, Any]) -> str:
    """The report as sections of tables, what is wrong at the end, where a person looks first."""
    sections = {
        "Settings": table(
            ("setting", "value", "from"),
            [(name, entry["value"], entry["source"]) for name, entry in _texts(report["settings"])],
        ),
        "Versions": table(
            ("what", "version"), [(name, version or "not installed") for name, version in report["versions"].items()]
        ),
        "Data directory": table(("what", "state"), [(name, str(value)) for name, value in report["data"].items()]),
        "Sandbox": f"{report['sandbox']['protection']}: {report['sandbox']['meaning']}\n",
        "Operations that Trailstate answers itself (-o json names them); all others go to the estate": table(
            ("service", "done", "not yet"),
            [
                (service, str(len(rows["done"])), str(len(rows["not_yet"])))
                for service, rows in report["ownership"].items()
            ],
        ),
        "Findings": "".join(f"{finding['severity']}: {finding['sentence']}\n" for finding in report["findings"])
        or "Nothing is wrong.\n",
    }
    return "\n".join(f"{title}\n\n{body}" for title, body in sections.items())


def _texts(settings: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, dict[str, str]]]:
    return [(name, {"value": _shown(entry["value"]), "source": entry["source"]}) for name, entry in settings.items()]


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, str | int | float | None) else str(value)
