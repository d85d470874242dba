"""Tampering, and what the verifier says of it: first what the stock verifier sees too, then what only this one sees."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.unit.trail.verify.ledger import (
    ACCOUNT,
    BUCKET,
    FOLDER,
    HOUR,
    REGION,
    START,
    TRAIL,
    Ledger,
    extend,
    keys,
    ledger,
    stop_record,
)

from trailstate.cli.verify import as_table
from trailstate.trail.verify import Directory, Expected, Fetched, PublicKeys, Report, verify
from trailstate.trail.verify.names import Place

HERE = Place("AWSLogs/", ACCOUNT, REGION)


def kinds(report: Report) -> Counter[str]:
    return Counter(each.kind for each in report.findings)


def subjects(report: Report, kind: str) -> list[str]:
    return [each.subject for each in report.findings if each.kind == kind]


def test_untouched_evidence_is_clean() -> None:
    report = verify(ledger(), keys())
    assert report.is_clean
    assert (report.digests, report.digests_valid, report.logs, report.logs_valid) == (5, 5, 10, 10)
    assert list(report.proven_until.values()) == [START + 5 * HOUR]


def test_files_compressed_again_are_untouched() -> None:
    made = ledger()
    for name in (made.logs[3], made.digests[2]):
        made.rewrite(name, gzip.compress(made.text(name), 1))
    assert verify(made, keys()).is_clean


def test_a_rotated_key_verifies_what_it_signed() -> None:
    made = ledger(3)
    made.put_digest(START + 3 * HOUR, [made.put_log(START + 3 * HOUR)], number=1)
    assert verify(made, keys(0, 1)).is_clean
    assert kinds(verify(made, keys(0))) == {"key-unknown": 1}


# ---- what the stock verifier sees too ----


def _altered(made: Ledger) -> None:
    made.rewrite(made.logs[4], gzip.compress(made.text(made.logs[4]).replace(b"RunInstances", b"StopInstances")))


def _not_gzip(made: Ledger) -> None:
    made.rewrite(made.logs[4], b"not gzip at all")


def _trailing(made: Ledger) -> None:
    made.rewrite(made.logs[4], made.objects[made.logs[4]].body + b"trailing")


def _digest_altered(made: Ledger) -> None:
    made.rewrite(
        made.digests[2], gzip.compress(made.text(made.digests[2]).replace(b'"hashValue": "', b'"hashValue": "0'))
    )


def _digest_incomplete(made: Ledger) -> None:
    body = json.loads(made.text(made.digests[2]))
    del body["digestStartTime"]
    made.rewrite(made.digests[2], gzip.compress(json.dumps(body).encode()))


def _unsigned(made: Ledger) -> None:
    made.objects[made.digests[2]] = Fetched(made.objects[made.digests[2]].body, {})


def _moved(made: Ledger) -> None:
    made.objects[made.digests[2].replace("T120000Z", "T120500Z")] = made.objects.pop(made.digests[2])


CASES: dict[str, tuple[Callable[[Ledger], object], dict[str, int]]] = {
    "log file deleted": (lambda made: made.remove(made.logs[4]), {"log-missing": 1}),
    "log file changed": (_altered, {"log-altered": 1}),
    "log file not gzip": (_not_gzip, {"log-unreadable": 1}),
    "bytes behind the gzip file": (_trailing, {"log-unreadable": 1}),
    "digest changed": (_digest_altered, {"digest-altered": 2}),
    "digest not JSON": (lambda made: made.rewrite(made.digests[4], gzip.compress(b"{")), {"digest-unreadable": 1}),
    "metadata lost": (_unsigned, {"digest-unsigned": 1}),
}


@pytest.mark.parametrize("case", CASES)
def test_tampering_is_found_and_named(case: str) -> None:
    tamper, expected = CASES[case]
    made = ledger()
    tamper(made)
    found = kinds(verify(made, keys()))
    assert {kind: count for kind, count in found.items() if kind not in ("log-unlisted", "digest-missing")} == expected


def test_a_digest_that_lacks_what_every_digest_has_is_named_and_so_is_its_place_in_the_chain() -> None:
    made = ledger()
    _digest_incomplete(made)
    report = verify(made, keys())
    assert subjects(report, "digest-unreadable") == [made.digests[2]]
    assert "digestStartTime" in next(each.sentence for each in report.findings if each.kind == "digest-unreadable")


def test_a_digest_under_another_name_is_both_moved_and_missed() -> None:
    made = ledger()
    _moved(made)
    report = verify(made, keys())
    assert kinds(report)["digest-moved"] == 1
    assert subjects(report, "digest-missing") == [made.digests[2]]


def test_a_digest_signed_with_another_key_does_not_verify() -> None:
    made = ledger()
    altered = made.text(made.digests[4])
    made.objects[made.digests[4]] = Fetched(gzip.compress(altered), {"signature": "00" * 256})
    assert kinds(verify(made, keys())) == {"digest-altered": 1}


def test_without_any_published_key_nothing_is_proved() -> None:
    report = verify(ledger(), PublicKeys([]))
    assert kinds(report)["key-unknown"] == 5
    assert report.proven_until == {}


# ---- what only this verifier sees ----


def test_each_of_two_adjacent_digests_that_are_gone_is_told() -> None:
    made = ledger()
    made.remove(made.digests[1], made.digests[2])
    missing = [each for each in verify(made, keys()).findings if each.kind == "digest-missing"]
    assert missing[0].subject == made.digests[2]
    assert [(each.start, each.end) for each in missing[1:]] == [(START + HOUR, START + 2 * HOUR)]


def test_log_files_of_a_removed_digest_are_no_less_than_unlisted() -> None:
    made = ledger()
    made.remove(made.digests[2])
    assert subjects(verify(made, keys()), "log-unlisted") == made.logs[4:6]


def test_a_file_that_no_digest_lists_is_found() -> None:
    made = ledger()
    extra = made.put_log(START + 2 * HOUR + timedelta(minutes=15))
    assert subjects(verify(made, keys()), "log-unlisted") == [extra]


def test_a_file_too_new_for_a_digest_waits() -> None:
    made = ledger()
    made.put_log(START + 5 * HOUR + timedelta(minutes=5))
    report = verify(made, keys())
    assert report.is_clean
    assert report.pending == 1


def test_removed_newest_digests_show_against_the_log_files_beside_them() -> None:
    made = ledger(8)
    made.remove(*made.digests[5:])
    assert kinds(verify(made, keys())) == {"tail-missing": 1}


def test_removed_newest_digests_and_files_show_against_what_the_trail_says() -> None:
    made = ledger(8)
    expected = Expected(TRAIL, REGION, [HERE], START + 8 * HOUR + timedelta(minutes=1))
    assert verify(made, keys(), expected=[expected]).is_clean
    made.remove(made.digests[-1], *made.logs[-2:])
    report = verify(made, keys(), expected=[expected])
    assert [(each.kind, each.start) for each in report.findings] == [("tail-missing", START + 7 * HOUR)]


def test_an_emptied_prefix_shows_against_what_the_trail_says() -> None:
    expected = Expected(TRAIL, REGION, [HERE], START + HOUR)
    assert kinds(verify(Ledger(), keys(), expected=[expected])) == {"chain-missing": 1}
    assert verify(Ledger(), keys()).is_clean


def test_log_files_without_a_single_digest_are_suspicious() -> None:
    made = ledger()
    made.remove(*made.digests)
    assert kinds(verify(made, keys())) == {"chain-missing": 1}


def test_a_stopped_trail_is_told_with_who_and_when() -> None:
    made = ledger(2)
    extend(made, START + 2 * HOUR, records=[stop_record(START + 2 * HOUR + timedelta(minutes=59))])
    extend(made, START + 6 * HOUR, is_first=True)
    [finding] = verify(made, keys()).findings
    assert (finding.kind, finding.start, finding.end) == ("stopped", START + 3 * HOUR, START + 6 * HOUR)
    assert finding.who is not None
    assert finding.who["principal"] == f"arn:aws:iam::{ACCOUNT}:user/mallory"
    assert finding.who["sourceIPAddress"] == "198.51.100.7"


def test_a_stop_that_failed_explains_nothing() -> None:
    made = ledger(2)
    extend(made, START + 2 * HOUR, records=[stop_record(START + 2 * HOUR, errorCode="AccessDenied")])
    extend(made, START + 6 * HOUR, is_first=True)
    assert kinds(verify(made, keys())) == {"gap": 1}


def test_the_oldest_digest_is_missed_too_unless_it_lies_before_what_was_asked_for() -> None:
    made = ledger()
    made.remove(made.digests[0])
    assert kinds(verify(made, keys()))["digest-missing"] == 1
    assert verify(made, keys(), start=START + 2 * HOUR).is_clean


# ---- directories ----


def test_a_downloaded_directory_proves_all_but_its_newest_digest(tmp_path: Path) -> None:
    made = ledger()
    report = verify(Directory(made.saved(tmp_path)), keys())
    assert report.is_clean
    assert report.unproven == [made.digests[-1]]
    assert (report.digests_valid, report.logs_valid) == (4, 10)
    assert list(report.proven_until.values()) == [START + 4 * HOUR]


def test_tampering_in_a_downloaded_directory_is_found(tmp_path: Path) -> None:
    made = ledger()
    _digest_altered(made)
    report = verify(Directory(made.saved(tmp_path)), keys())
    assert kinds(report)["digest-altered"] >= 1
    assert subjects(report, "digest-altered")[0] == made.digests[2]


def test_other_files_are_none_of_its_business(tmp_path: Path) -> None:
    made = ledger(1)
    made.objects[f"{FOLDER}/Config/{REGION}/x.json.gz"] = Fetched(b"", {})
    made.objects["notes.txt"] = Fetched(b"", {})
    assert verify(made, keys()).is_clean


def told_by(latest: datetime) -> Expected:
    return Expected(TRAIL, REGION, [HERE], latest)


ASKED = {
    "from": (START + 5 * HOUR, None),
    "until": (None, START + 4 * HOUR),
    "between": (START + 3 * HOUR, START + 4 * HOUR),
    "before everything": (None, START - 9 * HOUR),
    "after everything": (START + 30 * HOUR, None),
}


@pytest.mark.parametrize("window", ASKED.values(), ids=list(ASKED))
def test_what_lies_outside_the_time_asked_for_is_not_missed(window: tuple[datetime | None, datetime | None]) -> None:
    start, end = window
    report = verify(ledger(12), keys(), expected=[told_by(START + 12 * HOUR)], start=start, end=end)
    assert report.findings == []


def test_what_lies_in_the_time_asked_for_is() -> None:
    made = ledger(12)
    made.remove(*made.digests[3:5])
    extra = made.put_log(START + 3 * HOUR)
    report = verify(made, keys(), start=START + 2 * HOUR, end=START + 6 * HOUR)
    assert [each.kind for each in report.findings if each.kind != "log-unlisted"] == ["digest-missing"] * 2
    assert extra in subjects(report, "log-unlisted")
    made.remove(*made.digests[5:])
    report = verify(made, keys(), expected=[told_by(START + 12 * HOUR)], end=START + 6 * HOUR)
    assert "tail-missing" in [each.kind for each in report.findings]
    made.remove(*made.digests[:3])
    report = verify(made, keys(), expected=[told_by(START + 12 * HOUR)], end=START + 6 * HOUR)
    assert [each.kind for each in report.findings] == ["chain-missing"] * 2


def test_a_trail_that_comes_to_be_of_its_home_alone_misses_nothing_elsewhere() -> None:
    made, far = ledger(5), Ledger(region="eu-west-1")
    for hour in range(3):
        extend(far, START + hour * HOUR)
    made.objects |= far.objects
    told = told_by(START + 5 * HOUR)
    assert kinds(verify(made, keys(), expected=[told])) == {"tail-missing": 1}
    assert verify(made, keys(), expected=[replace(told, is_multi_region=False)]).is_clean


def a_trail_that_moved() -> Ledger:
    """Two hours in one bucket; the third hour's first file still went there, its digest and all that follows do not."""
    old = ledger(2)
    late = old.put_log(START + 2 * HOUR + timedelta(minutes=10))
    new = old.moved("evidence-2")
    new.put_digest(START + 2 * HOUR, [late, new.put_log(START + 2 * HOUR + timedelta(minutes=40))])
    extend(new, START + 3 * HOUR)
    return new


