"""What may be chosen, and who chose it: flags over `TRAILSTATE_*` variables over one TOML file over defaults.

`Settings` is the whole list: one field, one meaning, one sentence about it. A name that is not in the list is
refused, wherever it comes from, because a misspelt setting that is silently ignored is a setting that lies.
"""

import difflib
import ipaddress
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from trailstate.values.kind import (
    ACCOUNTS,
    ADDRESS,
    ANY_ACCOUNTS,
    DIRECTORY,
    HOST,
    INSTANT,
    LINE,
    MAIL_HOST,
    NETWORKS,
    REGION,
    SWITCH,
    Kind,
    matching,
    one_of,
    seconds,
    whole_number,
)

ENVIRONMENT_PREFIX = "TRAILSTATE_"
FILE_NAME = "trailstate.toml"

NOT_SETTINGS = frozenset({"TRAILSTATE_CONFIG", "TRAILSTATE_DEBUG", "TRAILSTATE_SAMPLES", "TRAILSTATE_PROTOCOL_CASES"})
"""Variables with the same prefix and another meaning: which file to read, whether a failure shows its traceback, and
where tests and benchmarks find their material."""

EMBEDDED = "embedded"
MIB = 1024 * 1024
GIB = 1024 * MIB


class SettingsError(ValueError):
    """A setting that cannot be understood; the message says which, where it stands, and what was expected."""


ESTATE = matching("'embedded' or the URL of an AWS endpoint", r"embedded|https?://[^\s/?#]+/?")


