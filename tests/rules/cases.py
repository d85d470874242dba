"""Cases of rules: one YAML file per rule or family, each case an item, what is known beside it, and the verdict.

    rule: ENCRYPTED_VOLUMES            # or `rules: [...]` for a family whose rules answer alike
    cases:
      - name: an attached plain volume
        item: {configuration: {attachments: [{instanceId: i-1}], encrypted: false}}
        expect: NON_COMPLIANT
        says: not encrypted             # a part of the annotation; optional

A case may also give `parameters` (as on the wire: text), `now`, `facts` of the item, `inventory` (further items, each
with an optional `facts` beside `item`). An item needs only what matters: type, id, account, Region and status are
filled in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from trailstate.compliance.form import Rule, Verdict
from trailstate.compliance.inventory import ListedInventory
from trailstate.compliance.judge import judge
from trailstate.compliance.parameter import read_all

CASES = Path(__file__).parent / "cases"
KNOWN = {"name", "item", "parameters", "now", "facts", "inventory", "expect", "says"}
ACCOUNT, REGION = "111122223333", "us-east-1"
NOW = "2026-01-15T09:30:00Z"


@dataclass(frozen=True)
class Case:
    """One example of one rule."""

    rule: str
    name: str
    expect: str
    item: Mapping[str, Any] = field(default_factory=dict)
    says: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    now: str = NOW
    facts: Mapping[str, Any] = field(default_factory=dict)
    inventory: tuple[Mapping[str, Any], ...] = ()

    def verdict(self, rule: Rule) -> Verdict:
        """What the rule says of it."""
        item = whole(self.item, rule.types[0])
        others = [(whole(each["item"], rule.types[0]), each.get("facts", {})) for each in self.inventory]
        inventory = ListedInventory.of(
            [(item, self.facts), *others], now=_moment(self.now), account=ACCOUNT, region=REGION
        )
        return judge(rule, item, inventory, read_all(rule.managed, self.parameters))


def whole(part: Mapping[str, Any], resource_type: str) -> dict[str, Any]:
    """An item with everything that the case leaves out."""
    kind = part.get("resourceType", resource_type)
    rest = {
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": "2026-01-15T09:00:00.000Z",
        "configurationStateId": 1768467600000,
        "configurationItemStatus": "OK",
        "awsAccountId": ACCOUNT,
        "awsRegion": REGION,
        "availabilityZone": "Not Applicable",
        "resourceType": kind,
        "resourceId": ACCOUNT if kind == "AWS::::Account" else "resource-1",
        "resourceName": None,
        "ARN": None,
        "configurationStateMd5Hash": "",
        "resourceCreationTime": None,
        "tags": {},
        "relatedEvents": [],
        "relationships": [],
        "configuration": {},
        "supplementaryConfiguration": {},
    }
    return rest | dict(part)


def every_case() -> Iterator[Case]:
    for path in sorted(CASES.glob("*.yaml")):
        yield from of_file(path)


def of_file(path: Path) -> Iterator[Case]:
    document = yaml.load(path.read_text(), Loader=_Loader)
    assert set(document) <= {"rule", "rules", "cases"}, f"{path.name}: only rule or rules, and cases"
    for rule in document.get("rules") or [document["rule"]]:
        for each in document["cases"]:
            assert set(each) <= KNOWN, f"{path.name}: unknown {sorted(set(each) - KNOWN)}"
            yield Case(rule, **(each | {"inventory": tuple(each.get("inventory", ()))}))


class _Loader(yaml.CSafeLoader):
    """Dates stay text, as in JSON."""


_Loader.yaml_implicit_resolvers = {
    letter: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for letter, pairs in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
