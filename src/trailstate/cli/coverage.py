"""`trailstate coverage`: which days of which account and Region are held, and where a gap is."""

from dataclasses import asdict, astuple, fields
from typing import TYPE_CHECKING, Annotated

import typer

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.options import Config, Data, effective
from trailstate.cli.query import asked
from trailstate.cli.terminal import put, say, table

if TYPE_CHECKING:
    from trailstate.lake.coverage import Stopped
    from trailstate.lake.lake import Lake


def coverage(
    gaps: Annotated[bool, typer.Option("--gaps", help="Only gaps; ends with 4 when there are any.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object for each span.")] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Show, for each account and Region, the days with records, the quiet ones, and the gaps.

    A day without records is quiet when the account was heard from elsewhere and the Region is one that is often silent;
    it is a gap when the whole account was silent, or a Region that usually is not.

    \b
    Examples:
      trailstate coverage
      trailstate coverage --gaps
    """
    import json

    from trailstate.cli.lake import opened
    from trailstate.lake.coverage import GAP, Span, spans

    with opened(effective(data=data, config=config).data) as lake:
        found = [each for each in spans(_counts(lake), _stops(lake)) if each.state == GAP or not gaps]
    if json_:
        put("".join(json.dumps(asdict(each)) + "\n" for each in found))
    elif found:
        put(table(tuple(each.name for each in fields(Span)), [tuple(map(str, astuple(each))) for each in found]))
    broken = sum(each.state == GAP for each in found)
    say(f"{broken} gap{'' if broken == 1 else 's'}." if broken else "There are no gaps.")
    if gaps and broken:
        raise Stop(ExitCode.FINDINGS)


def _counts(lake: "Lake") -> "list[tuple[str, str, str, int]]":
    from trailstate.lake.coverage import COUNTS

    with asked(lake, COUNTS) as reader:
        return [tuple(row.values()) for row in reader.read_all().to_pylist()]


def _stops(lake: "Lake") -> "list[Stopped]":
    from trailstate.lake.coverage import STOPS, Stopped

    with asked(lake, STOPS) as reader:
        return [Stopped(*(value or "" for value in row.values())) for row in reader.read_all().to_pylist()]
