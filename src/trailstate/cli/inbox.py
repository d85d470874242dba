"""`trailstate inbox`: the letters that topics sent to e-mail addresses, where no mail server is set to take them."""

from typing import Annotated

import typer

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.options import Config, Data, effective
from trailstate.cli.terminal import put, say, table, visible

inbox = typer.Typer(
    no_args_is_help=True,
    help="""E-mail that topics sent: the mailbox of a lab.

    \b
    Examples:
      trailstate inbox list
      trailstate inbox show LETTER
    """,
)


@inbox.command("list")
def listed(data: Data = None, config: Config = None) -> None:
    """List the letters, oldest first.

    \b
    Example:
      trailstate inbox list
    """
    letters = _letters(data, config)
    if not letters:
        say("No letter has come.")
        return
    rows = [(each["id"], each["time"][:19].replace("T", " "), each["to"], each["subject"]) for each in letters]
    put(table(("id", "time (UTC)", "to", "subject"), rows))


@inbox.command("show")
def shown(
    letter: Annotated[str | None, typer.Argument(metavar="ID", help="Which letter. [default: the newest]")] = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Show a letter.

    \b
    Examples:
      trailstate inbox show
      trailstate inbox show 3f9a0c12
    """
    found = [each for each in _letters(data, config) if letter is None or each["id"] == letter]
    if not found:
        raise Stop(ExitCode.NO, f"There is no letter '{letter}'." if letter else "No letter has come.")
    told = found[-1]
    for name in ("time", "from", "to", "subject"):
        put(f"{name.capitalize()}: {visible(told[name])}\n")
    put("\n" + "\n".join(map(visible, told["body"].splitlines())) + "\n")


def _letters(data: Data, config: Config) -> list[dict[str, str]]:
    from trailstate.watch.mail import Inbox

    return list(Inbox(effective(data=data, config=config).data / "inbox").letters())
