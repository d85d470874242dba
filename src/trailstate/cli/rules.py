"""`trailstate rules`: which managed rules there are, and what they would say of what is recorded now."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.options import Config, Data, effective
from trailstate.cli.records import brief
from trailstate.cli.server import ask
from trailstate.cli.terminal import put, say, table

REPORT_BYTES_MAX = 256 * 1024 * 1024
TRY_PACK = "/_trailstate/compliance/try-pack"
TRY_RULE = "/_trailstate/compliance/try-rule"

rules = typer.Typer(
    no_args_is_help=True,
    help="""Managed rules: which there are, and what they would say.

    \b
    Examples:
      trailstate rules list --judged --set CIS-1.4
      trailstate rules eval restricted-ssh
    """,
)


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"


class Written(StrEnum):
    """The forms of a report."""

    TABLE = "table"
    HTML = "html"
    CSV = "csv"
    JSON = "json"
    JUNIT = "junit"


class FailOn(StrEnum):
    """What makes a trial fail."""

    NOTHING = "nothing"
    NONCOMPLIANT = "noncompliant"
    UNKNOWN = "unknown"


Parameters = Annotated[
    list[str] | None,
    typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="An input parameter; may be given again."),
]
Account = Annotated[str | None, typer.Option("--account", help="The account. [default: the server's first]")]
Region = Annotated[str | None, typer.Option("--region", help="The Region. [default: the server's]")]
FailOnOption = Annotated[
    FailOn,
    typer.Option("--fail-on", help="Exit 1 if a resource breaks a rule, or also if a rule says nothing (unknown)."),
]


@rules.command("list")
def listed(
    judged: Annotated[bool, typer.Option("--judged", help="Only those that are implemented.")] = False,
    in_set: Annotated[str | None, typer.Option("--set", metavar="SET", help="Only those of CIS-1.4, HIPAA, …")] = None,
    output: Annotated[Form, typer.Option("-o", "--output", help="How to print them.")] = Form.TABLE,
) -> None:
    """List the managed rules of AWS Config, and which of them are judged here.

    \b
    Examples:
      trailstate rules list --judged --set CIS-1.4
      trailstate rules list -o json | jq '.[] | select(.judged | not) | .id'
    """
    found = [each for each in catalogue() if (each["judged"] or not judged) and in_set in (None, *each["sets"])]
    if output is Form.JSON:
        put(json.dumps(found, indent=2) + "\n")
        return
    rows = [
        (each["name"], _yes(each["judged"]), _yes(each["demonstrable"]), each["trigger"], " ".join(each["sets"]))
        for each in found
    ]
    put(table(("rule", "judged", "demonstrable", "trigger", "sets"), rows))
    say(f"{sum(each['judged'] for each in found)} of {len(found)} rules are judged.")


def catalogue() -> list[dict[str, Any]]:
    """Every managed rule: what it is, whether it is judged, and whether a simulated account has shown it both ways."""
    from trailstate.catalog.rules import load
    from trailstate.compliance.catalogue import flipped_rules, managed_rules

    implemented, flipped = load(), flipped_rules()
    return [
        {
            "id": each.id,
            "name": each.name,
            "judged": each.id in implemented,
            "demonstrable": each.id in flipped,
            "sets": list(each.sets),
            "trigger": each.trigger,
            "types": list(each.types),
            "severity": each.severity,
            "fails": each.fails,
        }
        for each in sorted(managed_rules().values(), key=lambda each: each.name)
    ]


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


@rules.command("eval")
def over_rule(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="Identifier or name of a managed rule.")],
    resource: Annotated[
        str | None, typer.Argument(metavar="ID|ARN|NAME", help="One resource. [default: all in its scope]")
    ] = None,
    parameter: Parameters = None,
    account: Account = None,
    region: Region = None,
    output: Annotated[Written, typer.Option("-o", "--output", help="How to print it.")] = Written.TABLE,
    fail_on: FailOnOption = FailOn.NOTHING,
    data: Data = None,
    config: Config = None,
) -> None:
    """Judge what is recorded by one managed rule, without putting the rule.

    \b
    Examples:
      trailstate rules eval restricted-ssh
      trailstate rules eval ACCESS_KEYS_ROTATED -p maxAccessKeyAge=30
    """
    asked = {"identifier": identifier(rule), "resource": resource, "parameters": pairs(parameter)}
    content = tried(TRY_RULE, asked, account, region, data, config)
    if resource is not None and not content["resources"]:
        raise Stop(ExitCode.NO, f"The rule {rule} does not judge '{resource}': it is not recorded, or out of scope.")
    finish(content, output, fail_on)


@rules.command("test")
def over_pack(
    template: Annotated[Path, typer.Argument(metavar="PACK.YAML", help="The template of a conformance pack.")],
    parameter: Parameters = None,
    account: Account = None,
    region: Region = None,
    output: Annotated[Written, typer.Option("-o", "--output", help="How to print it.")] = Written.TABLE,
    fail_on: FailOnOption = FailOn.NOTHING,
    data: Data = None,
    config: Config = None,
) -> None:
    """Judge what is recorded by the rules of a conformance pack, without deploying it.

    \b
    Examples:
      trailstate rules test pack.yaml --fail-on noncompliant
      trailstate rules test pack.yaml -o junit > compliance.xml
    """
    asked = {"template": read(template), "parameters": pairs(parameter), "title": template.stem}
    finish(tried(TRY_PACK, asked, account, region, data, config), output, fail_on)


def read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(ExitCode.USAGE, f"The template {path} cannot be read: {error}.") from None


def pairs(given: Sequence[str] | None) -> dict[str, str]:
    """`NAME=VALUE` words as a mapping."""
    split = [each.partition("=") for each in given or ()]
    wrong = [name for name, sign, _ in split if not (name and sign)]
    if wrong:
        raise Stop(ExitCode.USAGE, f"A parameter is given as NAME=VALUE; found '{wrong[0]}'.")
    return {name: value for name, _, value in split}


def identifier(word: str) -> str:
    """The identifier of a managed rule called so; restricted-ssh is INCOMING_SSH_DISABLED."""
    from trailstate.compliance.catalogue import managed_rules
    from trailstate.settings import closest

    known = managed_rules()
    names = {each.name: each.id for each in known.values()}
    upper = word.upper().replace("-", "_")
    found = names.get(word.lower()) or (upper if upper in known else None)
    if found is None:
        raise Stop(ExitCode.USAGE, f"AWS Config has no managed rule '{word}'{closest(word.lower(), names)}")
    return found


def tried(
    path: str,
    asked: Mapping[str, Any],
    account: str | None,
    region: str | None,
    data: Path | None,
    config: Path | None,
) -> dict[str, Any]:
    """The content of a report, from the running server's page."""
    settings = effective(data=data, config=config)
    place = {"account": account or settings.accounts[0], "region": region or settings.region}
    return ask(settings.data, "POST", path, {**asked, **place}, testing=False, bytes_max=REPORT_BYTES_MAX)


