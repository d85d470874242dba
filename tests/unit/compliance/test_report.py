"""A report in each of its forms; whatever strangers named their resources stays text."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import Any

from trailstate.compliance.report.html import as_html
from trailstate.compliance.report.junit import as_junit
from trailstate.compliance.report.tabular import as_csv, as_json

HOSTILE = "=cmd|' /C calc'!A0<script>alert(1)</script>\x1b[2J"


def resource(compliance: str, name: str = "sg-1", annotation: str = "") -> dict[str, Any]:
    return {
        "resourceType": "AWS::EC2::SecurityGroup",
        "resourceId": name,
        "compliance": compliance,
        "annotation": annotation,
        "since": "2026-01-15T09:30:00.000Z",
        "by": "arn:aws:iam::111122223333:user/dana by AuthorizeSecurityGroupIngress",
        "cause": None,
    }


def rule(name: str, *resources: dict[str, Any], reason: str = "", judged: bool = True) -> dict[str, Any]:
    words = {each["compliance"] for each in resources}
    compliance = "NON_COMPLIANT" if "NON_COMPLIANT" in words else "COMPLIANT" if words else "INSUFFICIENT_DATA"
    return {
        "name": name,
        "configRuleName": name,
        "identifier": name.upper(),
        "severity": "High",
        "sets": ["CIS-1.4"],
        "controls": ["CIS.5.2"],
        "fails": "a port is open",
        "compliance": compliance,
        "judged": judged,
        "reason": reason,
        "resources": list(resources),
    }


REPORT = {
    "title": f"basics {HOSTILE}",
    "account": "111122223333",
    "region": "us-east-1",
    "generated": "2026-01-15T10:00:00.000Z",
    "compliance": "NON_COMPLIANT",
    "score": "50.00",
    "rulesJudged": 1,
    "rulesTotal": 2,
    "notJudged": ["guardduty"],
    "resources": 2,
    "rules": [
        rule("restricted-ssh", resource("NON_COMPLIANT", HOSTILE, "Port 22 is open."), resource("COMPLIANT")),
        rule("guardduty", reason="It is not implemented.", judged=False),
    ],
}


class Tags(HTMLParser):
    """The elements of a page, and whatever would be fetched from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_is_self_contained_and_names_what_is_not_judged() -> None:
    page = as_html(REPORT)
    tags = Tags()
    tags.feed(page)
    assert "script" not in tags.names
    assert tags.fetched == ["#restricted-ssh"]
    assert "1 of 2" in page
    assert "It is not implemented." in page
    assert "since" in page.lower()
    assert "user/dana by AuthorizeSecurityGroupIngress" in page
    assert page.index("Non-compliant") < page.index("Compliant")


def test_no_cell_of_the_csv_is_a_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(REPORT))))
    assert rows[0]["resourceId"].startswith("'=cmd")
    assert rows[0]["compliance"] == "NON_COMPLIANT"
    assert rows[2]["annotation"] == "It is not implemented."


def test_broken_rules_are_failed_tests_and_rules_not_judged_are_skipped() -> None:
    suite = ET.fromstring(as_junit(REPORT))
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "Port 22 is open."
    assert "2026-01-15" in (failure.text or "")


def test_json_is_the_report_itself() -> None:
    assert json.loads(as_json(REPORT)) == REPORT
