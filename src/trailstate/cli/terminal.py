"""What a command writes: data to stdout, talk to stderr, and nothing in either that could command the terminal.

Records hold text that strangers chose (user agents, names). A control or bidirectional character among it could
rewrite the screen of whoever reads the trail, so talk and tables show such characters as escapes.
"""

import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence

from trailstate.cli.exit import ExitCode, Stop

UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode's control, format (with the bidirectional marks), surrogate, private and line separator characters."""

UNBOUNDED_COLUMNS = 100_000


def put(text: str) -> None:
    """Write data to stdout, at once; ends the command quietly when nobody reads any more."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered would fail again when the interpreter closes stdout, with a message of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Stop(ExitCode.BROKEN_PIPE) from None


def say(sentence: str) -> None:
    """Talk to the person, on stderr."""
    sys.stderr.write("\n".join(visible(line) for line in sentence.splitlines()) + "\n")
    sys.stderr.flush()


def visible(text: str) -> str:
    r"""The text with every character that a terminal would obey, or that hides, written as an escape: ESC is `\x1b`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(character) if is_unsafe(character) else character for character in text)


def is_unsafe(character: str) -> bool:
    """Would a terminal obey this character, or hide it?"""
    return unicodedata.category(character) in UNSAFE_CATEGORIES


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, piped: bool | None = None, width: int | None = None
) -> str:
    """A table as text. On a terminal, or within `width`, long cells wrap; in a pipe every row is one line. Nothing is
    ever cut off."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty() if piped is None else not piped
    width = width or (shutil.get_terminal_size().columns if terminal else UNBOUNDED_COLUMNS)
    styled = terminal and not os.environ.get("NO_COLOR")
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        grid.add_column(Text(column), overflow="fold")
    for row in rows:
        grid.add_row(*(Text(visible(cell)) for cell in row))
    console = Console(width=width, force_terminal=styled, color_system="standard" if styled else None, highlight=False)
    with console.capture() as captured:
        console.print(grid)
    return "".join(line.rstrip() + "\n" for line in captured.get().splitlines())
