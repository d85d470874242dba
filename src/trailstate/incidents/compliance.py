"""A continuous check against a benchmark: a pack over what is recorded, and a report of what breaks it."""

import json
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from trailstate.catalog.packs import resource_types, template_of
from trailstate.compliance.report.html import as_html
from trailstate.incidents.form import Answer, Incident, Planted
from trailstate.incidents.recorder import record
from trailstate.incidents.stage import Stage

PACK = "cis-1-4"
SET = "CIS-1.4"
RULE = "restricted-ssh"
GROUP = "AWS::EC2::SecurityGroup"
COLUMNS = ("broken rule", "resource", "since (UTC)", "by", "what was found")
SSH = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
TRIES_MAX = 400
"""How often a report that is about to be complete is asked for; each answer takes a few milliseconds."""


def _break_the_benchmark(stage: Stage) -> Planted:
    record(stage, *resource_types(SET))
    ec2 = stage.client("ec2")
    number = len(ec2.describe_security_groups()["SecurityGroups"])
    group = ec2.create_security_group(GroupName=f"prod-db-{number}", Description="databases")["GroupId"]
    stage.client("config").put_conformance_pack(ConformancePackName=PACK, TemplateBody=template_of(SET))
    stage.advance(timedelta(minutes=30))
    _resources(stage, group, "COMPLIANT")
    evan = stage.developer("evan")
    stage.client("ec2", evan).authorize_security_group_ingress(GroupId=group, IpPermissions=SSH)
    stage.advance(timedelta(minutes=1))
    return {"resource": group, "who": "evan"}


def _ask(stage: Stage, planted: Planted) -> Answer:
    """Ask for the report; the group must break the rule since its opening, and by whom must be said."""
    group = planted["resource"]
    found = _resources(stage, group, "NON_COMPLIANT")
    content = _report(stage)
    broken = sorted(_broken(content), key=lambda row: row[1] != group)
    told = next((each["by"] for each in found), "")
    return Answer(
        command=f"aws configservice get-compliance-details-by-resource --resource-type {GROUP} --resource-id {group}"
        " --compliance-types NON_COMPLIANT",
        columns=COLUMNS,
        rows=broken,
        sentence=_sentence(content, len({row[0] for row in broken})),
        is_right=f"user/{planted['who']} by AuthorizeSecurityGroupIngress" in told,
    )


def _broken(content: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row for each resource that breaks a rule."""
    return [
        (rule["name"], each["resourceId"], each["since"][:19].replace("T", " "), _short(each["by"]), each["annotation"])
        for rule in content.get("rules", ())
        for each in rule["resources"]
        if each["compliance"] == "NON_COMPLIANT"
    ]


def _short(by: str) -> str:
    return by.partition(":user/")[2] or by


def _sentence(content: Mapping[str, Any], rules: int) -> str:
    if "rules" not in content:
        return f"Nobody knows: there is no conformance pack {PACK} that checks."
    return (
        f"{content['compliance']}: {rules} of {content['rulesJudged']} rules judged are broken"
        f" ({content['rulesTotal']} in the pack), score {content['score']} %. Report: {_written(as_html(content))}"
    )


def _resources(stage: Stage, group: str, compliance: str) -> list[dict[str, Any]]:
    """What the rule says of the group, as soon as it says that."""
    found: list[dict[str, Any]] = []
    for _ in range(TRIES_MAX):
        content = _report(stage)
        rules = [rule for rule in content.get("rules", ()) if rule["name"] == RULE]
        found = [each for rule in rules for each in rule["resources"] if each["resourceId"] == group]
        if not rules or [each["compliance"] for each in found] == [compliance]:
            break
    return found


def _report(stage: Stage) -> dict[str, Any]:
    """The content of the pack's report, from the server's own page; without `rules` when there is no such pack."""
    parts = urlsplit(stage.endpoint)
    connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port)
    try:
        asked = json.dumps({"account": stage.account, "region": stage.region, "pack": PACK})
        connection.request("POST", "/_trailstate/compliance/report", asked, {"Content-Type": "application/json"})
        content: dict[str, Any] = json.loads(connection.getresponse().read())
        return content
    finally:
        connection.close()


def _written(page: str) -> Path:
    path = Path(tempfile.mkdtemp(prefix="trailstate-")) / f"{PACK}.html"
    path.write_text(page, encoding="utf-8")
    return path


BROKEN_BENCHMARK = Incident(
    name="broken-benchmark",
    question="Do we comply with the CIS benchmark, and if not, since when and by whose doing?",
    services="AWS Config (PutConformancePack, GetComplianceDetailsByResource) · 38 managed rules · EC2 · IAM",
    story="A pack of the CIS benchmark watches; a developer opens a database's security group to the world.",
    play=_break_the_benchmark,
    ask=_ask,
)