def setting(default: Any, kind: Kind, about: str) -> Any:
    return field(default=default, metadata={"kind": kind, "about": about})


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything one deployment can choose. `load_settings` builds it; in a test, `data` is all that must be given."""

    host: str = setting("127.0.0.1", HOST, "Address to listen on; anything but loopback also needs `open`.")
    port: int = setting(4566, whole_number(0, 65535), "Port to listen on; 0 takes a free one.")
    data: Path = field(
        metadata={
            "kind": DIRECTORY,
            "about": "Directory that holds the journal, the keys and everything derived; made with mode 0700.",
            "default": "`$XDG_DATA_HOME/trailstate`, else `~/.local/share/trailstate`",
        }
    )
    ephemeral: bool = setting(False, SWITCH, "Keep the journal in memory only; it is gone when the server stops.")
    testing: bool = setting(False, SWITCH, "Serve the clock, settle and reset endpoints that test suites use.")
    open: bool = setting(False, SWITCH, "Allow an address that other machines can reach.")
    estate: str = setting(EMBEDDED, ESTATE, "The AWS that is watched: the embedded simulation, or any AWS endpoint.")
    accounts: tuple[str, ...] = setting(
        ("123456789012",), ACCOUNTS, "Accounts of the lab; the first one answers for unknown access keys."
    )
    region: str = setting(
        "us-east-1", REGION, "Region that `trailstate env` exports, and where unsigned calls are filed."
    )

    data_events: Literal["selected", "all", "none"] = setting(
        "selected",
        one_of("selected", "all", "none"),
        "Which data events are journalled; `selected` keeps those a trail selects; without trails, none.",
    )
    on_audit_failure: Literal["refuse", "count"] = setting(
        "refuse", one_of("refuse", "count"), "What to do with a call that cannot be recorded: answer 503, or count it."
    )
    delivery_seconds: int = setting(
        0,
        whole_number(0, 3600),
        "Time that one log file of a trail covers; 0 means 2 over the embedded simulation and 300, as AWS, elsewhere.",
    )
    digest_seconds: int = setting(3600, whole_number(1, 86400), "Time that one digest file of a trail covers.")
    digest_key_days: int = setting(30, whole_number(1, 3650), "How long one key signs a region's digests.")
    throttling: Literal["off", "aws"] = setting(
        "off",
        one_of("off", "aws"),
        "Whether `LookupEvents` is held to AWS's two requests a second in an account and region.",
    )
    clock_start: datetime | None = setting(  # noqa: RUF009 - a dataclass field like its neighbours
        None, INSTANT, "Where the server's clock starts; needs `testing`, and empty means now."
    )

    unsafe_functions: bool = setting(
        False, SWITCH, "Run users' code (functions, scripts) although no sandbox isolates it on this machine."
    )
    remediation_allowed_accounts: tuple[str, ...] = setting(
        (), ANY_ACCOUNTS, "Accounts in which functions and automations may change something outside the lab."
    )

    outbound_allow: tuple[str, ...] = setting(
        (),
        NETWORKS,
        "Networks inside that webhooks may reach, on any port; others reach the Internet's 80 and 443 only.",
    )
    outbound_timeout_seconds: float = setting(15.0, seconds(300), "How long a webhook may take to answer.")
    smtp_host: str = setting("", MAIL_HOST, "Mail server for e-mail; empty keeps it in the mailbox `trailstate inbox`.")
    smtp_port: int = setting(587, whole_number(1, 65535), "Port of the mail server.")
    smtp_security: Literal["starttls", "tls", "none"] = setting(
        "starttls", one_of("starttls", "tls", "none"), "How the connection to the mail server is secured."
    )
    smtp_user: str = setting("", LINE, "Name to sign in to the mail server with; empty signs in nobody.")
    smtp_password_file: str = setting("", LINE, "File with the password for the mail server.")
    smtp_from: str = setting("no-reply@sns.trailstate", ADDRESS, "Address that e-mail comes from.")

    handler_threads: int = setting(
        0, whole_number(0, 1024), "Threads that answer calls; 0 means 2 for each core and 4 more."
    )
    handler_queue: int = setting(
        256, whole_number(1, 65536), "Calls that may wait for a thread before throttling begins."
    )
    connections_max: int = setting(1000, whole_number(1, 65536), "Connections open at one time.")
    header_bytes_max: int = setting(64 * 1024, whole_number(1024, MIB), "Size of a request's header block.")
    header_lines_max: int = setting(100, whole_number(8, 1000), "Header lines of one request.")
    body_bytes_max: int = setting(
        MIB, whole_number(1024, 64 * MIB), "Size of a request's body, for services that document no larger one."
    )
    object_bytes_max: int = setting(
        5 * GIB + MIB, whole_number(1024, 16 * GIB), "Size of an uploaded object's body, which is streamed."
    )
    inflate_bytes_max: int = setting(64 * MIB, whole_number(1024, GIB), "Size of a compressed body once inflated.")
    inflate_ratio_max: int = setting(
        200, whole_number(2, 1032), "How many times its size a compressed body may become."
    )
    header_timeout_seconds: float = setting(
        10.0, seconds(600), "How long a client may take to send a request's header."
    )
    body_timeout_seconds: float = setting(30.0, seconds(3600), "How long a client may pause while it sends a body.")
    idle_timeout_seconds: float = setting(60.0, seconds(3600), "How long a connection may stay open without a request.")
    stop_timeout_seconds: float = setting(
        10.0, seconds(600), "How long calls in flight may take once a stop was asked for."
    )

    log_level: Literal["error", "warning", "info", "debug"] = setting(
        "warning", one_of("error", "warning", "info", "debug"), "How much the server says on stderr."
    )

    sources: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Setting name → where its value came from, in words for a person; a name without an entry is a default."""

    def source(self, name: str) -> str:
        return self.sources.get(name, "default")


KINDS: Mapping[str, Kind] = {
    entry.name: entry.metadata["kind"] for entry in fields(Settings) if entry.name != "sources"
}
"""Every setting's name, in the order of the reference page."""


