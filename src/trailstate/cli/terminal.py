"""What a command writes: data to stdout, talk to stderr, and nothing in either that could command the terminal.

Records hold text that strangers chose (user agents, names). A control or bidirectional character among it could
rewrite the screen of whoever reads the trail, so talk and tables show such characters as escapes.
"""

import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from trailstate.cli.exit import ExitCode, Stop

if TYPE_CHECKING:
    from rich.table import Table

UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode's control, format (with the bidirectional marks), surrogate, private and line separator characters."""

UNBOUNDED_COLUMNS = 100_000
GAP = 2
"""Blanks between columns."""
WORD_CHARACTERS_MAX = 24


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


def room() -> int | None:
    """How many characters fit into a line of the terminal that stdout is; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def sentence(text: str, *, indent: str = "", width: int | None) -> str:
    """A line that begins at the margin; within `width` it goes on below, word by word, after `indent`."""
    if width is None:
        return f"{text}\n"
    lines = textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "".join(f"{line}\n" for line in lines)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, piped: bool | None = None, width: int | None = None
) -> str:
    """A table as text. On a terminal, or within `width`, long cells wrap, and where the columns would become too narrow
    for their words each row is a block of lines; in a pipe every row is one line. Nothing is ever cut off."""
    from rich.console import Console

    terminal = sys.stdout.isatty() if piped is None else not piped
    width = width or (shutil.get_terminal_size().columns if terminal else UNBOUNDED_COLUMNS)
    styled = terminal and not os.environ.get("NO_COLOR")
    cells = [[visible(cell) for cell in row] for row in rows]
    widths = _widths([columns, *cells], width)
    console = Console(width=width, force_terminal=styled, color_system="standard" if styled else None, highlight=False)
    with console.capture() as captured:
        console.print(_grid(columns, cells, widths) if widths else _blocks(columns, cells))
    return "".join(line.rstrip() + "\n" for line in captured.get().splitlines())


def _grid(columns: Sequence[str], cells: Iterable[Sequence[str]], widths: Sequence[int]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for column, wide in zip(columns, widths, strict=True):
        grid.add_column(Text(column), overflow="fold", width=wide)
    for row in cells:
        grid.add_row(*map(Text, row))
    return grid


def _blocks(columns: Sequence[str], cells: Iterable[Sequence[str]]) -> "Table":
    """Each row's first cell, and below it the others with their names."""
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, show_header=False, pad_edge=False, padding=(0, GAP, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for first, *others in cells:
        grid.add_row(Text(columns[0]), Text(first, style="bold"))
        for column, cell in zip(columns[1:], others, strict=True):
            if cell:
                grid.add_row(Text(f"  {column}"), Text(cell))
    return grid


def _widths(rows: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """How wide each column is; None where there is no room for their words side by side."""
    from rich.cells import cell_len

    columns = list(zip(*rows, strict=True))
    least = [max(map(_longest_word, column)) for column in columns]
    whole = [max(map(cell_len, column)) for column in columns]
    spare = room - GAP * (len(columns) - 1) - sum(least)
    if spare < 0:
        return None
    wanted = sum(whole) - sum(least)
    if wanted <= spare:
        return whole
    return [low + spare * (high - low) // wanted for low, high in zip(least, whole, strict=True)]


def _longest_word(cell: str) -> int:
    """Words longer than most are folded rather than given the room of others."""
    from rich.cells import cell_len

    return min(WORD_CHARACTERS_MAX, max(map(cell_len, cell.split()), default=0))
