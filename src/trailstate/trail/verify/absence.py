"""What no chain can see: files beside it, its newest part cut off, a whole prefix emptied.

These show only against something else: the log files that lie there, and what the trail says of itself.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from trailstate.trail.verify.digestfile import DigestFile
from trailstate.trail.verify.finding import Finding
from trailstate.trail.verify.names import Chain, Log, Place, digest_name

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
    is_multi_region: bool = True
    """Else it may have been, and its chains in other Regions have ended."""

    def goes_on_in(self, chain: Chain) -> bool:
        """Whether the chain is the trail's, and one that still grows."""
        is_its_own = (chain.trail, chain.home_region, chain.is_backfill) == (self.trail, self.home_region, False)
        is_here = chain.place.folder in {each.folder for each in self.places}
        return is_its_own and is_here and (self.is_multi_region or chain.place.region == self.home_region)


@dataclass(frozen=True, slots=True)
class Asked:
    """The time that is judged, and what the names alone say of the digests outside it too."""

    start: datetime | None
    end: datetime | None
    ends: Mapping[Chain, datetime]
    """Where the newest digest of each chain ends."""

    def holds(self, time: datetime) -> bool:
        return (self.start is None or time >= self.start) and (self.end is None or time <= self.end)

    def until(self, moment: datetime) -> datetime:
        return moment if self.end is None else min(moment, self.end)


def ends_of(digest_keys: Iterable[str]) -> dict[Chain, datetime]:
    """Where the newest digest of each chain ends, by the names."""
    newest: dict[Chain, datetime] = {}
    for chain, end in (named for key in digest_keys if (named := digest_name(key)) is not None):
        newest[chain] = max(end, newest.get(chain, end))
    return newest


@dataclass(slots=True)
class Beside:
    """The log files that no digest lists."""

    findings: list[Finding] = field(default_factory=list)
    pending: int = 0
    """Those too new for a digest."""


def unlisted(logs: Sequence[Log], listed: set[str], chains: Chains, asked: Asked) -> Beside:
    """Judge the log files (in order) that stand in no digest."""
    covered: dict[Place, list[DigestFile]] = defaultdict(list)
    for chain, digests in chains.items():
        covered[chain.place] += digests
    beside = Beside()
    elsewhen = {chain.place: end for chain, end in sorted(asked.ends.items()) if chain not in chains}
    for place, there in itertools.groupby(logs, lambda each: each.place):
        extra = [each for each in there if each.key not in listed]
        if covered[place]:
            _judge_extra(place, extra, covered[place], asked.start, beside)
        elif place in elsewhen:
            _tell_unlisted(place, extra, elsewhen[place], beside)
        else:
            told = f"{len(extra)} log files lie there, and not one readable digest"
            beside.findings.append(Finding("chain-missing", str(place), str(place), told))
    return beside


def _tell_unlisted(place: Place, extra: Sequence[Log], last: datetime, beside: Beside) -> None:
    """Those that the digests until `last` should list, and do not."""
    for each in extra:
        if each.time + LATE > last:
            beside.pending += 1
        else:
            told = "digests cover its time, and none of them lists it"
            beside.findings.append(Finding("log-unlisted", str(place), each.key, told))


def _judge_extra(
    place: Place,
    extra: Sequence[Log],
    digests: Sequence[DigestFile],
    start: datetime | None,
    beside: Beside,
) -> None:
    first, last = min(each.start for each in digests), max(each.end for each in digests)
    length = max(each.end - each.start for each in digests)
    pending = [each.time for each in extra if each.time + LATE > last]
    since = max(first, start or first)
    _tell_unlisted(place, [each for each in extra if each.time >= since], last, beside)
    if pending and max(pending) > last + length + LATE:
        told = (
            f"the newest digest ends at {last:%Y-%m-%d %H:%M:%S} UTC; files until {max(pending):%Y-%m-%d %H:%M} UTC "
            "lie there, and the digests that should list them do not"
        )
        beside.findings.append(Finding("tail-missing", str(place), str(place), told, last, max(pending)))


def absent(expected: Expected, chains: Chains, asked: Asked) -> Iterator[Finding]:
    """What the trail says it delivered, and is not there."""
    latest = expected.latest_digest
    if latest is None or (asked.start is not None and latest < asked.start):
        return
    found: dict[Place, list[DigestFile]] = {place: [] for place in expected.places}
    for chain, digests in chains.items():
        if expected.goes_on_in(chain):
            found.setdefault(chain.place, []).extend(digests)
    said = f"the trail {expected.trail} says that it delivered its latest digest at {latest:%Y-%m-%d %H:%M:%S} UTC"
    newest = max((each.end for digests in found.values() for each in digests), default=latest)
    for place, digests in sorted(found.items()):
        chain = Chain(place, expected.trail, expected.home_region)
        if chain in asked.ends and chain not in chains:
            continue
        if not digests:
            yield Finding("chain-missing", str(chain), str(place), f"{said}, and there is none in this place")
            continue
        length = max(each.end - each.start for each in digests)
        ends = max(each.end for each in digests)
        if ends + length <= asked.until(max(newest, latest)):
            told = f"{said}, and the newest one here ends at {ends:%Y-%m-%d %H:%M:%S} UTC"
            yield Finding("tail-missing", str(chain), str(place), told, ends, max(newest, latest))
