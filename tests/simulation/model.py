"""What should be in which trail's files, and which chains there should be: the journal read as the documentation is."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tests.simulation.evidence import ACCOUNT, REGION
from trailstate.stores.interface import JOURNAL, StoreUnavailable
from trailstate.stores.memory import MemoryStore

ACCOUNTS = (ACCOUNT, "444455556666")
REGIONS = (REGION, "eu-west-1")
BUCKETS = {"all": ("evidence", "evidence-2"), "one": ("other",)}


@dataclass
class Model:
    """What should be in which trail's files: the journal read plainly, with the changes that were attempted."""

    attempted: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    """Event id of a change, and the trail after it."""
    names: dict[str, str] = field(default_factory=dict)
    expected: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in BUCKETS})
    starts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often a trail began to make digests in a Region."""
    members: frozenset[str] = frozenset(ACCOUNTS)
    states: dict[str, dict[str, Any] | None] = field(default_factory=lambda: dict.fromkeys(BUCKETS))
    read: int = 0

    def follow(self, store: MemoryStore) -> None:
        try:
            entries = store.read(JOURNAL, self.read, 10**9)
        except StoreUnavailable:
            return
        for entry in entries:
            record = msgspec.json.decode(entry.body)
            for name, trail in self.states.items():
                if trail is not None and belongs(trail, record, self.members):
                    self.expected[name].add(record["eventID"])
            if record["eventID"] in self.attempted:
                self._change(self.names[record["eventID"]], self.attempted[record["eventID"]])
            self.members = moved(self.members, record)
            self.read = entry.position

    def _change(self, name: str, after: dict[str, Any] | None) -> None:
        for region in REGIONS:
            self.starts[name, region] += is_chained(after, region) and not is_chained(self.states[name], region)
        self.states[name] = after


def is_chained(trail: dict[str, Any] | None, region: str) -> bool:
    if trail is None or not (trail["IsMultiRegionTrail"] or region == REGION):
        return False
    return bool(trail["IsLogging"] and trail["LogFileValidationEnabled"])


def belongs(trail: dict[str, Any], record: dict[str, Any], members: frozenset[str]) -> bool:
    """The documentation, read plainly."""
    if not trail["IsLogging"] or (not trail["IsMultiRegionTrail"] and record["awsRegion"] != REGION):
        return False
    account = record["recipientAccountId"]
    if account != ACCOUNT and not (trail["IsOrganizationTrail"] and account in members):
        return False
    wants = trail["EventSelectors"][0]["ReadWriteType"]
    return wants == "All" or record["readOnly"] == (wants == "ReadOnly")


def moved(members: frozenset[str], record: dict[str, Any]) -> frozenset[str]:
    """The organization's members after a call."""
    if record["eventName"] == "RemoveAccountFromOrganization":
        return members - {record["requestParameters"]["accountId"]}
    if record["eventName"] == "CreateAccount":
        return members | {record["responseElements"]["createAccountStatus"]["accountId"]}
    return members
