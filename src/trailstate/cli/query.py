"""`trailstate query` and `trailstate hunt`: questions in Athena's SQL over everything a data directory holds."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.options import Config, Data, effective
from trailstate.cli.terminal import put, say

if TYPE_CHECKING:
    import pyarrow as pa

    from trailstate.lake.lake import Lake

PROMPT, MORE = "sql> ", "  -> "


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"
    PARQUET = "parquet"


Output = Annotated[Form, typer.Option("-o", "--output", help="How to print the answer.")]
Into = Annotated[Path | None, typer.Option("--into", metavar="FILE", help="Write the answer there.")]


def query(
    sql: Annotated[
        str | None, typer.Argument(metavar="SQL", help="Without it, questions are read line by line.")
    ] = None,
    output: Output = Form.TABLE,
    into: Into = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Ask in Athena's SQL: imported logs and the live journal are the table `cloudtrail`,
    configuration items `configuration_items`, and what rules said `compliance`.

    Works beside a running server and without one; whoever may read the data directory sees all of it.

    \b
    Examples:
      trailstate query "SELECT useridentity.arn, count(*) n FROM cloudtrail GROUP BY 1 ORDER BY n DESC LIMIT 10"
      trailstate query "SELECT * FROM cloudtrail WHERE eventname = 'DeleteBucket'" -o json
    """
    from trailstate.cli.lake import opened

    with opened(effective(data=data, config=config).data) as lake:
        if sql is not None:
            _answer(lake, sql, output, into)
        else:
            _converse(lake, output)


def hunt(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Without it, the hunts are listed.")] = None,
    output: Output = Form.TABLE,
    into: Into = None,
    sql: Annotated[bool, typer.Option("--sql", help="Print the question instead of asking it.")] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Ask a question that investigations begin with.

    \b
    Examples:
      trailstate hunt who-deleted
      trailstate hunt opened-to-world -o csv
    """
    from trailstate.cli.lake import opened
    from trailstate.lake.hunts import hunts

    known = hunts()
    if name is None:
        put("".join(f"{each.name:<28}{each.title}\n" for each in known.values()))
        return
    if name not in known:
        raise Stop(ExitCode.USAGE, f"There is no hunt '{name}'; there are: {', '.join(known)}.")
    if sql:
        put(known[name].sql)
        return
    with opened(effective(data=data, config=config).data) as lake:
        _answer(lake, known[name].sql, output, into)


@contextmanager
def asked(lake: "Lake", sql: str) -> "Iterator[pa.RecordBatchReader]":
    """The answer; ends the command with a sentence when there is none."""
    from trailstate.lake.engine import QueryFailed
    from trailstate.lake.lake import Refused, Scope
    from trailstate.world import RealWorld

    try:
        with lake.ask(sql, Scope(), RealWorld().now()) as reader:
            yield reader
    except Refused as refusal:
        raise Stop(ExitCode.USAGE, f"The question cannot be asked: {refusal}.") from None
    except QueryFailed as failure:
        raise Stop(ExitCode.NO, f"The question could not be answered: {failure}") from None


def _answer(lake: "Lake", sql: str, form: Form, into: Path | None) -> None:
    if form is Form.PARQUET and into is None:
        raise Stop(ExitCode.USAGE, "Parquet is not for terminals; name a file with --into.")
    with asked(lake, sql) as reader:
        if form is Form.PARQUET:
            _write_parquet(reader, into)
            return
        answer = WRITERS[form](reader.read_all())
    if into is None:
        put(answer)
    else:
        into.write_text(answer, encoding="utf-8")


def _write_parquet(reader: "pa.RecordBatchReader", into: Path | None) -> None:
    import pyarrow.parquet as pq

    assert into is not None
    with pq.ParquetWriter(into, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)


def _converse(lake: "Lake", form: Form) -> None:
    """Read questions, each ended by a semicolon, and answer them until the input ends."""
    if sys.stdin.isatty():
        _complete()
        say("Questions end with ';'. Ctrl-D ends.")
    text = ""
    while True:
        try:
            text += input((MORE if text else PROMPT) if sys.stdin.isatty() else "") + "\n"
        except EOFError:
            break
        except KeyboardInterrupt:
            text = ""
            continue
        if text.rstrip().endswith(";"):
            _try(lake, text.rstrip().rstrip(";"), form)
            text = ""
    if text.strip():
        _try(lake, text, form)


def _try(lake: "Lake", sql: str, form: Form) -> None:
    try:
        _answer(lake, sql, form, None)
    except Stop as stop:
        if not sys.stdin.isatty():
            raise
        say(str(stop))


def _complete() -> None:
    """Complete the names of tables, columns and words with the tab key, where the terminal's library is there."""
    try:
        import readline
    except ImportError:
        return
    from trailstate.lake.shape import CLOUDTRAIL, LEAVES, PARTITIONS

    words = sorted({*(column.name for column in CLOUDTRAIL + PARTITIONS), *LEAVES, *WORDS})

    def complete(begun: str, number: int) -> str | None:
        fitting = [word for word in words if word.lower().startswith(begun.lower())]
        return fitting[number] if number < len(fitting) else None

    readline.set_completer_delims(" \t\n,()=<>")
    readline.set_completer(complete)
    readline.parse_and_bind("tab: complete")


WORDS = (
    *("SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "LIMIT", "COUNT(*)", "CROSS JOIN UNNEST"),
    *("cloudtrail", "configuration_items", "compliance"),
    *("json_extract_scalar", "regexp_like", "element_at", "date_trunc", "from_iso8601_timestamp", "approx_distinct"),
)


def _as_table(answer: "pa.Table") -> str:
    from trailstate.cli.terminal import table

    rows = ([_cell(row[name]) for name in answer.column_names] for row in answer.to_pylist())
    return table(answer.column_names, rows)


def _as_json(answer: "pa.Table") -> str:
    import json

    from trailstate.cli.records import safe_json

    lines = (json.dumps(row, default=str, ensure_ascii=False) for row in answer.to_pylist())
    return "".join(safe_json(line) + "\n" for line in lines)


def _as_csv(answer: "pa.Table") -> str:
    import csv
    import io

    from trailstate.values.cell import disarmed

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(answer.column_names)
    writer.writerows([disarmed(_cell(value)) for value in row.values()] for row in answer.to_pylist())
    return out.getvalue()


def _as_markdown(answer: "pa.Table") -> str:
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n"

    names = list(answer.column_names)
    rows = ([_cell(row[name]) for name in names] for row in answer.to_pylist())
    return line(names) + line(["---"] * len(names)) + "".join(map(line, rows))


def _cell(value: object) -> str:
    import json

    if value is None:
        return ""
    return json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


WRITERS: "Mapping[Form, Callable[[pa.Table], str]]" = {
    Form.TABLE: _as_table,
    Form.JSON: _as_json,
    Form.CSV: _as_csv,
    Form.MD: _as_markdown,
}
