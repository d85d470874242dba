"""What a verification found: what each finding is about, in one sentence, and who ended a trail's logging."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from trailstate.values.timestamp import record_time

KINDS: Mapping[str, str] = {
    "log-missing": "a digest lists the log file, and it is not there",
    "log-altered": "the log file is not what its digest was made of",
    "log-unreadable": "the log file is not a gzip file",
    "log-unlisted": "no digest of its time lists the log file",
    "digest-missing": "the next digest, or the clock, says that there was one",
    "digest-altered": "the digest's signature or hash does not fit",
    "digest-unreadable": "the digest is not gzip, not JSON, or lacks what every digest has",
    "digest-moved": "the digest says that it was delivered under another name",
    "digest-unsigned": "the object holds no signature",
    "key-unknown": "the public key that should verify the digest is not published",
    "tail-missing": "the newest digests are not there",
    "chain-missing": "there should be digests, and there is none",
    "stopped": "the trail was not logging, and says who stopped it",
    "gap": "a new chain begins, and nothing says who ended the one before",
}
"""Every kind of finding, and what it means."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at."""

    kind: str
    chain: str
    subject: str
    """The key, or the span of time, that it is about."""
    sentence: str
    start: datetime | None = None
    end: datetime | None = None
    who: Mapping[str, str] | None = None
    """For a stopped interval: principal, eventName, eventTime, sourceIPAddress, eventID of the call that ended it."""

    def __post_init__(self) -> None:
        assert self.kind in KINDS

    def as_json(self) -> dict[str, Any]:
        members = {
            "kind": self.kind,
            "chain": self.chain,
            "subject": self.subject,
            "sentence": self.sentence,
            "start": self.start and record_time(self.start),
            "end": self.end and record_time(self.end),
            "who": self.who and dict(self.who),
        }
        return {name: value for name, value in members.items() if value is not None}


@dataclass(slots=True)
class Report:
    """The whole answer. It is clean when nothing was found."""

    source: str
    findings: list[Finding] = field(default_factory=list)
    digests: int = 0
    digests_valid: int = 0
    logs: int = 0
    logs_valid: int = 0
    pending: int = 0
    """Log files newer than the newest digest: the next one will list them."""
    unproven: list[str] = field(default_factory=list)
    """Digests whose own signature a directory does not keep; it stands in the digest after them."""
    chains: list[str] = field(default_factory=list)
    proven_until: dict[str, datetime] = field(default_factory=dict)
    """Per chain: until when its digests prove what happened."""
    unread: dict[str, int] = field(default_factory=dict)
    """Files that digests name in another bucket, to which the trail delivered before, and which could not be read."""

    @property
    def is_clean(self) -> bool:
        return not self.findings

    def add(self, findings: Sequence[Finding]) -> None:
        self.findings.extend(findings)

    def as_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "clean": self.is_clean,
            "digests": {"found": self.digests, "valid": self.digests_valid, "unproven": self.unproven},
            "logFiles": {"listed": self.logs, "valid": self.logs_valid, "pending": self.pending},
            "unreadBuckets": self.unread,
            "chains": [
                {"chain": each, "provenUntil": record_time(self.proven_until[each])}
                for each in self.chains
                if each in self.proven_until
            ],
            "findings": [each.as_json() for each in self.findings],
        }