def finish(content: Mapping[str, Any], output: Written, fail_on: FailOn) -> None:
    """Print the report, then hold it."""
    put(written(content, output))
    check(content, fail_on)


def check(content: Mapping[str, Any], fail_on: FailOn) -> None:
    """End the command with 1 if the report holds what is to fail."""
    words = {each["compliance"] for each in content["rules"]}
    failing = {FailOn.NONCOMPLIANT: {"NON_COMPLIANT"}, FailOn.UNKNOWN: {"NON_COMPLIANT", "INSUFFICIENT_DATA"}}
    if words & failing.get(fail_on, set()):
        raise Stop(ExitCode.NO)


def written(content: Mapping[str, Any], output: Written) -> str:
    """The report in one of its forms."""
    if output is Written.TABLE:
        return as_table(content)
    from trailstate.compliance.report.html import as_html
    from trailstate.compliance.report.junit import as_junit
    from trailstate.compliance.report.tabular import as_csv, as_json

    forms = {Written.HTML: as_html, Written.CSV: as_csv, Written.JSON: as_json, Written.JUNIT: as_junit}
    return forms[output](content)


def as_table(content: Mapping[str, Any]) -> str:
    """What people look at first: every rule that says something, and then what is not judged."""
    from trailstate.compliance.report.content import by_whom

    rows = []
    for rule in content["rules"]:
        for each in rule["resources"]:
            since = each["since"][:19].replace("T", " ")
            by = by_whom(each["cause"], brief)
            rows.append((each["compliance"], rule["name"], each["resourceId"], since, by, each["annotation"]))
    rows.sort(key=lambda row: (row[0] != "NON_COMPLIANT", row[1:]))
    silent = [rule for rule in content["rules"] if not rule["resources"]]
    text = table(("verdict", "rule", "resource", "since (UTC)", "by", "what was found"), rows)
    if silent:
        told = [(rule["name"], rule["reason"] or "There is no resource in its scope.") for rule in silent]
        text += "\n" + table(("rule without a verdict", "why"), told)
    judged = f"{content['rulesJudged']} of {content['rulesTotal']} rules judged"
    return text + f"\n{content['title']}: {content['compliance']}, score {content['score']}, {judged}\n"
