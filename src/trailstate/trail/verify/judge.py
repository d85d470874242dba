"""The verification: list, read digests, judge chains, compare log files, and look for what no chain can see.

A chain proves what it holds, and that nothing in its middle was taken out. That its newest part is missing, that a
whole prefix was emptied or that a file was added beside it shows only against something else: the other files, the
clock, and what the trail itself says (`Expected`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from hashlib import sha256
from itertools import islice

from trailstate.trail.verify.absence import Asked, Expected, absent, ends_of, unlisted
from trailstate.trail.verify.chains import Judged, Stretch, judge
from trailstate.trail.verify.compare import Compare, Compared, Listed, compare
from trailstate.trail.verify.digestfile import DigestFile, LogEntry, Unreadable, inflated, read
from trailstate.trail.verify.finding import Finding, Report
from trailstate.trail.verify.keys import PublicKeys
from trailstate.trail.verify.names import Chain, Log, digest_name, log_name
from trailstate.trail.verify.source import Evidence, Fetched
from trailstate.trail.verify.stops import Stop, who_stopped

THREADS = 16
FILES_AT_ONCE_MAX = 16
"""Of the log files that a thread is given at a time: handing over one takes a good part of what reading it does."""
Progress = Callable[[int, int], None]
"""Told how many files are read, of how many."""


def verify(
    evidence: Evidence,
    keys: PublicKeys,
    *,
    expected: Sequence[Expected] = (),
    start: datetime | None = None,
    end: datetime | None = None,
    progress: Progress | None = None,
    threads: int = THREADS,
    compare_all: Compare | None = None,
) -> Report:
    """Judge everything found, or the digests whose periods touch `start` to `end` and the files of that time.

    The listed log files are fetched and compared by `compare_all`, or in as many threads.
    """
    report = Report(evidence.name)
    digest_keys, logs = _sorted_out(evidence.keys())
    asked = Asked(start, end, ends_of(digest_keys))
    digest_keys = list(_touching(digest_keys, start, end))
    with ThreadPoolExecutor(threads) as pool:
        chains = _read_digests(evidence, digest_keys, report, pool)
        judged = {chain: judge(chain, found, keys, evidence.bucket, start) for chain, found in sorted(chains.items())}
        _count(report, judged)
        _hold_what_came(evidence, judged, report)
        stops = _compare_logs(evidence, judged, report, pool, compare_all, progress)
    for chain, result in judged.items():
        report.add([_silence(chain, stretch, stops) for stretch in result.silences])
    listed = {entry.s3Object for found in chains.values() for digest in found for entry in digest.body.logFiles}
    beside = unlisted([each for each in logs if asked.holds(each.time)], listed, chains, asked)
    report.add(beside.findings)
    report.pending = beside.pending
    report.add([finding for each in expected for finding in absent(each, chains, asked)])
    return report


def _sorted_out(keys: Iterable[str]) -> tuple[list[str], list[Log]]:
    """The keys of digests, and the log files, both in order."""
    digests: list[str] = []
    logs: list[Log] = []
    for key in sorted(keys):
        if (log := log_name(key)) is not None:
            logs.append(log)
        elif digest_name(key) is not None:
            digests.append(key)
    return digests, logs


def _touching(keys: Iterable[str], start: datetime | None, end: datetime | None) -> Iterator[str]:
    """Of each chain (keys in order) the digests that end from `start` on, up to the first one that reaches `end`."""
    reached: set[Chain] = set()
    for key in keys:
        named = digest_name(key)
        assert named is not None
        chain, until = named
        if chain in reached or (start is not None and until < start):
            continue
        if end is not None and until >= end:
            reached.add(chain)
        yield key


def _read_digests(
    evidence: Evidence, keys: Sequence[str], report: Report, pool: ThreadPoolExecutor
) -> dict[Chain, list[DigestFile]]:
    chains: dict[Chain, list[DigestFile]] = defaultdict(list)

    def reading(key: str) -> DigestFile | Finding:
        chain, _ = digest_name(key) or (None, None)
        fetched = evidence.fetch(key)
        if fetched is None:
            return Finding("digest-missing", str(chain), key, "it was listed, and then it was not there")
        try:
            return read(key, fetched)
        except Unreadable as error:
            return Finding("digest-unreadable", str(chain), key, str(error))

    for key, result in zip(keys, pool.map(reading, keys), strict=True):
        report.digests += 1
        named = digest_name(key)
        assert named is not None
        if isinstance(result, DigestFile):
            chains[named[0]].append(result)
        else:
            chains.setdefault(named[0], [])
            report.add([result])
    return dict(chains)


def _count(report: Report, judged: Mapping[Chain, Judged]) -> None:
    for chain, result in judged.items():
        report.add(result.findings)
        report.chains.append(str(chain))
        proven = [digest for digest in result.valid if digest.key not in result.unproven]
        report.digests_valid += len(proven)
        report.unproven += result.unproven
        if proven:
            report.proven_until[str(chain)] = proven[-1].end


def _hold_what_came(evidence: Evidence, judged: Mapping[Chain, Judged], report: Report) -> None:
    """The digests before those with which a trail began to deliver here: the older place knows no digest after them."""
    for chain, result in judged.items():
        for digest in result.came:
            assert digest.before is not None
            bucket, key = digest.before
            source = evidence if bucket == digest.body.digestS3Bucket else evidence.beside(bucket)
            if source is None:
                report.unread[bucket] = report.unread.get(bucket, 0) + 1
            else:
                report.add(_before(chain, digest, f"s3://{bucket}/{key}", source.fetch(key)))


def _before(chain: Chain, digest: DigestFile, name: str, fetched: Fetched | None) -> list[Finding]:
    if fetched is None:
        told = f"{digest.key} names it as the digest before it"
        return [Finding("digest-missing", str(chain), name, told)]
    try:
        is_it = sha256(inflated(fetched.body)).hexdigest() == digest.body.previousDigestHashValue
    except Unreadable as error:
        return [Finding("digest-unreadable", str(chain), name, str(error))]
    told = f"the digest after it ({digest.key}) was made upon another text"
    return [] if is_it else [Finding("digest-altered", str(chain), name, told)]


Work = list[tuple[Chain, LogEntry]]


def _compare_logs(
    evidence: Evidence,
    judged: Mapping[Chain, Judged],
    report: Report,
    pool: ThreadPoolExecutor,
    compare_all: Compare | None,
    progress: Progress | None,
) -> list[Stop]:
    """Hold every listed log file against its digest; what the records say of stopped trails comes with it."""
    here, elsewhere = _work(judged)
    readers: list[tuple[Work, Compare]] = [(here, compare_all or partial(_in_threads, evidence, pool))]
    for bucket, work in elsewhere.items():
        source = evidence.beside(bucket)
        if source is None:
            report.unread[bucket] = report.unread.get(bucket, 0) + len(work)
        else:
            readers.append((work, partial(_in_threads, source, pool)))
    total = sum(len(work) for work, _ in readers)
    stops: list[Stop] = []
    for work, reader in readers:
        entries = iter(work)
        for some in reader([(entry.s3Object, entry.hashValue) for _, entry in work]):
            for (chain, entry), result in zip(islice(entries, len(some)), some, strict=True):
                stops += result.stops
                if result.kind is None:
                    report.logs_valid += 1
                else:
                    report.add([Finding(result.kind, str(chain), entry.s3Object, result.told)])
            report.logs += len(some)
            if progress is not None:
                progress(report.logs, total)
    return stops


def _work(judged: Mapping[Chain, Judged]) -> tuple[Work, dict[str, Work]]:
    """The listed log files that lie with their digest, and by bucket those that were delivered elsewhere before."""
    here: Work = []
    elsewhere: dict[str, Work] = {}
    for chain, result in judged.items():
        for digest in result.valid:
            for entry in digest.body.logFiles:
                is_here = entry.s3Bucket == digest.body.digestS3Bucket
                (here if is_here else elsewhere.setdefault(entry.s3Bucket, [])).append((chain, entry))
    return here, elsewhere


def _in_threads(evidence: Evidence, pool: ThreadPoolExecutor, listed: Sequence[Listed]) -> Iterator[Sequence[Compared]]:
    """Implements `Compare`."""

    def comparing(some: Sequence[Listed]) -> Sequence[Compared]:
        return [compare(digest_hash, evidence.fetch(key)) for key, digest_hash in some]

    return pool.map(comparing, _shares(listed))


def _shares(listed: Sequence[Listed]) -> Iterator[Sequence[Listed]]:
    """The work in pieces, of which every thread gets several however little there is."""
    size = max(1, min(FILES_AT_ONCE_MAX, len(listed) // (4 * THREADS)))
    return (listed[first : first + size] for first in range(0, len(listed), size))


def _silence(chain: Chain, stretch: Stretch, stops: Sequence[Stop]) -> Finding:
    """A stretch between two chains: explained by a call that ended the first, or not at all."""
    span = f"{stretch.start:%Y-%m-%dT%H:%M:%SZ}/{stretch.end:%Y-%m-%dT%H:%M:%SZ}"
    stop = who_stopped(chain, stretch.start, stops)
    if stop is None:
        told = f"a new chain begins at {stretch.end:%Y-%m-%d %H:%M:%S} UTC, and no record says who ended the one before"
        return Finding("gap", str(chain), span, told, stretch.start, stretch.end)
    told = f"{stop.who['principal']} called {stop.who['eventName']} at {stop.who['eventTime']}"
    return Finding("stopped", str(chain), span, told, stretch.start, stretch.end, stop.who)
