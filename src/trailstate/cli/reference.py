"""The generated pages of docs/reference: `python -m trailstate.cli.reference` writes them from the registries.

Each page is a function without arguments that returns Markdown, so a test can hold the files against them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from textwrap import fill
from typing import Any

import typer

from trailstate.cli.exit import MEANINGS
from trailstate.cli.main import app
from trailstate.cli.terminal import say
from trailstate.services.owned import ownership
from trailstate.settings import ENVIRONMENT_PREFIX, KINDS, Settings

DIRECTORY = Path("docs/reference")
WIDTH_COLUMNS = 100


def commands() -> str:
    """The reference page of all verbs: what `--help` says, and the exit codes."""
    sections = (f"## {name}\n\n```text\n{text}\n```\n" for name, text in _helps(typer.main.get_command(app), None))
    codes = "".join(f"| {code.value} | {meaning} |\n" for code, meaning in MEANINGS.items())
    return "\n".join((_HEAD, *sections, "## Exit codes\n", "| code | meaning |\n|---|---|\n" + codes))


_HEAD = """# Command line

Data go to stdout and everything else to stderr, so each command can be piped. Tables wrap on a terminal and keep every
row on one line in a pipe. `NO_COLOR` takes colour and bold away. `TRAILSTATE_DEBUG=1` shows where a failure happened.
`trailstate --install-completion` teaches the shell the verbs and options.
"""


def _helps(command: Any, parent: Any) -> Iterator[tuple[str, str]]:
    name = command.name if parent is not None else "trailstate"
    chosen = command.context_settings | {"terminal_width": WIDTH_COLUMNS, "max_content_width": WIDTH_COLUMNS}
    context = command.context_class(command, info_name=name, parent=parent, **chosen)
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    yield context.command_path, text.partition("\n  Exit codes:")[0].rstrip()
    if hasattr(command, "list_commands"):
        for child in command.list_commands(context):
            yield from _helps(command.get_command(context, child), context)


def operations() -> str:
    """The reference page of the operations that are the house's own: those that answer, and those refused by name."""
    sections = [_OPERATIONS_HEAD]
    for service, names in ownership().items():
        done, not_yet = names["done"], names["not_yet"]
        sections += [f"## {service}", f"**Done ({len(done)}):** {_listed(done)}", ""]
        if not_yet:
            sections += [f"**Not yet ({len(not_yet)}):** {_listed(not_yet)}", ""]
    return "\n".join(sections)


def _listed(names: Sequence[str]) -> str:
    return fill(", ".join(names) or "none", 120, break_long_words=False)


_OPERATIONS_HEAD = """# Operations of our own

Trailstate itself answers the operations below; every other call goes to the estate and is recorded. One that is not
done yet is refused with a modelled error that says so: it never succeeds somewhere else.
"""


def settings() -> str:
    """The reference page of all settings, as Markdown."""
    defaults = {
        entry.name: _default_text(entry.default, entry.metadata) for entry in fields(Settings) if entry.metadata
    }
    about = {entry.name: entry.metadata["about"] for entry in fields(Settings) if entry.metadata}
    rows = (
        f"| `{name}` | `{ENVIRONMENT_PREFIX}{name.upper()}` | {defaults[name]} | {kind.expects} | {about[name]} |"
        for name, kind in KINDS.items()
    )
    return "\n".join((*_SETTINGS_HEAD, *rows, ""))


_SETTINGS_HEAD = (
    "# Settings",
    "",
    "A flag wins over a `TRAILSTATE_*` variable, a variable over the file, the file over the default. The file is",
    "TOML, one `name = value` a line: the one that `--config` or `TRAILSTATE_CONFIG` names, else `trailstate.toml` in",
    "the working directory, else `~/.config/trailstate/trailstate.toml`. Only one file is read. A name that is not in",
    "this table is refused. Lists in variables are separated by commas. `trailstate doctor` shows each value and where",
    "it came from.",
    "",
    "| setting | variable | default | must be | what it does |",
    "|---|---|---|---|---|",
)


def _default_text(default: object, metadata: Mapping[str, Any]) -> str:
    if "default" in metadata:
        return str(metadata["default"])
    if isinstance(default, tuple):
        return f"`{','.join(default)}`"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return "" if default is None else f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


PAGES: Mapping[str, Callable[[], str]] = {
    "cli.md": commands,
    "operations.md": operations,
    "settings.md": settings,
}


def write(directory: Path) -> list[Path]:
    """Write every page whose text has changed, and return those."""
    directory.mkdir(parents=True, exist_ok=True)
    pages = {directory / name: page() for name, page in PAGES.items()}
    changed = [path for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in changed:
        path.write_text(pages[path], encoding="utf-8")
    return changed


if __name__ == "__main__":
    for written in write(DIRECTORY):
        say(f"written: {written}")
