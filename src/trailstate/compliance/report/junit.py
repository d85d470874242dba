"""A report as JUnit XML, so that a build shows broken rules as failed tests and rules not judged as skipped ones."""

import re
from xml.sax.saxutils import escape, quoteattr

from trailstate.compliance.report.content import Content

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(content: Content) -> str:
    cases = [case for rule in content["rules"] for case in _cases(rule)]
    failed = sum("<failure" in case for case in cases)
    skipped = sum("<skipped" in case for case in cases)
    head = (
        f'<testsuite name={_attribute(content["title"])} tests="{len(cases)}" failures="{failed}" skipped="{skipped}"'
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head} timestamp={_attribute(content["generated"])}>\n' + (
        "".join(cases) + "</testsuite>\n"
    )


def _cases(rule: Content) -> list[str]:
    if not rule["resources"]:
        return [_case(rule["name"], rule["name"], _skipped(rule["reason"] or "There is no resource in its scope."))]
    return [
        _case(rule["name"], f"{each['resourceType']} {each['resourceId']}", _verdict(each))
        for each in rule["resources"]
    ]


def _case(rule: str, name: str, inside: str) -> str:
    return f"  <testcase classname={_attribute(rule)} name={_attribute(name)}>{inside}</testcase>\n"


def _verdict(resource: Content) -> str:
    if resource["compliance"] == "NON_COMPLIANT":
        told = f"since {resource['since']}" + (f", {resource['by']}" if resource["by"] else "")
        return f"<failure message={_attribute(resource['annotation'])}>{escape(_clean(told))}</failure>"
    return "" if resource["compliance"] == "COMPLIANT" else _skipped(resource["annotation"] or resource["compliance"])


def _skipped(reason: str) -> str:
    return f"<skipped message={_attribute(reason)}/>"


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(text: str) -> str:
    """XML has no way to say some characters, not even as references."""
    return _NOT_XML.sub("\ufffd", text)
