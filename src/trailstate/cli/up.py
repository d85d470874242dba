"""`trailstate up`: start the server, say where it is, and refuse addresses it could not defend."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trailstate import __version__
from trailstate.cli.env import LAB_SECRET, Shell, client_variables, exports
from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.options import Config, Data, effective
from trailstate.cli.terminal import put, say
from trailstate.settings import Settings, is_loopback

if TYPE_CHECKING:
    from trailstate.app import Running


def up(
    port: Annotated[
        int | None, typer.Option("--port", metavar="PORT", help="Port to listen on. [default: 4566]")
    ] = None,
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="ADDRESS", help="Address to listen on. [default: 127.0.0.1, this machine only]"),
    ] = None,
    data: Data = None,
    testing: Annotated[
        bool | None, typer.Option("--testing", help="Also serve the clock, settle and reset endpoints for test suites.")
    ] = None,
    open_: Annotated[bool | None, typer.Option("--open", help="Allow a --host that other machines can reach.")] = None,
    estate: Annotated[
        str | None,
        typer.Option("--estate", metavar="URL", help="Watch this AWS endpoint instead of the embedded simulation."),
    ] = None,
    account: Annotated[
        list[str] | None,
        typer.Option("--account", metavar="ID", help="An account of 12 digits; repeat it. [default: 123456789012]"),
    ] = None,
    config: Config = None,
) -> None:
    """Start the server and keep it running until Ctrl-C or SIGTERM.

    It answers AWS's own protocols for a simulated estate and records every call as a CloudTrail record. Everything it
    keeps is in one directory, and nothing leaves this machine. The variables for AWS clients go to stdout.

    \b
    Examples:
      trailstate up
      trailstate up --port 5000 --data ./lab --account 111111111111 --account 222222222222
      trailstate up --testing            (a clock that tests may advance)
    """
    settings = effective(
        port=port,
        host=host,
        data=data,
        testing=testing,
        open=open_,
        estate=estate,
        accounts=account or None,
        config=config,
    )
    from trailstate.app import holds_foreign_data, serve

    warning = exposure(settings, foreign=not is_loopback(settings.host) and holds_foreign_data(settings.data))
    if warning:
        say(warning)
    with refusals_said():
        code = serve(settings, lambda running: announce(running, settings))
    raise typer.Exit(code)


@contextlib.contextmanager
def refusals_said() -> Iterator[None]:
    """Ends the command with a sentence where a server cannot run."""
    from trailstate.estate.interface import EstateMissing, EstateUnavailable
    from trailstate.gateway.server import PortUnavailable
    from trailstate.stores.interface import DirectoryInUse, StoreUnavailable
    from trailstate.stores.truth import StoreRefused

    try:
        yield
    except DirectoryInUse as error:
        raise Stop(ExitCode.REFUSED, f"{error}.") from None
    except (PortUnavailable, StoreUnavailable, StoreRefused, EstateMissing, EstateUnavailable) as error:
        raise Stop(ExitCode.NO, f"The server cannot run: {error}.") from None


def exposure(settings: Settings, *, foreign: bool) -> str:
    """What to say about the address, or nothing; ends the command where listening on it would not be safe.

    As long as signatures are not checked, whoever reaches the port is whoever they claim to be. `foreign` says that the
    directory holds records or configuration of real accounts, which such visitors must never read.
    """
    if is_loopback(settings.host):
        return ""
    if not settings.open:
        raise Stop(
            ExitCode.REFUSED,
            f"Other machines could reach {settings.host}, and signatures are not checked yet: anybody there could act "
            "as anybody here. Use --host 127.0.0.1, or add --open if the network is yours.",
        )
    if foreign:
        raise Stop(
            ExitCode.REFUSED,
            f"{settings.data} holds imported or crawled data, which anybody who reaches {settings.host} could read. "
            "Use --host 127.0.0.1, or another --data directory.",
        )
    return (
        f"Warning: other machines can reach {settings.host}, and signatures are not checked yet: anybody there can "
        "act as anybody here."
    )


def announce(running: "Running", settings: Settings) -> None:
    """Say that the server is ready, on stderr, and print the variables for clients on stdout."""
    for line in welcome(running.endpoint, running.accounts, running.data, running.notes):
        say(line)
    variables = client_variables(running.endpoint, running.accounts[0], LAB_SECRET, settings.region)
    put(exports(Shell.BASH, variables))
    say('Or, in another terminal: eval "$(trailstate env)". Then: aws s3 mb s3://first; trailstate events')


def welcome(endpoint: str, accounts: tuple[str, ...], data: Path, notes: list[str]) -> list[str]:
    """What is said once the server answers."""
    return [
        f"Trailstate {__version__} listens on {endpoint}; its data are in {data}. Ctrl-C stops it.",
        f"Accounts: {', '.join(accounts)} (each number is also an access key, with the secret '{LAB_SECRET}').",
        f"Root's console password stands in {data / 'keys' / 'root-password-ACCOUNT'}; see: trailstate signin --help",
        *(f"Note: {note}" for note in notes),
    ]