def test_a_trail_that_moved_to_another_bucket_misses_nothing_there() -> None:
    report = verify(a_trail_that_moved(), keys())

    assert (report.findings, report.logs, report.logs_valid, report.unread) == ([], 4, 4, {})


def test_what_it_delivered_before_is_held_against_its_digests_too() -> None:
    made = a_trail_that_moved()
    before = made.others[BUCKET]
    before.remove(before.digests[-1], before.logs[-1])

    assert [(each.kind, each.subject) for each in verify(made, keys()).findings] == [
        ("digest-missing", f"s3://{BUCKET}/{before.digests[-1]}"),
        ("log-missing", before.logs[-1]),
    ]


def test_an_altered_digest_of_the_bucket_before_is_found() -> None:
    made = a_trail_that_moved()
    before = made.others[BUCKET]
    before.rewrite(before.digests[-1], gzip.compress(before.text(before.digests[-1]) + b" "))

    assert [each.kind for each in verify(made, keys()).findings] == ["digest-altered"]


def test_a_bucket_that_cannot_be_read_is_named_and_not_called_valid() -> None:
    made = a_trail_that_moved()
    made.others.clear()
    report = verify(made, keys())

    assert (report.findings, report.logs, report.logs_valid, report.unread) == ([], 3, 3, {BUCKET: 2})
    told = as_table(report)
    assert f"not read: 2 files in s3://{BUCKET}, to which the trail delivered before" in told
    assert told.endswith("what is there is untouched, and nothing of what could be read is missing\n")
