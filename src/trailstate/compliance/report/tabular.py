"""A report as rows: one per rule and resource, one per rule without resources. CSV that no spreadsheet obeys."""

import csv
import io
import json
from collections.abc import Iterator

from trailstate.compliance.report.content import Content
from trailstate.values.cell import disarmed

COLUMNS = (
    "rule",
    "identifier",
    "severity",
    "controls",
    "resourceType",
    "resourceId",
    "compliance",
    "since",
    "by",
    "annotation",
)


def rows(content: Content) -> Iterator[tuple[str, ...]]:
    """The cells in the order of COLUMNS."""
    for rule in content["rules"]:
        about = (rule["name"], rule["identifier"] or "", rule["severity"] or "", " ".join(rule["controls"]))
        if not rule["resources"]:
            yield (*about, "", "", rule["compliance"], "", "", rule["reason"] or "There is no resource in its scope.")
        for each in rule["resources"]:
            told = ("resourceType", "resourceId", "compliance", "since", "by", "annotation")
            yield (*about, *(each[name] for name in told))


def as_csv(content: Content) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([disarmed(cell) for cell in row] for row in rows(content))
    return text.getvalue()


def as_json(content: Content) -> str:
    return json.dumps(content, indent=2) + "\n"