def load_settings(
    flags: Mapping[str, object],
    environment: Mapping[str, str],
    *,
    directory: Path | None = None,
    home: Path | None = None,
    looks_for_file: bool = True,
) -> Settings:
    """The effective settings; SettingsError when a name or a value cannot be understood.

    Flags that are None were not given; the flag `config` names the file. Only the file is read: `directory` and `home`
    stand for the working directory and the person's home. Without `looks_for_file`, no file is read but a named one.
    """
    directory = directory or Path.cwd()
    home = home or Path.home()
    named = flags.get("config") or environment.get("TRAILSTATE_CONFIG")
    path = settings_file(named, environment, directory, home) if named or looks_for_file else None
    layers = (
        *([_from_file(path)] if path is not None else ()),
        _from_environment(environment),
        _from_flags(flags),
    )
    values: dict[str, Any] = {"data": _default_data(environment, home)}
    sources: dict[str, str] = {}
    for layer in layers:
        for name, (value, source) in layer.items():
            values[name], sources[name] = _parse(name, value, source), source
    values["data"] = directory / under_home(values["data"], home)
    return _consistent(Settings(**values, sources=sources))


def settings_file(given: object, environment: Mapping[str, str], directory: Path, home: Path) -> Path | None:
    """The one file that is read: the named one, which must exist, else the first of the two usual places that does."""
    named = given or environment.get("TRAILSTATE_CONFIG")
    if named:
        return directory / under_home(Path(str(named)), home)
    shared = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    usual = (directory / FILE_NAME, shared / "trailstate" / FILE_NAME)
    return next((path for path in usual if path.is_file()), None)


def under_home(path: Path, home: Path) -> Path:
    """The path with a leading `~` replaced."""
    return home.joinpath(*path.parts[1:]) if path.parts[:1] == ("~",) else path


def is_loopback(host: str) -> bool:
    """Can only this machine reach a server that listens on `host`? A name other than localhost counts as no."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def closest(name: str, known: Iterable[str]) -> str:
    """A hint for a misspelt name: "; did you mean 'port'?", or nothing."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean '{matches[0]}'?" if matches else "."


def _from_flags(flags: Mapping[str, object]) -> dict[str, tuple[object, str]]:
    given = {name: value for name, value in flags.items() if value is not None and name != "config"}
    for name in given:
        if name not in KINDS:
            raise SettingsError(f"There is no setting '{name}'{closest(name, KINDS)}")
    return {name: (value, _flag_name(name)) for name, value in given.items()}


def _flag_name(name: str) -> str:
    return "--account" if name == "accounts" else "--" + name.replace("_", "-")


def _from_environment(environment: Mapping[str, str]) -> dict[str, tuple[object, str]]:
    variables = {ENVIRONMENT_PREFIX + name.upper(): name for name in KINDS}
    layer: dict[str, tuple[object, str]] = {}
    for variable, value in environment.items():
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in NOT_SETTINGS:
            continue
        if variable not in variables:
            raise SettingsError(f"The variable {variable} is not a setting{closest(variable, variables)}")
        layer[variables[variable]] = (value, variable)
    return layer


def _from_file(path: Path) -> dict[str, tuple[object, str]]:
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {path} is not TOML: {error}.") from error
    for name in entries:
        if name not in KINDS:
            raise SettingsError(f"The settings file {path} has an unknown setting '{name}'{closest(name, KINDS)}")
    return {name: (value, str(path)) for name, value in entries.items()}


def _parse(name: str, value: object, source: str) -> object:
    kind = KINDS[name]
    try:
        return kind.parse(value)
    except (ValueError, TypeError):
        raise SettingsError(f"The setting '{name}' ({source}) must be {kind.expects}; found {value!r}.") from None


def _consistent(settings: Settings) -> Settings:
    if settings.clock_start is not None and not settings.testing:
        raise SettingsError(
            f"The setting 'clock_start' ({settings.source('clock_start')}) needs 'testing', because a server whose "
            "clock was moved must never be taken for a true one."
        )
    return settings


def _default_data(environment: Mapping[str, str], home: Path) -> Path:
    return Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share") / "trailstate"
