"""`trailstate`: the verbs, in the order a newcomer meets them, and how each of them ends.

This module and those of the verbs import nothing heavy, so that help and completion answer at once; what a verb needs
it imports when it runs.
"""

import os
import sys
from types import TracebackType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from trailstate import __version__
from trailstate.cli.clock import clock, settle
from trailstate.cli.coverage import coverage
from trailstate.cli.demo import demo, play
from trailstate.cli.detect import detect
from trailstate.cli.doctor import doctor
from trailstate.cli.env import env
from trailstate.cli.events import events
from trailstate.cli.exit import MEANINGS, ExitCode, Stop
from trailstate.cli.import_ import import_, quarantine
from trailstate.cli.inbox import inbox
from trailstate.cli.packs import packs
from trailstate.cli.query import hunt, query
from trailstate.cli.remediate import remediate
from trailstate.cli.resource import resource, types
from trailstate.cli.rules import rules
from trailstate.cli.signin import signin
from trailstate.cli.terminal import put, say
from trailstate.cli.up import up
from trailstate.cli.verify import verify
from trailstate.settings import SettingsError

EXIT_CODES = "\n".join(f"  {code.value:>3}  {meaning}" for code, meaning in MEANINGS.items())


ORDER = (
    *("up", "env"),
    *("events", "query", "hunt", "import", "quarantine", "coverage"),
    *("resource", "types"),
    *("rules", "packs", "remediate"),
    *("inbox",),
    *("verify",),
    *("detect", "signin"),
    *("demo", "play", "clock", "settle", "doctor"),
)
"""The verbs as help lists them: begin, ask, look at resources, judge, be told, prove, play."""


LAB_MODULES = ("boto3", "moto", "time_machine")
"""What only the extra `lab` brings."""


class Verbs(TyperGroup):
    """The group of all verbs: turns what a verb raises into one sentence and an exit code."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Stop as stop:
            if str(stop):
                say(str(stop))
            raise typer.Exit(stop.code) from None
        except SettingsError as error:
            say(str(error))
            raise typer.Exit(ExitCode.USAGE) from None
        except OSError as error:
            if error.filename is None or os.environ.get("TRAILSTATE_DEBUG"):
                raise
            say(f"'{os.fsdecode(error.filename)}' cannot be used: {error.strerror}.")
            raise typer.Exit(ExitCode.NO) from None
        except ModuleNotFoundError as error:
            if error.name not in LAB_MODULES:
                raise
            say(f"This needs {error.name}, which is not installed here: pip install 'trailstate[lab]'.")
            raise typer.Exit(ExitCode.NO) from None


app = typer.Typer(
    name="trailstate",
    cls=Verbs,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=f"\b\nExit codes:\n{EXIT_CODES}\n\n\b\nStart with: trailstate up",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(asked: bool) -> None:
    if asked:
        put(f"trailstate {__version__}\n")
        raise typer.Exit


@app.callback()
def trailstate(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """AWS CloudTrail and AWS Config on your own machine: who did what, what it changed, and whether it complies.

    Data go to stdout, everything else to stderr. Settings come from flags, TRAILSTATE_* variables or one TOML file.
    """


app.command()(up)
app.command()(env)
app.command()(events)
app.add_typer(resource, name="resource", short_help="What a resource looked like, and by whose call.")
app.command(short_help="List the resource types that are recorded.")(types)
app.add_typer(rules, name="rules", short_help="Managed rules: which there are, what they would say.")
app.add_typer(packs, name="packs")
app.add_typer(inbox, name="inbox")
app.add_typer(clock, short_help="Read or advance the clock of a server with --testing.")
app.command(short_help="Wait until a server with --testing has nothing left to do.")(settle)
app.command(short_help="Repair a resource with its rule's document.")(remediate)
app.command(short_help="Is the evidence untouched? Log files held against digests.")(verify)
app.command("import", short_help="Take CloudTrail log files into the lake.")(import_)
app.add_typer(quarantine, name="quarantine")
app.command(short_help="Ask in Athena's SQL over imported and live records.")(query)
app.command()(hunt)
app.add_typer(detect, name="detect", short_help="Set up and try the CIS benchmark's alarms.")
app.command(short_help="Sign in to the console of a running server.")(signin)
app.command(short_help="Show which days have records, and the gaps.")(coverage)
app.command(short_help="Play incidents and answer seven questions about them.")(demo)
app.command(short_help="Let an incident happen in the running server.")(play)
app.command(short_help="Show settings in force, versions, and what is missing.")(doctor)


def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The last resort for a failure nobody foresaw: one sentence, and the traceback for those who ask for it."""
    if os.environ.get("TRAILSTATE_DEBUG"):
        sys.__excepthook__(kind, error, trace)
        return
    say(
        f"trailstate failed in a way it did not foresee: {kind.__name__}: {error}. "
        "TRAILSTATE_DEBUG=1 shows where; please report it with that."
    )


def main() -> None:
    sys.excepthook = report
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    # Calling the app itself would put typer's own hook in the place of ours.
    typer.main.get_command(app)(prog_name="trailstate")
