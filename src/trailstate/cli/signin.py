"""`trailstate signin`: sign in to the console of a running server, so that what follows from it happens."""

from pathlib import Path
from typing import Annotated

import typer

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.options import Config, Data, effective
from trailstate.cli.server import ask, noted_server
from trailstate.cli.terminal import put

PATH = "/_trailstate/signin"


def signin(
    root: Annotated[bool, typer.Option("--root", help="As the account's root user.")] = False,
    user: Annotated[str | None, typer.Option("--user", metavar="NAME", help="As an IAM user.")] = None,
    password: Annotated[
        str | None,
        typer.Option(
            "--password",
            envvar="TRAILSTATE_PASSWORD",
            metavar="TEXT",
            help="The password. [default: for root the one in the data directory]",
            show_envvar=True,
        ),
    ] = None,
    mfa: Annotated[
        str | None, typer.Option("--mfa", metavar="CODE", help="The code that the MFA device shows.")
    ] = None,
    new_password: Annotated[
        str | None, typer.Option("--new-password", metavar="TEXT", help="For a password that must be changed.")
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", metavar="ID", help="The account. [default: the server's first]")
    ] = None,
    region: Annotated[
        str | None, typer.Option("--region", metavar="REGION", help="Where a user signs in; root is in us-east-1.")
    ] = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Sign in to the console of a running server; the ConsoleLogin event is recorded, success and failure alike.

    \b
    Examples:
      trailstate signin --root
      trailstate signin --user dana --mfa 123456      (the password is asked for)
    """
    if root == (user is not None):
        raise Stop(ExitCode.USAGE, "Say who signs in: either --root or --user NAME.")
    directory = effective(data=data, config=config).data
    given = {"user": user, "newPassword": new_password, "account": account, "mfa": mfa, "region": region}
    secret = password or (_root_password(directory, account) if root else typer.prompt("Password", hide_input=True))
    asked = {name: value for name, value in given.items() if value is not None}
    answer = ask(directory, "POST", PATH, asked | {"password": secret}, testing=False)
    put(f"{user or 'root'} signed in; the event is {answer['eventID']} in {answer['awsRegion']}.\n")


def _root_password(directory: Path, account: str | None) -> str:
    server = noted_server(directory)
    if server is None:
        raise Stop(ExitCode.NO_SERVER, f"No server runs on {directory}. Start one with: trailstate up")
    path = directory / "keys" / f"root-password-{account or server.accounts[0]}"
    try:
        return path.read_text().strip()
    except OSError as error:
        raise Stop(ExitCode.NO, f"Root's password is not in {path}: {error.strerror}.") from None
