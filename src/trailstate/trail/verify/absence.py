"""What no chain can see: files beside it, its newest part cut off, a whole prefix emptied.

These show only against something else: the log files that lie there, and what the trail says of itself.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from trailstate.trail.verify.digestfile import DigestFile
from trailstate.trail.verify.finding import Finding
from trailstate.trail.verify.names import Chain, Place, log_name

LATE = timedelta(minutes=20)
"""A log file is delivered within a quarter of an hour of the minute in its name; then the next digest lists it."""

Chains = Mapping[Chain, Sequence[DigestFile]]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a trail says of itself, to be held against what is found."""

    trail: str
    home_region: str
    places: Sequence[Place]
    """Where its digests should lie."""
    latest_digest: datetime | None
    """When it last delivered a digest, as GetTrailStatus says; None when it never did."""


@dataclass(slots=True)
class Beside:
    """The log files that no digest lists."""

    findings: list[Finding] = field(default_factory=list)
    pending: int = 0
    """Those too new for a digest."""


def unlisted(log_keys: Sequence[str], listed: set[str], chains: Chains, start: datetime | None) -> Beside:
    """Judge the log files (keys in order) that stand in no digest."""
    covered: dict[Place, list[DigestFile]] = defaultdict(list)
    for chain, digests in chains.items():
        covered[chain.place] += digests
    beside = Beside()
    for place, keys in itertools.groupby(log_keys, _place):
        extra = [
            (key, time) for key in keys if key not in listed for _, time in [log_name(key) or (None, None)] if time
        ]
        if not covered[place]:
            told = f"{len(extra)} log files lie there, and not one readable digest"
            beside.findings.append(Finding("chain-missing", str(place), str(place), told))
        else:
            _judge_extra(place, extra, covered[place], start, beside)
    return beside


def _judge_extra(
    place: Place,
    extra: Sequence[tuple[str, datetime]],
    digests: Sequence[DigestFile],
    start: datetime | None,
    beside: Beside,
) -> None:
    first, last = min(each.start for each in digests), max(each.end for each in digests)
    length = max(each.end - each.start for each in digests)
    pending = [time for _, time in extra if time + LATE > last]
    beside.pending += len(pending)
    for key, time in extra:
        if time + LATE <= last and time >= max(first, start or first):
            told = "digests cover its time, and none of them lists it"
            beside.findings.append(Finding("log-unlisted", str(place), key, told))
    if pending and max(pending) > last + length + LATE:
        told = (
            f"the newest digest ends at {last:%Y-%m-%d %H:%M:%S} UTC; files until {max(pending):%Y-%m-%d %H:%M} UTC "
            "lie there, and the digests that should list them do not"
        )
        beside.findings.append(Finding("tail-missing", str(place), str(place), told, last, max(pending)))


def _place(key: str) -> Place:
    named = log_name(key)
    assert named is not None
    return named[0]


def absent(expected: Expected, chains: Chains) -> Iterator[Finding]:
    """What the trail says it delivered, and is not there."""
    latest = expected.latest_digest
    if latest is None:
        return
    found: dict[Place, list[DigestFile]] = {place: [] for place in expected.places}
    for chain, digests in chains.items():
        if (chain.trail, chain.home_region, chain.is_backfill) == (expected.trail, expected.home_region, False):
            found.setdefault(chain.place, []).extend(digests)
    said = f"the trail {expected.trail} says that it delivered its latest digest at {latest:%Y-%m-%d %H:%M:%S} UTC"
    newest = max((each.end for digests in found.values() for each in digests), default=latest)
    for place, digests in sorted(found.items()):
        chain = Chain(place, expected.trail, expected.home_region)
        if not digests:
            yield Finding("chain-missing", str(chain), str(place), f"{said}, and there is none in this place")
            continue
        length = max(each.end - each.start for each in digests)
        ends = max(each.end for each in digests)
        if ends + length <= max(newest, latest):
            told = f"{said}, and the newest one here ends at {ends:%Y-%m-%d %H:%M:%S} UTC"
            yield Finding("tail-missing", str(chain), str(place), told, ends, max(newest, latest))
