"""`trailstate packs`: the report of a deployed conformance pack, as a page, as rows, or as test results."""

from pathlib import Path
from typing import Annotated

import typer

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.options import Config, Data
from trailstate.cli.rules import Account, FailOn, FailOnOption, Region, Written, check, finish, tried, written
from trailstate.cli.terminal import put, say

REPORT = "/_trailstate/compliance/report"

packs = typer.Typer(
    no_args_is_help=True,
    help="""Conformance packs: their templates and reports.

    \b
    Examples:
      trailstate packs template CIS-1.4 > cis.yaml
      trailstate packs report cis-1-4 -o html --to report.html
    """,
)


@packs.command("template")
def written_template(
    framework: Annotated[str, typer.Argument(metavar="SET", help="A framework, such as CIS-1.4, HIPAA or PCI-4.0.")],
) -> None:
    """Write the template of a pack with every managed rule of a framework.

    \b
    Example:
      trailstate packs template CIS-1.4 > cis.yaml
      aws configservice put-conformance-pack --conformance-pack-name cis-1-4 --template-body file://cis.yaml
    """
    from trailstate.catalog.packs import UnknownSet, sets, template_of

    try:
        put(template_of(framework))
    except UnknownSet:
        raise Stop(ExitCode.USAGE, f"There is no framework '{framework}'. There are {', '.join(sets())}.") from None


@packs.command("report")
def reported(
    pack: Annotated[str, typer.Argument(metavar="PACK", help="The name of a deployed conformance pack.")],
    output: Annotated[Written, typer.Option("-o", "--output", help="How to write it.")] = Written.TABLE,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Write it there. [default: stdout]")] = None,
    account: Account = None,
    region: Region = None,
    fail_on: FailOnOption = FailOn.NOTHING,
    data: Data = None,
    config: Config = None,
) -> None:
    """Report what each rule of a pack says of each resource, since when, by whose call, and which rules are not judged.

    \b
    Examples:
      trailstate packs report cis-1-4 -o html --to report.html
      trailstate packs report cis-1-4 -o junit --fail-on noncompliant
    """
    content = tried(REPORT, {"pack": pack}, account, region, data, config)
    if to is None:
        finish(content, output, fail_on)
        return
    try:
        to.write_text(written(content, output), encoding="utf-8")
    except OSError as error:
        raise Stop(ExitCode.NO, f"The report cannot be written to {to}: {error}.") from None
    say(f"{to}: {content['compliance']}, {content['rulesJudged']} of {content['rulesTotal']} rules judged")
    check(content, fail_on)
