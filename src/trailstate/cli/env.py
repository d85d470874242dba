"""`trailstate env`: the variables that point AWS clients at the server, in the shell's own words."""

import json
import os
import shlex
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.options import Config, Data, effective
from trailstate.cli.server import running_server
from trailstate.cli.terminal import put, say

LAB_SECRET = "test"  # noqa: S105 - the lab's well-known secret, not anybody's
LEFTOVER = "AWS_SESSION_TOKEN"
"""Clients would send it along with the new key, and be refused."""


class Shell(StrEnum):
    BASH = "bash"
    FISH = "fish"
    POWERSHELL = "powershell"


def env(
    account: Annotated[
        str | None, typer.Option("--account", metavar="ID", help="Account to act in. [default: the first one]")
    ] = None,
    root: Annotated[bool, typer.Option("--root", help="Act as the account's root user.")] = False,
    shell: Annotated[
        Shell, typer.Option("--shell", help="Whose words to use; bash's suit zsh and sh too.")
    ] = Shell.BASH,
    data: Data = None,
    config: Config = None,
) -> None:
    """Print the variables that point AWS clients at the server.

    The stock aws command, boto3, Terraform and the other SDKs read them; nothing else needs to change.

    \b
    Examples:
      eval "$(trailstate env)"
      eval "$(trailstate env --account 210987654321)"
      trailstate env --shell fish | source
    """
    settings = effective(data=data, config=config)
    server = running_server(settings.data)
    if server is None:
        endpoint = endpoint_of(settings.host, settings.port)
        say(f"No server runs on {settings.data}; these are for the one that `trailstate up` would start.")
    else:
        endpoint = server.endpoint
    chosen = chosen_account(account, settings.accounts if server is None else server.accounts)
    key, secret = root_key(settings.data, chosen) if root else (chosen, LAB_SECRET)
    put(exports(shell, client_variables(endpoint, key, secret, settings.region), clear=LEFTOVER in os.environ))


def endpoint_of(host: str, port: int) -> str:
    """The URL of a server on this machine that listens on `host`."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return (
        f"http://[{reachable}]:{port}"
        if ":" in reachable.strip("[]") and "[" not in reachable
        else (f"http://{reachable}:{port}")
    )


def chosen_account(given: str | None, accounts: tuple[str, ...]) -> str:
    """The account to act in; ends the command when the server does not know it."""
    if given is None:
        return accounts[0]
    if given not in accounts:
        raise Stop(
            ExitCode.USAGE,
            f"There is no account {given}; the accounts are {', '.join(accounts)}. "
            f"Add it with: trailstate up --account {accounts[0]} --account {given}",
        )
    return given


def root_key(data: Path, account: str) -> tuple[str, str]:
    """The access key id and secret of an account's root user, which the server made at its first start."""
    path = data / "keys" / f"root-{account}.json"
    try:
        stored = json.loads(path.read_bytes())
        return stored["AccessKeyId"], stored["SecretAccessKey"]
    except OSError as error:
        raise Stop(
            ExitCode.NO,
            f"The root key of account {account} cannot be read from {path}: {error.strerror}. "
            "The server makes it at its first start; run trailstate up once.",
        ) from None
    except (ValueError, KeyError, TypeError):
        raise Stop(ExitCode.NO, f"{path} is not a root key as the server makes it; restore the file.") from None


def client_variables(endpoint: str, key: str, secret: str, region: str) -> dict[str, str]:
    """Both names of the region: the aws command and boto3 read the first, the SDKs for JavaScript and Go the second."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
    }


def exports(shell: Shell, variables: Mapping[str, str], *, clear: bool = False) -> str:
    """Lines that a shell can evaluate; `clear` also removes a session token left over from other credentials."""
    assign, remove = WORDS[shell]
    lines = [assign(name, value) for name, value in variables.items()]
    return "".join(line + "\n" for line in ([remove(LEFTOVER)] if clear else []) + lines)


def _single_quoted(value: str, quote: str) -> str:
    return "'" + value.replace("'", quote) + "'"


WORDS: dict[Shell, tuple[Callable[[str, str], str], Callable[[str], str]]] = {
    Shell.BASH: (lambda name, value: f"export {name}={shlex.quote(value)}", lambda name: f"unset {name}"),
    Shell.FISH: (
        lambda name, value: f"set -gx {name} " + _single_quoted(value.replace("\\", "\\\\"), "\\'"),
        lambda name: f"set -e {name}",
    ),
    Shell.POWERSHELL: (
        lambda name, value: f"$env:{name} = " + _single_quoted(value, "''"),
        lambda name: f"Remove-Item Env:{name}",
    ),
}
"""How each shell sets and removes a variable."""
